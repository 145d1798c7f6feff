/* Count, then fail each: every driver call of a short life, each error, before and after the
 * contact moved, once and for good. What the relay did is read from its log. */
#include "bench.h"
#include <criterion/criterion.h>

static struct bench bench;
static const struct rig_ask life[] = {
    {.want = RIG_WANT_OFF, .channel = 1},
    {.want = RIG_WANT_ON, .channel = 1, .off_at_least_ms = 1},
    {.want = RIG_WANT_PULSE, .channel = 1, .ms = 1},
    {.want = RIG_WANT_ON, .channel = 2, .inverted = true},
    {.want = RIG_WANT_READ, .channel = 1},
    {.want = RIG_WANT_OFF, .channel = 2, .inverted = true},
    {.want = RIG_WANT_OFF, .channel = 1},
    {.want = RIG_WANT_ON, .channel = 1},
    {.want = RIG_WANT_LEVEL, .channel = 3, .ms = 30, .from_mv = 5000, .millivolts = 2000},
    {.want = RIG_WANT_LEVEL, .channel = 3, .millivolts = 5000},
    {.want = RIG_WANT_ON, .channel = 2, .inverted = true},
};
enum { LIFE = sizeof life / sizeof *life };

static bool can(const struct rig_relay_driver *driver, const struct rig_ask *ask)
{
    return (ask->want != RIG_WANT_READ || driver->get) &&
           (ask->want != RIG_WANT_LEVEL || driver->level);
}

/* After a request that left its channel FAILED, the driver hears of no ON before an OFF. */
static void check_answer(const struct rig_ask *ask, bool *failed, const struct rig_answer *answer,
                         uint32_t calls)
{
    bool is_allowed = ask->want == RIG_WANT_OFF || ask->want == RIG_WANT_READ;
    if (*failed && !is_allowed) {
        cr_assert_eq(answer->error, RIG_EFAILED);
        cr_assert_eq(calls, 0u, "it touched the hardware");
        return;
    }
    cr_assert_neq(answer->error, RIG_EFAILED, "%s", answer->message);
    if (answer->error == RIG_OK && ask->want == RIG_WANT_OFF)
        *failed = false;
}

static struct rig_relay_driver without_pulse(const struct rig_relay_driver *driver)
{
    struct rig_relay_driver copy = *driver;
    copy.pulse = NULL; /* two commands; the hardware's own has its tests in shape.c */
    return copy;
}

static uint32_t run_life(const struct rig_relay_driver *driver, struct fake_fault fault,
                         uint32_t retries, bool *any_error)
{
    char message[128];
    struct rig_odometer *odometer;
    bool failed[FAKE_CHANNELS + 1] = {false};
    uint32_t failures = 0;
    fakes[0].fallible = 0;
    fakes[0].logged = 0;
    for (uint32_t c = 1; c <= FAKE_CHANNELS; c++)
        fakes[0].moves[c] = fakes[0].closed[c] = 0;
    fakes[0].fault = fault;
    cr_assert_eq(rig_odometer_open(&odometer, ":memory:", message, sizeof message), RIG_OK);
    bench_open(&bench, &(struct rig_controller_config){
                           .driver = driver, .retries = retries, .odometer = odometer});
    for (uint32_t i = 0; i < LIFE; i++) {
        if (!can(driver, &life[i]))
            continue;
        uint32_t calls = fakes[0].fallible;
        struct rig_answer answer = bench_do(&bench, life[i]);
        bool *channel = &failed[life[i].channel];
        check_answer(&life[i], channel, &answer, fakes[0].fallible - calls);
        uint32_t before = 0;
        for (uint32_t c = 1; c <= FAKE_CHANNELS; c++)
            before += failed[c];
        uint32_t now = bench_facts(&bench).failed_channels;
        cr_assert(now == before || (now == before + 1 && answer.error));
        *channel |= now > before;
        failures += answer.error != RIG_OK;
    }
    uint32_t fallible = fakes[0].fallible;
    fakes[0].fault.at = 0;
    for (uint32_t c = 1; c <= 2; c++) { /* and then it is well again */
        struct rig_ask ask = {.want = RIG_WANT_OFF, .channel = c, .inverted = c == 2};
        cr_assert_eq(bench_do(&bench, ask).error, RIG_OK);
        ask.want = RIG_WANT_ON;
        struct rig_answer on = bench_do(&bench, ask);
        cr_assert_eq(on.error, RIG_OK);
        cr_assert_eq(fake_closed(bench.fake, c), c == 1);
        cr_assert_geq(on.cycles, bench.fake->moves[c] / 2, "the odometer never counts too few");
    }
    bench_close(&bench);
    rig_odometer_close(odometer);
    *any_error = failures > 0;
    return fallible;
}

static void sweep(const struct rig_relay_driver *given, bool always, uint32_t retries)
{
    static const int error[] = {RIG_EOPEN,    RIG_ESILENT, RIG_EANSWER,
                                RIG_EREFUSED, RIG_EGONE,   RIG_EUNSUPPORTED};
    struct rig_relay_driver driver = without_pulse(given);
    bool any;
    uint32_t calls = run_life(&driver, (struct fake_fault){.at = 0}, retries, &any);
    cr_assert_not(any);
    cr_assert_gt(calls, 8u);
    for (uint32_t at = 1; at <= calls; at++) {
        for (uint32_t e = 0; e < sizeof error / sizeof *error; e++) {
            for (int after = 0; after < 2; after++) {
                struct fake_fault fault = {
                    .at = at, .always = always, .after = after, .error = error[e]};
                run_life(&driver, fault, retries, &any);
                if (always || error[e] == RIG_EUNSUPPORTED || !retries)
                    continue;
                bool in_ramp = driver.level && at > 1;
                cr_assert(!any || in_ramp, "call %u, %s: one error is tried again", at,
                          rig_error_name(error[e]));
            }
        }
    }
}

Test(rig_controller_sweep, plain_once)
{
    sweep(&fake_plain, false, 1);
}

Test(rig_controller_sweep, plain_once_without_tries)
{
    sweep(&fake_plain, false, 0);
}

Test(rig_controller_sweep, plain_for_good)
{
    sweep(&fake_plain, true, 1);
}

Test(rig_controller_sweep, readable_once)
{
    sweep(&fake_readable, false, 1);
}

Test(rig_controller_sweep, readable_once_without_tries)
{
    sweep(&fake_readable, false, 0);
}

Test(rig_controller_sweep, readable_for_good)
{
    sweep(&fake_readable, true, 1);
}

Test(rig_controller_sweep, full_once)
{
    sweep(&fake_full, false, 1);
}

Test(rig_controller_sweep, full_for_good)
{
    sweep(&fake_full, true, 0);
}
