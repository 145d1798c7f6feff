/* Burn-ins on two boards behind an emulated relay, as a user runs them. */
#include "lab.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(burnin_boards, .init = lab_enter, .fini = lab_leave);

#define BURN_IN "rig burnin --bench @bench.yaml --db @b.db "

/* The controller is killed in the middle of cycle 2; two cycles pass all the same, and a campaign
 * takes them as its Phase 0. */
Test(burnin_boards, killed_resumed_and_taken_by_a_campaign)
{
    struct rig_child child;
    lab_start(&child, BURN_IN "--cycles 2 @update.yaml");
    lab_wait("SELECT count(*) FROM burnin_cycle WHERE cycle = 2 AND state = 'running'", 1);
    int64_t spent = lab_ask("SELECT spent_ms FROM burnin_cycle WHERE cycle = 1");
    sleep(1);
    rig_child_kill(&child);
    cr_expect_eq(lab_run("report @b.db"), 8);
    cr_expect_eq(lab_run("run @update.yaml --burn-in @b.db"), 1);
    lab_said("unfinished");
    cr_expect_eq(lab_run(BURN_IN "--cycles 2 @update.yaml"), 1);
    lab_said("--resume");
    cr_expect_eq(lab_run(BURN_IN "--cycles 2 --resume --seed 5 @update.yaml"), 1);
    lab_said("seed '10', not '5'");
    lab_bench("swapped.yaml", 2, 1);
    cr_expect_eq(lab_run("rig burnin --bench @swapped.yaml --db @b.db --resume @update.yaml"), 1);
    lab_said("board board-01: power was 'bank-1 channel 1, off at least 300 ms', and "
             "is 'bank-1 channel 2");
    cr_expect_eq(lab_run(BURN_IN "--resume @update.yaml --junit @b.xml"), 0);
    lab_said("2 cycles passed");
    cr_expect_eq(lab_ask("SELECT spent_ms FROM burnin_cycle WHERE cycle = 1 AND tries = 1 AND seed "
                         "= '11' AND state = 'passed'"),
                 spent, "what had ended is as it was");
    cr_expect_eq(lab_ask("SELECT tries FROM burnin_cycle WHERE cycle = 2 AND seed = '12' AND state "
                         "= 'passed'"),
                 2);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_try WHERE cycle = 2 AND state = "
                         "'interrupted'"),
                 1);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_cycle"), 2);
    cr_expect_eq(lab_ask("SELECT numerator * 100 + denominator FROM gate WHERE metric = 'success'"),
                 404, "2 boards confirmed twice");
    cr_expect_geq(lab_ask("SELECT denominator FROM gate WHERE metric = 'command_ms'"), 4);
    cr_expect_geq(lab_ask("SELECT min(value) FROM burnin_measurement WHERE name = "
                          "'telemetry_received'"),
                  1);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_measurement WHERE name = "
                         "'round_trip_worst' AND value > 0 AND outcome = 'pass'"),
                 4);
    int64_t cuts = lab_ask("SELECT sum(cuts) FROM burnin_cycle");
    cr_expect_geq(cuts, 1);
    cr_expect_eq(lab_ask("SELECT sum(cuts) FROM cut"), cuts, "each is of some kind");
    cr_expect_eq(lab_ask("SELECT fired FROM fault WHERE kind = 'power_loss'"), cuts);
    cr_expect_eq(lab_ask("SELECT scheduled FROM fault"), 4, "2 boards once in 2 cycles");
    cr_expect_eq(lab_run("report @b.db"), 0);

    lab_campaign("good", "board/pump-2.4.0.bin", "pump_monitor_v2", "> 50%");
    cr_expect_eq(lab_run("run @good.yaml --burn-in @b.db --world virtual"), 0);
    lab_said("2 passed, 0 failed");
    lab_said("command_ms");
    lab_campaign("other", "board/pump-2.4.0-hang.bin", "pump_monitor_v2", "> 50%");
    cr_expect_eq(lab_run("run @other.yaml --burn-in @b.db"), 1);
    lab_said("it was done with the image");
    lab_campaign("strict", "board/pump-2.4.0.bin", "pump_monitor_v2", "> 5%");
    cr_expect_eq(lab_run("run @strict.yaml --burn-in @b.db"), 1);
    lab_said("telemetry_gap \"> 5%\"");
    lab_campaign("cohort", "board/pump-2.4.0.bin", "pump_monitor_v2", "> 50%\", of: \"cohort");
    cr_expect_eq(lab_run("run @cohort.yaml --burn-in @b.db"), 1);
    lab_said("(of: cohort, min_sample: 1), which was not judged by the burn-in");
}

/* Phase 0 fails at once, and stops the campaign that takes it. */
Test(burnin_boards, a_cycle_that_fails_is_the_end_of_phase_0)
{
    cr_expect_eq(lab_run(BURN_IN "--cycles 5 @bad.yaml"), 2);
    lab_said("cycle 1 (bad, seed 11): a gate stopped the campaign in phase phase-0 lab");
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_cycle WHERE state = 'failed'"), 1);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_cycle"), 1);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_try"), 0, "it is no infrastructure's");
    cr_expect_eq(lab_run(BURN_IN "--cycles 5 --resume @bad.yaml"), 1);
    lab_said("finished");
    lab_campaign("stops", "board/pump-2.4.0-no-drivers.bin", "pump_monitor_v2", "> 50%");
    cr_expect_eq(lab_run("run @stops.yaml --burn-in @b.db"), 2);
    lab_said("a failed burn-in stopped the campaign in phase phase-0 lab");
}

/* A row of the rig's own beside those of the scenario, and each counted for itself. */
Test(burnin_boards, cuts_of_its_own_are_counted_beside_the_scenario_s)
{
    cr_expect_eq(lab_run(BURN_IN "--cycles 1 --aim /event=firmware/+200ms --aimed-cuts 1 "
                                 "@update.yaml"),
                 0);
    cr_expect_eq(lab_ask("SELECT scheduled * 100 + fired FROM fault WHERE kind = 'aimed_cut'"),
                 202);
    cr_expect_eq(lab_ask("SELECT scheduled * 100 + fired FROM fault WHERE kind = 'power_loss'"),
                 202);
    cr_expect_eq(lab_ask("SELECT count(*) FROM fault"), 2);
}

Test(burnin_boards, an_aim_that_never_struck_is_no_pass)
{
    cr_expect_eq(lab_run(BURN_IN "--cycles 1 --aim /a.typing.mistake/+5ms --aimed-cuts 1 "
                                 "@update.yaml"),
                 6);
    lab_said("(aimed_cut): armed 2 times, took effect 0 times");
}

/* The relay's USB plug: nobody's failure, and it goes on when it is back. */
Test(burnin_boards, a_pulled_relay_is_infrastructure_and_resumed)
{
    struct rig_child child;
    lab_start(&child, BURN_IN "--cycles 1 @update.yaml");
    lab_wait_on(2); /* both boards run, and their power cuts are ahead */
    lab_order("unplug relay-1");
    cr_expect_eq(lab_end(&child), 8);
    lab_said("--resume");
    lab_said("relay");
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_cycle WHERE state = 'infrastructure'"), 1);
    cr_expect_eq(lab_ask("SELECT count(*) FROM burnin_try WHERE state = 'infrastructure'"), 4,
                 "it was tried again 3 times");
    lab_order("plug relay-1");
    cr_expect_eq(lab_run(BURN_IN "--resume @update.yaml"), 0);
    cr_expect_eq(lab_ask("SELECT tries FROM burnin_cycle WHERE state = 'passed' AND seed = '11'"),
                 5);
}

/* Nothing is touched. */
Test(burnin_boards, what_can_not_be_a_burn_in_is_refused)
{
    static const struct {
        const char *words, *says;
    } row[] = {
        {BURN_IN "@update.yaml", "--for 24h, or --cycles N"},
        {BURN_IN "--for 1h --cycles 2 @update.yaml", "one of them"},
        {BURN_IN "--for soon @update.yaml", "accepted: 1s to 400d"},
        {BURN_IN "--cycles 1", "a scenario is wanted"},
        {BURN_IN "--cycles 1 @pumps.yaml", "it is no burn-in cycle"},
        {BURN_IN "--cycles 1 --aim @x @update.yaml", "both or none"},
        {BURN_IN "--cycles 1 @update.yaml --set campaign.phases.0.gates.1.metric=rollback",
         "no gate for crash"},
        {BURN_IN "--cycles 1 --devices 3 @update.yaml", "no board of"},
        {BURN_IN "--cycles 1 --set expect.verdict=gate_stopped @bad.yaml", "by what must stop it"},
        {BURN_IN "--cycles 1 --set expect.bricked=1 @update.yaml", "by what must stop it"},
        {BURN_IN "--cycles 1 --set faults.0.devices=1% @update.yaml", "no power would be cut"},
        {"rig burnin --bench @bench.yaml --cycles 1 @update.yaml", "--db FILE is wanted"},
        {"rig burnin --db @b.db --cycles 1 @update.yaml", "--bench FILE is wanted"},
        {BURN_IN "--cycles 1 --resume @update.yaml", "No such file"},
    };
    lab_campaign("pumps", "board/pump-2.4.0.bin", "pump_monitor_v2", "> 5%");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_expect_eq(lab_run(row[i].words), 1, "%s", row[i].words);
        lab_said(row[i].says);
        cr_expect(access(lab_path("b.db"), F_OK), "%s left a file", row[i].words);
    }
}
