/* One download at a time, for the core. */
#include "device_internal.h"

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total_bytes)
{
    struct agent_device *device = ctx;
    DEVICE_LOG(device, AGENT_LOG_INFO, "http_head", AGENT_NUMBER("status", status),
               AGENT_NUMBER("offset", offset), AGENT_NUMBER("total", total_bytes));
    device_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_HEAD,
                                               .http_status = status,
                                               .offset = offset,
                                               .total_bytes = total_bytes});
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    device_input(ctx,
                 &(struct agent_event){.kind = AGENT_EV_HTTP_DATA, .bytes = bytes, .len = len});
}

static void on_end(void *ctx)
{
    struct agent_device *device = ctx;
    device->transfer = NULL;
    DEVICE_LOG(device, AGENT_LOG_INFO, "http_end",
               AGENT_NUMBER("received", agent_received_bytes(&device->agent)));
    device_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_END});
}

static void on_error(void *ctx, const char *why)
{
    struct agent_device *device = ctx;
    device->transfer = NULL;
    DEVICE_LOG(device, AGENT_LOG_WARN, "http_error", AGENT_TEXT("reason", why),
               AGENT_NUMBER("received", agent_received_bytes(&device->agent)));
    device_input(device, &(struct agent_event){.kind = AGENT_EV_HTTP_ERROR});
}

/* A transfer that could not be begun ends by an event all the same, later, as every other. */
static void never_begun(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    on_error(timer->data, "not an https URL, or no memory");
}

void device_http_init(struct agent_device *device)
{
    ev_init(&device->http_timer, never_begun);
    device->http_timer.data = device;
}

void device_http_get(struct agent_device *device, const char *url, uint32_t offset)
{
    static const struct agent_transfer_events events = {on_head, on_data, on_end, on_error};
    struct agent_request request = device->config->request;
    device_http_cancel(device);
    request.url = url;
    request.offset = offset;
    DEVICE_LOG(device, AGENT_LOG_INFO, "http_get", AGENT_TEXT("url", url),
               AGENT_NUMBER("offset", offset));
    device->transfer = agent_http_get(device->config->http, &request, &events, device);
    if (!device->transfer)
        device_after(device, &device->http_timer, 0);
}

void device_http_cancel(struct agent_device *device)
{
    ev_timer_stop(device->config->loop, &device->http_timer);
    if (device->transfer)
        agent_http_cancel(device->transfer);
    device->transfer = NULL;
}
