/* The device on real sockets: what it says goes to the wire, what comes of it is fed in here. */
#include "device_internal.h"
#include <string.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { RETRY_US = 1000000, RETRIES_MAX = 4, PIECE_BYTES = 4096 };

void sim_device_use_wire(struct sim_device *dev, const struct sim_wire *wire, void *ctx)
{
    dev->wire = wire;
    dev->wire_ctx = ctx;
    dev->timer[TIMER_FLUSH] = SIM_NEVER;
}

int64_t sim_device_next(const struct sim_device *dev)
{
    int64_t next = SIM_NEVER;
    for (int t = 0; t < TIMERS; t++)
        next = dev->timer[t] < next ? dev->timer[t] : next;
    return next;
}

/*
 * What came in is handled as in sim_device_run: a power cut anywhere below comes back here. The
 * device's clock never goes back, so that an event of an earlier timer can't follow a later one.
 */
#define ENTER(dev, shard_, now)                                                                    \
    do {                                                                                           \
        (dev)->shard = (shard_);                                                                   \
        (dev)->env.crypto = &(shard_)->crypto;                                                     \
        if ((now) > (dev)->now_us)                                                                 \
            (dev)->now_us = (now);                                                                 \
    } while (0)

static void up(struct sim_device *dev)
{
    dev->retries = 0;
    dev_connected(dev);
    int64_t period = dev_own_us(dev, dev->group->telemetry_every_us);
    dev->timer[TIMER_FLUSH] = dev->connected && period > 0 ? dev->now_us + period : SIM_NEVER;
}

void sim_device_up(struct sim_device *dev, struct sim_shard *shard, int64_t now_us)
{
    ENTER(dev, shard, now_us);
    if (dev->power != POWER_APP || dev->connected)
        return;
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else
        up(dev);
}

/* Again after 1 s, twice as long each time, up to half a minute, and a little apart from the
 * others.
 */
static void try_again(struct sim_device *dev)
{
    int64_t wait_us = (int64_t)RETRY_US << dev->retries;
    dev->retries += dev->retries < RETRIES_MAX;
    wait_us += sim_rng_below(&dev->link_rng, (uint32_t)wait_us);
    dev->timer[TIMER_MQTT] = dev->now_us + dev_own_us(dev, wait_us);
}

void sim_device_lost(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                     const char *why)
{
    ENTER(dev, shard, now_us);
    if (dev->power != POWER_APP)
        return;
    bool was_up = dev->connected;
    if (dev->letter_fault) /* it comes again, with the connection */
        sim_fault_disarm(dev->letter_fault);
    dev->timer[TIMER_FLUSH] = SIM_NEVER;
    if (was_up)
        dev_mqtt_down(dev);
    dev_log(dev, SIM_EV_MQTT_DOWN, 1, 0, "%s", why);
    try_again(dev);
    if (!was_up)
        return;
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else
        dev_link_lost(dev);
}

void sim_device_message(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                        bool command, const char *payload, uint32_t len)
{
    ENTER(dev, shard, now_us);
    /* What the broker kept for the device comes with the connection, before that is up. */
    if (dev->power != POWER_APP)
        return;
    dev_log(dev, SIM_EV_RECEIVED, XXH3_64bits(payload, len), len, "%s of %u bytes",
            command ? "command" : "notification", len);
    const struct agent_event event = {
        .kind = command ? AGENT_EV_COMMAND : AGENT_EV_NOTIFICATION, .bytes = payload, .len = len};
    dev_post_arrived(dev, payload, len);
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else
        dev_agent_input(dev, &event);
}

void sim_device_published(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                          enum sim_wire_topic topic, uint32_t id)
{
    ENTER(dev, shard, now_us);
    if (dev->power != POWER_APP || !dev->connected || topic == SIM_WIRE_PONG)
        return;
    if (topic == SIM_WIRE_TELEMETRY && dev->news_resets && id == dev->news_seq) {
        dev->resets -= dev->news_resets;
        dev->news_resets = 0;
    }
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else if (topic == SIM_WIRE_STATUS)
        dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = id});
    else if (!dev->telemetry_ok && !dev->ailment.health[AGENT_HEALTH_TELEMETRY])
        dev_telemetry_acknowledged(dev);
}

/*
 * What the store has sent is not yet what the device got: between the two lie the buffers of
 * sockets, which hold a whole small image, and a power cut may take them away. The effect is there
 * when the device has the head, the byte, or the end which is spoiled.
 */
static bool spoils_head(enum scn_how how)
{
    return how == SCN_HOW_HTTP_403 || how == SCN_HOW_HTTP_404 || how == SCN_HOW_HTTP_500 ||
           how == SCN_HOW_HTTP_416 || how == SCN_HOW_WRONG_LENGTH || how == SCN_HOW_STALE_FILE;
}

static bool spoils_bytes(enum scn_how how)
{
    return how == SCN_HOW_BIT_FLIP || how == SCN_HOW_GARBAGE || how == SCN_HOW_WRONG_FILE ||
           how == SCN_HOW_ENDLESS;
}

/* No head came, or no more of the body; or the driver broke off what had no end. */
static bool shows_at_end(enum scn_how how, bool complete)
{
    return !spoils_bytes(how) || (how == SCN_HOW_ENDLESS && !complete);
}

static void spoiled_if(struct sim_device *dev, bool (*spoils)(enum scn_how how), uint32_t to)
{
    const struct sim_http *http = &dev->http;
    if (http->spoiled && http->sent && spoils(http->spoiled->how) && to >= http->sent_at)
        dev_http_spoiled(dev);
}

bool sim_device_http_head(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                          uint16_t status, uint32_t offset, uint32_t total_bytes)
{
    struct sim_http *http = &dev->http;
    ENTER(dev, shard, now_us);
    if (!http->active)
        return false;
    http->headed = true;
    http->status = status;
    http->offset = offset;
    dev_log(dev, SIM_EV_HTTP_HEAD, status, total_bytes, "%u, %u bytes", status, total_bytes);
    const struct agent_event event = {.kind = AGENT_EV_HTTP_HEAD,
                                      .http_status = status,
                                      .offset = offset,
                                      .total_bytes = total_bytes};
    if (setjmp(dev->off)) {
        dev_power_was_cut(dev);
    } else {
        dev_http_answered(dev);
        spoiled_if(dev, spoils_head, UINT32_MAX);
        dev_agent_input(dev, &event);
    }
    return dev->http.active;
}

static void take(struct sim_device *dev, const void *bytes, uint32_t len)
{
    struct sim_http *http = &dev->http;
    const struct agent_event event = {
        .kind = AGENT_EV_HTTP_DATA, .bytes = bytes, .len = len, .offset = http->offset};
    http->offset += len;
    /* Endless: there is one byte more than the file, whether or not it is read. */
    bool endless = http->spoiled && http->spoiled->how == SCN_HOW_ENDLESS;
    spoiled_if(dev, spoils_bytes, endless ? http->offset : http->offset - 1);
    dev_agent_input(dev, &event);
    if (dev->http.active && dev->http.drop && dev->http.offset >= dev->http.drop_at)
        dev_http_drop(dev);
}

/* In the pieces of the modelled network, so that faults fall between the same bytes in each world.
 */
static void take_all(struct sim_device *dev, const uint8_t *bytes, uint32_t len)
{
    while (len && dev->http.active) {
        uint32_t piece = PIECE_BYTES - dev->http.offset % PIECE_BYTES;
        piece = piece < len ? piece : len;
        take(dev, bytes, piece);
        bytes += piece;
        len -= piece;
    }
}

bool sim_device_http_data(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                          const void *bytes, uint32_t len)
{
    ENTER(dev, shard, now_us);
    if (!dev->http.active)
        return false;
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else
        take_all(dev, bytes, len);
    return dev->http.active;
}

void sim_device_http_end(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                         bool complete, const char *why)
{
    ENTER(dev, shard, now_us);
    if (!dev->http.active)
        return;
    dev->http.active = false; /* there is nothing to cancel any more */
    uint32_t at = dev->http.offset;
    if (dev->http.spoiled && dev->http.sent && shows_at_end(dev->http.spoiled->how, complete))
        dev_http_spoiled(dev);
    dev_http_lost(dev);
    dev_log(dev, complete ? SIM_EV_HTTP_END : SIM_EV_HTTP_ERROR, at, 0, "at byte %u%s%s", at,
            complete ? "" : ": ", complete ? "" : why);
    const struct agent_event event = {.kind = complete ? AGENT_EV_HTTP_END : AGENT_EV_HTTP_ERROR};
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    else
        dev_agent_input(dev, &event);
}

void sim_device_http_sent_spoiled(struct sim_device *dev, uint32_t at)
{
    dev->http.sent = dev->http.active;
    dev->http.sent_at = at;
}

void sim_device_cut_off(struct sim_device *dev, struct sim_shard *shard, int64_t now_us,
                        const struct sim_fault *which)
{
    ENTER(dev, shard, now_us);
    struct sim_fault *fault = sim_fault_take(dev->outage, &dev->outages, which);
    if (!fault)
        return;
    if (dev->world->scn->fault[fault->fault].has_at)
        fault->at_us = dev->now_us;
    dev_fired(dev, fault);
}

void sim_device_spared(struct sim_device *dev, const struct sim_fault *which)
{
    struct sim_fault *fault = sim_fault_take(dev->outage, &dev->outages, which);
    if (fault)
        sim_fault_disarm(fault);
}

/* ---- What the device says ---- */

void dev_wire_publish(struct sim_device *dev, const struct agent_action *action)
{
    dev_log(dev, SIM_EV_PUBLISHED, XXH3_64bits(action->payload, action->len), action->len, "%.*s",
            (int)action->len, action->payload);
    if (action->kind == AGENT_ACT_PUBLISH_STATUS) {
        dev->wire->publish(dev->wire_ctx, SIM_WIRE_STATUS, action->id, action->payload,
                           action->len);
        return;
    }
    if (action->len > sizeof dev->pong || dev->firmware == UINT32_MAX)
        return;
    /* The answer takes as long as this firmware needs for it. */
    int64_t work_ms = dev->world->artifact[dev->firmware].from->behaviour.command_ms;
    memcpy(dev->pong, action->payload, action->len);
    dev->pong_bytes = action->len;
    dev->timer[TIMER_PONG] = dev->now_us + dev_own_us(dev, 1000 * work_ms);
}

void dev_wire_pong(struct sim_device *dev)
{
    if (dev->connected)
        dev->wire->publish(dev->wire_ctx, SIM_WIRE_PONG, 0, dev->pong, dev->pong_bytes);
}

void dev_wire_telemetry(struct sim_device *dev, const struct sim_telemetry *run)
{
    char json[512], at[32], resets[160] = "";
    time_t now = (time_t)(dev->now_us / 1000000);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (run->resets)
        snprintf(resets, sizeof resets,
                 ",\"resets\":%u,\"first_reset_ms\":%lld,\"last_reset_ms\":%lld", run->resets,
                 (long long)(run->first_reset_us / 1000), (long long)(run->last_reset_us / 1000));
    int len =
        snprintf(json, sizeof json,
                 "{\"device_id\":\"%s\",\"seq\":%u,\"at\":\"%s\",\"version\":\"%s\","
                 "\"energy_mw\":%lld,\"memory_kb\":%lld,\"cpu_permille\":%lld%s}",
                 dev->unit->id, ++dev->telemetry_seq, at, run->version, (long long)run->energy_mw,
                 (long long)run->memory_kb, (long long)run->cpu_permille, resets);
    if (len > 0 && (size_t)len < sizeof json)
        dev->wire->publish(dev->wire_ctx, SIM_WIRE_TELEMETRY, dev->telemetry_seq, json,
                           (uint32_t)len);
}

void dev_wire_outage(struct sim_device *dev, uint32_t what, int64_t until_us,
                     struct sim_fault *fault)
{
    for (uint32_t i = 0; i < dev->outages; i++)
        if (dev->outage[i] == fault)
            return;                    /* it is under way */
    if (dev->outages == OUTAGES_MAX) { /* too many at once: this one does not come */
        sim_fault_disarm(fault);
        fault->at_us = SIM_NEVER;
        dev_arm_timer(dev);
        return;
    }
    dev->outage[dev->outages++] = fault;
    sim_fault_arm(fault);
    fault->at_us = SIM_NEVER; /* it has struck; whether that had an effect, the wire will tell */
    dev_arm_timer(dev);
    bool reachable = fault->kind == SCN_FAULT_SLOW_LINK;
    if (!reachable && (what & SIM_OUT_MQTT) && until_us > dev->mqtt_down_until_us)
        dev->mqtt_down_until_us = until_us;
    dev->wire->outage(dev->wire_ctx, what, until_us, fault);
}
