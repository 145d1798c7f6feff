/*
 * A request, one step at a time: each step is one visit to the driver, between two steps the thread
 * is free for other channels. An error starts the half of the request that it hit again, `retries`
 * times, with a pause that grows.
 *
 *   OFF, ON   SWITCH ─► CONFIRM (again each 20 ms until it is so, or timeout_ms are over)
 *   PULSE     SWITCH ─► CONFIRM ─ ms ─► SWITCH back ─► CONFIRM
 *             SWITCH (the hardware's own pulse) ─ ms ─► CONFIRM, or ELAPSED
 *   READ      READ
 *   LEVEL     LEVEL ─ 20 ms ─► LEVEL ..
 */
#include "controller_internal.h"
#include <stdio.h>
#include <string.h>

enum {
    US_PER_MS = 1000,
    CONFIRM_EACH_US = 20000,
    RAMP_EACH_US = 20000,
    PAUSE_MS = 20, /* before the second further try; doubled for each after it */
    PAUSE_MS_MAX = 1000,
    GRAIN_US = 1000000, /* of the coarsest pulse that hardware makes by itself */
};

struct visit { /* one step's */
    struct rig_controller *controller;
    struct rig_channel *channel;
    struct rig_request *request;
    bool ended;
    char message[160];
};

/* ---- What is known of a contact ---- */

static bool leaves_state_unknown(int error)
{
    return error != RIG_EOPEN && error != RIG_EBUSY && error != RIG_EUNSUPPORTED;
}

/* It understood: the way to it is sound. Where closing lets go of what other channels were set to
 * (`holds`), nothing but hardware that is gone is worth it. */
static bool leaves_it_open(const struct rig_relay_driver *driver, int error)
{
    if (driver->holds)
        return error != RIG_EGONE;
    return error == RIG_EREFUSED || error == RIG_EREADBACK || error == RIG_EUNSUPPORTED;
}

static void set_failed(struct rig_controller *controller, struct rig_channel *channel, bool failed)
{
    pthread_mutex_lock(&controller->lock);
    rig_failed_set(controller, channel, failed);
    pthread_mutex_unlock(&controller->lock);
}

static int contact_of(bool closed)
{
    return closed ? RIG_CONTACT_CLOSED : RIG_CONTACT_OPEN;
}

static bool wanted(const struct rig_request *request)
{
    if (request->ask.want == RIG_WANT_PULSE)
        return request->ask.on != request->back;
    return request->ask.want == RIG_WANT_ON;
}

static bool wanted_contact(const struct rig_request *request)
{
    return wanted(request) != request->ask.inverted;
}

static void count_if_moved(struct rig_channel *channel, const struct rig_request *request)
{
    channel->uncounted += (int)channel->contact != contact_of(wanted_contact(request));
}

/* What the odometer could not take is tried again with the next answer. */
static void count(struct rig_controller *controller, struct rig_channel *channel,
                  struct rig_answer *answer)
{
    const struct rig_controller_config *config = controller->config;
    struct rig_odometer *odometer = config->odometer;
    if (!odometer)
        return;
    int error = RIG_OK;
    if (!channel->uncounted)
        error = rig_odometer_read(odometer, config->name, channel->number, &answer->cycles);
    while (channel->uncounted && !error) {
        error = rig_odometer_count(odometer, config->name, channel->number, &answer->cycles);
        channel->uncounted -= !error;
    }
    answer->worn = config->rated_cycles && answer->cycles > config->rated_cycles / 2;
}

/* ---- The hardware ---- */

int rig_hardware_open(struct rig_controller *controller, char *message, size_t len)
{
    const struct rig_controller_config *config = controller->config;
    if (controller->relay)
        return RIG_OK;
    int error =
        config->driver->open(&controller->relay, config->value, config->timeout_ms, message, len);
    if (error) {
        controller->relay = NULL;
        return error;
    }
    pthread_mutex_lock(&controller->lock);
    controller->facts.opened++;
    pthread_mutex_unlock(&controller->lock);
    return RIG_OK;
}

void rig_hardware_close(struct rig_controller *controller)
{
    if (controller->relay)
        controller->config->driver->close(controller->relay);
    controller->relay = NULL;
}

/* ---- Steps ---- */

static int half_is_done(struct visit *visit)
{
    struct rig_request *request = visit->request;
    struct rig_channel *channel = visit->channel;
    const struct rig_ask *ask = &request->ask;
    count_if_moved(channel, request);
    channel->contact = wanted_contact(request) ? RIG_CONTACT_CLOSED : RIG_CONTACT_OPEN;
    if (!wanted(request)) {
        channel->last_off_us = request->answer.done_us;
        set_failed(visit->controller, channel, false);
    }
    request->state_unknown = false;
    request->failures = 0;
    visit->ended = ask->want != RIG_WANT_PULSE || request->back;
    if (visit->ended)
        return RIG_OK;
    request->back = true;
    request->step = RIG_STEP_SWITCH;
    uint32_t ms = ask->ms;
    if (!ask->on && ask->off_at_least_ms > ms)
        ms = ask->off_at_least_ms;
    request->due_us = request->answer.done_us + ms * INT64_C(1000);
    if (!request->timed)
        return RIG_OK;
    request->step = visit->controller->config->driver->get ? RIG_STEP_CONFIRM : RIG_STEP_ELAPSED;
    request->confirm_until_us = request->due_us + GRAIN_US;
    if (request->step == RIG_STEP_ELAPSED)
        request->due_us += GRAIN_US;
    return RIG_OK;
}

/* Its driver can read back, this model can't. */
static int go_on_unread(struct visit *visit)
{
    struct rig_request *request = visit->request;
    visit->message[0] = '\0';
    if (!request->timed || !request->back)
        return half_is_done(visit);
    request->step = RIG_STEP_ELAPSED;
    request->due_us += GRAIN_US;
    return RIG_OK;
}

static int confirm(struct visit *visit)
{
    struct rig_request *request = visit->request;
    struct rig_answer *answer = &request->answer;
    bool closed = false;
    int error = visit->controller->config->driver->get(visit->controller->relay, &closed,
                                                       request->ask.channel, visit->message,
                                                       sizeof visit->message);
    if (error == RIG_EUNSUPPORTED)
        return go_on_unread(visit);
    if (error)
        return error;
    answer->on = closed != request->ask.inverted;
    answer->confirmed = true;
    int64_t now_us = rig_port_now_us();
    if (answer->on == wanted(request)) {
        if (request->timed && request->back)
            answer->done_us = now_us;
        return half_is_done(visit);
    }
    if (now_us >= request->confirm_until_us) {
        snprintf(visit->message, sizeof visit->message,
                 "it took the command to %s, and reads back the contact %s",
                 closed ? "open" : "close", closed ? "closed" : "open");
        return RIG_EREADBACK;
    }
    request->due_us = now_us + CONFIRM_EACH_US;
    return RIG_OK;
}

static int set(const struct visit *visit, char *message, size_t len)
{
    const struct rig_request *request = visit->request;
    return visit->controller->config->driver->set(visit->controller->relay, request->ask.channel,
                                                  wanted_contact(request), message, len);
}

/* The hardware's own pulse; RIG_EUNSUPPORTED: not on this model, or not so long a one. */
static int pulse(const struct visit *visit, char *message, size_t len)
{
    const struct rig_relay_driver *driver = visit->controller->config->driver;
    const struct rig_request *request = visit->request;
    const struct rig_ask *ask = &request->ask;
    if (ask->want != RIG_WANT_PULSE || request->back || !driver->pulse)
        return RIG_EUNSUPPORTED;
    uint32_t ms = ask->on || ask->ms > ask->off_at_least_ms ? ask->ms : ask->off_at_least_ms;
    return driver->pulse(visit->controller->relay, ask->channel, wanted_contact(request), ms,
                         message, len);
}

static int switch_contact(struct visit *visit)
{
    struct rig_request *request = visit->request;
    struct rig_answer *answer = &request->answer;
    const struct rig_controller_config *config = visit->controller->config;
    answer->on = wanted(request);
    answer->confirmed = false;
    int64_t sent_us = rig_port_now_us();
    int error = pulse(visit, visit->message, sizeof visit->message);
    request->timed = error != RIG_EUNSUPPORTED;
    if (!request->timed) {
        visit->message[0] = '\0';
        error = set(visit, visit->message, sizeof visit->message);
    }
    answer->done_us = rig_port_now_us();
    if (!request->back)
        answer->sent_us = sent_us;
    if (error)
        return error;
    if (request->timed || !config->driver->get)
        return half_is_done(visit);
    request->state_unknown = true; /* it was sent, whatever reading back says */
    request->step = RIG_STEP_CONFIRM;
    request->confirm_until_us = answer->done_us + config->timeout_ms * INT64_C(1000);
    return confirm(visit);
}

static int elapsed(struct visit *visit)
{
    visit->request->answer.on = wanted(visit->request);
    visit->request->answer.done_us = rig_port_now_us();
    return half_is_done(visit);
}

static int read_contact(struct visit *visit)
{
    struct rig_request *request = visit->request;
    struct rig_answer *answer = &request->answer;
    bool closed = false;
    answer->sent_us = rig_port_now_us();
    int error = visit->controller->config->driver->get(visit->controller->relay, &closed,
                                                       request->ask.channel, visit->message,
                                                       sizeof visit->message);
    answer->done_us = rig_port_now_us();
    if (error)
        return error;
    answer->on = closed != request->ask.inverted;
    answer->confirmed = true;
    visit->channel->contact = closed ? RIG_CONTACT_CLOSED : RIG_CONTACT_OPEN;
    visit->ended = true;
    return RIG_OK;
}

/* The value of the step that now is in; a step that comes too late for its time is left out. */
static uint32_t ramp_value(const struct rig_ask *ask, int64_t passed_us)
{
    int64_t whole_us = ask->ms * INT64_C(1000);
    int64_t at_us = passed_us / RAMP_EACH_US * RAMP_EACH_US;
    if (passed_us >= whole_us)
        return ask->millivolts;
    int64_t way = (int64_t)ask->millivolts - ask->from_mv;
    return (uint32_t)(ask->from_mv + way * at_us / whole_us);
}

static int set_level(struct visit *visit)
{
    struct rig_request *request = visit->request;
    struct rig_answer *answer = &request->answer;
    const struct rig_ask *ask = &request->ask;
    int64_t now_us = rig_port_now_us(), whole_us = ask->ms * INT64_C(1000);
    int64_t passed_us = request->ramp_us ? now_us - request->ramp_us : 0;
    uint32_t millivolts = ramp_value(ask, passed_us);
    if (!request->ramp_us)
        answer->sent_us = now_us;
    int error = visit->controller->config->driver->level(
        visit->controller->relay, ask->channel, millivolts, visit->message, sizeof visit->message);
    answer->done_us = rig_port_now_us();
    if (error)
        return error;
    if (!request->ramp_us)
        request->ramp_us = now_us;
    request->failures = 0;
    request->state_unknown = false;
    answer->on = millivolts > 0;
    visit->ended = passed_us >= whole_us;
    int64_t next_us = (answer->done_us - request->ramp_us) / RAMP_EACH_US * RAMP_EACH_US;
    next_us += RAMP_EACH_US;
    request->due_us = request->ramp_us + (next_us < whole_us ? next_us : whole_us);
    return RIG_OK;
}

static int (*const steps[RIG_STEPS])(struct visit *visit) = {
    [RIG_STEP_SWITCH] = switch_contact, [RIG_STEP_CONFIRM] = confirm, [RIG_STEP_ELAPSED] = elapsed,
    [RIG_STEP_READ] = read_contact,     [RIG_STEP_LEVEL] = set_level,
};

enum rig_step rig_request_first_step(const struct rig_ask *ask)
{
    if (ask->want == RIG_WANT_READ)
        return RIG_STEP_READ;
    return ask->want == RIG_WANT_LEVEL ? RIG_STEP_LEVEL : RIG_STEP_SWITCH;
}

/* ---- Errors ---- */

void rig_request_refuse(const struct rig_controller *controller, struct rig_request *request,
                        int error, const char *message)
{
    request->answer.error = error;
    snprintf(request->answer.message, sizeof request->answer.message, "%.30s channel %u: %.148s",
             controller->config->name, (unsigned)request->ask.channel, message);
}

/* Nobody knows how the contact stands: it may have been moved, so it counts as moved. Looking moves
 * nothing, and fails no channel. */
static void lose(struct visit *visit)
{
    struct rig_channel *channel = visit->channel;
    enum rig_want want = visit->request->ask.want;
    if (want != RIG_WANT_READ && want != RIG_WANT_LEVEL)
        count_if_moved(channel, visit->request);
    channel->contact = RIG_CONTACT_UNKNOWN;
    if (want == RIG_WANT_READ)
        return;
    snprintf(channel->cause, sizeof channel->cause, "%.*s", (int)sizeof channel->cause - 1,
             visit->message);
    set_failed(visit->controller, channel, true);
}

static int64_t pause_us(uint32_t failures)
{
    if (failures < 2)
        return 0;
    uint32_t doubled = failures - 2 < 6 ? failures - 2 : 6;
    int64_t ms = (int64_t)PAUSE_MS << doubled;
    return (ms < PAUSE_MS_MAX ? ms : PAUSE_MS_MAX) * US_PER_MS;
}

static void try_again(struct visit *visit)
{
    struct rig_request *request = visit->request;
    pthread_mutex_lock(&visit->controller->lock);
    visit->controller->facts.retried++;
    pthread_mutex_unlock(&visit->controller->lock);
    request->answer.tries++;
    request->step = rig_request_first_step(&request->ask);
    request->due_us = rig_port_now_us() + pause_us(request->failures);
}

static void fail(struct visit *visit, int error)
{
    struct rig_request *request = visit->request;
    if (!leaves_it_open(visit->controller->config->driver, error))
        rig_hardware_close(visit->controller);
    request->state_unknown |= leaves_state_unknown(error);
    bool ramps = request->ramp_us != 0;
    if (error != RIG_EUNSUPPORTED && !ramps &&
        request->failures++ < visit->controller->config->retries) {
        try_again(visit);
        return;
    }
    visit->ended = true;
    rig_request_refuse(visit->controller, request, error, visit->message);
    if (request->state_unknown)
        lose(visit);
}

/* ---- A step ---- */

bool rig_request_work(struct rig_controller *controller, struct rig_channel *channel,
                      struct rig_request *request)
{
    struct visit visit = {.controller = controller, .channel = channel, .request = request};
    if (!request->begun && rig_request_is_refused(channel, request)) {
        snprintf(visit.message, sizeof visit.message,
                 "switch it off first (`brickyard rig power BOARD off`): its state is unknown: "
                 "%.80s",
                 channel->cause);
        rig_request_refuse(controller, request, RIG_EFAILED, visit.message);
        visit.ended = true;
    } else {
        request->begun = true;
        int error = rig_hardware_open(controller, visit.message, sizeof visit.message);
        if (!error)
            error = steps[request->step](&visit);
        if (error)
            fail(&visit, error);
    }
    if (visit.ended && !rig_failed_save(controller, channel))
        count(controller, channel, &request->answer);
    return visit.ended;
}
