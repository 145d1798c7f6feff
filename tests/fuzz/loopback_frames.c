/* Any bytes as frames between the parent of a loopback world and a worker: what is taken for a
 * frame is written again to the same bytes. */
#include "frames.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[LB_FRAME_HEAD + LB_BODY_MAX];
    struct lb_frame frame;
    uint32_t used = 0;
    while (size <= UINT32_MAX && lb_frame_get(&frame, &used, data, (uint32_t)size) > 0) {
        if (used > size || lb_frame_bytes(&frame) != used)
            abort();
        lb_frame_put(again, &frame);
        if (memcmp(again, data, used) != 0)
            abort();
        data += used;
        size -= used;
    }
    return 0;
}
