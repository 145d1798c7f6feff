#include "bench.h"
#include <criterion/criterion.h>

void bench_open(struct bench *bench, const struct rig_controller_config *config)
{
    bench->config = *config;
    bench->config.name = "bank-1";
    if (!bench->config.value)
        bench->config.value = fake_setting(0);
    if (!bench->config.timeout_ms)
        bench->config.timeout_ms = 30;
    bench->fake = &fakes[bench->config.value->number];
    bench->answers = 0;
    bench->loop = bench->config.loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert_eq(rig_controller_open(&bench->controller, &bench->config), RIG_OK);
}

void bench_close(struct bench *bench)
{
    rig_controller_close(bench->controller);
    ev_loop_destroy(bench->loop);
    cr_assert_eq(atomic_load(&bench->fake->violations), 0u);
    cr_assert_null(bench->fake->relay, "the hardware was closed");
}

static void on_answer(void *ctx, const struct rig_answer *answer)
{
    struct bench *bench = ctx;
    cr_assert_lt(bench->answers, BENCH_ANSWERS_MAX);
    bench->answer[bench->answers++] = *answer;
}

void bench_ask(struct bench *bench, struct rig_ask ask)
{
    ask.answered = on_answer;
    ask.ctx = bench;
    cr_assert_eq(rig_controller_ask(bench->controller, &ask), RIG_OK);
}

void bench_until(struct bench *bench, uint32_t answers)
{
    while (bench->answers < answers)
        ev_run(bench->loop, EVRUN_ONCE);
    cr_assert_eq(bench->answers, answers);
}

struct rig_answer bench_do(struct bench *bench, struct rig_ask ask)
{
    struct rig_answer answer;
    int error = rig_controller_do(bench->controller, &answer, &ask);
    cr_assert_eq(error, answer.error);
    cr_assert_eq(answer.message[0] == '\0', error == RIG_OK, "%s", answer.message);
    return answer;
}

struct rig_answer bench_must(struct bench *bench, enum rig_want want, uint32_t channel)
{
    struct rig_answer answer = bench_do(bench, (struct rig_ask){.want = want, .channel = channel});
    cr_assert_eq(answer.error, RIG_OK, "%s", answer.message);
    return answer;
}

struct rig_controller_facts bench_facts(struct bench *bench)
{
    struct rig_controller_facts facts;
    rig_controller_facts(bench->controller, &facts);
    return facts;
}
