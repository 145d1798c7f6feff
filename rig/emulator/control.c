/* Orders of the control socket. */
#include "emulator.h"
#include "order.h"
#include <errno.h>
#include <string.h>

/* NULL, or why not. */
static const char *check(const struct em *em, const struct em_order *order)
{
    if (order->relay > em->relays)
        return "there is no such relay";
    if (order->board > em->options.boards)
        return "there is no such board";
    if (order->channel > em->options.channels)
        return "the relay has no such channel";
    if (order->verb == EM_BOUNCE && (!order->number || order->number > EM_BOUNCES_MAX))
        return "1 to 20 times";
    if (order->verb == EM_FLOOD && order->number > EM_FLOOD_MAX)
        return "at most 268435456 bytes";
    if (order->verb == EM_STRAP && order->number > 7)
        return "straps are 0 to 7";
    return NULL;
}

static const char *obey_relay(struct em_relay *relay, struct em_contact *contact,
                              const struct em_order *order)
{
    switch (order->verb) {
    case EM_UNPLUG:
        em_relay_unplug(relay, order->flag);
        return NULL;
    case EM_PLUG:
        return em_port_plug(&relay->port) ? strerror(errno) : NULL;
    case EM_SILENT:
        relay->silent = true;
        return NULL;
    case EM_STICK:
        contact->stuck = true;
        contact->bounce_left = 0;
        return NULL;
    case EM_WELD:
        contact->welded = true;
        return NULL;
    default: /* EM_BOUNCE */
        contact->bounces = (uint32_t)order->number;
        return NULL;
    }
}

static const char *obey_board(struct em_board *board, const struct em_order *order)
{
    struct rig_board *qemu = rig_cutter_board(board->cutter);
    switch (order->verb) {
    case EM_KILL:
        return em_board_kill(board) ? "it is off" : NULL;
    case EM_FLOOD:
        em_board_flood(board, order->number);
        return NULL;
    case EM_RESET:
        if (!em_board_is_on(board))
            return "it is off";
        return rig_board_reset(qemu) ? "QEMU refuses" : NULL;
    default: /* EM_STRAP */
        return rig_board_strap(qemu, (unsigned)order->number, order->flag) ? "QEMU refuses" : NULL;
    }
}

static const struct em_contact *contact_of(const struct em *em, uint32_t board)
{
    return &em->relay[(board - 1) / em->options.channels]
                .contact[(board - 1) % em->options.channels];
}

bool em_obey(void *ctx, char answer[EM_ANSWER_MAX], const char *line, size_t len)
{
    struct em *em = ctx;
    struct em_order order;
    const char *wrong = em_order_parse(&order, line, len);
    wrong = wrong ? wrong : check(em, &order);
    if (!wrong && order.verb == EM_FACTS) {
        if (order.board)
            em_board_facts(&em->board[order.board - 1], contact_of(em, order.board)->closed,
                           answer);
        else
            em_facts(em, answer);
        return true;
    }
    if (!wrong && order.relay) {
        struct em_relay *relay = &em->relay[order.relay - 1];
        uint32_t channel = order.channel ? order.channel : 1;
        wrong = obey_relay(relay, &relay->contact[channel - 1], &order);
    } else if (!wrong && order.board) {
        wrong = obey_board(&em->board[order.board - 1], &order);
    }
    for (uint32_t i = 0; !wrong && order.verb == EM_HEAL && i < em->relays; i++)
        em_relay_heal(&em->relay[i]);
    snprintf(answer, EM_ANSWER_MAX, wrong ? "error: %s" : "ok", wrong);
    return true;
}
