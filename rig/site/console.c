/*
 * What the console tells, as the ground understands it: lines as the daemon writes them. How a
 * board was reset the bootloader says in its first line (event=rom reset="watchdog"); it is told
 * before that line, as the daemon tells it. Between two power-ons of ours the bootloader begins for
 * a reset of the board's own, or because it lost its power otherwise: then the relay bounced.
 */
#include "rig/log_line.h"
#include "site_internal.h"
#include <stdio.h>
#include <string.h>

enum { DISOWNED_MAX = RIG_CONSOLE_LINE_MAX + 80 };
/* Contacts bounce for a few milliseconds; a board that starts twice in this time has seen that. */
static const int64_t BOUNCE_US = 1000000;

static void say(struct sim_body *body, const char *line)
{
    const struct sim_body_events *tell = &body->given->events;
    tell->said(tell->ctx, line);
    tell->heard(tell->ctx);
}

static const struct {
    const char *reset; /* as the bootloader names it */
    enum rig_site_reset kind;
    const char *told; /* what the daemon would have said */
    bool by_itself;   /* it says so before, unless that line was lost */
} resets[] = {
    {"watchdog", RIG_SITE_WATCHDOG, "level=warn event=watchdog_reset", false},
    {"software reset", RIG_SITE_SOFTWARE, "level=info event=end how=software", true},
    {"hard fault", RIG_SITE_HARD_FAULT, "level=warn event=end how=hard_fault", true},
    {"reset pin", RIG_SITE_PIN, "level=warn event=end how=reset_pin", true},
};

/* It waits for somebody who writes to its flash, for ever. */
static bool boots_nothing(const char *line)
{
    return rig_log_is(line, "no_boot") || rig_log_is(line, "stay");
}

static void took_a_rest(struct sim_body *body)
{
    say(body, "level=warn event=end how=power_lost");
    if (rig_port_now_us() - body->on_at_us < BOUNCE_US)
        body->site->bounces++;
    else
        rs_lost(body, "it lost its power, and the rig did not take it: look at its supply, and at "
                      "the relay's");
}

/* Consoles lose bytes: what is none of these words says nothing. */
static int kind_of(const char *reset)
{
    for (size_t i = 0; i < sizeof resets / sizeof *resets; i++)
        if (!strcmp(reset, resets[i].reset))
            return (int)i;
    return -1;
}

/* Why the bootloader runs, if it is not for the power that it was given. */
static void on_reset(struct sim_body *body, const char *reset)
{
    int kind = kind_of(reset);
    if (kind >= 0) {
        body->site->facts.resets[resets[kind].kind]++;
        body->place->facts.resets[resets[kind].kind]++;
        if (!resets[kind].by_itself || !body->end_said)
            say(body, resets[kind].told);
        body->end_said = true;
    } else if (!strcmp(reset, "power on")) {
        took_a_rest(body);
    } else if (!body->end_said) {
        say(body, "level=warn event=end how=reset");
    }
}

/* A line of ROM or bootloader. */
static void on_boot_line(struct sim_body *body, const char *line)
{
    char reset[24];
    bool rom = rig_log_is(line, "rom"), boot = rig_log_is(line, "boot");
    if (!rom && !boot && !boots_nothing(line))
        return;
    rig_log_member(line, "reset", reset, sizeof reset);
    if (!body->spoke)
        rs_spoke(body, kind_of(reset) >= 0 ? reset : NULL);
    else if (rom)
        on_reset(body, reset);
    if (boot)
        body->end_said = false;
}

/* The firmware's first line. */
static void on_firmware(struct sim_body *body, int64_t at_us)
{
    if (!body->started && body->answered) {
        rig_histogram_add(&body->site->facts.boot, at_us - body->on_at_us);
        rig_histogram_add(&body->place->facts.boot, at_us - body->on_at_us);
    }
    body->started = true;
}

/* The firmware's lines begin with their time; it can't speak for the bootloader. */
static void on_line(void *ctx, const struct rig_console_line *line)
{
    struct sim_body *body = ctx;
    const char *text = line->text;
    bool firmware = rig_log_of_firmware(text);
    char disowned[DISOWNED_MAX];
    body->site->facts.lines++;
    if (body->power == RS_OFF)
        return; /* the last of its buffers */
    body->lines++;
    if (!firmware)
        on_boot_line(body, text);
    if (rig_log_is(text, "end"))
        body->end_said = true;
    if (firmware && rig_log_is(text, "firmware"))
        on_firmware(body, line->at_us);
    if (firmware && rig_log_is(text, "boot")) {
        rig_log_disown_boot(text, disowned, sizeof disowned);
        text = disowned;
    }
    say(body, text);
    if (body->power == RS_ON && !firmware && boots_nothing(text)) {
        body->ends = true;
        rs_off(body);
    }
}

static void on_console_bytes(void *ctx, const void *bytes, size_t len)
{
    (void)bytes, (void)len;
    rs_hear(ctx);
}

/* One that the board itself feeds goes with its power, and comes back with it. */
static void on_gone(void *ctx, const char *why)
{
    struct sim_body *body = ctx;
    if (body->power == RS_ON)
        rs_lost(body, "its console is gone (%s): look at its cable, and at the board", why);
    else
        body->site->gone_while_off++;
}

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    struct sim_body *body = ctx;
    rs_hear(body);
    if (rs_has_power(body) && body->gateway)
        gateway_input(body->gateway, bytes, len);
}

static void on_line_gone(void *ctx, const char *why)
{
    struct sim_body *body = ctx;
    if (body->power == RS_ON)
        rs_lost(body, "its OTA line is gone (%s): look at its cable, and at the board", why);
}

const struct rig_console_events rs_console_events = {
    .line = on_line, .bytes = on_console_bytes, .gone = on_gone};
const struct rig_console_events rs_line_events = {.bytes = on_bytes, .gone = on_line_gone};
