/* Any bytes as a message of any kind: what is taken has its members in their ranges, and gives the
 * same bytes when it is encoded. */
#include "link/channel.h"
#include "link/message.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[LINK_MESSAGE_MAX];
    struct link_message message;
    if (!size || size - 1 > LINK_MESSAGE_MAX)
        return 0;
    if (!link_decode(&message, data[0], data + 1, (uint32_t)(size - 1))) {
        if (message.kind || message.bytes || message.len)
            abort();
        return 0;
    }
    if (link_encode(out, sizeof out, &message) != size - 1 || memcmp(out, data + 1, size - 1))
        abort();
    return 0;
}
