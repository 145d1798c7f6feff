/* Which channels are FAILED: in memory, and in the odometer's file, so that a restart heals none.
 */
#include "controller_internal.h"
#include <stdio.h>

void rig_failed_set(struct rig_controller *controller, struct rig_channel *channel, bool failed)
{
    if (channel->failed != failed)
        controller->facts.failed_channels += failed ? 1 : UINT32_MAX; /* one less */
    channel->failed = failed;
}

/* Not FAILED, but saved: an OFF healed it, and the file could not be told yet. */
static void take_row(void *ctx, uint32_t number, const char *cause)
{
    struct rig_controller *controller = ctx;
    const struct rig_relay_driver *driver = controller->config->driver;
    if (number < driver->channel_first || number > driver->channel_last)
        return;
    pthread_mutex_lock(&controller->lock);
    struct rig_channel *channel = rig_queue_channel(&controller->queue, number);
    if (channel) {
        if (!channel->failed && !channel->saved) {
            snprintf(channel->cause, sizeof channel->cause, "earlier: %.100s", cause);
            rig_failed_set(controller, channel, true);
        }
        channel->seen = channel->saved = true;
    }
    pthread_mutex_unlock(&controller->lock);
}

void rig_failed_look(struct rig_controller *controller)
{
    const struct rig_controller_config *config = controller->config;
    if (!config->odometer)
        return;
    int error = rig_odometer_failed(config->odometer, config->name, take_row, controller);
    pthread_mutex_lock(&controller->lock);
    for (struct rig_channel *channel = controller->queue.channels; channel;
         channel = channel->next) {
        if (!error && channel->saved && !channel->seen) { /* another program switched it off */
            channel->saved = false;
            rig_failed_set(controller, channel, false);
        }
        channel->seen = false;
    }
    pthread_mutex_unlock(&controller->lock);
}

int rig_failed_save(const struct rig_controller *controller, struct rig_channel *channel)
{
    const struct rig_controller_config *config = controller->config;
    if (!config->odometer || channel->saved == channel->failed)
        return RIG_OK;
    int error =
        channel->failed
            ? rig_odometer_fail(config->odometer, config->name, channel->number, channel->cause)
            : rig_odometer_heal(config->odometer, config->name, channel->number);
    if (!error)
        channel->saved = channel->failed;
    return error;
}
