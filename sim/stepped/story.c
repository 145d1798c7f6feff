/*
 * What a body's log tells: where in its life it is. It decides which faults are due, and when a
 * device is at rest; it acquits nobody (witness.c reads the flash), and accuses of one thing only:
 * a bootloader that jumps to another slot than the one which it left in its config. Who says that
 * it ended may write no slot any more, until the flash says what runs: so a lie about that gains
 * nothing.
 */
#include "flash_file/reset.h"
#include "stepped_internal.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { WORD_MAX = 48 };

void st_note(const struct st_device *dev, const char *format, ...)
{
    FILE *trace = dev->st->fleet.trace;
    va_list list;
    if (!trace || dev->st->fleet.traced != dev->number)
        return;
    fprintf(trace, "rig: %.3f s: ",
            (double)(st_now_us(dev->st) - dev->st->scn->start_us) / 1e6 /
                (double)dev->st->scn->campaign.time_scale);
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

enum scn_during st_during(const struct st_device *dev)
{
    return dev->booting ? SCN_DURING_BOOT : (enum scn_during)(SCN_DURING_IDLE + (int)dev->state);
}

void st_reboots(struct st_device *dev)
{
    dev->booting = true;
    if (dev->connected) /* who resets again and again stays lost */
        dev->lost_us = st_now_us(dev->st);
    dev->connected = false;
    dev->seen.running_slot = -1;
    dev->version_heard = false;
    dev->seen.telemetry_heard = false;
    st_enter(dev, SCN_DURING_BOOT);
}

static void on_state(struct st_device *dev, const char *line)
{
    char word[WORD_MAX];
    enum agent_state to;
    if (!member(line, "to", word) || !state_of(word, &to))
        return;
    st_free_jumped(dev);
    st_leave(dev, st_during(dev));
    dev->state = to;
    st_enter(dev, st_during(dev));
}

/* A console may lose bytes: what is none of the scenario's versions was not said. */
static void on_firmware(struct st_device *dev, const char *line)
{
    char word[WORD_MAX];
    st_free_jumped(dev);
    if (dev->st->kind->free && member(line, "version", word) &&
        st_firmware_of(dev, word) != UINT32_MAX)
        st_free_version(dev, word);
}

/* Its state is the one that it was in before it lost its power. */
static void on_start(struct st_device *dev, const char *line)
{
    char word[WORD_MAX];
    on_firmware(dev, line); /* it says the version too */
    if (!member(line, "state", word) || !state_of(word, &dev->state))
        return;
    if (dev->st->kind->free)
        st_enter(dev, st_during(dev));
}

static void on_confirmed(struct st_device *dev, const char *line)
{
    (void)line;
    st_free_jumped(dev);
    if (dev->st->kind->free)
        st_free_confirmed(dev);
}

/* Both words whole, or it was not said. */
static bool boot_words(const char *line, int *slot, bool *trial)
{
    char word[WORD_MAX];
    if (!member(line, "slot", word) || (strcmp(word, "A") && strcmp(word, "B")))
        return false;
    *slot = word[0] == 'B';
    if (!member(line, "trial", word) || (strcmp(word, "yes") && strcmp(word, "no")))
        return false;
    *trial = !strcmp(word, "yes");
    return true;
}

/* The bootloader has jumped. */
static void on_boot(struct st_device *dev, const char *line)
{
    int slot = 0;
    bool trial = false;
    if (dev->st->kind->free && !boot_words(line, &slot, &trial))
        return; /* the firmware's first line will tell */
    st_leave(dev, SCN_DURING_BOOT);
    dev->booting = false;
    dev->state = AGENT_IDLE;
    if (dev->st->kind->free) {
        st_free_boot(dev, slot, trial);
        return;
    }
    st_settle(dev);
    st_witness_boot(dev);
    if (boot_words(line, &slot, &trial))
        st_witness_said(dev, slot);
}

static void on_end(struct st_device *dev, const char *line)
{
    char how[WORD_MAX];
    member(line, "how", how);
    if (!strcmp(how, agent_end_name(AGENT_END_STOPPED)))
        return;
    dev->st->counts.reboots++;
    if (!strcmp(how, agent_end_name(AGENT_END_SOFTWARE)))
        st_leave(dev, st_during(dev));
    st_preempt(dev);
    st_reboots(dev);
}

static void on_watchdog(struct st_device *dev, const char *line)
{
    (void)line;
    dev->st->counts.reboots++;
    st_preempt(dev);
    st_reboots(dev);
}

/* The watchdog bit in the middle of an operation, or the process crashed there: it is as it is. */
static void on_operation_cut(struct st_device *dev, const char *line)
{
    char number[WORD_MAX], wanted[WORD_MAX];
    snprintf(wanted, sizeof wanted, "%" PRIu64, dev->op.number);
    if (dev->op.open && member(line, "number", number) && !strcmp(number, wanted))
        st_take_file(dev);
}

static void on_violation(struct st_device *dev, const char *line)
{
    char what[96] = "";
    const char *at = strstr(line, " what=");
    snprintf(what, sizeof what, "%s", at ? at + 6 : "");
    st_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "its flash refused an operation: %s", what);
}

static const struct {
    const char *event;
    void (*take)(struct st_device *dev, const char *line);
} heeded[] = {
    {"state", on_state},
    {"start", on_start},
    {"boot", on_boot},
    {"firmware", on_firmware},
    {"confirmed", on_confirmed},
    {"end", on_end},
    {"watchdog_reset", on_watchdog},
    {"operation_cut", on_operation_cut},
    {"flash_violation", on_violation},
};

static void heed(struct st_device *dev, const char *line)
{
    char event[WORD_MAX];
    if (!member(line, "event", event))
        return;
    for (size_t i = 0; i < sizeof heeded / sizeof heeded[0]; i++)
        if (!strcmp(event, heeded[i].event))
            heeded[i].take(dev, line);
}

/* Its last lines, the oldest first, as one text. */
static void remember(struct st_device *dev, const char *line)
{
    size_t len = strlen(dev->said), more = strlen(line);
    if (!dev->alarm[0] && (strstr(line, "Sanitizer") || strstr(line, "runtime error")))
        snprintf(dev->alarm, sizeof dev->alarm, "%.*s", ST_SAID_MAX - 1, line);
    if (more > sizeof dev->said - 4)
        more = sizeof dev->said - 4;
    while (len + more + 4 > sizeof dev->said) {
        char *next = strstr(dev->said, " | ");
        len = next ? strlen(next + 3) : 0;
        memmove(dev->said, next ? next + 3 : "", len + 1);
    }
    snprintf(dev->said + len, sizeof dev->said - len, "%s%.*s", len ? " | " : "", (int)more, line);
}

void st_said(void *ctx, const char *line)
{
    struct st_device *dev = ctx;
    remember(dev, line);
    if (dev->st->fleet.trace && dev->st->fleet.traced == dev->number)
        fprintf(dev->st->fleet.trace, "%s\n", line);
    heed(dev, line);
}
