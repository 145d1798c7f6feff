/* Any line to the emulator's control socket: an order within its bounds, or a text that says why
 * not. */
#include "order.h"
#include <assert.h>
#include <string.h>

static bool takes_relay(enum em_verb verb)
{
    return verb <= EM_BOUNCE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct em_order order;
    const char *wrong = em_order_parse(&order, (const char *)data, size);
    if (wrong) {
        assert(order.verb == EM_VERBS && *wrong);
        return 0;
    }
    assert(order.verb < EM_VERBS && !memchr(data, 0, size));
    assert(takes_relay(order.verb) == (order.relay != 0));
    assert(order.relay <= UINT16_MAX && order.board <= UINT16_MAX && order.channel <= UINT16_MAX);
    assert((order.verb >= EM_STICK && order.verb <= EM_BOUNCE) == (order.channel != 0));
    assert(order.number <= 9999999999u);
    if (order.verb >= EM_KILL && order.verb <= EM_STRAP)
        assert(order.board);
    return 0;
}
