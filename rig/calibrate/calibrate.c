/*
 * The states of a calibration. A timer looks every 10 ms what is due, so that nothing that is sent
 * is in step with what the board prints.
 */
#include "rig/calibrate.h"
#include "talk.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double LOOK_S = 0.01;
static const int64_t TALKS_ON_US = 3000000, LINE_WITHIN_US = 2000000, SILENT_US_MIN = 100000;
static const int64_t SCATTER_US = 20000, CHECK_SCATTER_US = 50000;
enum { USELESS_MORE = 5 }; /* than half of the cuts: then the board is not fit */

enum state {
    SWITCHING_ON,
    LISTENING,     /* until it prints without a pause */
    WAITING_LINE,  /* the next line is the marker */
    SWITCHING_OFF, /* asked for, or to come */
    SILENCING      /* off; the last byte is looked for */
};

struct run {
    const struct rig_calibrate_config *config;
    struct rig_calibration *out;
    struct rig_console *console;
    struct rig_marker *marker;
    ev_timer look;
    struct talk talk;
    enum state state;
    bool measured;                      /* the pauses are known */
    bool over, off;                     /* through, or failed; the board is off */
    uint32_t cut, checked;              /* checked: of the second part, those that told something */
    int64_t state_at_us;                /* when the state began */
    int64_t sent_us, done_us, asked_us; /* of "off"; the moment that was aimed at */
    bool late;
    int error;
    char *message;
    size_t len;
};

static void go(struct run *run, enum state state)
{
    run->state = state;
    run->state_at_us = rig_port_now_us();
}

static void leave(struct run *run)
{
    run->over = true;
    ev_break(run->config->loop, EVBREAK_ALL);
}

__attribute__((format(printf, 3, 4))) static void fail(struct run *run, int error,
                                                       const char *format, ...)
{
    char why[400];
    va_list list;
    if (run->over)
        return;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    run->error =
        rig_port_say(error, run->message, run->len, "%s: %s", run->config->board->name, why);
    leave(run);
}

static void ask(struct run *run, enum rig_want want, int64_t not_before_us, rig_answered *answered)
{
    const struct rig_ask ask = {
        .want = want, .not_before_us = not_before_us, .answered = answered, .ctx = run};
    int error =
        rig_wiring_ask(run->config->wiring, run->config->board, RIG_FUNCTION_POWER, 0, &ask);
    if (error)
        fail(run, error, "its relay takes no command (%s)", rig_error_name(error));
}

/* ---- On ---- */

static bool checking(const struct run *run)
{
    return run->out->latency.samples >= run->config->cuts;
}

static void on_answered(void *ctx, const struct rig_answer *answer)
{
    struct run *run = ctx;
    if (answer->error) {
        fail(run, answer->error, "its power can't be switched on: %s", answer->message);
        return;
    }
    run->out->tries += answer->tries - 1;
    go(run, LISTENING);
}

static void switch_on(struct run *run)
{
    run->off = false;
    rig_console_break(run->console);
    talk_begin(&run->talk);
    go(run, SWITCHING_ON);
    ask(run, RIG_WANT_ON, 0, on_answered);
}

/* ---- Off ---- */

static void off_answered(void *ctx, const struct rig_answer *answer)
{
    struct run *run = ctx;
    if (answer->error) {
        fail(run, answer->error, "its power can't be switched off: %s", answer->message);
        return;
    }
    run->out->tries += answer->tries - 1;
    run->sent_us = answer->sent_us;
    run->done_us = answer->done_us;
    run->off = true;
    go(run, SILENCING);
}

/* From 0 to `most`, of the cut'th cut. */
static int64_t scatter_us(const struct run *run, int64_t most)
{
    const struct rig_aim aim = {.kind = RIG_AIM_RANDOM, .to_us = most, .seed = run->config->seed};
    return rig_aim_delay_us(&aim, checking(run), run->cut + run->checked);
}

static void switch_off_at(struct run *run, int64_t at_us)
{
    go(run, SWITCHING_OFF);
    ask(run, RIG_WANT_OFF, at_us, off_answered);
}

/* The second part's marker is any line. */
static void on_line(void *ctx, const struct rig_console_line *line)
{
    struct run *run = ctx;
    if (run->state != WAITING_LINE || run->over)
        return;
    int64_t now_us = rig_port_now_us(), latency_us = run->out->aimed_with_us;
    int64_t delay_us =
        rig_histogram_quantile(&run->out->kept, 950) + scatter_us(run, CHECK_SCATTER_US);
    run->asked_us = line->at_us + delay_us;
    run->late = run->asked_us - latency_us < now_us;
    switch_off_at(run, rig_aim_send_us(line->at_us, delay_us, latency_us, now_us));
}

/* ---- What a cut tells ---- */

static void begin_checks(struct run *run)
{
    struct rig_calibration *out = run->out;
    out->kept = out->latency;
    if (run->config->store) {
        int error = rig_aim_store_read(run->config->store, run->config->board->name, &out->kept);
        if (error) {
            char why[300];
            rig_aim_store_why(run->config->store, why, sizeof why);
            fail(run, error, "%s", why);
        }
    }
    out->aimed_with_us = rig_histogram_quantile(&out->kept, 500);
}

static void take_sample(struct run *run, int64_t latency_us)
{
    char why[300];
    int error = run->config->store
                    ? rig_aim_store_add(run->config->store, run->config->board->name, latency_us)
                    : RIG_OK;
    if (error) {
        rig_aim_store_why(run->config->store, why, sizeof why);
        fail(run, error, "%s", why);
        return;
    }
    rig_histogram_add(&run->out->latency, latency_us);
    if (checking(run))
        begin_checks(run);
}

static void count_useless(struct run *run)
{
    const struct rig_calibrate_config *config = run->config;
    if (++run->out->useless > (config->cuts + config->checks) / 2 + USELESS_MORE)
        fail(run, RIG_EUNSUPPORTED,
             "%u cuts told nothing, because it printed nothing just before them; wanted: a board "
             "that prints every 5 ms at the most",
             run->out->useless);
}

static void conclude(struct run *run, bool told, int64_t latency_us)
{
    const struct rig_calibrate_config *config = run->config;
    bool check = checking(run);
    run->checked += check && told;
    run->cut += !check || !told;
    if (!told)
        count_useless(run);
    else if (check)
        rig_precision_add(&run->out->check, run->asked_us, run->sent_us + latency_us, run->late);
    else
        take_sample(run, latency_us);
    if (run->over)
        return;
    if (config->cut)
        config->cut(config->ctx, (uint32_t)run->out->latency.samples + run->checked,
                    config->cuts + config->checks);
    if (checking(run) && run->checked == config->checks)
        leave(run);
    else
        switch_on(run);
}

static int64_t silent_for_us(const struct run *run)
{
    int64_t us = run->config->board->power.off_at_least_ms * INT64_C(1000);
    us = us > 10 * run->out->quiet_us ? us : 10 * run->out->quiet_us;
    return us > SILENT_US_MIN ? us : SILENT_US_MIN;
}

/* Silent for as long as the power must stay off anyhow: what its adapter still had comes in that
 * time, and a host that stood still for a moment is no silence. */
static void look_for_silence(struct run *run, int64_t now_us)
{
    int64_t latency_us = 0, heard_us = rig_console_heard_us(run->console);
    int64_t since_us = heard_us > run->done_us ? heard_us : run->done_us;
    if (now_us - since_us >= silent_for_us(run)) {
        enum rig_silence silence =
            rig_aim_silence(&latency_us, run->sent_us, heard_us, now_us, run->out->quiet_us);
        conclude(run, silence == RIG_SILENCE_TOLD, latency_us);
    } else if (now_us - run->done_us > TALKS_ON_US + silent_for_us(run)) {
        fail(run, RIG_EFAILED,
             "it talks on %lld ms after its power was taken: the relay's channel is another one, "
             "its contact sticks, or the board is fed by its console's or probe's wires",
             (long long)(heard_us - run->done_us) / 1000);
    }
}

/* ---- What is due ---- */

static void refuse_rare(struct run *run)
{
    if (!run->talk.last_us)
        fail(run, RIG_ESILENT,
             "not a word on its console within %u s of power on: look at its power, the relay's "
             "channel and the console",
             run->config->talks_within_ms / 1000);
    else if (!run->measured)
        fail(run, RIG_EUNSUPPORTED,
             "it prints too rarely: pauses of %.1f ms (95 of 100 are shorter) in its best second; "
             "wanted: every 5 ms at the most, from power on, by a loop of its boot loader or "
             "system that prints, or a firmware that ticks (--image)",
             (double)run->talk.best_us / 1e3);
    else
        fail(run, RIG_EUNSUPPORTED,
             "after cut %u it did not print without a pause within %u s; wanted: after each power "
             "on",
             run->cut + run->checked, run->config->talks_within_ms / 1000);
}

static void look_for_talk(struct run *run, int64_t now_us)
{
    if (!run->measured && talk_is_measured(&run->talk, now_us)) {
        run->measured = true;
        run->out->pauses = run->talk.pauses;
        run->out->quiet_us = talk_quiet_us(&run->talk);
    }
    if (run->measured && talk_is_steady(&run->talk, now_us)) {
        if (checking(run))
            go(run, WAITING_LINE);
        else
            switch_off_at(run, now_us + scatter_us(run, SCATTER_US));
    } else if (now_us - run->state_at_us > run->config->talks_within_ms * INT64_C(1000)) {
        refuse_rare(run);
    }
}

static void look(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct run *run = timer->data;
    int64_t now_us = rig_port_now_us();
    (void)loop, (void)events;
    if (run->over)
        return;
    if (run->state == LISTENING)
        look_for_talk(run, now_us);
    else if (run->state == SILENCING)
        look_for_silence(run, now_us);
    else if (run->state == WAITING_LINE && now_us - run->state_at_us > LINE_WITHIN_US)
        fail(run, RIG_EUNSUPPORTED,
             "it prints no lines, so that there is no marker to aim from; wanted: a line end now "
             "and then, or --check 0");
}

/* ---- Console ---- */

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    struct run *run = ctx;
    (void)bytes, (void)len;
    talk_hear(&run->talk, rig_port_now_us());
}

static void on_gone(void *ctx, const char *why)
{
    struct run *run = ctx;
    fail(run, RIG_EGONE, "its console is gone: %s%s", why,
         run->state >= SWITCHING_OFF
             ? "; it must have a supply of its own, and not go with the board's power"
             : "");
}

static int open_console(struct run *run)
{
    const struct rig_console_config console = {.loop = run->config->loop,
                                               .at = run->config->board->console,
                                               .events = {.bytes = on_bytes, .gone = on_gone},
                                               .ctx = run};
    char why[300];
    int error = rig_console_open(&run->console, &console, why, sizeof why);
    if (!error)
        error = rig_marker_add(&run->marker, run->console, ".", on_line, run, why, sizeof why);
    return error ? rig_port_say(error, run->message, run->len, "%s: its console: %s",
                                run->config->board->name, why)
                 : RIG_OK;
}

/* However it ended, nothing is left under power that nobody looks after. */
static int end_off(struct run *run)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    struct rig_answer answer;
    if (run->off)
        return run->error;
    int error = rig_wiring_do(run->config->wiring, &answer, run->config->board, RIG_FUNCTION_POWER,
                              0, &off);
    if (!error || run->error)
        return run->error;
    return rig_port_say(error, run->message, run->len, "%s: %s", run->config->board->name,
                        answer.message);
}

int rig_calibrate(struct rig_calibration *out, const struct rig_calibrate_config *config,
                  char *message, size_t len)
{
    assert(out && config && message && config->cuts);
    struct run run = {.config = config, .out = out, .message = message, .len = len};
    memset(out, 0, sizeof *out);
    int error = open_console(&run);
    if (!error) {
        ev_timer_init(&run.look, look, LOOK_S, LOOK_S);
        ev_set_priority(&run.look, EV_MINPRI); /* what has come is read first */
        run.look.data = &run;
        ev_timer_start(config->loop, &run.look);
        switch_on(&run);
        if (!run.over)
            ev_run(config->loop, 0);
        ev_timer_stop(config->loop, &run.look);
        if (!run.over)
            run.error = rig_port_say(RIG_EANSWER, message, len, "%s: interrupted after %u cuts",
                                     config->board->name, run.cut + run.checked);
        error = end_off(&run);
    }
    rig_console_free(run.console);
    return error;
}
