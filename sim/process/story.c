/*
 * What the daemon's log tells: where in its life it is. It decides which faults are due, and when a
 * device is at rest; no verdict rests on it (witness.c reads the flash).
 */
#include "process_internal.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { WORD_MAX = 48 };

void pw_note(const struct pw_device *dev, const char *format, ...)
{
    FILE *trace = dev->pw->fleet.trace;
    va_list list;
    if (!trace || dev->pw->fleet.traced != dev->number)
        return;
    fprintf(trace, "rig: %.3f s: ",
            (double)(pw_now_us(dev->pw) - dev->pw->scn->start_us) / 1e6 /
                (double)dev->pw->scn->campaign.time_scale);
    va_start(list, format);
    vfprintf(trace, format, list);
    va_end(list);
    fputc('\n', trace);
}

/* The value behind " key=", up to a blank. */
static bool member(const char *line, const char *key, char out[WORD_MAX])
{
    char wanted[WORD_MAX];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *at = strstr(line, wanted);
    out[0] = '\0';
    if (!at)
        return false;
    at += strlen(wanted);
    size_t len = strcspn(at, " \n");
    snprintf(out, WORD_MAX, "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), at);
    return true;
}

static bool state_of(const char *name, enum agent_state *out)
{
    for (int state = 0; state < AGENT_STATES; state++)
        if (!strcmp(name, agent_state_name(state))) {
            *out = (enum agent_state)state;
            return true;
        }
    return false;
}

enum scn_during pw_during(const struct pw_device *dev)
{
    return dev->booting ? SCN_DURING_BOOT : (enum scn_during)(SCN_DURING_IDLE + (int)dev->state);
}

void pw_reboots(struct pw_device *dev)
{
    dev->booting = true;
    dev->connected = false;
    dev->lost_us = pw_now_us(dev->pw);
    dev->seen.running_slot = -1;
    dev->seen.telemetry_heard = false;
    pw_enter(dev, SCN_DURING_BOOT);
}

static void on_state(struct pw_device *dev, const char *line)
{
    char word[WORD_MAX];
    enum agent_state to;
    if (!member(line, "to", word) || !state_of(word, &to))
        return;
    pw_leave(dev, pw_during(dev));
    dev->state = to;
    pw_enter(dev, pw_during(dev));
}

static void on_start(struct pw_device *dev, const char *line)
{
    char word[WORD_MAX];
    if (member(line, "state", word))
        state_of(word, &dev->state);
}

/* The bootloader has jumped. */
static void on_boot(struct pw_device *dev, const char *line)
{
    (void)line;
    pw_leave(dev, SCN_DURING_BOOT);
    dev->booting = false;
    dev->state = AGENT_IDLE;
    pw_settle(dev);
    pw_witness_boot(dev);
}

static void on_end(struct pw_device *dev, const char *line)
{
    char how[WORD_MAX];
    member(line, "how", how);
    if (!strcmp(how, agent_end_name(AGENT_END_STOPPED)))
        return;
    dev->pw->counts.reboots++;
    if (!strcmp(how, agent_end_name(AGENT_END_SOFTWARE)))
        pw_leave(dev, pw_during(dev));
    pw_preempt(dev);
    pw_reboots(dev);
}

static void on_watchdog(struct pw_device *dev, const char *line)
{
    (void)line;
    dev->pw->counts.reboots++;
    pw_preempt(dev);
    pw_reboots(dev);
}

/* The watchdog bit in the middle of an operation, or the process crashed there: it is as it is. */
static void on_operation_cut(struct pw_device *dev, const char *line)
{
    char number[WORD_MAX], wanted[WORD_MAX];
    snprintf(wanted, sizeof wanted, "%" PRIu64, dev->op.number);
    if (dev->op.open && member(line, "number", number) && !strcmp(number, wanted))
        pw_take_file(dev);
}

static void on_violation(struct pw_device *dev, const char *line)
{
    char what[96] = "";
    const char *at = strstr(line, " what=");
    snprintf(what, sizeof what, "%s", at ? at + 6 : "");
    pw_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "its flash refused an operation: %s", what);
}

static const struct {
    const char *event;
    void (*take)(struct pw_device *dev, const char *line);
} heeded[] = {
    {"state", on_state},
    {"start", on_start},
    {"boot", on_boot},
    {"end", on_end},
    {"watchdog_reset", on_watchdog},
    {"operation_cut", on_operation_cut},
    {"flash_violation", on_violation},
};

void pw_line(struct pw_device *dev, const char *line)
{
    char event[WORD_MAX];
    if (!member(line, "event", event))
        return;
    for (size_t i = 0; i < sizeof heeded / sizeof heeded[0]; i++)
        if (!strcmp(event, heeded[i].event))
            heeded[i].take(dev, line);
}
