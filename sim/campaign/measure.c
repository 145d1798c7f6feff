/*
 * Telemetry, answers to pings, and what they tell: intervals expected and received, means before
 * and after, unplanned resets. What was expected comes from the time between messages, never from
 * what a device says.
 */
#include "camp.h"

#include <stdio.h>
#include <string.h>

/* Messages may be told a day late (a driver reports runs), and that a little late. */
enum { TOLD_AFTER_H = 26, CRASH_WITHIN_H = 48 };

static int64_t intervals(int64_t from_us, int64_t to_us, int64_t every_us, bool nearest)
{
    if (every_us <= 0 || to_us <= from_us)
        return 0;
    return (to_us - from_us + (nearest ? every_us / 2 : 0)) / every_us;
}

/* The firmware that a run speaks of: the old one until the update, the new one after it; else
 * nothing. Nor is there one before the campaign's time: a world that gathers its devices sets its
 * clock when all are there, and the time left out was never lived through. */
static struct camp_span *span_of(struct camp *camp, const struct camp_telemetry *run)
{
    struct camp_device *it = &camp->device[run->device];
    bool candidate = strcmp(run->version, camp->config->candidate) == 0;
    if (run->last_us < camp->config->start_us)
        return NULL;
    if (it->confirmed_us >= 0)
        return candidate && run->last_us > it->confirmed_us ? &it->measured.after : NULL;
    return candidate ? NULL : &it->measured.before;
}

/* sudden: what was sent in a long time came at once, so that nothing tells the intervals of the
 * messages but their number. They stand for as many, and for none that will be missed later. */
static void span_add(struct camp_span *span, const struct camp_telemetry *run, int64_t every_us,
                     bool sudden)
{
    if (span->base_us < 0 || run->first_us <= span->base_us)
        span->base_us =
            run->first_us - every_us; /* the run began before the confirmation was known */
    span->received += run->received;
    span->expected = intervals(span->base_us, run->last_us, every_us, true);
    if (sudden && every_us > 0 && span->expected < span->received) {
        span->base_us -= (span->received - span->expected) * every_us;
        span->expected = span->received;
    }
    span->energy += run->energy_mw * run->received;
    span->memory += run->memory_kb * run->received;
    span->cpu += run->cpu_permille * run->received;
}

static bool run_is_sane(const struct camp *camp, const struct camp_telemetry *run)
{
    const int64_t most = INT64_C(1) << 31;
    return run->device < camp->config->devices && (run->received > 0 || run->resets > 0) &&
           (!run->resets ||
            (run->first_reset_us >= 0 && run->first_reset_us <= run->last_reset_us &&
             run->last_reset_us <= run->last_us)) &&
           run->first_us <= run->last_us && run->energy_mw >= 0 && run->energy_mw < most &&
           run->memory_kb >= 0 && run->memory_kb < most && run->cpu_permille >= 0 &&
           run->cpu_permille < most && run->received < 1u << 24 &&
           memchr(run->version, '\0', sizeof run->version);
}

/* The news of a reset may overtake the confirmation's, so this is asked when either comes. */
static bool has_crashed(const struct camp_device *it)
{
    return it->measured.crash_us >= 0 && it->confirmed_us >= 0 &&
           it->measured.crash_us <= it->confirmed_us + CRASH_WITHIN_H * CAMP_HOUR;
}

static void resets_add(struct camp *camp, struct camp_span *span, const struct camp_telemetry *run)
{
    struct camp_device *it = &camp->device[run->device];
    it->measured.reset_us = run->last_reset_us;
    if (span)
        span->resets += run->resets;
    if (it->measured.crash_us < 0 && strcmp(run->version, camp->config->candidate) == 0 &&
        it->enrolled_us >= 0 && run->first_reset_us >= it->enrolled_us)
        it->measured.crash_us = run->first_reset_us;
}

/* A version (of what runs, not of what was reset) or a crash is news; only then does the row of the
 * device itself change. */
static void run_news(struct camp *camp, const struct camp_telemetry *run)
{
    struct camp_device *it = &camp->device[run->device];
    if (run->received > 0 && run->last_us >= it->version_us &&
        strcmp(it->version, run->version) != 0) {
        memcpy(it->version, run->version, sizeof it->version);
        it->version_us = run->last_us;
        camp_mark_row(camp, run->device);
    }
    if (!it->crashed && has_crashed(it)) {
        it->crashed = true;
        camp_mark_row(camp, run->device);
    }
}

/* heard_us: its arrival, which may be long after its last_us. False: it is no news. */
static bool count(struct camp *camp, const struct camp_telemetry *run, int64_t heard_us)
{
    camp->counts.telemetry++;
    if (!run_is_sane(camp, run)) {
        camp->counts.dropped++;
        camp->dirty = true;
        return false;
    }
    struct camp_device *it = &camp->device[run->device];
    bool fresh = run->received > 0 && run->last_us > it->measured.last_us;
    bool resets = run->resets > 0 && run->last_reset_us > it->measured.reset_us;
    if (!fresh && !resets) {
        camp->counts.late++;
        camp->dirty = true;
        return false;
    }
    camp_heard(camp, run->device, heard_us);
    camp_change_begin(camp, run->device);
    struct camp_span *span = span_of(camp, run);
    if (span && fresh)
        span_add(span, run, camp->config->device[run->device].telemetry_every_us, camp->deaf);
    if (fresh)
        it->measured.last_us = run->last_us;
    if (resets)
        resets_add(camp, span, run);
    run_news(camp, run);
    camp_change_end_measured(camp, run->device);
    return true;
}

void camp_telemetry(struct camp *camp, const struct camp_telemetry *run)
{
    count(camp, run, run->last_us);
}

/* From the confirmation on intervals are expected, whether or not a message ever comes. */
void camp_measure_confirmed(struct camp *camp, uint32_t device)
{
    struct camp_measured *measured = &camp->device[device].measured;
    measured->after.base_us = camp->device[device].confirmed_us;
    camp->device[device].crashed |= has_crashed(&camp->device[device]);
    if (!camp->device[device].dirty_measured) {
        camp->device[device].dirty_measured = true;
        camp->dirty_measured[camp->dirty_measureds++] = device;
    }
}

/* Two messages in a row are missing by then, and would have been told. */
int64_t camp_quiet_from(const struct camp *camp, uint32_t device)
{
    const struct camp_device *it = &camp->device[device];
    if (it->outcome != REP_OUT_CONFIRMED)
        return CAMP_NEVER;
    int64_t last_us = it->measured.last_us;
    return (last_us > it->confirmed_us ? last_us : it->confirmed_us) + TOLD_AFTER_H * CAMP_HOUR +
           2 * camp->config->device[device].telemetry_every_us;
}

/*
 * Every interval since the last message was missed, up to the moment whose messages must have been
 * told by now. Counted by whole hours since the device became quiet, so that it does not matter at
 * which ticks this is asked (a restarted service asks at other ones).
 */
void camp_measure_quiet(struct camp *camp, uint32_t device)
{
    int64_t from_us = camp_quiet_from(camp, device);
    int64_t every_us = camp->config->device[device].telemetry_every_us;
    if (every_us <= 0 || camp->now_us < from_us)
        return;
    int64_t hours = (camp->now_us - from_us) / CAMP_HOUR;
    struct camp_device *it = camp_change_begin(camp, device);
    it->measured.after.expected = intervals(
        it->measured.after.base_us, from_us + (hours - TOLD_AFTER_H) * CAMP_HOUR, every_us, false);
    camp_change_end_measured(camp, device);
}

void camp_pong(struct camp *camp, uint32_t device, const char *json, uint32_t len, int64_t at_us)
{
    struct camp_wire_pong pong;
    camp->counts.pongs++;
    if (device >= camp->config->devices || !camp_wire_pong(&pong, json, len) ||
        (pong.device_id[0] && strcmp(pong.device_id, camp->config->device[device].id) != 0)) {
        camp->counts.dropped++;
        camp->dirty = true;
        return;
    }
    camp_heard(camp, device, at_us);
    camp_mark_row(camp, device);
    struct camp_measured *measured = &camp->device[device].measured;
    if (!measured->ping_out || measured->ping_out != pong.number) {
        camp->counts.late++;
        camp->dirty = true;
        return;
    }
    camp_change_begin(camp, device);
    measured->ping_out = 0;
    measured->answers++;
    if ((at_us - measured->ping_us) / camp->pace >= camp_ping_limit_us(camp))
        measured->answers_bad++;
    camp_change_end_measured(camp, device);
    /* Where phases go fast, the next ping is due before this one's answer would have been. */
    camp_device_rearm(camp, device);
}

static struct camp_resets_said resets_said(const struct camp_telemetry *run, const char *json,
                                           uint32_t len)
{
    struct camp_resets_said said = {run->resets, camp_wire_resets_total(json, len), -1};
    if (said.total < 0 || !camp_wire_at(&said.at_us, json, len))
        said.at_us = -1;
    return said;
}

/* A payload of telemetry/<device>: an answer to a ping, or one message of telemetry. */
void camp_telemetry_json(struct camp *camp, uint32_t device, const char *json, uint32_t len,
                         int64_t at_us)
{
    struct camp_telemetry run;
    char id[CAMP_ID_MAX];
    if (camp_wire_is_pong(json, len)) {
        camp_pong(camp, device, json, len, at_us);
        return;
    }
    if (device >= camp->config->devices || !camp_wire_telemetry(&run, id, json, len) ||
        strcmp(id, camp->config->device[device].id) != 0) {
        camp->counts.telemetry++;
        camp->counts.dropped++;
        camp->dirty = true;
        return;
    }
    struct camp_measured *measured = &camp->device[device].measured;
    uint64_t mark = camp_wire_is_dated(json, len) ? camp_telemetry_mark(json, len) : 0;
    if (camp_telemetry_is_repeat(measured, mark))
        return;
    run.device = device;
    run.first_us = run.last_us = camp_said_us(camp, device, json, len, at_us);
    struct camp_resets_said said = {.total = -1};
    if (!run.resets || run.first_reset_us == CAMP_RESETS_UNTIMED) {
        said = resets_said(&run, json, len);
        run.resets = camp_resets_news(measured, &said);
        run.first_reset_us = run.last_reset_us = run.last_us;
    }
    if (count(camp, &run, at_us))
        camp_resets_note(measured, &said);
    if (camp_telemetry_note(measured, mark)) {
        camp->broken = true;
        snprintf(camp->message, sizeof camp->message, "campaign: out of memory");
    }
}
