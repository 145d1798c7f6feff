/* Which request is worked on when. */
#include "bench.h"
#include <criterion/criterion.h>
#include <sched.h>

static struct bench bench;
static const struct rig_controller_config plain = {.driver = &fake_plain};

Test(rig_controller_order, hardware_is_not_touched_before_it_is_needed)
{
    bench_open(&bench, &plain);
    bench_close(&bench);
    cr_assert_eq(fakes[0].logged, 0);
}

Test(rig_controller_order, a_channel_keeps_its_order_behind_one_that_waits)
{
    bench_open(&bench, &plain);
    int64_t at_us = rig_port_now_us() + 15000;
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .not_before_us = at_us});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    bench_until(&bench, 3);
    cr_assert_eq(bench.answer[0].want, RIG_WANT_ON);
    cr_assert_eq(bench.answer[1].want, RIG_WANT_OFF);
    cr_assert_eq(bench.answer[2].want, RIG_WANT_ON);
    cr_assert_geq(bench.answer[0].sent_us, at_us);
    cr_assert_geq(bench.answer[1].sent_us, bench.answer[0].done_us);
    bench_close(&bench);
}

Test(rig_controller_order, one_that_waits_holds_up_no_other_channel)
{
    bench_open(&bench, &plain);
    int64_t hour_us = rig_port_now_us() + INT64_C(3600000000);
    bench_ask(&bench,
              (struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .not_before_us = hour_us});
    bench_ask(&bench,
              (struct rig_ask){.want = RIG_WANT_ON, .channel = 2, .off_at_least_ms = 3600000});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 3});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 4});
    bench_until(&bench, 2);
    cr_assert_eq(bench.answer[0].channel, 3);
    cr_assert_eq(bench.answer[1].channel, 4);
    bench_close(&bench); /* and what waits an hour does not hold up close */
}

static int64_t due_us[FAKE_CHANNELS + 1]; /* not_before_us, later what was due */

Test(rig_controller_order, the_earliest_is_first_whatever_was_asked_first)
{
    bench_open(&bench, &plain);
    fake_hold(bench.fake, 8);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 8});
    fake_wait_held(bench.fake);
    int64_t now_us = rig_port_now_us();
    for (uint32_t i = 1; i <= 5; i++) {
        due_us[i] = now_us + (6 - i) * INT64_C(8000);
        bench_ask(&bench,
                  (struct rig_ask){.want = RIG_WANT_ON, .channel = i, .not_before_us = due_us[i]});
    }
    fake_let_go(bench.fake);
    bench_until(&bench, 6);
    for (uint32_t i = 1; i <= 5; i++) {
        const struct rig_answer *answer = &bench.answer[i];
        int64_t *due = &due_us[answer->channel];
        cr_assert_geq(answer->sent_us, *due, "never before");
        if (answer->asked_us > *due) /* this machine was slow in asking */
            *due = answer->asked_us;
        if (i > 1)
            cr_assert_geq(*due, due_us[bench.answer[i - 1].channel]);
    }
    bench_close(&bench);
}

Test(rig_controller_order, at_once_means_in_the_order_of_asking)
{
    bench_open(&bench, &plain);
    fake_hold(bench.fake, 8);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 8});
    fake_wait_held(bench.fake); /* what follows waits together */
    static const uint32_t channel[] = {3, 1, 2, 1, 3, 2, 2, 7};
    for (uint32_t i = 0; i < 8; i++)
        bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = channel[i]});
    fake_let_go(bench.fake);
    bench_until(&bench, 9);
    for (uint32_t i = 0; i < 8; i++)
        cr_assert_eq(bench.answer[i + 1].channel, channel[i]);
    bench_close(&bench);
}

Test(rig_controller_order, a_waiting_request_has_the_hardware_opened_ahead)
{
    bench_open(&bench, &plain);
    int64_t hour_us = rig_port_now_us() + INT64_C(3600000000);
    bench_ask(&bench,
              (struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .not_before_us = hour_us});
    while (!bench_facts(&bench).opened)
        sched_yield();
    bench_close(&bench);
    cr_assert_eq(fakes[0].logged, 2u, "opened and closed");
}

Test(rig_controller_order, hardware_that_can_not_be_opened_ahead_is_told_when_it_is_due)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = &fake_plain, .retries = 1});
    bench.fake->fault = (struct fake_fault){.at = 1, .error = RIG_EOPEN};
    struct rig_answer answer =
        bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON,
                                          .channel = 1,
                                          .not_before_us = rig_port_now_us() + 200000});
    cr_assert_eq(answer.error, RIG_OK, "the second opening worked: %s", answer.message);
    cr_assert_eq(fake_count(bench.fake, FAKE_OPEN), 2u);
    bench_close(&bench);
}

Test(rig_controller_order, what_the_driver_can_not_is_refused_at_once)
{
    static const struct rig_ask ask[] = {
        {.want = RIG_WANT_ON, .channel = 0},
        {.want = RIG_WANT_OFF, .channel = FAKE_CHANNELS + 1},
        {.want = RIG_WANT_READ, .channel = 1},
        {.want = RIG_WANT_LEVEL, .channel = 1, .millivolts = 5000},
    };
    bench_open(&bench, &plain);
    for (uint32_t i = 0; i < sizeof ask / sizeof *ask; i++) {
        cr_assert_eq(rig_controller_ask(bench.controller, &ask[i]), RIG_EUNSUPPORTED);
        struct rig_answer answer = bench_do(&bench, ask[i]);
        cr_assert_eq(answer.error, RIG_EUNSUPPORTED);
        cr_assert_eq(answer.sent_us, 0);
    }
    cr_assert_eq(bench_facts(&bench).asked, 0u);
    bench_close(&bench);
    cr_assert_eq(fakes[0].logged, 0);
}

Test(rig_controller_order, times_and_figures_of_an_answer_are_whole)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = &fake_readable});
    int64_t before_us = rig_port_now_us();
    struct rig_answer on = bench_must(&bench, RIG_WANT_ON, 5);
    cr_assert(on.on && on.confirmed);
    cr_assert_eq(on.channel, 5);
    cr_assert_eq(on.tries, 1);
    cr_assert(before_us <= on.asked_us && on.asked_us <= on.sent_us && on.sent_us <= on.done_us);
    struct rig_answer read = bench_must(&bench, RIG_WANT_READ, 5);
    cr_assert(read.on && read.confirmed);
    cr_assert_not(bench_must(&bench, RIG_WANT_READ, 6).on);
    struct rig_controller_facts facts = bench_facts(&bench);
    cr_assert(facts.asked == 3 && facts.done == 3 && !facts.failed && !facts.retried);
    bench_close(&bench);
}
