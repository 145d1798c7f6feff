/* Many threads at one controller. */
#include "bench.h"
#include <criterion/criterion.h>

enum { THREADS = 6, ASKS = 150 };

static struct bench bench;
static _Atomic uint32_t answered;

static void on_answer(void *ctx, const struct rig_answer *answer)
{
    (void)ctx, (void)answer;
    if (atomic_fetch_add(&answered, 1) + 1 == THREADS / 2 * ASKS)
        ev_break(bench.loop, EVBREAK_ALL);
}

/* Even threads wait for each answer and know the state after it; odd ones ask and go on. */
static void *hammer(void *argument)
{
    uint32_t n = *(uint32_t *)argument, wrong = 0;
    for (uint32_t i = 0; i < ASKS; i++) {
        struct rig_ask ask = {.want = i % 2 ? RIG_WANT_OFF : RIG_WANT_ON,
                              .channel = n + 1,
                              .answered = on_answer,
                              .off_at_least_ms = i % 50 == 0};
        struct rig_answer answer;
        struct rig_controller_facts facts;
        if (n % 2)
            wrong += rig_controller_ask(bench.controller, &ask) != RIG_OK;
        else
            wrong += rig_controller_do(bench.controller, &answer, &ask) != RIG_OK ||
                     answer.on != (ask.want == RIG_WANT_ON) ||
                     fake_closed(bench.fake, n + 1) != answer.on;
        rig_controller_facts(bench.controller, &facts);
        wrong += facts.done > facts.asked;
    }
    *(uint32_t *)argument = wrong;
    return NULL;
}

static void check_each_channel_was_in_order(void)
{
    bool expect[FAKE_CHANNELS + 1];
    for (uint32_t c = 0; c <= FAKE_CHANNELS; c++)
        expect[c] = true; /* ON, OFF, ON .. */
    for (uint32_t i = 0; i < bench.fake->logged; i++) {
        const struct fake_entry *entry = &bench.fake->log[i];
        if (entry->call != FAKE_SET || entry->error)
            continue;
        cr_assert_eq(entry->value, expect[entry->channel]);
        expect[entry->channel] = !expect[entry->channel];
    }
}

static void stress(uint32_t faults_each)
{
    pthread_t thread[THREADS];
    uint32_t number[THREADS];
    bench_open(&bench, &(struct rig_controller_config){.driver = &fake_readable, .retries = 3});
    bench.fake->fault = (struct fake_fault){.at = faults_each, .error = RIG_EGONE};
    for (uint32_t i = 0; i < THREADS; i++) {
        number[i] = i;
        cr_assert_eq(pthread_create(&thread[i], NULL, hammer, &number[i]), 0);
    }
    ev_run(bench.loop, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        cr_assert_eq(number[i], 0u);
    }
    struct rig_controller_facts facts = bench_facts(&bench);
    cr_assert_eq(facts.asked, THREADS * ASKS);
    cr_assert_eq(facts.done, THREADS * ASKS);
    cr_assert_eq(facts.retried, faults_each != 0);
    bench_close(&bench);
    check_each_channel_was_in_order();
}

Test(rig_controller_threads, six_ask_at_once)
{
    stress(0);
}

Test(rig_controller_threads, six_ask_at_once_and_the_hardware_goes_away)
{
    stress(700);
}

/* Closed again and again with requests in every state. */
Test(rig_controller_threads, open_ask_close)
{
    for (uint32_t i = 0; i < 100; i++) {
        bench_open(&bench, &(struct rig_controller_config){.driver = &fake_plain});
        for (uint32_t k = 0; k < i % 8; k++)
            bench_ask(&bench,
                      (struct rig_ask){.want = k % 3 ? RIG_WANT_ON : RIG_WANT_PULSE,
                                       .channel = k + 1,
                                       .ms = k % 2,
                                       .not_before_us = k % 4 == 2 ? rig_port_now_us() + 500 : 0});
        if (i % 2)
            ev_run(bench.loop, EVRUN_NOWAIT);
        bench_close(&bench);
    }
}

Test(rig_controller_threads, a_stuck_controller_holds_up_no_other)
{
    static struct bench other[2];
    for (uint32_t i = 0; i < 2; i++)
        bench_open(&other[i], &(struct rig_controller_config){.driver = &fake_plain,
                                                              .value = fake_setting(i + 1)});
    fake_hold(&fakes[1], 1);
    bench_ask(&other[0], (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    fake_wait_held(&fakes[1]);
    bench_must(&other[1], RIG_WANT_ON, 1); /* though the first is stuck in its driver */
    fake_let_go(&fakes[1]);
    bench_until(&other[0], 1);
    bench_close(&other[0]);
    bench_close(&other[1]);
}
