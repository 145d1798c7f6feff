/* Factory, boots, ends, and the control socket: no network. */
#include "flash_file/op.h"
#include "flash_file/reset.h"
#include "rig.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig *rig;

static void set_up(void)
{
    rig = calloc(1, sizeof *rig);
    rig_init(rig);
}

static void tear_down(void)
{
    rig_free(rig);
    free(rig);
}

TestSuite(agentd_life, .init = set_up, .fini = tear_down, .timeout = 300);

static int control(const char *order)
{
    return rig_run(rig, "%s --config agent.yaml --control '%s' >answer 2>&1",
                   rig_program("ota-agent"), order);
}

static bool answered(const char *text)
{
    return rig_run(rig, "grep -qF -- '%s' answer", text) == 0;
}

static struct agent_reset reset_record(void)
{
    size_t len;
    struct agent_reset reset;
    char *bytes = rig_read(rig, "flash.img.reset", &len);
    cr_assert(bytes && len == AGENT_RESET_BYTES);
    cr_assert(agent_reset_decode(&reset, (const uint8_t *)bytes));
    free(bytes);
    return reset;
}

Test(agentd_life, factory_refuses_what_would_not_boot_and_leaves_nothing)
{
    cr_expect_eq(rig_run(rig, "cp 1.1.0.sig 1.0.0.sig"), 0);
    cr_expect_eq(rig_factory(rig, "1.0.0"), 1);
    cr_expect_eq(rig_run(rig, "grep -q 'would not boot: ' factory.log"), 0);
    cr_expect_eq(rig_run(rig, "ls | grep -q ^flash"), 1, "nothing is left");
    cr_expect_eq(rig_factory(rig, "1.1.0"), 0);
    cr_expect_eq(rig_factory(rig, "1.1.0"), 1);
    cr_expect_eq(rig_run(rig, "grep -q 'exists; add --force' factory.log"), 0);
}

Test(agentd_life, factory_flash_boots_and_sigterm_ends_it_cleanly)
{
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=boot slot=A trial=no"));
    cr_expect(rig_wait(&rig->agent, "event=start version=1.0.0 state=Idle journal=AGENT_OK"));
    cr_expect(rig_wait(&rig->agent, "event=mqtt_down"), "nobody is there");
    int status = rig_end(&rig->agent, SIGTERM);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "%x", (unsigned)status);
    cr_expect_eq(reset_record().end, AGENT_END_STOPPED);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "last_end=stopped"));
    status = rig_end(&rig->agent, SIGINT);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status));
}

Test(agentd_life, a_sudden_end_is_a_power_loss_and_a_crash_a_hard_fault)
{
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=start"));
    rig_end(&rig->agent, SIGKILL);
    cr_expect_eq(reset_record().end, AGENT_END_RUNNING);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "reset=\"power on\""));
    cr_expect(rig_wait(&rig->agent, "event=start"));
    rig_end(&rig->agent, SIGABRT);
    cr_expect_eq(reset_record().end, AGENT_END_HARD_FAULT);
    cr_expect(reset_record().faults == 1 && reset_record().total == 1);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "last_end=hard_fault"));
    cr_expect_eq(reset_record().boots, 3);
}

Test(agentd_life, no_bootable_slot_is_told_and_exits_3)
{
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    cr_assert_eq(
        rig_run(rig, "printf x | dd of=flash.img bs=1 seek=80000 conv=notrunc 2>/dev/null"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=no_boot"));
    int status = rig_end(&rig->agent, 0);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

Test(agentd_life, a_second_daemon_or_another_size_is_refused)
{
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=start"));
    cr_expect_eq(rig_run(rig, "%s --config agent.yaml 2>second", rig_program("ota-agent")), 1);
    cr_expect_eq(rig_run(rig, "grep -q 'in use by another process' second"), 0);
    cr_expect_eq(control("status"), 0, "the first goes on");
    rig_end(&rig->agent, SIGTERM);
    cr_assert_eq(rig_run(rig, "truncate -s +1 flash.img"), 0);
    cr_expect_eq(rig_run(rig, "%s --config agent.yaml 2>second", rig_program("ota-agent")), 1);
    cr_expect_eq(rig_run(rig, "grep -q 'the configured layout' second"), 0);
}

Test(agentd_life, the_control_socket_answers_each_order)
{
    static const char *const orders[] = {"apply", "defer 60", "retry", "ping"};
    struct stat status;
    char path[320];
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    cr_expect_eq(control("status"), 1, "nobody answers yet");
    rig_agent(rig);
    cr_assert(rig_wait(&rig->agent, "event=start"));
    snprintf(path, sizeof path, "%s/ctl.sock", rig->dir);
    cr_expect(!stat(path, &status) && (status.st_mode & 0777) == 0600);
    cr_expect_eq(control("status"), 0);
    cr_expect(answered("\"state\":\"Idle\",\"version\":\"1.0.0\",\"slot\":\"A\",\"trial\":false,"
                       "\"connected\":false,\"pending\":null"));
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        cr_expect_eq(control(orders[i]), 0, "%s", orders[i]);
        cr_expect(answered("{\"ok\":true,\"state\":\"Idle\"}"));
    }
    cr_expect_eq(control("rollback"), 0, "there is no fallback: the core stays, and says so");
    cr_expect_eq(control("defer soon"), 1);
    cr_expect_eq(control("format c:"), 1);
    cr_expect(answered("unknown order"));
    kill(rig->agent.pid, SIGUSR1);
    cr_expect(rig_wait(&rig->agent, "event=status"));
}

/* Test aid: this version hangs. The watchdog has to be longer than the MQTT check, which is
 * shortened here because this image never comes to it. */
Test(agentd_life, a_hang_ends_by_the_watchdog)
{
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_config(rig, "", "watchdog: 2s\nbehaviour: {hang: [1.0.0]}\n");
    cr_assert_eq(rig_run(rig, "sed -i 's/health: {/health: {mqtt_within: 1s, /' agent.yaml"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=behaviour what=hang"));
    cr_expect(rig_wait(&rig->agent, "event=watchdog_reset"));
    cr_expect(rig_wait(&rig->agent, "reset=watchdog last_end=watchdog"));
    /* It hangs again: where this test is held up the watchdog has bitten again, too. */
    struct agent_reset reset = reset_record();
    cr_expect_eq(reset.total, reset.faults, "nobody was told");
    cr_expect(reset.faults >= 1 && reset.boots - reset.faults <= 1, "%u faults, %u boots",
              (unsigned)reset.faults, (unsigned)reset.boots);
    int status = rig_end(&rig->agent, SIGTERM);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "the new image obeys");
}

static struct agent_reset own_record(void)
{
    size_t len;
    struct agent_reset reset = {0};
    char *bytes = rig_read(rig, "records", &len);
    cr_assert(bytes && len == AGENT_RECORDS_BYTES);
    agent_reset_decode(&reset, (const uint8_t *)bytes);
    free(bytes);
    return reset;
}

/* Where a reboot is the machine's, the process leaves it to its supervisor, by exit code 4; and its
 * records lie where the machine's power cut can't lose them. */
Test(agentd_life, exit_to_reboot_ends_the_process_instead_of_executing_it_again)
{
    rig_config(rig, ", records: records",
               "watchdog: 2s\nexit_to_reboot: yes\nbehaviour: {hang: [1.0.0]}\n");
    cr_assert_eq(rig_run(rig, "sed -i 's/health: {/health: {mqtt_within: 1s, /' agent.yaml"), 0);
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=watchdog_reset"));
    int status = rig_end(&rig->agent, 0);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 4, "%x", (unsigned)status);
    cr_expect_eq(own_record().end, AGENT_END_WATCHDOG);
    cr_expect_eq(rig_run(rig, "ls flash.img.*"), 2, "nothing lies beside the flash");
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "reset=watchdog last_end=watchdog"));
    rig_end(&rig->agent, SIGKILL);
    cr_expect_eq(own_record().boots, 2);
    cr_assert_eq(rig_run(rig, "rm flash.img"), 0);
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    cr_expect_eq(own_record().boots, 0, "a factory run makes the records new");
}

/* A file in place of /dev/watchdog: kicked at once, and told of the clean end by Linux's "V". */
Test(agentd_life, a_hardware_watchdog_is_kicked_and_told_of_the_end)
{
    size_t len;
    rig_write(rig, "wd", "", 0);
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_config(rig, "", "watchdog_device: wd\n");
    rig_agent(rig);
    cr_expect(rig_wait(&rig->agent, "event=mqtt_down"));
    rig_end(&rig->agent, SIGTERM);
    char *kicks = rig_read(rig, "wd", &len);
    cr_expect_str_eq(kicks, "kV");
    free(kicks);
}

Test(agentd_life, systemd_is_told_of_start_and_end)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char got[256] = "";
    int fits = snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", rig->dir);
    cr_assert(fits < (int)sizeof at.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof at));
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    setenv("WATCHDOG_USEC", "1000000", 1);
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_expect(recv(fd, got, sizeof got - 1, 0) > 0);
    cr_expect_str_eq(got, "READY=1");
    memset(got, 0, sizeof got);
    while (!strstr(got, "WATCHDOG=1"))
        cr_assert(recv(fd, got, sizeof got - 1, 0) > 0);
    int status = rig_end(&rig->agent, SIGTERM);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status));
    while (!strstr(got, "STOPPING=1"))
        cr_assert(recv(fd, got, sizeof got - 1, MSG_DONTWAIT) > 0);
    close(fd);
}
