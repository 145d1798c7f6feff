/* A lab phase that was done before, by a burn-in. */
#include "world.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LABS = 10, FLEET = 100, GATES = 4 };

static struct rep_gate gates[GATES + 1] = {
    {.metric = "success", .limit = "< 100%", .numerator = 60, .denominator = 60},
    {.metric = "crash", .limit = "> 0%", .denominator = 60},
    {.metric = "telemetry_gap", .limit = "> 5%", .numerator = 3, .denominator = 4000},
    {.metric = "command_ms", .limit = ">= 500ms", .denominator = 240},
    {.metric = "brick", .limit = "> 0%", .denominator = 60},
};

static enum scn_metric metric_of(const struct rep_gate *gate)
{
    int metric = 0;
    while (metric < SCN_METRICS && strcmp(scn_metric_name(metric), gate->metric))
        metric++;
    return (enum scn_metric)metric;
}

/* In the words of a campaign that judged it, as a burn-in keeps them. */
static void judged_by(struct rep_gate *gate, bool of_cohort)
{
    struct scn_gate by = {.metric = metric_of(gate), .of_cohort = of_cohort};
    char words[REP_TEXT_MAX / 2];
    snprintf(by.text, sizeof by.text, "%s", gate->limit);
    snprintf(gate->comparison, sizeof gate->comparison, "%s; summed over 30 cycles",
             camp_gate_words(&by, words, sizeof words));
}

static struct rep_phase done(enum rep_phase_result result)
{
    for (int i = 0; i <= GATES; i++) {
        gates[i].state = REP_GATE_GREEN;
        gates[i].min_sample = 1;
        judged_by(&gates[i], false);
    }
    return (struct rep_phase){.name = "phase-0 burn-in",
                              .result = result,
                              .ended_s = 86400,
                              .cohort = 60,
                              .confirmed = 60,
                              .gates = GATES + 1,
                              .gate = gates};
}

static struct rep_result campaign(struct world *world, const struct rep_phase *burn_in,
                                  enum restart restart, int days)
{
    struct rep_result result;
    world_init(world, LABS, FLEET);
    world->config.burn_in = burn_in;
    world->restart = restart;
    world_open(world);
    world_run_days(world, days);
    rep_result_init(&result);
    camp_report(world->camp, &result);
    return result;
}

Test(camp_burn_in, takes_the_place_of_the_lab_phase)
{
    const struct rep_phase burn_in = done(REP_PHASE_PASSED);
    for (int restart = STRAIGHT; restart <= KILL_BEFORE_COMMIT; restart++) {
        struct world world;
        struct rep_result result = campaign(&world, &burn_in, (enum restart)restart, 40);
        const struct rep_phase *lab = world_phase(&result, "lab"),
                               *canary = world_phase(&result, "canary");
        cr_assert(lab && canary && lab->gates == GATES + 1);
        cr_expect(lab->result == REP_PHASE_PASSED && lab->cohort == 60 && lab->confirmed == 60);
        cr_expect(lab->started_s == 0 && lab->ended_s == 0, "it is not run");
        const struct rep_gate *gap = world_find_gate(lab, "telemetry_gap");
        cr_expect(gap->numerator == 3 && gap->denominator == 4000 && gap->state == REP_GATE_GREEN);
        cr_expect(canary->started_s == 0 && canary->result == REP_PHASE_PASSED);
        for (uint32_t i = 0; i < LABS; i++)
            cr_expect_eq(world.device[i].notifications, 0, "no lab is enrolled");
        cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
        cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), FLEET);
        rep_result_free(&result);
        world_free(&world);
    }
}

static uint32_t told(const struct rep_result *result, const char *text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->alerts; i++)
        count += strstr(result->alert[i].cause, text) != NULL;
    return count;
}

Test(camp_burn_in, one_that_failed_stops_the_campaign_as_a_red_gate_does)
{
    for (int red = 0; red < 2; red++) {
        const struct rep_phase burn_in = done(REP_PHASE_STOPPED);
        struct world world;
        if (red)
            gates[1].state = REP_GATE_RED;
        struct rep_result result = campaign(&world, &burn_in, RESTART_EACH_TICK, 3);
        cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
        cr_expect_eq(world_phase(&result, "lab")->result, REP_PHASE_STOPPED);
        cr_expect_eq(world_phase(&result, "canary")->result, REP_PHASE_NOT_REACHED);
        cr_expect_eq(told(&result, "the burn-in failed: phase-0 lab"), 1);
        cr_expect_eq(told(&result, "gate stopped the campaign: crash"), (uint32_t)red);
        cr_expect_eq(world_count(&world, REP_OUT_NONE), FLEET + LABS);
        rep_result_free(&result);
        world_free(&world);
    }
}

Test(camp_burn_in, the_operator_may_go_on_in_spite_of_it)
{
    const struct rep_phase burn_in = done(REP_PHASE_STOPPED);
    struct world world;
    struct rep_result result;
    gates[1].state = REP_GATE_RED;
    world_init(&world, LABS, FLEET);
    world.config.burn_in = &burn_in;
    world.restart = RESTART_EACH_TICK;
    world_order(&world, START + HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run_days(&world, 40);
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    cr_expect_eq(told(&result, "the burn-in failed"), 1);
    cr_expect_eq(world_find_gate(world_phase(&result, "lab"), "crash")->state, REP_GATE_RED,
                 "it stays on record");
    rep_result_free(&result);
    world_free(&world);
}

/* All gates of the lab phase, with their limits as written; more do not matter. */
Test(camp_burn_in, one_that_lacks_a_gate_is_refused)
{
    for (int lacking = 0; lacking <= GATES; lacking++) {
        struct world world;
        struct camp *camp;
        sqlite3 *db;
        struct rep_phase burn_in = done(REP_PHASE_PASSED);
        struct rep_gate own[GATES + 1];
        memcpy(own, gates, sizeof own);
        strcpy(own[lacking].limit, "> 99%");
        burn_in.gate = own;
        world_init(&world, LABS, FLEET);
        world.config.burn_in = &burn_in;
        cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
        cr_expect_eq(camp_open(&camp, &world.config, db), lacking ? CAMP_ECONFIG : CAMP_OK, "%s",
                     own[lacking].metric);
        camp_close(camp);
        sqlite3_close(db);
        world.config.burn_in = NULL;
        world_open(&world);
        world_free(&world);
    }
}

/* The plan's own min_sample counts, whatever the burn-in's scenarios had. */
Test(camp_burn_in, one_that_is_green_by_fewer_than_the_plan_wants_is_refused)
{
    struct rep_phase burn_in = done(REP_PHASE_PASSED);
    struct scn_gate plan = {.metric = SCN_METRIC_CRASH, .text = "> 0%", .limit = {0, 1}};
    struct scn_phase lab = {.size = SCN_SIZE_LAB, .gate = {plan}, .gates = 1};
    struct scn_campaign campaign = {.phase = {lab}, .phases = 1};
    campaign.phase[0].gate[0].min_sample = 60;
    cr_expect_null(camp_burn_in_lacks(&campaign, &burn_in));
    campaign.phase[0].gate[0].min_sample = 61;
    cr_expect_eq(camp_burn_in_lacks(&campaign, &burn_in), &campaign.phase[0].gate[0]);
    gates[1].state = REP_GATE_RED;
    cr_expect_null(camp_burn_in_lacks(&campaign, &burn_in), "red it is all the same");
}

static const struct scn_gate *lacking(const struct rep_gate *has, const struct scn_gate *wanted)
{
    struct rep_gate own = *has;
    const struct rep_phase burn_in = {.gates = 1, .gate = &own};
    static struct scn_campaign campaign;
    campaign = (struct scn_campaign){.phases = 1};
    campaign.phase[0] = (struct scn_phase){.size = SCN_SIZE_LAB, .gate = {*wanted}, .gates = 1};
    return camp_burn_in_lacks(&campaign, &burn_in);
}

/* 18 of 18 that reported are 18 of a cohort of 20: the same limit, another measure. */
Test(camp_burn_in, one_that_judged_of_others_than_the_plan_wants_is_refused)
{
    for (int metric = 0; metric < SCN_METRICS; metric++) {
        for (int both = 0; both < 4; both++) {
            bool has_cohort = both & 1, wants_cohort = both & 2;
            struct rep_gate has = {
                .limit = "> 5%", .denominator = 60, .min_sample = 1, .state = REP_GATE_GREEN};
            struct scn_gate plan = {.metric = (enum scn_metric)metric,
                                    .text = "> 5%",
                                    .limit = {5, 100},
                                    .min_sample = 1,
                                    .of_cohort = wants_cohort};
            snprintf(has.metric, sizeof has.metric, "%s", scn_metric_name(metric));
            judged_by(&has, has_cohort);
            cr_expect_eq(!lacking(&has, &plan), has_cohort == wants_cohort, "%s, of %d, wanted %d",
                         has.metric, has_cohort, wants_cohort);
        }
    }
}

/* What it was is not told: nobody knows that it is the plan's. */
Test(camp_burn_in, one_that_does_not_say_what_it_judged_is_refused)
{
    struct rep_gate has = {
        .metric = "crash", .limit = "> 0%", .denominator = 60, .state = REP_GATE_GREEN};
    const struct scn_gate plan = {.metric = SCN_METRIC_CRASH, .text = "> 0%", .limit = {0, 1}};
    cr_expect(lacking(&has, &plan));
    judged_by(&has, false);
    strcpy(strchr(has.comparison, ';') + 1, " red if > 0%, perhaps");
    cr_expect(lacking(&has, &plan));
}

/* A mean's denominator is no number of devices: its min_sample is what it was judged with. */
Test(camp_burn_in, a_mean_over_fewer_devices_than_the_plan_wants_is_refused)
{
    static const enum scn_metric means[] = {SCN_METRIC_MEMORY, SCN_METRIC_CPU};
    for (int i = 0; i < 2; i++) {
        struct rep_gate has = {.limit = "> 10%", .denominator = 90000, .state = REP_GATE_GREEN};
        const struct scn_gate plan = {
            .metric = means[i], .text = "> 10%", .limit = {10, 100}, .min_sample = 10};
        snprintf(has.metric, sizeof has.metric, "%s", scn_metric_name((int)means[i]));
        judged_by(&has, false);
        has.min_sample = 9;
        cr_expect(lacking(&has, &plan));
        has.min_sample = 10;
        cr_expect_null(lacking(&has, &plan));
    }
}
