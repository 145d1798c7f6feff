/* `rig flash`: power, command, power; and what is left when something fails. */
#include "run.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct kit_line relay;

static void open_bench(void)
{
    kit_open();
    kit_line_open(&relay, "relay");
    kit_write("image", "bits");
    kit_write("desk.yaml",
              "bench: desk\n"
              "controllers: {r: {driver: lcus, device: relay, timeout: 5s, retries: 0}}\n"
              "boards:\n"
              "  - name: off\n"
              "    power: {controller: r, channel: 1, off_at_least: 10ms}\n"
              "    flash: [/bin/sh, script, \"{image}\"]\n"
              "  - name: on\n"
              "    power: {controller: r, channel: 1, off_at_least: 10ms}\n"
              "    flash: [/bin/sh, script, \"{image}\"]\n"
              "    flash_power: on\n");
    /* The two differ in flash_power only; a channel may belong to one board. */
    char text[2048], *second;
    snprintf(text, sizeof text, "%s", kit_read("desk.yaml"));
    second = strstr(strstr(text, "channel: 1") + 1, "channel: 1");
    second[9] = '2';
    kit_write("desk.yaml", text);
}

TestSuite(rig_flash_command, .init = open_bench, .fini = kit_close);

Test(rig_flash_command, power_is_off_while_the_command_runs_and_on_then)
{
    struct run run;
    kit_write("script", "touch begun; while [ ! -e go ]; do sleep 0.02; done; cp \"$1\" nor");
    run_start(&run, "flash --bench BENCH off --image image");
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    for (int i = 0; i < 5000 && !kit_is_there("begun"); i++)
        usleep(10000);
    cr_assert(kit_is_there("begun") && kit_line_is_silent(&relay, 100));
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("brickyard rig flash) since"));
    kit_write("go", "");
    cr_assert_eq(run_end(&run), 0);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x01, 0xA2));
    cr_assert_str_eq(kit_read("nor"), "bits");
}

Test(rig_flash_command, a_debug_probe_s_board_has_power_meanwhile)
{
    kit_write("script", "cp \"$1\" nor");
    cr_assert_eq(run_rig("flash --bench BENCH on --image image"), 0, "%s", kit_read("err"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x01, 0xA3));
    cr_assert(kit_line_is_silent(&relay, 50));
    cr_assert(run_told("on flashed with image in "));
}

Test(rig_flash_command, what_fails_leaves_the_board_without_power)
{
    kit_write("script", "echo verify failed at 0x1000; exit 1");
    cr_assert_eq(run_rig("flash --bench BENCH off --image image"), 8);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    cr_assert(kit_line_is_silent(&relay, 50));
    cr_assert(run_said("off: /bin/sh ended with exit code 1; its last line: verify failed at "
                       "0x1000; all that it said is in ") &&
              run_said("off is left without power"));
    cr_assert_null(strstr(kit_read("out"), "flashed"));
    cr_assert_str_eq(kit_read("desk.state/off.flash.log"), "verify failed at 0x1000\n");
    cr_assert_eq(run_rig("flash --bench BENCH on --image image"), 8);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x01, 0xA3));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x00, 0xA2));
    cr_assert(run_said("on is left without power"));
}

Test(rig_flash_command, ctrl_c_kills_the_command_and_is_no_success)
{
    struct run run;
    kit_write("script", "touch begun; sleep 100");
    run_start(&run, "flash --bench BENCH off --image image");
    for (int i = 0; i < 5000 && !kit_is_there("begun"); i++)
        usleep(10000);
    kill(run.child.pid, SIGINT);
    cr_assert_eq(run_end(&run), 8);
    cr_assert(run_said("was stopped and killed") && run_said("left without power"));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    cr_assert(kit_line_is_silent(&relay, 50));
}

static bool lives(const char *file)
{
    char path[64], state[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", atoi(kit_read(file)));
    FILE *stat = fopen(path, "r");
    if (!stat)
        return false;
    char *read = fgets(state, sizeof state, stat);
    fclose(stat);
    return read && !strstr(state, ") Z ");
}

/* Nobody holds the board's lock: `rig list` names no owner. */
static bool is_free(void)
{
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    return !strstr(kit_read("out"), "brickyard rig flash) since");
}

/* What a killed rig leaves behind must not go on writing to a board that others can have. */
Test(rig_flash_command, killed_it_frees_the_board_when_all_that_it_started_is_gone)
{
    struct run run;
    kit_write("script", "trap '' HUP TERM INT\n"
                        "sleep 300 & echo $! >kid\n"
                        "setsid sh -c 'echo $$ >daemon; sleep 301 & echo $! >its; wait' &\n"
                        "while [ ! -s its ]; do sleep 0.02; done\n"
                        "echo $$ >self; touch begun; wait");
    run_start(&run, "flash --bench BENCH off --image image");
    for (int i = 0; i < 5000 && !kit_is_there("begun"); i++)
        usleep(10000);
    cr_assert(kit_is_there("begun") && lives("kid") && lives("daemon") && lives("its"));
    cr_assert_not(is_free());
    kill(run.child.pid, SIGKILL);
    run_end(&run);
    for (int i = 0; i < 5000 && !is_free(); i++)
        usleep(10000);
    cr_assert(is_free());
    cr_expect_not(lives("self") || lives("kid") || lives("daemon") || lives("its"));
}

Test(rig_flash_command, without_relay_nothing_is_flashed)
{
    kit_write("script", "touch begun");
    kit_line_unplug(&relay);
    cr_assert_eq(run_rig("flash --bench BENCH off --image image"), 8);
    cr_assert(run_said("off was not flashed") && !kit_is_there("begun"));
    cr_assert_eq(run_rig("flash --bench BENCH off --image none"), 1);
    cr_assert(run_said("--image none: No such file"));
}
