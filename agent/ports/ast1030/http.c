/* Downloads by the gateway, one at a time. Each has a number; what comes for another one is late.
 */
#include "device.h"
#include <string.h>

/* How much of a reason goes to the log. */
enum { REASON_MAX = 120 };

static void forget(struct fw_device *device)
{
    device->transfer_open = device->transfer_failed = false;
    device->post[FW_POST_GET].len = 0;
}

void fw_http_cancel(struct fw_device *device)
{
    bool waits = device->post[FW_POST_GET].len != 0;
    if (device->transfer_open && !waits)
        fw_post(device, FW_POST_CANCEL,
                &(struct link_message){.kind = LINK_CANCEL, .id = device->transfer_id});
    forget(device);
}

void fw_http_get(struct fw_device *device, const struct agent_action *action)
{
    fw_http_cancel(device);
    FW_LOG(device, "info", "http_get", FW_TEXT("url", action->url),
           FW_NUMBER("offset", action->offset));
    device->transfer_id++;
    device->transfer_open = true;
    bool posted = fw_post(device, FW_POST_GET,
                          &(struct link_message){.kind = LINK_GET,
                                                 .id = device->transfer_id,
                                                 .offset = action->offset,
                                                 .bytes = (const uint8_t *)action->url,
                                                 .len = (uint32_t)strlen(action->url)});
    /* It ends by an event all the same, later, as every other. */
    device->transfer_failed = !posted || !link_is_up(&device->channel);
}

static void failed(struct fw_device *device, const char *why)
{
    FW_LOG(device, "warn", "http_error", FW_TEXT("reason", why),
           FW_NUMBER("received", agent_received_bytes(&device->agent)));
    forget(device);
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_ERROR});
}

void fw_http_lost(struct fw_device *device, const char *why)
{
    if (device->transfer_open)
        failed(device, why);
}

void fw_http_due(struct fw_device *device)
{
    if (device->transfer_failed)
        failed(device, "the line is down, or no URL that fits");
}

static void ended(struct fw_device *device)
{
    FW_LOG(device, "info", "http_end", FW_NUMBER("received", agent_received_bytes(&device->agent)));
    forget(device);
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_END});
}

static void headed(struct fw_device *device, const struct link_message *message)
{
    FW_LOG(device, "info", "http_head", FW_NUMBER("status", message->status),
           FW_NUMBER("offset", message->offset), FW_NUMBER("total", message->total));
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_HEAD,
                                                .http_status = message->status,
                                                .offset = message->offset,
                                                .total_bytes = message->total});
}

void fw_http_message(struct fw_device *device, const struct link_message *message)
{
    char why[REASON_MAX + 1] = "";
    if (!device->transfer_open || message->id != device->transfer_id)
        return;
    switch (message->kind) {
    case LINK_HEAD:
        headed(device, message);
        break;
    case LINK_DATA:
        fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_DATA,
                                                    .bytes = message->bytes,
                                                    .len = message->len});
        break;
    case LINK_END:
        ended(device);
        break;
    default:
        for (uint32_t i = 0; i < message->len && i < REASON_MAX; i++)
            why[i] = message->bytes[i] ? (char)message->bytes[i] : '?';
        failed(device, why);
        break;
    }
}
