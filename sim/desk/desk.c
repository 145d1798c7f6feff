/* The service's connection: topics of devices in, notifications and commands out. */
#include "sim/desk.h"
#include <stdlib.h>
#include <string.h>

static const double AGAIN_AFTER_S = 1.0;
enum { MESSAGE_BYTES_MAX = 65536, CONNECT_WITHIN_S = 30 };

/* Sent, or to be sent, until the broker has it. A ring in the order of the tokens. */
struct letter {
    bool waits;
    enum camp_out_kind kind;
    uint32_t device, len;
    int64_t number;
    char *payload;
};

struct sim_desk {
    struct sim_desk_config config;
    struct agent_mqtt_config mqtt_config;
    struct agent_mqtt *mqtt;
    struct ev_timer again;
    uint32_t *by_id; /* devices in the order of their ids */
    struct letter *letter;
    uint32_t letters_room, first, letters; /* letter k has the token first + k; first is never 0 */
    uint32_t outstanding;
    bool asked; /* for a sign of life, and it has not come */
    char why[160];
    struct sim_desk_counts counts;
};

/* ---- Who is it? ---- */

static int by_id(const void *a, const void *b, void *ctx)
{
    const struct camp_device_info *device = ctx;
    return strcmp(device[*(const uint32_t *)a].id, device[*(const uint32_t *)b].id);
}

static bool find(const struct sim_desk *desk, const char *id, uint32_t *out)
{
    uint32_t low = 0, high = desk->config.devices;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(id, desk->config.device[desk->by_id[middle]].id);
        if (order == 0) {
            *out = desk->by_id[middle];
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static const char *after(const char *topic, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(topic, prefix, len) ? NULL : topic + len;
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct sim_desk *desk = ctx;
    const char *status = after(topic, "ota/status/"), *telemetry = after(topic, "telemetry/");
    const char *presence = after(topic, "ota/presence/");
    const char *id = status ? status : telemetry ? telemetry : presence;
    uint32_t device;
    desk->counts.signs++;
    if (!id || !find(desk, id, &device)) {
        desk->counts.foreign++;
        return;
    }
    desk->counts.heard++;
    bool online = presence && len > 0 && memmem(payload, len, "true", 4) != NULL;
    desk->counts.online += online;
    if (presence && desk->config.presence)
        desk->config.presence(desk->config.ctx, device, online);
    if (!presence)
        desk->config.said(desk->config.ctx, status ? SIM_SAID_STATUS : SIM_SAID_TELEMETRY, device,
                          payload, len);
}

static bool on_keep(void *ctx)
{
    struct sim_desk *desk = ctx;
    return !desk->config.keep || desk->config.keep(desk->config.ctx);
}

static void on_dropped(void *ctx, const char *topic, uint32_t len)
{
    struct sim_desk *desk = ctx;
    (void)topic;
    (void)len;
    desk->counts.foreign++;
}

/* ---- What is sent ---- */

static struct letter *letter_of(struct sim_desk *desk, uint32_t token)
{
    uint32_t k = token - desk->first;
    return k < desk->letters ? &desk->letter[(desk->first + k) % desk->letters_room] : NULL;
}

static void publish(struct sim_desk *desk, uint32_t token)
{
    const struct letter *letter = letter_of(desk, token);
    char topic[96];
    if (!letter || !letter->waits)
        return;
    snprintf(topic, sizeof topic, "ota/%s/%s",
             letter->kind == CAMP_OUT_COMMAND ? "command" : "notification",
             desk->config.device[letter->device].id);
    if (!agent_mqtt_publish(desk->mqtt, topic, letter->payload, letter->len, 1, false, token))
        desk->counts.sent++;
}

static void on_published(void *ctx, uint32_t token)
{
    struct sim_desk *desk = ctx;
    struct letter *letter = letter_of(desk, token);
    desk->counts.signs++;
    if (!letter || !letter->waits)
        return;
    letter->waits = false;
    free(letter->payload);
    letter->payload = NULL;
    desk->outstanding--;
    while (desk->letters && !letter_of(desk, desk->first)->waits) {
        desk->first++;
        desk->letters--;
    }
}

/* Tokens count on, so that the place of a letter (token modulo room) changes with the room. */
static int grow(struct sim_desk *desk)
{
    uint32_t room = desk->letters_room ? 2 * desk->letters_room : 64;
    struct letter *moved = calloc(room, sizeof *moved);
    if (!moved)
        return -1;
    for (uint32_t k = 0; k < desk->letters; k++)
        moved[(desk->first + k) % room] = desk->letter[(desk->first + k) % desk->letters_room];
    free(desk->letter);
    desk->letter = moved;
    desk->letters_room = room;
    return 0;
}

int sim_desk_send(struct sim_desk *desk, const struct camp_out *out)
{
    if (desk->letters == desk->letters_room && grow(desk))
        return -1;
    char *payload = malloc(out->len ? out->len : 1);
    if (!payload)
        return -1;
    memcpy(payload, out->payload, out->len);
    uint32_t token = desk->first + desk->letters++;
    *letter_of(desk, token) = (struct letter){.waits = true,
                                              .kind = out->kind,
                                              .device = out->device,
                                              .len = out->len,
                                              .number = out->number,
                                              .payload = payload};
    desk->outstanding++;
    if (agent_mqtt_is_up(desk->mqtt))
        publish(desk, token);
    return 0;
}

/* ---- The connection ---- */

static void connect_now(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct sim_desk *desk = timer->data;
    char why[sizeof desk->why];
    (void)events;
    ev_timer_stop(loop, timer);
    if (!agent_mqtt_connect(desk->mqtt, why, sizeof why))
        return;
    memcpy(desk->why, why, sizeof why);
    if (desk->config.link)
        desk->config.link(desk->config.ctx, false, desk->why);
    ev_timer_set(timer, AGAIN_AFTER_S, 0);
    ev_timer_start(loop, timer);
}

static void on_up(void *ctx)
{
    struct sim_desk *desk = ctx;
    desk->asked = false;
    desk->counts.signs++;
    if (desk->config.link)
        desk->config.link(desk->config.ctx, true, "");
    uint64_t sent = desk->counts.sent;
    for (uint32_t k = 0; k < desk->letters; k++)
        publish(desk, desk->first + k);
    if (desk->counts.lost)
        desk->counts.sent_again += desk->counts.sent - sent;
}

static void on_down(void *ctx, const char *why)
{
    struct sim_desk *desk = ctx;
    desk->counts.lost++;
    snprintf(desk->why, sizeof desk->why, "%s", why);
    if (desk->config.link)
        desk->config.link(desk->config.ctx, false, why);
    ev_timer_set(&desk->again, AGAIN_AFTER_S, 0);
    ev_timer_start(desk->config.loop, &desk->again);
}

static void on_answered(void *ctx)
{
    struct sim_desk *desk = ctx;
    desk->asked = false;
    desk->counts.signs++;
}

static const struct agent_mqtt_events events = {.up = on_up,
                                                .down = on_down,
                                                .message = on_message,
                                                .keep = on_keep,
                                                .published = on_published,
                                                .answered = on_answered,
                                                .dropped = on_dropped};

static void configure(struct sim_desk *desk)
{
    const struct sim_desk_config *config = &desk->config;
    desk->mqtt_config = (struct agent_mqtt_config){
        .tls = config->tls,
        .identity = config->identity,
        .host = config->host,
        .server_name = config->server_name,
        .port = config->port,
        .client_id = config->client_id,
        .user = config->user,
        .secret = config->secret,
        .topic = {"ota/status/+", "telemetry/+", "ota/presence/+"},
        .topics = 3,
        .message_bytes_max = MESSAGE_BYTES_MAX,
        .keepalive_s = SIM_DESK_KEEPALIVE_S,
        .connect_within_s = CONNECT_WITHIN_S,
        .clock = config->clock,
    };
}

int sim_desk_create(struct sim_desk **out, const struct sim_desk_config *config)
{
    struct sim_desk *desk = *out = calloc(1, sizeof *desk);
    if (!desk)
        return -1;
    desk->config = *config;
    desk->first = 1;
    desk->by_id = calloc(config->devices, sizeof *desk->by_id);
    configure(desk);
    if (!desk->by_id ||
        agent_mqtt_create(&desk->mqtt, config->loop, &desk->mqtt_config, &events, desk)) {
        sim_desk_free(desk);
        *out = NULL;
        return -1;
    }
    for (uint32_t d = 0; d < config->devices; d++)
        desk->by_id[d] = d;
    qsort_r(desk->by_id, config->devices, sizeof *desk->by_id, by_id, (void *)config->device);
    ev_timer_init(&desk->again, connect_now, 0, 0);
    desk->again.data = desk;
    ev_timer_start(config->loop, &desk->again);
    return 0;
}

void sim_desk_free(struct sim_desk *desk)
{
    if (!desk)
        return;
    if (desk->mqtt) {
        ev_timer_stop(desk->config.loop, &desk->again);
        if (agent_mqtt_is_up(desk->mqtt))
            agent_mqtt_disconnect(desk->mqtt);
        agent_mqtt_destroy(desk->mqtt);
    }
    for (uint32_t k = 0; k < desk->letters; k++)
        free(letter_of(desk, desk->first + k)->payload);
    free(desk->letter);
    free(desk->by_id);
    free(desk);
}

bool sim_desk_is_up(const struct sim_desk *desk)
{
    return agent_mqtt_is_up(desk->mqtt);
}

const char *sim_desk_why(const struct sim_desk *desk)
{
    return desk->why;
}

void sim_desk_ask(struct sim_desk *desk)
{
    if (!desk->asked)
        desk->asked = !agent_mqtt_ask(desk->mqtt);
}

uint32_t sim_desk_outstanding(const struct sim_desk *desk)
{
    return desk->outstanding;
}

int64_t sim_desk_outstanding_from(const struct sim_desk *desk)
{
    return desk->letters ? desk->letter[desk->first % desk->letters_room].number : INT64_MAX;
}

void sim_desk_counts(const struct sim_desk *desk, struct sim_desk_counts *out)
{
    *out = desk->counts;
}
