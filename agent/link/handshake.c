/* Who speaks with whom: a connection is a pair of names, each used once (FORMAT.md, "Connections").
 */
#include "channel_inside.h"

static void offer_to(struct link_channel *channel, uint64_t candidate)
{
    if (channel->candidate != candidate)
        channel->offers = 0;
    channel->candidate = candidate;
    channel->hello_due = true;
}

/* A HELLO of somebody who does not know our offer. */
static void greeted(struct link_channel *channel, const struct link_frame *frame)
{
    if (!channel->connected)
        offer_to(channel, frame->from);
    else if (frame->from == channel->theirs)
        channel->ack_due = true; /* it has not heard yet that we are connected */
    else if (!frame->to || frame->to == channel->mine)
        offer_to(channel, frame->from);
    /* Else it means somebody who is no more: an old frame, or the answer to one. */
}

/* Nobody has given credit, sent DATA or acknowledged any under a name that it only offers: whose
 * frame tells of some knows this name from an end before us, whose session was ours. */
static bool knows_another(const struct link_frame *frame)
{
    return frame->type == LINK_FRAME_DATA || frame->seq || frame->ack || frame->taken;
}

bool link_shake(struct link_channel *channel, const struct link_frame *frame, uint32_t now_ms)
{
    if (frame->to == channel->offer) {
        if (knows_another(frame)) {
            link_next_life(channel);
            offer_to(channel, frame->from);
            return false;
        }
        link_adopt(channel, frame->from, now_ms);
        return true;
    }
    if (frame->type == LINK_FRAME_HELLO)
        greeted(channel, frame);
    else
        offer_to(channel, frame->from); /* it believes in a connection that there is not */
    return false;
}

/* Its number, or its acknowledgement, counts in another connection of the same two names (an end
 * has its session again, and the line kept what was said to it): neither would ever get on. */
void link_disagree(struct link_channel *channel)
{
    offer_to(channel, channel->theirs);
}

bool link_hello_wanted(const struct link_channel *channel)
{
    return !channel->connected || channel->candidate;
}

uint32_t link_hello_wait_ms(const struct link_channel *channel, uint32_t now_ms)
{
    uint32_t doublings = channel->offers ? channel->offers - 1u : 0;
    if (doublings > LINK_BACKOFF_MAX)
        doublings = LINK_BACKOFF_MAX;
    return link_left_ms(channel->hello_ms, channel->config.retry_ms << doublings, now_ms);
}
