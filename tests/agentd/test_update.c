/* Whole updates over a real broker and a real server. */
#include "flash_file/op.h"
#include "rig.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct rig *rig;

static void set_up(void)
{
    rig = calloc(1, sizeof *rig);
    rig_init(rig);
    rig_broker(rig);
    rig_listen(rig);
    rig_nginx(rig);
    rig_config(rig, "", "");
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
}

static void tear_down(void)
{
    rig_free(rig);
    free(rig);
}

TestSuite(agentd_update, .init = set_up, .fini = tear_down, .timeout = 600);

static void start(void)
{
    rig_agent(rig);
    cr_assert(rig_wait(&rig->agent, "event=mqtt_up"));
}

static void expect_clean_end(void)
{
    int status = rig_end(&rig->agent, SIGTERM);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "%s", rig->agent.said);
    cr_expect(!strstr(rig->agent.said, "flash_violation"));
}

Test(agentd_update, a_good_version_is_confirmed)
{
    start();
    cr_expect(
        rig_wait(&rig->listener, "ota/presence/dev-1 {\"device_id\":\"dev-1\",\"online\":true}"));
    rig_notify(rig, "1.1.0", "1.1.0.bin", true);
    cr_expect(rig_wait(&rig->agent, "event=boot slot=B trial=yes trial_left=2"));
    cr_expect(rig_wait(&rig->agent, "last_end=software"));
    cr_expect(rig_wait(&rig->agent, "event=confirmed version=1.1.0 slot=B"));
    cr_expect(rig_wait(&rig->listener, "\"status\":\"notified\""));
    cr_expect(rig_wait(&rig->listener, "\"status\":\"rebooting\""));
    cr_expect(rig_wait(&rig->listener, "telemetry/dev-1 {\"device_id\":\"dev-1\",\"seq\":1"));
    cr_expect(
        rig_wait(&rig->listener, "\"status\":\"confirmed\",\"reason\":\"\",\"version\":\"1.1.0\""));
    expect_clean_end();
    cr_expect(rig_wait(&rig->listener, "\"online\":false"));
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=boot slot=B trial=no"), "it stays");
}

Test(agentd_update, a_version_whose_driver_fails_is_rolled_back)
{
    rig_config(rig, "", "behaviour: {no_drivers: [1.1.0]}\n");
    start();
    rig_notify(rig, "1.1.0", "1.1.0.bin", true);
    cr_expect(rig_wait(&rig->agent, "event=boot slot=B trial=yes"));
    cr_expect(rig_wait(&rig->agent, "event=boot slot=A trial=no"));
    cr_expect(rig_wait(&rig->listener, "\"status\":\"rolled_back\",\"reason\":\"health_drivers\""));
    expect_clean_end();
}

Test(agentd_update, a_version_that_crashes_in_its_trial_is_rolled_back)
{
    rig_config(rig, "", "behaviour: {hard_fault: [1.1.0]}\n");
    start();
    rig_notify(rig, "1.1.0", "1.1.0.bin", true);
    cr_expect(rig_wait(&rig->agent, "event=behaviour what=hard_fault"));
    cr_expect(
        rig_wait(&rig->agent, "event=boot slot=A trial=no trial_left=0 reset=\"hard fault\""));
    cr_expect(rig_wait(&rig->listener, "\"resets\":1"), "telemetry tells the fault");
    cr_expect(
        rig_wait(&rig->listener, "\"status\":\"rolled_back\",\"reason\":\"health_hard_fault\""));
    expect_clean_end();
}

Test(agentd_update, an_operator_approves_and_rolls_back)
{
    rig_config(rig, "", "approval: yes\n");
    start();
    rig_notify(rig, "1.1.0", "1.1.0.bin", false);
    cr_expect(rig_wait(&rig->listener, "\"status\":\"waiting_apply\""));
    cr_expect_eq(rig_run(rig,
                         "%s --config agent.yaml --control status | "
                         "grep -q '\"pending\":{\"campaign_id\":\"c1\"'",
                         rig_program("ota-agent")),
                 0);
    cr_expect_eq(
        rig_run(rig, "%s --config agent.yaml --control apply >answer", rig_program("ota-agent")),
        0);
    cr_expect(rig_wait(&rig->listener, "\"status\":\"confirmed\""));
    cr_expect_eq(
        rig_run(rig, "%s --config agent.yaml --control rollback >answer", rig_program("ota-agent")),
        0);
    cr_expect(rig_wait(&rig->listener, "\"status\":\"rolled_back\",\"reason\":\"operator\""));
    expect_clean_end();
}

/* Killed exactly when an operation begins; the download goes on from the last durable sector. */
Test(agentd_update, a_download_resumes_after_sigkill_in_a_flash_operation)
{
    size_t len;
    struct agent_op op;
    rig_config(rig, ", stop_at: 45", "");
    start();
    rig_notify(rig, "1.1.0", "1.1.0.bin", true);
    cr_assert(rig_stopped(&rig->agent));
    rig_end(&rig->agent, SIGKILL);
    char *record = rig_read(rig, "flash.img.op", &len);
    cr_assert(record && agent_op_decode(&op, (const uint8_t *)record));
    free(record);
    cr_expect(op.in_progress && op.number == 45);
    rig_config(rig, "", "");
    start();
    cr_expect(rig_wait(&rig->listener, "\"online\":false"), "the will, of the one that was killed");
    cr_expect(strstr(rig->agent.said, "event=operation_cut"));
    cr_expect(rig_wait(&rig->listener, "\"status\":\"confirmed\""));
    expect_clean_end();
}

/* What the power cut leaves of the operation that the record names: the first half of its bytes. */
static void tear(void)
{
    size_t len, flash_len;
    struct agent_op op;
    char *record = rig_read(rig, "flash.img.op", &len);
    char *flash = rig_read(rig, "flash.img", &flash_len);
    cr_assert(agent_op_decode(&op, (const uint8_t *)record));
    cr_assert(op.in_progress && op.addr + op.len <= flash_len);
    if (op.kind == AGENT_OP_ERASE)
        memset(flash + op.addr, 0xFF, op.len / 2);
    else
        memcpy(flash + op.addr, record + AGENT_OP_HEAD_BYTES, op.len / 2);
    rig_write(rig, "flash.img", flash, flash_len);
    free(record);
    free(flash);
}

Test(agentd_update, operations_all_over_an_update_may_be_torn)
{
    char flash[48];
    start();
    rig_notify(rig, "1.1.0", "1.1.0.bin", true);
    cr_assert(rig_wait(&rig->listener, "\"status\":\"confirmed\""));
    expect_clean_end();
    size_t len;
    struct agent_op op;
    char *record = rig_read(rig, "flash.img.op", &len);
    cr_assert(agent_op_decode(&op, (const uint8_t *)record));
    free(record);
    cr_expect_gt(op.number, 20);
    /* AGENTD_EVERY_CUT=1: all of them, which takes two minutes. */
    uint64_t step = getenv("AGENTD_EVERY_CUT") ? 1 : op.number / 5;
    for (uint64_t n = 3; n < op.number; n += step) {
        cr_assert_eq(rig_run(rig, "rm flash.img"), 0);
        cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
        snprintf(flash, sizeof flash, ", stop_at: %u", (unsigned)n);
        rig_config(rig, flash, "");
        rig_agent(rig);
        rig_notify(rig, "1.1.0", "1.1.0.bin", true);
        cr_assert(rig_stopped(&rig->agent), "at %u", (unsigned)n);
        rig_end(&rig->agent, SIGKILL);
        tear();
        rig_config(rig, "", "");
        start();
        rig_notify(rig, "1.1.0", "1.1.0.bin", true);
        cr_expect(rig_wait(&rig->listener, "\"status\":\"confirmed\""), "cut at %u", (unsigned)n);
        expect_clean_end();
    }
}

Test(agentd_update, a_broker_that_goes_and_comes_is_found_again)
{
    start();
    rig_end(&rig->broker, SIGTERM);
    cr_expect(rig_wait(&rig->agent, "event=mqtt_down"));
    rig_broker(rig);
    cr_expect(rig_wait(&rig->agent, "event=mqtt_up"));
    expect_clean_end();
}
