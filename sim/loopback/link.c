/* A device on its sockets: its connection to the broker and its downloads, each in its turn. */
#include "loopback_internal.h"
#include <stdlib.h>
#include <string.h>

enum { NOTIFICATION, COMMAND, STATUS, TELEMETRY, PRESENCE };
enum { CONNECT_WITHIN_S = 30, MESSAGE_BYTES_MAX = 16384 };
static const uint32_t TOKEN_KIND_SHIFT = 30; /* a token is the topic's kind and a number */

/* ---- Lines ---- */

int lb_line_init(struct lb_line *line, uint32_t devices, uint32_t places)
{
    *line = (struct lb_line){.room = devices + 1, .places = places};
    line->device = calloc(line->room, sizeof *line->device);
    return line->device ? 0 : -1;
}

void lb_line_free(struct lb_line *line)
{
    free(line->device);
    line->device = NULL;
}

/* A device that left the line and comes back takes its old place if that is still there. */
static void line_up(struct lb_device *dev, enum sim_rough_server server)
{
    struct lb_line *line = &dev->lb->line[server];
    dev->queued[server] = true;
    if (dev->in_line[server])
        return;
    dev->in_line[server] = true;
    line->device[(line->first + line->count++) % line->room] = dev->number;
}

static bool *place_of(struct lb_device *dev, enum sim_rough_server server)
{
    return server == SIM_ROUGH_BROKER ? &dev->connecting : &dev->getting;
}

static void take_place(struct lb_device *dev, enum sim_rough_server server)
{
    struct lb_line *line = &dev->lb->line[server];
    *place_of(dev, server) = true;
    if (++line->held > line->held_max)
        line->held_max = line->held;
}

static void leave_place(struct lb_device *dev, enum sim_rough_server server)
{
    bool *place = place_of(dev, server);
    dev->lb->line[server].held -= *place;
    *place = false;
}

/* ---- What comes from the sockets ---- */

static uint32_t token_of(enum sim_wire_topic topic, uint32_t id)
{
    return (uint32_t)topic << TOKEN_KIND_SHIFT | (id & ((1u << TOKEN_KIND_SHIFT) - 1));
}

void lb_device_woke(struct lb_device *dev)
{
    sim_queue_set(&dev->lb->due, dev->number, sim_device_next(dev->device));
    lb_worker_untold(dev);
}

static struct sim_shard *shard_of(const struct lb_device *dev)
{
    return dev->lb->fleet.shard;
}

static void on_up(void *ctx)
{
    struct lb_device *dev = ctx;
    char payload[LB_WILL_MAX];
    leave_place(dev, SIM_ROUGH_BROKER);
    dev->lb->counts.connects++;
    dev->lb->gathered += !dev->known;
    dev->known = true;
    int len = snprintf(payload, sizeof payload, "{\"device_id\":\"%s\",\"online\":true}", dev->id);
    agent_mqtt_publish(dev->mqtt, dev->topic[PRESENCE], payload, (uint32_t)len, 1, true,
                       token_of(SIM_WIRE_PONG, 0));
    sim_device_up(dev->device, shard_of(dev), lb_now_us(dev->lb));
    lb_device_woke(dev);
}

static void on_down(void *ctx, const char *why)
{
    struct lb_device *dev = ctx;
    dev->lb->counts.refused += dev->connecting;
    leave_place(dev, SIM_ROUGH_BROKER);
    sim_rough_refused(dev->lb->rough, dev->number, SIM_ROUGH_BROKER, why);
    sim_rough_tell(dev->lb->rough);
    sim_device_lost(dev->device, shard_of(dev), lb_now_us(dev->lb), why);
    lb_device_woke(dev);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct lb_device *dev = ctx;
    bool command = !strcmp(topic, dev->topic[COMMAND]);
    if (!command && strcmp(topic, dev->topic[NOTIFICATION]) != 0)
        return;
    sim_device_message(dev->device, shard_of(dev), lb_now_us(dev->lb), command, payload, len);
    lb_device_woke(dev);
}

static void on_published(void *ctx, uint32_t token)
{
    struct lb_device *dev = ctx;
    enum sim_wire_topic topic = (enum sim_wire_topic)(token >> TOKEN_KIND_SHIFT);
    uint32_t id =
        topic == SIM_WIRE_STATUS ? dev->status_id : token & ((1u << TOKEN_KIND_SHIFT) - 1);
    if (topic == SIM_WIRE_STATUS && token_of(topic, id) != token)
        return;
    sim_device_published(dev->device, shard_of(dev), lb_now_us(dev->lb), topic, id);
    lb_device_woke(dev);
}

static const struct agent_mqtt_events mqtt_events = {
    .up = on_up, .down = on_down, .message = on_message, .published = on_published};

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total_bytes)
{
    struct lb_device *dev = ctx;
    leave_place(dev, SIM_ROUGH_STORE);
    sim_device_http_head(dev->device, shard_of(dev), lb_now_us(dev->lb), status, offset,
                         total_bytes);
    lb_device_woke(dev);
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    struct lb_device *dev = ctx;
    sim_device_http_data(dev->device, shard_of(dev), lb_now_us(dev->lb), bytes, len);
    lb_device_woke(dev);
}

static void forget_transfer(struct lb_device *dev)
{
    dev->lb->transfers -= dev->transfer != NULL;
    dev->transfer = NULL;
}

static void http_over(struct lb_device *dev, bool complete, const char *why)
{
    forget_transfer(dev);
    leave_place(dev, SIM_ROUGH_STORE);
    sim_rough_refused(dev->lb->rough, dev->number, SIM_ROUGH_STORE, why);
    sim_rough_tell(
        dev->lb->rough); /* what was seen at the edge comes before what the device makes of it */
    sim_device_http_end(dev->device, shard_of(dev), lb_now_us(dev->lb), complete, why);
    lb_device_woke(dev);
}

static void on_end(void *ctx)
{
    http_over(ctx, true, "");
}

static void on_error(void *ctx, const char *why)
{
    http_over(ctx, false, why);
}

static const struct agent_transfer_events http_events = {
    .head = on_head, .data = on_data, .end = on_end, .error = on_error};

/* ---- Turns ---- */

static void connect_now(struct lb_device *dev)
{
    char why[128];
    take_place(dev, SIM_ROUGH_BROKER);
    if (!agent_mqtt_connect(dev->mqtt, why, sizeof why))
        return;
    on_down(dev, why);
}

static void get_now(struct lb_device *dev)
{
    char connect_to[32];
    struct lb_where store;
    const struct agent_clock of_world = {lb_device_utc_ms, dev};
    lb_where(dev->lb, dev->number, SIM_ROUGH_STORE, &store);
    snprintf(connect_to, sizeof connect_to, "%s:%u", store.ip, store.port);
    const struct agent_request request = {.url = dev->url,
                                          .offset = dev->offset,
                                          .bind_address = store.on_this_host ? dev->address : NULL,
                                          .connect_to = connect_to,
                                          .clock = sim_yard_clock(&dev->lb->yard, &of_world)};
    take_place(dev, SIM_ROUGH_STORE);
    dev->transfer = agent_http_get(dev->lb->http, &request, &http_events, dev);
    dev->lb->transfers += dev->transfer != NULL;
    if (!dev->transfer)
        http_over(dev, false, "the request could not be made");
}

void lb_lines_run(struct sim_loopback *lb)
{
    static void (*const go[SIM_ROUGH_SERVERS])(struct lb_device *) = {connect_now, get_now};
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++) {
        struct lb_line *line = &lb->line[server];
        while (line->count && line->held < line->places &&
               (server != SIM_ROUGH_STORE || lb->transfers < lb->transfers_max)) {
            struct lb_device *dev = &lb->device[line->device[line->first]];
            line->first = (line->first + 1) % line->room;
            line->count--;
            dev->in_line[server] = false;
            if (!dev->queued[server])
                continue;
            dev->queued[server] = false;
            go[server](dev);
        }
    }
}

/* ---- What the device wants ---- */

static void wire_connect(void *ctx)
{
    line_up(ctx, SIM_ROUGH_BROKER);
}

static void wire_cancel(void *ctx)
{
    struct lb_device *dev = ctx;
    dev->queued[SIM_ROUGH_STORE] = false;
    leave_place(dev, SIM_ROUGH_STORE);
    if (dev->transfer)
        agent_http_cancel(dev->transfer);
    forget_transfer(dev);
}

static void wire_drop(void *ctx)
{
    struct lb_device *dev = ctx;
    dev->queued[SIM_ROUGH_BROKER] = false;
    leave_place(dev, SIM_ROUGH_BROKER);
    agent_mqtt_drop(dev->mqtt);
    wire_cancel(dev);
}

static void wire_publish(void *ctx, enum sim_wire_topic topic, uint32_t id, const char *payload,
                         uint32_t len)
{
    struct lb_device *dev = ctx;
    const char *name = dev->topic[topic == SIM_WIRE_STATUS ? STATUS : TELEMETRY];
    if (topic == SIM_WIRE_STATUS)
        dev->status_id = id; /* the agent sends one at a time */
    agent_mqtt_publish(dev->mqtt, name, payload, len, topic == SIM_WIRE_PONG ? 0 : 1, false,
                       token_of(topic, id));
}

static void wire_get(void *ctx, const char *url, uint32_t offset, const struct sim_fault *spoiled)
{
    struct lb_device *dev = ctx;
    snprintf(dev->url, sizeof dev->url, "%s", url);
    dev->offset = offset;
    sim_rough_spoil(dev->lb->rough, dev->number, spoiled);
    line_up(dev, SIM_ROUGH_STORE);
}

static void wire_outage(void *ctx, uint32_t what, int64_t until_us, const struct sim_fault *fault)
{
    const struct lb_device *dev = ctx;
    sim_rough_begin(dev->lb->rough, dev->number, what, until_us, fault);
}

const struct sim_wire lb_wire = {.connect = wire_connect,
                                 .drop = wire_drop,
                                 .publish = wire_publish,
                                 .get = wire_get,
                                 .cancel = wire_cancel,
                                 .outage = wire_outage};

static void name_topics(struct lb_device *dev)
{
    static const char *const prefix[] = {"ota/notification/", "ota/command/", "ota/status/",
                                         "telemetry/", "ota/presence/"};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        snprintf(dev->topic[i], sizeof dev->topic[i], "%s%s", prefix[i], dev->id);
    snprintf(dev->will, sizeof dev->will, "{\"device_id\":\"%s\",\"online\":false}", dev->id);
}

/* A trial has mqtt_within for its connection: one attempt that hangs must not use all of it up. */
static uint16_t connect_within_s(const struct scn_device *times)
{
    int64_t third_s = times->mqtt_within_us / 3000000;
    if (third_s < 1)
        return 1;
    return third_s < CONNECT_WITHIN_S ? (uint16_t)third_s : CONNECT_WITHIN_S;
}

int lb_device_open(struct lb_device *dev)
{
    const struct agent_clock of_world = {lb_device_utc_ms, dev};
    name_topics(dev);
    lb_where(dev->lb, dev->number, SIM_ROUGH_BROKER, &dev->broker);
    dev->mqtt_config = (struct agent_mqtt_config){
        .tls = dev->lb->yard.tls,
        .host = dev->broker.ip,
        .server_name = sim_yard_broker_name(&dev->lb->yard),
        .port = dev->broker.port,
        .bind_address = dev->broker.on_this_host ? dev->address : NULL,
        .client_id = dev->id,
        .identity = dev->identity,
        .user = dev->identity ? NULL : dev->id,
        .secret = dev->identity ? NULL : dev->secret,
        .will_topic = dev->topic[PRESENCE],
        .will_payload = dev->will,
        .topic = {dev->topic[NOTIFICATION], dev->topic[COMMAND]},
        .topics = 2,
        .one_of_many = true,
        .message_bytes_max = MESSAGE_BYTES_MAX,
        .keepalive_s = (uint16_t)(dev->lb->scn->device.keepalive_us / 1000000),
        .connect_within_s = connect_within_s(&dev->lb->scn->device),
        .clock = sim_yard_clock(&dev->lb->yard, &of_world),
    };
    if (agent_mqtt_create(&dev->mqtt, dev->lb->yard.loop, &dev->mqtt_config, &mqtt_events, dev))
        return -1;
    sim_device_use_wire(dev->device, &lb_wire, dev);
    lb_device_woke(dev);
    return 0;
}

void lb_device_close(struct lb_device *dev)
{
    if (dev->transfer)
        agent_http_cancel(dev->transfer);
    agent_mqtt_destroy(dev->mqtt);
    agent_identity_free(dev->identity);
}
