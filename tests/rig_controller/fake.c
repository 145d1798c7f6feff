#include "fake.h"
#include <stdio.h>
#include <stdlib.h>

struct rig_relay {
    struct fake *fake;
    bool lost; /* an error that the caller must open it again after */
};

#define FRESH                                                                                      \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }
struct fake fakes[FAKES] = {FRESH, FRESH, FRESH, FRESH};

const struct rig_setting_value *fake_setting(uint32_t n)
{
    static const struct rig_setting_value value[FAKES] = {
        {.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    return &value[n];
}

static void violate(struct fake *fake, const char *what)
{
    atomic_fetch_add(&fake->violations, 1);
    fprintf(stderr, "fake relay: %s\n", what);
}

/* ---- Contacts ---- */

static void move(struct fake *fake, uint32_t channel, bool closed)
{
    if (fake->welded[channel] || fake->closed[channel] == closed)
        return;
    fake->closed[channel] = closed;
    fake->moves[channel]++;
}

static void settle(struct fake *fake, uint32_t channel)
{
    if (!fake->back_at_us[channel] || rig_port_now_us() < fake->back_at_us[channel])
        return;
    move(fake, channel, fake->going_back_to[channel]);
    fake->back_at_us[channel] = 0;
}

static void command(struct fake *fake, uint32_t channel, bool closed, uint32_t pulse_ms)
{
    int64_t grains = (pulse_ms + 99) / 100; /* of 100 ms */
    bool ends = pulse_ms && !fake->endless;
    settle(fake, channel);
    fake->back_at_us[channel] = ends ? rig_port_now_us() + grains * 100000 : 0;
    fake->going_back_to[channel] = !closed;
    fake->going_to[channel] = closed;
    fake->reads_left[channel] = fake->settle_reads;
    if (!fake->settle_reads)
        move(fake, channel, closed);
}

bool fake_closed(struct fake *fake, uint32_t channel)
{
    pthread_mutex_lock(&fake->lock);
    settle(fake, channel);
    bool closed = fake->closed[channel];
    pthread_mutex_unlock(&fake->lock);
    return closed;
}

/* ---- A call ---- */

static void enter(struct fake *fake)
{
    if (atomic_exchange(&fake->inside, true))
        violate(fake, "two calls at once");
    pthread_mutex_lock(&fake->lock);
}

/* Whether this call is to fail; *before: so that nothing happens. */
static int fault(struct fake *fake, bool *before)
{
    const struct fake_fault *injected = &fake->fault;
    fake->fallible++;
    bool hit = injected->at &&
               (injected->always ? fake->fallible >= injected->at : fake->fallible == injected->at);
    bool was_sent = injected->error != RIG_EOPEN && injected->error != RIG_EBUSY &&
                    injected->error != RIG_EUNSUPPORTED; /* port.h: else nothing was */
    *before = hit && !(injected->after && was_sent);
    return hit ? injected->error : RIG_OK;
}

static void note(struct fake *fake, enum fake_call call, uint32_t channel, uint32_t value,
                 uint32_t ms, int error)
{
    if (fake->logged == FAKE_LOG_MAX)
        violate(fake, "the log is full");
    else
        fake->log[fake->logged++] =
            (struct fake_entry){call, channel, value, ms, rig_port_now_us(), error};
}

static int leave(struct fake *fake, struct rig_relay *relay, int error, char *message, size_t len)
{
    bool sound =
        error == RIG_EREFUSED || error == RIG_EREADBACK || error == RIG_EUNSUPPORTED || !error;
    if (relay)
        relay->lost |= fake->holds ? error == RIG_EGONE : !sound;
    if (error)
        snprintf(message, len, "injected: %s", rig_error_name(error));
    pthread_mutex_unlock(&fake->lock);
    atomic_store(&fake->inside, false);
    return error;
}

static void check(struct fake *fake, const struct rig_relay *relay, uint32_t channel)
{
    if (relay != fake->relay || relay->lost)
        violate(fake, "a call on a handle that was lost");
    if (channel < 1 || channel > FAKE_CHANNELS)
        abort();
}

static int fake_open(struct rig_relay **out, const struct rig_setting_value *value,
                     uint32_t timeout_ms, char *message, size_t len)
{
    struct fake *fake = &fakes[value->number];
    bool before;
    (void)timeout_ms;
    enter(fake);
    int error = fault(fake, &before);
    if (error != RIG_EBUSY && error != RIG_ESILENT && error)
        error = RIG_EOPEN; /* nothing else comes of opening */
    if (fake->relay)
        violate(fake, "opened twice");
    if (!error) {
        fake->relay = *out = calloc(1, sizeof **out);
        fake->relay->fake = fake;
    }
    note(fake, FAKE_OPEN, 0, 0, 0, error);
    return leave(fake, NULL, error, message, len);
}

static void fake_close(struct rig_relay *relay)
{
    struct fake *fake = relay->fake;
    enter(fake);
    if (fake->relay != relay)
        violate(fake, "closed twice");
    fake->relay = NULL;
    for (uint32_t c = 1; fake->holds && c <= FAKE_CHANNELS; c++)
        move(fake, c, false);
    note(fake, FAKE_CLOSE, 0, 0, 0, RIG_OK);
    leave(fake, NULL, RIG_OK, NULL, 0);
    free(relay);
}

static void wait_if_held(struct fake *fake, uint32_t channel)
{
    if (fake->held != channel)
        return;
    fake->is_held = true;
    pthread_cond_broadcast(&fake->changed);
    while (fake->held)
        pthread_cond_wait(&fake->changed, &fake->lock);
    fake->is_held = false;
}

static int fake_set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    struct fake *fake = relay->fake;
    bool before;
    enter(fake);
    check(fake, relay, channel);
    wait_if_held(fake, channel);
    int error = fault(fake, &before);
    if (!before)
        command(fake, channel, on, 0);
    note(fake, FAKE_SET, channel, on, 0, error);
    return leave(fake, relay, error, message, len);
}

static int fake_get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    struct fake *fake = relay->fake;
    bool before;
    enter(fake);
    check(fake, relay, channel);
    int error = fault(fake, &before);
    settle(fake, channel);
    if (fake->reads_left[channel] && --fake->reads_left[channel] == 0)
        move(fake, channel, fake->going_to[channel]);
    *on = fake->closed[channel];
    note(fake, FAKE_GET, channel, *on, 0, error);
    return leave(fake, relay, error, message, len);
}

static int fake_pulse(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms,
                      char *message, size_t len)
{
    struct fake *fake = relay->fake;
    bool before;
    enter(fake);
    check(fake, relay, channel);
    int error = fault(fake, &before);
    if (!before)
        command(fake, channel, on, ms);
    note(fake, FAKE_PULSE, channel, on, ms, error);
    return leave(fake, relay, error, message, len);
}

static int fake_level(struct rig_relay *relay, uint32_t channel, uint32_t millivolts, char *message,
                      size_t len)
{
    struct fake *fake = relay->fake;
    bool before;
    enter(fake);
    check(fake, relay, channel);
    int error = fault(fake, &before);
    note(fake, FAKE_LEVEL, channel, millivolts, 0, error);
    return leave(fake, relay, error, message, len);
}

#define DRIVER(called, ...)                                                                        \
    {                                                                                              \
        .name = called, .summary = "fake", .channel_first = 1, .channel_last = FAKE_CHANNELS,      \
        .open = fake_open, .close = fake_close, .set = fake_set, __VA_ARGS__                       \
    }
const struct rig_relay_driver fake_plain = DRIVER("plain", .get = NULL);
const struct rig_relay_driver fake_readable = DRIVER("readable", .get = fake_get);
const struct rig_relay_driver fake_full =
    DRIVER("full", .get = fake_get, .pulse = fake_pulse, .level = fake_level);
const struct rig_relay_driver fake_held = DRIVER("held", .get = fake_get, .holds = true);
const struct rig_relay_driver fake_blind = DRIVER("blind", .pulse = fake_pulse);

/* ---- For the tests ---- */

void fake_hold(struct fake *fake, uint32_t channel)
{
    pthread_mutex_lock(&fake->lock);
    fake->held = channel;
    pthread_mutex_unlock(&fake->lock);
}

void fake_wait_held(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    while (!fake->is_held)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

void fake_let_go(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->held = 0;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

uint32_t fake_count(const struct fake *fake, enum fake_call call)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fake->logged; i++)
        count += fake->log[i].call == call;
    return count;
}
