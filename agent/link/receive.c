/* Frames into messages. A frame is taken when it is the next one and there is room, which the
 * credit has promised; all others are said again by their sender. */
#include "channel_inside.h"
#include <string.h>

static void entry_put(uint8_t *out, uint8_t kind, uint32_t len)
{
    out[0] = kind;
    out[1] = 0;
    out[2] = (uint8_t)len;
    out[3] = (uint8_t)(len >> 8);
}

static uint32_t entry_len(const uint8_t *entry)
{
    return entry[2] | (uint32_t)entry[3] << 8;
}

/* What the receiver of the last message still looks at stays where it is. */
void link_receive_reset(struct link_channel *channel)
{
    uint32_t kept = channel->rx.held ? channel->rx.head : 0;
    channel->rx.head = channel->rx.whole = channel->rx.tail = kept;
    channel->rx.open = false;
    channel->rx.held_counts = false;
    channel->rx.next = 0;
    channel->rx.taken = 0;
}

uint8_t link_receive_credit(const struct link_channel *channel)
{
    uint32_t slots = (LINK_QUEUE - channel->rx.tail) / LINK_SLOT;
    return (uint8_t)(slots < LINK_WINDOW ? slots : LINK_WINDOW);
}

/* False: no honest end sends this. */
static bool append(struct link_channel *channel, const struct link_frame *frame)
{
    uint8_t *queue = channel->rx.queue;
    bool first = frame->flags & LINK_FLAG_FIRST;
    if (first == channel->rx.open || LINK_QUEUE - channel->rx.tail < LINK_SLOT)
        return false;
    if (first) {
        entry_put(queue + channel->rx.tail, frame->kind, 0);
        channel->rx.tail += LINK_ENTRY;
        channel->rx.open = true;
    }
    uint8_t *entry = queue + channel->rx.whole;
    uint32_t len = entry_len(entry) + frame->len;
    if (entry[0] != frame->kind || len > LINK_MESSAGE_MAX)
        return false;
    memcpy(queue + channel->rx.tail, frame->payload, frame->len);
    channel->rx.tail += frame->len;
    entry_put(entry, frame->kind, len);
    if (frame->flags & LINK_FLAG_LAST) {
        channel->rx.open = false;
        channel->rx.whole = channel->rx.tail;
    }
    return true;
}

void link_receive_data(struct link_channel *channel, const struct link_frame *frame)
{
    uint16_t ahead = (uint16_t)(frame->seq - channel->rx.next);
    if (!ahead && !append(channel, frame)) {
        channel->counters.format_errors++;
        link_disagree(channel);
        return;
    }
    channel->ack_due = true;
    if (ahead && ahead < LINK_WINDOW) {
        channel->gap_due = true;
    } else if (ahead) {
        channel->counters.duplicates++;
    } else {
        channel->rx.next++;
        channel->counters.frames_taken++;
    }
}

/* Room for what is to come; all that is whole stays in one piece. Put off only while a whole
 * message waits: the beginning of one alone has nobody who lets go before it, and may need all the
 * room. */
static void compact(struct link_channel *channel)
{
    uint32_t head = channel->rx.head;
    if (head != channel->rx.whole && link_receive_credit(channel) == LINK_WINDOW)
        return;
    memmove(channel->rx.queue, channel->rx.queue + head, channel->rx.tail - head);
    channel->rx.head = 0;
    channel->rx.whole -= head;
    channel->rx.tail -= head;
}

static void let_go(struct link_channel *channel)
{
    if (!channel->rx.held)
        return;
    channel->rx.held = false;
    if (channel->rx.held_counts) {
        channel->rx.taken++;
        channel->ack_due = true;
    }
    compact(channel);
}

enum link_event link_next(struct link_channel *channel, struct link_delivery *out)
{
    bool *const told[] = {&channel->tell_down, &channel->tell_restart, &channel->tell_up};
    static const enum link_event event[] = {LINK_EV_DOWN, LINK_EV_RESTARTED, LINK_EV_UP};
    *out = (struct link_delivery){.event = LINK_EV_NONE};
    let_go(channel);
    for (uint32_t i = 0; i < sizeof event / sizeof event[0]; i++) {
        if (!*told[i])
            continue;
        *told[i] = false;
        return out->event = event[i];
    }
    if (channel->rx.head == channel->rx.whole)
        return LINK_EV_NONE;
    const uint8_t *entry = channel->rx.queue + channel->rx.head;
    out->event = LINK_EV_MESSAGE;
    out->kind = entry[0];
    out->len = entry_len(entry);
    out->bytes = entry + LINK_ENTRY;
    channel->rx.head += LINK_ENTRY + out->len;
    channel->rx.held = channel->rx.held_counts = true;
    return out->event;
}
