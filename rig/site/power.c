/*
 * Power by a relay: asked for, answered, and believed only as far as the board bears it out.
 *
 *   OFF ---- asked on ----> ON        the first line of ROM or bootloader must say "power on",
 *                                     else lost; none within listen_ms: cycled, twice, then off,
 *                                     and the flash is asked whose fault that is (mute)
 *   ON ----- asked off ---> GOING     the OTA line still works
 *   GOING -- the relay answers -> GONE
 *   GONE --- off_at_least is over, it is silent, its flash file is free -> OFF, and told: dark;
 *            still none of that after STUCK_US: lost
 *
 * What says that it lost power by itself is one that bounced, within a second of power on, or lost.
 */
#include "site_internal.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SILENT_TRIES_MAX = 3, LISTEN_MS = 30000 };
/* Emulated boards of a busy machine lose their power late, and a console has its buffers. */
static const int64_t STUCK_US = 10000000, QUIET_US = 150000;
static const double LOOK_AGAIN_S = 0.02, TURN_S = 0.001;

static const char *relay_of(const struct sim_body *body)
{
    return body->site->config.bench->controller[body->board->power.controller].name;
}

/* Whoever reads it knows where to go. */
static void report(struct sim_body *body, void (*tell)(void *ctx, const char *why), const char *why)
{
    char whole[RS_WHY_MAX + 160];
    snprintf(whole, sizeof whole, "board %.60s (relay %.60s, channel %u): %s", body->board->name,
             relay_of(body), body->board->power.channel, why);
    rig_console_remark(body->console, why);
    tell(body->given->events.ctx, whole);
}

void rs_lost(struct sim_body *body, const char *format, ...)
{
    char why[RS_WHY_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    report(body, body->given->events.lost, why);
}

void rs_watch(struct sim_body *body, int64_t open_ms, bool at_end)
{
    char why[RS_WHY_MAX];
    if (body->power == RS_ON &&
        rig_factory_gateway_failed(body->gateway, open_ms, at_end, why, sizeof why))
        rs_lost(body, "%s", why);
}

static void ask(struct sim_body *body, const struct rig_ask *asked)
{
    if (rig_wiring_ask(body->site->wiring, body->board, RIG_FUNCTION_POWER, 0, asked))
        rs_lost(body, "the relay takes no command: see `brickyard rig list`");
}

static void start(struct sim_body *body, ev_timer *timer, double in_s)
{
    struct ev_loop *loop = body->site->run->loop;
    ev_timer_stop(loop, timer);
    ev_now_update(loop); /* or it would be too early by what this turn has taken so far */
    ev_timer_set(timer, in_s, 0);
    ev_timer_start(loop, timer);
}

static void stop(struct sim_body *body, ev_timer *timer)
{
    ev_timer_stop(body->site->run->loop, timer);
}

/* ---- On ---- */

static void on_answered(void *ctx, const struct rig_answer *answer)
{
    struct sim_body *body = ctx;
    if (answer->error) {
        rs_lost(body,
                "its power can't be switched on: %s; look at the relay's plug, cable and supply",
                answer->message);
        return;
    }
    body->answered = true;
    body->on_at_us = answer->done_us;
    rs_aim_made(body);
}

int rs_on(struct sim_body *body, char *message, size_t len)
{
    (void)message, (void)len;
    const struct rig_ask on = {.want = RIG_WANT_ON,
                               .off_at_least_ms = body->board->power.off_at_least_ms,
                               .answered = on_answered,
                               .ctx = body};
    uint32_t listen_ms = body->site->config.listen_ms;
    body->power = RS_ON;
    body->answered = body->spoke = body->end_said = body->started = false;
    body->lines = 0;
    body->on_at_us = rig_port_now_us(); /* until the relay says better */
    body->ears.heard = 0;
    body->place->dark_since_us = 0;
    body->site->facts.ons++;
    rig_console_break(body->console); /* half a line of its last life is no part of the first */
    rig_console_remark(body->console, "power on");
    gateway_power_on(body->gateway);
    start(body, &body->listen, (listen_ms ? listen_ms : LISTEN_MS) / 1000.0);
    ask(body, &on);
    return 0;
}

/* It is dark: the ground has seen its flash, where that can be read. */
static void be_mute(struct sim_body *body)
{
    char why[RS_WHY_MAX];
    body->mute = false;
    if (body->lines)
        snprintf(why, sizeof why,
                 "it talks (%u lines since power on), but never of its boot, after %d power "
                 "cycles: look at its console's baud rate, at whether that relay takes its power, "
                 "and at whether that console is its own",
                 body->lines, SILENT_TRIES_MAX);
    else
        snprintf(why, sizeof why,
                 "not a word on its console after %d power cycles: look at its supply, at that "
                 "relay, and at its console's cable",
                 SILENT_TRIES_MAX);
    report(body, body->given->events.mute, why);
}

static void heard_nothing(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct sim_body *body = timer->data;
    (void)loop, (void)events;
    if (body->power != RS_ON || body->spoke)
        return;
    body->mute = ++body->silent_tries >= SILENT_TRIES_MAX;
    if (body->mute && !rig_console_is_there(body->console)) {
        rs_lost(body, "its console is not there: look at its cable");
        return;
    }
    body->site->silent_starts += !body->mute;
    rig_console_remark(body->console, body->mute ? "not a word of its boot: its power is taken"
                                                 : "not a word of its boot: power is cycled");
    rs_off(body);
}

void rs_spoke(struct sim_body *body, const char *reset)
{
    body->spoke = true;
    body->mute = false; /* its first word came as its power was taken again */
    body->silent_tries = 0;
    if (reset)
        rs_lost(body,
                "it came up by \"%s\" where it was to come from power off: that relay does not "
                "take its power (stuck, or wired to something else), it is fed by another way "
                "(USB, debugger), or off_at_least (%u ms) is too short for its supply to run down",
                reset, body->board->power.off_at_least_ms);
}

/* ---- Off ---- */

static void off_answered(void *ctx, const struct rig_answer *answer)
{
    struct sim_body *body = ctx;
    if (answer->error) {
        rs_lost(body,
                "its power can't be switched off and may be on: %s; look at the relay's plug, "
                "cable and supply",
                answer->message);
        return;
    }
    body->power = RS_GONE;
    gateway_power_lost(body->gateway);
    rig_console_remark(body->console, "power off");
    body->off_sent_us = answer->sent_us;
    body->off_done_us = answer->done_us;
    rs_aim_sent(body, answer);
    body->still = 0;
    start(body, &body->settle, body->board->power.off_at_least_ms / 1000.0);
}

/* Somebody has a lock on its flash file: QEMU, or the emulator that is not through with the cut. */
static bool flash_is_held(const struct sim_body *body)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = body->board->flash_file ? open(body->board->flash_file, O_RDONLY | O_CLOEXEC) : -1;
    bool held = fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return held;
}

static int64_t heard_us(const struct sim_body *body)
{
    int64_t console = rig_console_heard_us(body->console), line = rig_console_heard_us(body->line);
    return console > line ? console : line;
}

/* NULL: nothing speaks against it. */
static const char *power_is_there(const struct sim_body *body, int64_t now_us)
{
    int64_t least_us = body->board->power.off_at_least_ms * INT64_C(1000), last_us = heard_us(body);
    int64_t quiet_us = least_us < QUIET_US ? least_us : QUIET_US;
    if (last_us > body->off_done_us && now_us - last_us < quiet_us)
        return "it still talks";
    if (flash_is_held(body))
        return "its flash_file is still in use";
    return now_us - body->off_done_us < least_us ? "off_at_least is not over" : NULL;
}

static void be_dark(struct sim_body *body)
{
    const struct sim_body_events *tell = &body->given->events;
    bool ends = body->ends;
    body->power = RS_OFF;
    body->ends = false;
    body->place->dark_since_us = body->off_done_us;
    rs_aim_hit(body);
    if (ends)
        tell->ended(tell->ctx, "in the bootloader, which boots nothing", false, true);
    tell->dark(tell->ctx);
    if (body->mute)
        be_mute(body);
}

/* Twice in a row, with a turn of the loop between them: a loop that was late has read by then what
 * its consoles hold. */
static void is_dark(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct sim_body *body = timer->data;
    (void)loop, (void)events;
    int64_t now_us = rig_port_now_us(), since_us = now_us - body->off_done_us;
    const char *why = power_is_there(body, now_us);
    if (!why && ++body->still > 1) {
        be_dark(body);
        return;
    }
    if (why)
        body->still = 0;
    if (why && since_us > STUCK_US + body->board->power.off_at_least_ms * INT64_C(1000))
        rs_lost(body,
                "%s %d ms after its power was taken: the contact is stuck or welded, or that relay "
                "switches something else; change the relay, or look at the wiring",
                why, (int)(since_us / 1000));
    else
        start(body, &body->settle, why ? LOOK_AGAIN_S : TURN_S);
}

uint32_t rs_dark_within_ms(void *ctx)
{
    const struct rig_site *site = ctx;
    uint32_t most_ms = 0;
    for (uint32_t p = 0; p < site->places; p++) {
        uint32_t ms = site->place[p].board->power.off_at_least_ms;
        most_ms = ms > most_ms ? ms : most_ms;
    }
    return most_ms + (uint32_t)(STUCK_US / 1000);
}

void rs_off_at(struct sim_body *body, int64_t at_us)
{
    const struct rig_ask off = {
        .want = RIG_WANT_OFF, .not_before_us = at_us, .answered = off_answered, .ctx = body};
    if (body->power != RS_ON)
        return;
    body->power = RS_GOING;
    body->site->facts.offs++;
    stop(body, &body->listen);
    ask(body, &off);
}

void rs_off(struct sim_body *body)
{
    rs_aim_cancel(body);
    rs_off_at(body, 0);
}

/* ---- Life ---- */

void rs_power_init(struct sim_body *body)
{
    ev_timer_init(&body->settle, is_dark, 0, 0);
    ev_timer_init(&body->listen, heard_nothing, 0, 0);
    body->settle.data = body->listen.data = body;
}

/* There is nobody left to tell but who reads the terminal, and it matters. */
static void warn(const struct sim_body *body, const struct rig_answer *answer)
{
    fprintf(stderr,
            "brickyard: board %s (relay %s, channel %u): its power may still be on, it can't be "
            "switched off: %s\n",
            body->board->name, relay_of(body), body->board->power.channel, answer->message);
}

void rs_power_end(struct sim_body *body)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    struct rig_answer answer;
    stop(body, &body->settle);
    stop(body, &body->listen);
    rs_aim_cancel(body);
    if ((body->power != RS_OFF || body->probed) && body->site->wiring &&
        rig_wiring_do(body->site->wiring, &answer, body->board, RIG_FUNCTION_POWER, 0, &off))
        warn(body, &answer);
    body->power = RS_OFF;
    body->probed = false;
}
