/*
 * The chain behind sim/log.h. One link hashes 40 bytes, little endian, with the last link as seed:
 *
 *   0 at_us   8 node   12 kind   16 a   24 b   32 sequence
 *
 * Every event carries its own sequence number, so that two events which are equal in all else still
 * can't be swapped unseen. The text is for people and is not hashed: a traced run has the digest of
 * an untraced one.
 */
#include "sim/log.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

enum { LINK_BYTES = 40, DIGEST_RECORD_BYTES = 16 };
enum { MUTATE_NONE, MUTATE_DROP, MUTATE_CHANGE, MUTATE_SWAP };

static const char *const event_name[SIM_EV_KINDS] = {
    [SIM_EV_POWER_ON] = "power_on",
    [SIM_EV_POWER_OFF] = "power_off",
    [SIM_EV_RESET] = "reset",
    [SIM_EV_BOOT] = "boot",
    [SIM_EV_NO_BOOT] = "no_boot",
    [SIM_EV_APP_START] = "app_start",
    [SIM_EV_STATE] = "state",
    [SIM_EV_ERASE] = "erase",
    [SIM_EV_PROGRAM] = "program",
    [SIM_EV_CUT] = "cut",
    [SIM_EV_MQTT_UP] = "mqtt_up",
    [SIM_EV_MQTT_DOWN] = "mqtt_down",
    [SIM_EV_RECEIVED] = "received",
    [SIM_EV_PUBLISHED] = "published",
    [SIM_EV_HTTP_GET] = "http_get",
    [SIM_EV_HTTP_HEAD] = "http_head",
    [SIM_EV_HTTP_END] = "http_end",
    [SIM_EV_HTTP_ERROR] = "http_error",
    [SIM_EV_HEALTH] = "health",
    [SIM_EV_CRASH] = "crash",
    [SIM_EV_HANG] = "hang",
    [SIM_EV_CONFIRMED] = "confirmed",
    [SIM_EV_TELEMETRY] = "telemetry",
    [SIM_EV_INTERLOCK] = "interlock",
    [SIM_EV_FAULT_ARMED] = "fault_armed",
    [SIM_EV_FAULT_FIRED] = "fault_fired",
    [SIM_EV_PROMISE] = "promise",
    [SIM_EV_ALERT] = "alert",
    [SIM_EV_PHASE] = "phase",
    [SIM_EV_GATE] = "gate",
    [SIM_EV_NOTIFY] = "notify",
    [SIM_EV_COMMAND] = "command",
    [SIM_EV_STATUS] = "status",
    [SIM_EV_RESTART] = "restart",
    [SIM_EV_LINK_DOWN] = "link_down",
    [SIM_EV_LINK_UP] = "link_up",
    [SIM_EV_OPERATOR] = "operator",
    [SIM_EV_CLOCK] = "clock",
};

const char *sim_event_name(int kind)
{
    return kind > 0 && kind < SIM_EV_KINDS ? event_name[kind] : "?";
}

static void put_u32(uint8_t *out, uint32_t v)
{
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)(v >> 16);
    out[3] = (uint8_t)(v >> 24);
}

static void put_u64(uint8_t *out, uint64_t v)
{
    put_u32(out, (uint32_t)v);
    put_u32(out + 4, (uint32_t)(v >> 32));
}

void sim_log_init(struct sim_log *log, uint32_t node, int64_t start_us)
{
    *log = (struct sim_log){.node = node, .start_us = start_us};
}

static void link_event(struct sim_log *log, const struct sim_event *event)
{
    uint8_t bytes[LINK_BYTES];
    put_u64(bytes, (uint64_t)event->at_us);
    put_u32(bytes + 8, event->node);
    put_u32(bytes + 12, event->kind);
    put_u64(bytes + 16, event->a);
    put_u64(bytes + 24, event->b);
    put_u64(bytes + 32, event->sequence);
    log->chain = XXH3_64bits_withSeed(bytes, sizeof bytes, log->chain);
}

/* The test hook: what a run that lost, changed or swapped one event would have chained. */
static void link_mutated(struct sim_log *log, struct sim_event *event)
{
    if (log->held) { /* the event after the one to be swapped: it goes first */
        log->held = 0;
        link_event(log, event);
        link_event(log, &log->held_event);
        return;
    }
    if (event->sequence == log->mutate_sequence) {
        if (log->mutate == MUTATE_DROP)
            return;
        if (log->mutate == MUTATE_SWAP) {
            log->held = 1;
            log->held_event = *event;
            return;
        }
        event->b ^= 1;
    }
    link_event(log, event);
}

/* "  +3d 04:12:33.123456  state        Downloading -> Verifying" */
void sim_log_note(const struct sim_log *log, int64_t at_us, const char *label, const char *text)
{
    int64_t since = at_us - log->start_us;
    uint64_t us = since < 0 ? 0 - (uint64_t)since : (uint64_t)since;
    uint64_t s = us / 1000000;
    if (!log->trace)
        return;
    fprintf(log->trace, "  %c%" PRIu64 "d %02u:%02u:%02u.%06u  %-11s  %s\n", since < 0 ? '-' : '+',
            s / 86400, (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60),
            (unsigned)(us % 1000000), label, text);
}

static void trace_event(const struct sim_log *log, const struct sim_event *event, const char *text)
{
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%" PRIu64 " %" PRIu64, event->a, event->b);
    sim_log_note(log, event->at_us, sim_event_name((int)event->kind), text ? text : numbers);
}

void sim_log_event(struct sim_log *log, int64_t at_us, enum sim_event_kind kind, uint64_t a,
                   uint64_t b, const char *text)
{
    assert(kind > 0 && kind < SIM_EV_KINDS);
    struct sim_event event = {.at_us = at_us,
                              .node = log->node,
                              .kind = (uint32_t)kind,
                              .a = a,
                              .b = b,
                              .sequence = log->sequence++};
    if (log->trace)
        trace_event(log, &event, text);
    if (log->mutate == MUTATE_NONE)
        link_event(log, &event);
    else
        link_mutated(log, &event);
}

void sim_log_digest(const struct sim_log *const *logs, uint32_t count, uint8_t out[16])
{
    XXH3_state_t *state = XXH3_createState();
    assert(state);
    XXH3_128bits_reset(state);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t record[DIGEST_RECORD_BYTES];
        put_u64(record, logs[i]->chain);
        put_u64(record + 8, logs[i]->sequence);
        XXH3_128bits_update(state, record, sizeof record);
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    memcpy(out, canonical.digest, 16);
    XXH3_freeState(state);
}
