/* Off-times: counted from the last OFF that was done, and never slept in vain. */
#include "bench.h"
#include <criterion/criterion.h>

static struct bench bench;
static const struct rig_controller_config plain = {.driver = &fake_plain};
static const struct rig_controller_config readable = {.driver = &fake_readable};
enum { OFF_MS = 25 };

static struct rig_answer on_after(uint32_t channel, bool inverted)
{
    return bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON,
                                             .channel = channel,
                                             .inverted = inverted,
                                             .off_at_least_ms = OFF_MS});
}

Test(rig_controller_off_time, is_kept_from_the_last_off)
{
    bench_open(&bench, &plain);
    struct rig_answer off = bench_must(&bench, RIG_WANT_OFF, 1);
    struct rig_answer on = on_after(1, false);
    cr_assert_geq(on.sent_us - off.done_us, OFF_MS * 1000);
    bench_close(&bench);
}

/* An hour of off-time would hang here, were it not past: other channels' time counts. */
Test(rig_controller_off_time, is_not_slept_when_it_is_over)
{
    bench_open(&bench, &plain);
    struct rig_answer off = bench_must(&bench, RIG_WANT_OFF, 1);
    bench_do(&bench, (struct rig_ask){.want = RIG_WANT_OFF,
                                      .channel = 2,
                                      .not_before_us = off.done_us + (OFF_MS + 5) * 1000});
    fake_hold(bench.fake, 3);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 3});
    fake_wait_held(bench.fake);
    /* Were it slept, the one asked for later would be first: both are due, so order decides. */
    bench_ask(&bench,
              (struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .off_at_least_ms = OFF_MS});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 4});
    fake_let_go(bench.fake);
    bench_until(&bench, 3);
    cr_assert_eq(bench.answer[1].channel, 1);
    cr_assert_eq(bench.answer[2].channel, 4);
    bench_close(&bench);
}

Test(rig_controller_off_time, before_the_first_off_it_is_counted_from_open)
{
    int64_t opened_us = rig_port_now_us();
    bench_open(&bench, &plain);
    struct rig_answer on = on_after(1, false);
    cr_assert_geq(on.sent_us - opened_us, OFF_MS * 1000);
    bench_close(&bench);
}

Test(rig_controller_off_time, of_an_inverted_channel_begins_when_the_contact_closes)
{
    bench_open(&bench, &readable);
    struct rig_answer off =
        bench_do(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1, .inverted = true});
    cr_assert_eq(off.error, RIG_OK);
    cr_assert_not(off.on);
    cr_assert(fake_closed(bench.fake, 1));
    struct rig_answer on = on_after(1, true);
    cr_assert(on.on && on.confirmed);
    cr_assert_not(fake_closed(bench.fake, 1));
    cr_assert_geq(on.sent_us - off.done_us, OFF_MS * 1000);
    struct rig_answer read =
        bench_do(&bench, (struct rig_ask){.want = RIG_WANT_READ, .channel = 1, .inverted = true});
    cr_assert(read.on);
    bench_close(&bench);
}

/* The OFF that failed is not one, the retry that worked is. */
Test(rig_controller_off_time, is_counted_from_the_try_that_worked)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = &fake_plain, .retries = 3});
    bench_must(&bench, RIG_WANT_ON, 1);
    bench.fake->fault = (struct fake_fault){.at = 3, .error = RIG_ESILENT};
    struct rig_answer off = bench_must(&bench, RIG_WANT_OFF, 1);
    cr_assert_eq(off.tries, 2);
    struct rig_answer on = on_after(1, false);
    cr_assert_geq(on.sent_us - off.done_us, OFF_MS * 1000);
    bench_close(&bench);
}

Test(rig_controller_off_time, later_than_not_before_wins)
{
    bench_open(&bench, &plain);
    struct rig_answer off = bench_must(&bench, RIG_WANT_OFF, 1);
    struct rig_answer on = bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON,
                                                             .channel = 1,
                                                             .off_at_least_ms = OFF_MS,
                                                             .not_before_us = off.done_us + 1000});
    cr_assert_geq(on.sent_us - off.done_us, OFF_MS * 1000);
    int64_t at_us = rig_port_now_us() + 15000;
    bench_must(&bench, RIG_WANT_OFF, 1);
    on = bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON,
                                           .channel = 1,
                                           .off_at_least_ms = 1,
                                           .not_before_us = at_us});
    cr_assert_geq(on.sent_us, at_us);
    bench_close(&bench);
}
