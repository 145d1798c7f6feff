/* Any bytes as a flash history: refused with a line's number, or a flash. */
#include "rig/history.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t flash[RIG_HISTORY_BYTES];
    struct rig_history *history;
    char message[128] = "";
    FILE *from = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    if (!from)
        return 0;
    if (rig_history_replay(&history, from, message, sizeof message)) {
        if (strncmp(message, "line ", 5) || history)
            abort();
    } else {
        rig_history_flash(history, flash);
        rig_history_free(history);
    }
    fclose(from);
    return 0;
}
