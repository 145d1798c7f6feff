/* Any program as a switch. */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opened with `sh -c SCRIPT` for on and off, and for status unless it is NULL. */
static struct rig_relay *opened(const char *script, const char *status, uint32_t timeout_ms)
{
    const char *pairs[32] = {"on",  "sh",   "on",  "-c",        "on",  script, "on",  "sh",
                             "on",  "on",   "on",  "{channel}", "off", "sh",   "off", "-c",
                             "off", script, "off", "sh",        "off", "off",  "off", "{channel}"};
    if (status) {
        const char *more[] = {"status", "sh", "status", "-c", "status", status};
        memcpy(pairs + 24, more, sizeof more);
    }
    return net_open(&rig_relay_command, pairs, timeout_ms);
}

static int set(struct rig_relay *relay, uint32_t channel, bool on)
{
    return rig_relay_command.set(relay, channel, on, NET_SAID);
}

Test(net_command, channel_and_arguments_arrive_as_they_are)
{
    char script[200], path[] = "/tmp/rig-net-command-XXXXXX", got[200];
    int fd = mkstemp(path);
    snprintf(script, sizeof script, "echo \"$0 $1 $2 $#\" >>%s", path);
    struct rig_relay *relay = opened(script, NULL, 60000);
    cr_expect_eq(set(relay, 7, true), 0, "%s", net_message);
    cr_expect_eq(set(relay, 255, false), 0, "%s", net_message);
    ssize_t n = pread(fd, got, sizeof got - 1, 0);
    got[n > 0 ? n : 0] = '\0';
    cr_expect_str_eq(got, "sh on 7 2\nsh off 255 2\n");
    unlink(path);
    rig_relay_command.close(relay);
}

Test(net_command, exit_code_and_last_line_are_told)
{
    struct rig_relay *relay =
        opened("echo first; printf 'no such\\007 outlet\\n\\n' >&2; exit 3", NULL, 60000);
    cr_expect_eq(set(relay, 1, true), RIG_EREFUSED);
    cr_expect_str_eq(net_message, "sh: exit code 3: no such. outlet");
    rig_relay_command.close(relay);
    relay = opened("kill -SEGV $$", NULL, 60000);
    cr_expect_eq(set(relay, 1, true), RIG_EGONE);
    cr_expect(strstr(net_message, "signal 11") != NULL, "%s", net_message);
    rig_relay_command.close(relay);
}

Test(net_command, too_slow_is_killed_with_all_its_children)
{
    char script[300], path[] = "/tmp/rig-net-command-XXXXXX", got[32] = "";
    int fd = mkstemp(path);
    snprintf(script, sizeof script, "sleep 600 & echo $! >%s; echo waiting; wait", path);
    struct rig_relay *relay = opened(script, NULL, 3000);
    int64_t from_us = rig_port_now_us();
    cr_expect_eq(set(relay, 1, true), RIG_ESILENT);
    cr_expect_lt((long)(rig_port_now_us() - from_us), 30000000L); /* not the 600 s of its child */
    cr_expect(strstr(net_message, "killed after 3000 ms: waiting") != NULL, "%s", net_message);
    cr_expect_gt((long)pread(fd, got, sizeof got - 1, 0), 0L);
    pid_t child = atoi(got);
    int tries = 0;
    char state[64] = "Z", name[64];
    snprintf(name, sizeof name, "/proc/%d/stat", child);
    while (tries++ < 6000) { /* it was sent the signal; its end takes the kernel a moment */
        FILE *stat = fopen(name, "r");
        bool dead = !stat || fscanf(stat, "%*d %*s %63s", state) != 1 || *state == 'Z';
        if (stat)
            fclose(stat);
        if (dead)
            break;
        usleep(10000);
    }
    cr_expect_lt(tries, 6000);
    unlink(path);
    rig_relay_command.close(relay);
}

Test(net_command, flood_of_output_is_bounded)
{
    struct rig_relay *relay = opened("yes much; exit 0", NULL, 300);
    cr_expect_eq(set(relay, 1, true), RIG_ESILENT);
    rig_relay_command.close(relay);
    relay = opened("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1", NULL, 60000);
    cr_expect_eq(set(relay, 1, true), RIG_EREFUSED);
    cr_expect_str_eq(net_message, "sh: exit code 1: end");
    rig_relay_command.close(relay);
}

Test(net_command, child_that_holds_the_output_holds_nobody_up)
{
    struct rig_relay *relay = opened("sleep 60 & exit 0", NULL, 50000);
    int64_t from_us = rig_port_now_us();
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    cr_expect_lt((long)(rig_port_now_us() - from_us), 30000000L); /* not to the timeout */
    rig_relay_command.close(relay);
}

Test(net_command, status)
{
    static const struct {
        const char *script;
        int error;
        bool on;
    } rows[] = {{"echo on", RIG_OK, true},
                {"echo OFF", RIG_OK, false},
                {"echo reading; echo 1", RIG_OK, true},
                {"printf 0", RIG_OK, false},
                {"echo open", RIG_EANSWER, 0},
                {"true", RIG_EANSWER, 0},
                {"echo on; exit 1", RIG_EREFUSED, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_relay *relay = opened("true", rows[i].script, 60000);
        bool on = !rows[i].on;
        cr_expect_eq(rig_relay_command.get(relay, &on, 1, NET_SAID), rows[i].error, "%s: %s",
                     rows[i].script, net_message);
        cr_expect(rows[i].error || on == rows[i].on, "%s", rows[i].script);
        rig_relay_command.close(relay);
    }
    struct rig_relay *relay = opened("true", NULL, 60000);
    bool on;
    cr_expect_eq(rig_relay_command.get(relay, &on, 1, NET_SAID), RIG_EUNSUPPORTED);
    rig_relay_command.close(relay);
}

Test(net_command, no_such_program_and_nothing_inherited)
{
    struct rig_relay *relay = net_open(
        &rig_relay_command,
        (const char *[]){"on", "/no/such/program", "off", "no-such-program-either", NULL}, 60000);
    cr_expect_eq(set(relay, 1, true), RIG_EOPEN);
    cr_expect_str_eq(net_message, "/no/such/program: No such file or directory");
    cr_expect_eq(set(relay, 1, false), RIG_EOPEN);
    rig_relay_command.close(relay);
    int open_here = open("/dev/null", O_RDONLY);
    signal(SIGPIPE, SIG_IGN);
    relay = opened("for f in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo has $f && exit 1; "
                   "done; echo $((0x$(sed -n 's/^SigIgn:.//p' /proc/$$/status) & 0x1000)); exit 2",
                   NULL, 60000);
    cr_expect_eq(set(relay, 1, true), RIG_EREFUSED);
    cr_expect_str_eq(net_message, "sh: exit code 2: 0", "no descriptor, SIGPIPE is not ignored");
    close(open_here);
    rig_relay_command.close(relay);
}
