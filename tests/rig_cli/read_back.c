/* Hardware that can be read back, played by the driver `command` and a folder of files: on-2 is
 * there while the contact of channel 2 is closed. */
#include "run.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void open_bench(void)
{
    char text[2048];
    kit_open();
    kit_write("relay", "cd \"$(dirname \"$0\")\" || exit 1\n"
                       "case $1 in\n"
                       "on) [ -e stuck ] || : >on-$2 ;;\n"
                       "off) [ -e stuck ] || rm -f on-$2 ;;\n"
                       "*) if [ -e on-$2 ]; then echo on; else echo off; fi ;;\n"
                       "esac\n");
    kit_write("image", "bits");
    kit_write("script", "[ -e fails ] && exit 1; ls | grep ^on- >powered; cp \"$1\" nor");
    snprintf(text, sizeof text,
             "bench: desk\n"
             "controllers:\n"
             "  r: {driver: command, retries: 0, timeout: 20s,\n"
             "      \"on\": [/bin/sh, %1$s/relay, \"on\", \"{channel}\"],\n"
             "      \"off\": [/bin/sh, %1$s/relay, \"off\", \"{channel}\"],\n"
             "      status: [/bin/sh, %1$s/relay, status, \"{channel}\"]}\n"
             "  blind: {driver: command, timeout: 20s, \"on\": [/bin/true], \"off\": [/bin/true]}\n"
             "boards:\n"
             "  - {name: plain, power: {controller: r, channel: 1, off_at_least: 10ms},\n"
             "     flash: [/bin/sh, script, \"{image}\"]}\n"
             "  - {name: turned, power: {controller: r, channel: 2, inverted: true,\n"
             "     off_at_least: 10ms}, flash: [/bin/sh, script, \"{image}\"], flash_power: on}\n"
             "  - {name: unread, power: {controller: blind, channel: 0, off_at_least: 10ms},\n"
             "     flash: [/bin/sh, script, \"{image}\"]}\n",
             kit_folder);
    kit_write("desk.yaml", text);
}

TestSuite(rig_read_back, .init = open_bench, .fini = kit_close);

Test(rig_read_back, what_is_read_is_told_as_confirmed)
{
    cr_assert_eq(run_rig("power --bench BENCH plain on"), 0, "%s", kit_read("err"));
    cr_assert(run_told("plain power on, confirmed by reading back (r channel 1)\n"));
    cr_assert(kit_is_there("on-1"));
    cr_assert_eq(run_rig("power --bench BENCH plain status"), 0);
    cr_assert_str_eq(kit_read("out"), "plain power on\n");
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 0);
    cr_assert_eq(run_rig("power --bench BENCH plain status"), 0);
    cr_assert_str_eq(kit_read("out"), "plain power off\n");
}

Test(rig_read_back, an_inverted_contact_is_told_as_the_board_s_power)
{
    cr_assert_eq(run_rig("power --bench BENCH turned status"), 0);
    cr_assert_str_eq(kit_read("out"), "turned power on\n");
    cr_assert_eq(run_rig("power --bench BENCH turned off"), 0);
    cr_assert(run_told("turned power off, confirmed") && kit_is_there("on-2"));
    cr_assert_eq(run_rig("power --bench BENCH turned status"), 0);
    cr_assert_str_eq(kit_read("out"), "turned power off\n");
}

Test(rig_read_back, a_welded_contact_is_no_success)
{
    kit_write("on-1", "");
    kit_write("stuck", "");
    cr_assert_eq(run_rig("power --bench BENCH plain off"), 8);
    cr_assert(run_said("it may be welded"));
    cr_assert_str_eq(kit_read("out"), "");
}

Test(rig_read_back, no_status_command_is_said_so)
{
    cr_assert_eq(run_rig("power --bench BENCH unread on"), 0, "%s", kit_read("err"));
    cr_assert(run_told("unread power on, commanded"));
    cr_assert_eq(run_rig("power --bench BENCH unread status"), 1);
    cr_assert_str_eq(kit_read("out"), "");
    cr_assert_eq(run_rig("flash --bench BENCH unread --image image"), 0, "%s", kit_read("err"));
    cr_assert(run_told("unread power on"));
}

Test(rig_read_back, flashing_leaves_the_power_as_it_was)
{
    cr_assert_eq(run_rig("flash --bench BENCH plain --image image"), 0, "%s", kit_read("err"));
    cr_assert(!kit_is_there("on-1"), "it was off");
    cr_assert_str_eq(kit_read("nor"), "bits");
    kit_write("on-1", "");
    cr_assert_eq(run_rig("flash --bench BENCH plain --image image"), 0);
    cr_assert(kit_is_there("on-1") && !strstr(kit_read("powered"), "on-1"));

    kit_write("on-2", ""); /* no power: inverted */
    cr_assert_eq(run_rig("flash --bench BENCH turned --image image"), 0);
    cr_assert(kit_is_there("on-2") && !strstr(kit_read("powered"), "on-2"));
    unlink(kit_path("on-2"));
    cr_assert_eq(run_rig("flash --bench BENCH turned --image image"), 0);
    cr_assert(!kit_is_there("on-2"));
    kit_write("fails", "");
    cr_assert_eq(run_rig("flash --bench BENCH turned --image image"), 8);
    cr_assert(kit_is_there("on-2"), "half written, it has no power");
}
