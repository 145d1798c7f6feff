/* Pulses and ramps. */
#include "bench.h"
#include <criterion/criterion.h>

static struct bench bench;

static void open_with(const struct rig_relay_driver *driver, uint32_t retries)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = driver, .retries = retries});
}

static void fail_call(uint32_t from_now, bool always, int error)
{
    bench.fake->fault = (struct fake_fault){
        .at = bench.fake->fallible + from_now, .always = always, .error = error};
}

/* ---- Pulses ---- */

Test(rig_controller_pulse, two_commands_are_at_least_so_long_apart)
{
    open_with(&fake_readable, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 20});
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert(!answer.on && answer.confirmed);
    const struct fake_entry *log = bench.fake->log;
    /* open, OFF and its reading; then set, get, set, get */
    cr_assert(log[3].call == FAKE_SET && log[3].value == 1);
    cr_assert(log[5].call == FAKE_SET && log[5].value == 0);
    cr_assert_geq(log[5].at_us - log[3].at_us, 20000);
    cr_assert(answer.sent_us <= log[3].at_us && answer.done_us >= log[5].at_us);
    bench_close(&bench);
}

Test(rig_controller_pulse, is_no_shorter_than_the_off_time_of_its_on)
{
    open_with(&fake_plain, 0);
    bench_must(&bench, RIG_WANT_ON, 1);
    bench_do(&bench, (struct rig_ask){
                         .want = RIG_WANT_PULSE, .channel = 1, .ms = 1, .off_at_least_ms = 25});
    const struct fake_entry *log = bench.fake->log;
    cr_assert(log[2].call == FAKE_SET && log[2].value == 0 && log[3].value == 1);
    cr_assert_geq(log[3].at_us - log[2].at_us, 25000);
    bench_close(&bench);
}

Test(rig_controller_pulse, other_channels_are_served_in_the_middle_of_it)
{
    open_with(&fake_plain, 0);
    fake_hold(bench.fake, 1);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 50});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 2});
    fake_wait_held(bench.fake);
    fake_let_go(bench.fake);
    bench_until(&bench, 3);
    cr_assert_eq(bench.answer[0].channel, 2);
    cr_assert_eq(bench.answer[1].want, RIG_WANT_PULSE);
    cr_assert_eq(bench.answer[2].want, RIG_WANT_ON, "its own channel keeps its order");
    bench_close(&bench);
}

Test(rig_controller_pulse, its_second_half_has_tries_of_its_own)
{
    open_with(&fake_plain, 1);
    bench_must(&bench, RIG_WANT_OFF, 1);
    fail_call(2, false, RIG_ESILENT);
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 5});
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert_eq(answer.tries, 2);
    cr_assert_not(fake_closed(bench.fake, 1));
    cr_assert_eq(bench.fake->moves[1], 2u, "once there and back, not twice");
    fail_call(2, true, RIG_ESILENT);
    answer = bench_do(&bench,
                      (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 5});
    cr_assert_eq(answer.error, RIG_ESILENT);
    cr_assert_eq(bench_facts(&bench).failed_channels, 1u);
    bench_close(&bench);
}

Test(rig_controller_pulse, of_the_hardware_is_waited_for_and_read_back)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = &fake_full, .timeout_ms = 2000});
    bench_must(&bench, RIG_WANT_OFF, 1);
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 30});
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert(!answer.on && answer.confirmed);
    cr_assert_eq(fake_count(bench.fake, FAKE_PULSE), 1u);
    cr_assert_eq(fake_count(bench.fake, FAKE_SET), 1u, "the OFF at first; the pulse needs none");
    cr_assert_geq(answer.done_us - answer.sent_us, 100000, "the fake's grain is 100 ms");
    cr_assert_eq(bench.fake->moves[1], 2u);
    bench_close(&bench);
}

Test(rig_controller_pulse, of_the_hardware_that_does_not_end_is_ended_by_command)
{
    open_with(&fake_full, 1);
    bench_must(&bench, RIG_WANT_OFF, 1);
    bench.fake->endless = true;
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 10});
    cr_assert_eq(answer.error, RIG_OK, "%s", answer.message);
    cr_assert_eq(answer.tries, 2);
    cr_assert_eq(fake_count(bench.fake, FAKE_PULSE), 1u);
    cr_assert_not(fake_closed(bench.fake, 1));
    bench_close(&bench);
}

Test(rig_controller_pulse, of_hardware_that_can_not_be_read_is_given_its_grain)
{
    open_with(&fake_blind, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 10});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    bench_until(&bench, 2);
    cr_assert(!bench.answer[0].on && !bench.answer[0].confirmed);
    cr_assert_geq(bench.answer[1].sent_us - bench.answer[0].sent_us, 1010000,
                  "a timer of its own must not end what came after it");
    cr_assert(fake_closed(bench.fake, 1));
    bench_close(&bench);
}

Test(rig_controller_pulse, that_the_hardware_can_not_make_is_two_commands)
{
    open_with(&fake_full, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    fail_call(1, false, RIG_EUNSUPPORTED);
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 5});
    cr_assert_eq(answer.error, RIG_OK, "%s", answer.message);
    cr_assert_eq(answer.tries, 1);
    cr_assert(!answer.on && answer.confirmed);
    cr_assert_eq(fake_count(bench.fake, FAKE_SET), 3u, "the OFF at first, there and back");
    cr_assert_eq(bench.fake->moves[1], 2u);
    bench_close(&bench);
}

Test(rig_controller_pulse, of_a_model_that_can_not_be_read_is_given_its_grain_too)
{
    open_with(&fake_full, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    fail_call(2, false, RIG_EUNSUPPORTED); /* the pulse, then its reading */
    struct rig_answer answer = bench_do(
        &bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 10});
    cr_assert_eq(answer.error, RIG_OK, "%s", answer.message);
    cr_assert(!answer.on && !answer.confirmed);
    cr_assert_geq(answer.done_us - answer.sent_us, 1010000);
    bench_close(&bench);
}

/* ---- Ramps ---- */

static const struct rig_ask ramp = {
    .want = RIG_WANT_LEVEL, .channel = 1, .from_mv = 5000, .millivolts = 3000, .ms = 100};

Test(rig_controller_level, at_once_is_one_command)
{
    open_with(&fake_full, 0);
    struct rig_answer answer = bench_do(
        &bench,
        (struct rig_ask){.want = RIG_WANT_LEVEL, .channel = 1, .from_mv = 9, .millivolts = 3300});
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert_eq(fake_count(bench.fake, FAKE_LEVEL), 1u);
    cr_assert_eq(bench.fake->log[1].value, 3300u);
    bench_close(&bench);
}

/* 5000 4600 4200 3800 3400 3000, each not before its time; a late one may be left out. */
Test(rig_controller_level, ramps_in_steps_of_20_ms)
{
    open_with(&fake_full, 0);
    struct rig_answer answer = bench_do(&bench, ramp);
    cr_assert_eq(answer.error, RIG_OK);
    const struct fake_entry *step = bench.fake->log + 1;
    uint32_t steps = fake_count(bench.fake, FAKE_LEVEL);
    cr_assert(steps >= 2 && steps <= 6);
    cr_assert_eq(step[0].value, 5000u);
    cr_assert_eq(step[steps - 1].value, 3000u);
    for (uint32_t i = 1; i < steps; i++) {
        cr_assert_lt(step[i].value, step[i - 1].value);
        cr_assert_eq((5000 - step[i].value) % 400, 0u, "%u mV", step[i].value);
        int64_t after_us = (5000 - step[i].value) / 400 * INT64_C(20000);
        cr_assert_geq(step[i].at_us - answer.sent_us, after_us);
    }
    bench_close(&bench);
}

Test(rig_controller_level, ramps_up_and_over_what_20_ms_do_not_divide)
{
    open_with(&fake_full, 0);
    struct rig_answer answer = bench_do(
        &bench,
        (struct rig_ask){
            .want = RIG_WANT_LEVEL, .channel = 1, .from_mv = 0, .millivolts = 3300, .ms = 33});
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert(answer.on);
    uint32_t steps = fake_count(bench.fake, FAKE_LEVEL);
    cr_assert(steps == 2 || steps == 3);
    cr_assert_eq(bench.fake->log[1].value, 0u);
    if (steps == 3)
        cr_assert_eq(bench.fake->log[2].value, 2000u);
    cr_assert_eq(bench.fake->log[steps].value, 3300u);
    cr_assert_geq(bench.fake->log[steps].at_us - answer.sent_us, 33000);
    bench_close(&bench);
}

Test(rig_controller_level, an_error_ends_the_ramp_where_it_is)
{
    open_with(&fake_full, 5);
    fail_call(3, false, RIG_ESILENT); /* open, 5000, and the second step */
    struct rig_answer answer = bench_do(&bench, ramp);
    cr_assert_eq(answer.error, RIG_ESILENT);
    cr_assert_eq(answer.tries, 1);
    cr_assert_eq(fake_count(bench.fake, FAKE_LEVEL), 2u);
    cr_assert_eq(bench_do(&bench, ramp).error, RIG_EFAILED);
    bench_must(&bench, RIG_WANT_OFF, 1);
    cr_assert_eq(bench_do(&bench, ramp).error, RIG_OK);
    bench_close(&bench);
}

Test(rig_controller_level, what_has_not_begun_is_tried_again)
{
    open_with(&fake_full, 2);
    fail_call(2, false, RIG_ESILENT);
    struct rig_answer answer = bench_do(&bench, ramp);
    cr_assert_eq(answer.error, RIG_OK);
    cr_assert_eq(answer.tries, 2);
    bench_close(&bench);
}
