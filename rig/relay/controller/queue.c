#include "queue.h"
#include <stdlib.h>

struct rig_channel *rig_queue_channel(struct rig_queue *queue, uint32_t number)
{
    struct rig_channel **at = &queue->channels;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    if (!*at && (*at = calloc(1, sizeof **at))) {
        (*at)->number = number;
        (*at)->last_off_us = queue->opened_us;
    }
    return *at;
}

int rig_queue_put(struct rig_queue *queue, struct rig_request *request)
{
    struct rig_channel *channel = rig_queue_channel(queue, request->ask.channel);
    if (!channel)
        return RIG_EMEMORY;
    request->number = queue->asked++;
    request->next = NULL;
    if (channel->last)
        channel->last->next = request;
    else
        channel->first = request;
    channel->last = request;
    return RIG_OK;
}

bool rig_request_is_refused(const struct rig_channel *channel, const struct rig_request *request)
{
    return channel->failed && request->ask.want != RIG_WANT_OFF &&
           request->ask.want != RIG_WANT_READ;
}

static bool switches_on_first(const struct rig_ask *ask)
{
    return ask->want == RIG_WANT_ON || (ask->want == RIG_WANT_PULSE && ask->on);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t due_at(const struct rig_channel *channel)
{
    const struct rig_request *request = channel->first;
    if (request->begun)
        return request->due_us;
    int64_t due_us = request->answer.asked_us;
    if (rig_request_is_refused(channel, request))
        return due_us;
    if (switches_on_first(&request->ask) && request->ask.off_at_least_ms)
        due_us = later(due_us, channel->last_off_us + request->ask.off_at_least_ms * INT64_C(1000));
    return later(due_us, request->ask.not_before_us);
}

struct rig_channel *rig_queue_next(const struct rig_queue *queue, bool only_begun, int64_t *due_us)
{
    struct rig_channel *found = NULL;
    for (struct rig_channel *channel = queue->channels; channel; channel = channel->next) {
        if (!channel->first || (only_begun && !channel->first->begun))
            continue;
        int64_t at_us = due_at(channel);
        if (found && (at_us > *due_us ||
                      (at_us == *due_us && channel->first->number > found->first->number)))
            continue;
        found = channel;
        *due_us = at_us;
    }
    return found;
}

struct rig_request *rig_queue_take(struct rig_channel *channel)
{
    struct rig_request *request = channel->first;
    if (!request)
        return NULL;
    channel->first = request->next;
    if (!channel->first)
        channel->last = NULL;
    request->next = NULL;
    return request;
}

void rig_queue_forget(struct rig_queue *queue)
{
    queue->opened_us = rig_port_now_us();
    for (struct rig_channel *channel = queue->channels; channel; channel = channel->next) {
        channel->last_off_us = queue->opened_us;
        channel->contact = RIG_CONTACT_UNKNOWN;
    }
}

void rig_queue_free(struct rig_queue *queue)
{
    while (queue->channels) {
        struct rig_channel *channel = queue->channels;
        queue->channels = channel->next;
        free(channel);
    }
}
