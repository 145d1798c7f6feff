/* QEMU's log of writes: every entry lies within the log, they come to an end, and a log that passes
 * the check is read to its end. */
#include "write_log.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *log = malloc(size + 1); /* its own, so that a read behind it is seen */
    struct rig_log_entry entry;
    size_t at = 0, before = 0;
    unsigned sum = 0;
    if (!log)
        return 0;
    memcpy(log, data, size);
    log = realloc(log, size ? size : 1);
    while (rig_log_next(log, size, &at, &entry)) {
        if (at <= before || at > size || (entry.data && entry.len > size))
            abort();
        for (uint64_t i = 0; entry.data && i < entry.len; i++)
            sum = (sum + entry.data[i]) & UINT8_MAX;
        before = at;
    }
    for (size_t i = before; before && i < size; i++)
        if (log[i] && rig_log_check(log, size))
            abort();
    free(log);
    return sum > UINT8_MAX; /* never; the bytes were read */
}
