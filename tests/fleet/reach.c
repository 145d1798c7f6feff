/*
 * A device that is out of reach, on a ground that is none: time goes a second at a time, and its
 * one device lost its connection when the run began and says nothing. Whose fault is it?
 */
#include "fleet_bench.h"
#include "sim/ground.h"

#include <criterion/criterion.h>

static const int64_t SECOND_US = 1000000;

struct away {
    int64_t start_us, now_us, answered_after_us; /* the broker, from the start */
    enum agent_state state;
    unsigned asked; /* whether the store serves */
};

static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    const struct away *away = ctx;
    (void)device;
    *out = (struct sim_truth){.version = "2.3.1",
                              .state = away->state,
                              .powered = true,
                              .settled = true,
                              .lost_us = away->start_us};
}

static uint32_t changes(void *ctx, uint32_t device)
{
    (void)ctx, (void)device;
    return 0;
}

static void inspect(void *ctx, uint32_t device, bool whole_data)
{
    (void)ctx, (void)device, (void)whole_data;
}

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct away *away = ctx;
    (void)message, (void)len;
    away->start_us = away->now_us = world->scn->start_us;
    return 0;
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    (void)ctx, (void)fleet, (void)message, (void)len;
    return 0;
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct away *away = ctx;
    (void)until_us, (void)message, (void)len;
    *now_us = away->now_us += SECOND_US;
    return 0;
}

static bool taken(void *ctx)
{
    (void)ctx;
    return true;
}

static int send_out(void *ctx, const struct camp_out *out)
{
    (void)ctx, (void)out;
    return 0;
}

static int64_t answered_from(void *ctx)
{
    const struct away *away = ctx;
    return away->start_us + away->answered_after_us;
}

static int store_serves(void *ctx, char *message, size_t len)
{
    (void)message, (void)len;
    ((struct away *)ctx)->asked++;
    return 0;
}

static int report(void *ctx, struct rep_result *result)
{
    (void)ctx, (void)result;
    return 0;
}

static void close_ground(void *ctx)
{
    (void)ctx;
}

static const struct sim_ground_devices devices = {truth, changes, inspect};

static void run_away(struct fleet_run *out, struct away *away)
{
    const struct sim_ground ground = {.name = "away",
                                      .ctx = away,
                                      .devices = &devices,
                                      .prepare = prepare,
                                      .open = open_ground,
                                      .run = run,
                                      .taken = taken,
                                      .send = send_out,
                                      .answered_from = answered_from,
                                      .store_serves = store_serves,
                                      .report = report,
                                      .close = close_ground};
    fleet_run_plan(out,
                   &(struct fleet_plan){.count = 1,
                                        .campaign = "  silent_after: 10m\n",
                                        .phases = "    - {name: all, share: 100%, hold: 1m}\n"},
                   &(struct sim_fleet_options){.jobs = 1, .ground = &ground});
}

static uint64_t unreachable(int64_t answered_after_s, int64_t *lasted_s)
{
    struct fleet_run run;
    struct away away = {.answered_after_us = answered_after_s * SECOND_US};
    run_away(&run, &away);
    uint64_t bricks = run.result.bricks[REP_BRICK_UNREACHABLE];
    *lasted_s = (away.now_us - away.start_us) / SECOND_US;
    fleet_run_free(&run);
    return bricks;
}

/* 100 s without a word are a brick; those before the broker was back are not the device's. */
Test(reach, a_device_is_out_of_reach_from_when_the_broker_answers)
{
    int64_t lasted_s, again_s;
    cr_expect_eq(unreachable(-1, &lasted_s), 1);
    cr_assert_gt(lasted_s, 200);
    cr_expect_eq(unreachable(lasted_s - 101, &again_s), 1);
    cr_expect_eq(unreachable(lasted_s - 100, &again_s), 0);
    cr_expect_eq(again_s, lasted_s);
}

Test(reach, the_store_is_asked_for_where_downloads_have_failed)
{
    static const struct {
        enum agent_state state;
        unsigned asked;
    } row[] = {{AGENT_IDLE, 0},
               {AGENT_HEALTH_CHECK, 0},
               {AGENT_DOWNLOADING, 1},
               {AGENT_DOWNLOAD_FAILED, 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fleet_run run;
        struct away away = {.answered_after_us = -SECOND_US, .state = row[i].state};
        run_away(&run, &away);
        cr_expect_eq(away.asked, row[i].asked, "%s", agent_state_name((int)row[i].state));
        fleet_run_free(&run);
    }
}
