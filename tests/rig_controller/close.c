/* The end of a controller, whatever it is doing. */
#include "bench.h"
#include "controller_internal.h"
#include <criterion/criterion.h>
#include <sched.h>

static struct bench bench;
static const struct rig_controller_config plain = {.driver = &fake_plain};

static bool is_closing(void)
{
    pthread_mutex_lock(&bench.controller->lock);
    bool closing = bench.controller->closing;
    pthread_mutex_unlock(&bench.controller->lock);
    return closing;
}

/* close waits for the thread, which is in the driver. */
static void *let_go_when_closing(void *argument)
{
    (void)argument;
    while (!is_closing())
        sched_yield();
    fake_let_go(bench.fake);
    return NULL;
}

Test(rig_controller_close, what_is_being_done_is_finished_and_what_waits_is_not_begun)
{
    pthread_t thread;
    bench_open(&bench, &plain);
    fake_hold(bench.fake, 1);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    fake_wait_held(bench.fake);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON,
                                       .channel = 2,
                                       .not_before_us = rig_port_now_us() + 3600000000});
    cr_assert_eq(pthread_create(&thread, NULL, let_go_when_closing, NULL), 0);
    bench_close(&bench);
    pthread_join(thread, NULL);
    cr_assert_eq(bench.answers, 0u, "nobody answers");
    cr_assert(fake_closed(bench.fake, 1),
              "the ON was done, the OFF was not begun though it was due");
}

Test(rig_controller_close, a_pulse_gets_its_second_half)
{
    bench_open(&bench, &plain);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .on = true, .ms = 60});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 2});
    while (!bench.answers) /* of channel 2: so the pulse was begun */
        ev_run(bench.loop, EVRUN_ONCE);
    bench_close(&bench);
    cr_assert_not(fake_closed(bench.fake, 1));
    cr_assert_eq(bench.fake->moves[1], 2u);
}

static void *do_in_an_hour(void *argument)
{
    struct rig_answer *answer = argument;
    rig_controller_do(bench.controller, answer,
                      &(struct rig_ask){.want = RIG_WANT_ON,
                                        .channel = 1,
                                        .not_before_us = rig_port_now_us() + 3600000000});
    return NULL;
}

Test(rig_controller_close, one_who_waits_for_an_answer_is_let_go)
{
    pthread_t thread[3];
    struct rig_answer answer[3];
    bench_open(&bench, &plain);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, do_in_an_hour, &answer[i]), 0);
    while (bench_facts(&bench).asked < 3)
        sched_yield();
    bench_close(&bench);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        cr_assert_eq(answer[i].error, RIG_EGONE);
        cr_assert_eq(answer[i].sent_us, 0);
    }
}

static uint32_t called;

static void close_it(void *ctx, const struct rig_answer *answer)
{
    (void)ctx;
    cr_assert_eq(answer->error, RIG_OK);
    called++;
    rig_controller_close(bench.controller);
    ev_break(bench.loop, EVBREAK_ALL);
}

Test(rig_controller_close, an_answer_may_close_it)
{
    bench_open(&bench, &plain);
    fake_hold(bench.fake, 1);
    for (int i = 0; i < 5; i++)
        rig_controller_ask(
            bench.controller,
            &(struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .answered = close_it});
    fake_wait_held(bench.fake);
    fake_let_go(bench.fake);
    ev_run(bench.loop, 0);
    cr_assert_eq(called, 1u, "the answers behind it are nobody's");
    bench.controller = NULL;
    bench_close(&bench);
}

static void run_until_closed(void *ctx, const struct rig_answer *answer)
{
    (void)ctx, (void)answer;
    rig_controller_ask(bench.controller,
                       &(struct rig_ask){.want = RIG_WANT_OFF, .channel = 1, .answered = close_it});
    while (!called)
        ev_run(bench.loop, EVRUN_ONCE);
}

/* The build with sanitizers sees whether the outer answer goes on with what is freed. */
Test(rig_controller_close, an_answer_within_an_answer_may_close_it)
{
    bench_open(&bench, &plain);
    rig_controller_ask(
        bench.controller,
        &(struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .answered = run_until_closed});
    ev_run(bench.loop, EVRUN_ONCE);
    cr_assert_eq(called, 1u);
    bench.controller = NULL;
    bench_close(&bench);
}

static void ask_more(void *ctx, const struct rig_answer *answer)
{
    (void)ctx, (void)answer;
    if (++called == 3)
        ev_break(bench.loop, EVBREAK_ALL);
    struct rig_answer nested = bench_must(&bench, RIG_WANT_OFF, 2);
    cr_assert_eq(nested.channel, 2u);
    rig_controller_ask(bench.controller,
                       &(struct rig_ask){.want = RIG_WANT_ON,
                                         .channel = 1,
                                         .answered = called < 3 ? ask_more : NULL});
}

Test(rig_controller_close, an_answer_may_ask_and_wait)
{
    bench_open(&bench, &plain);
    rig_controller_ask(bench.controller,
                       &(struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .answered = ask_more});
    ev_run(bench.loop, 0);
    cr_assert_eq(called, 3u);
    bench_close(&bench);
}

Test(rig_controller_close, without_a_loop_there_are_answers_for_who_waits)
{
    struct rig_controller_config config = {
        .name = "x", .driver = &fake_plain, .value = fake_setting(0)};
    struct rig_controller *controller;
    struct rig_answer answer;
    cr_assert_eq(rig_controller_open(&controller, &config), RIG_OK);
    rig_controller_ask(controller,
                       &(struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .answered = close_it});
    cr_assert_eq(rig_controller_do(controller, &answer,
                                   &(struct rig_ask){.want = RIG_WANT_OFF, .channel = 1}),
                 RIG_OK);
    rig_controller_close(controller);
    rig_controller_close(NULL);
    cr_assert_eq(called, 0u);
    cr_assert_eq(fakes[0].moves[1], 2u);
}
