/* What can't be done to a board is told before anything is started. */
#include "boards.h"
#include "rig/world.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(rig_world_refuse, .init = bench_enter, .fini = bench_leave);

static void refused(const char *options, const char *needle)
{
    cr_assert_eq(program("run small.yaml --world board --quiet %s", options), 1, "%s", options);
    cr_assert_not_null(strstr(program_err(), needle), "%s: %s", options, program_err());
    cr_assert_not_null(strstr(program_err(), "accepted"), "%s: %s", options, program_err());
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1);
}

Test(rig_world_refuse, another_flash_than_the_board_has_gets_the_whole_line_to_write)
{
    static const struct {
        const char *set, *needle;
    } row[] = {
        {"--set flash.slot=256KiB", "flash.slot: 262144 bytes, and the board has 393216"},
        {"--set flash.data=128KiB", "flash.data"},
        {"--set flash.journal=32KiB", "flash.journal"},
        {"--set flash.bootloader=32KiB", "flash.bootloader"},
        {"--set flash.page=512", "flash.page"},
    };
    boards_small(1, "pump-2.4.0", "", "");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        refused(row[i].set, row[i].needle);
        cr_assert_not_null(strstr(program_err(), "boot_config: 2x4KiB, slot: 384KiB, data: 184KiB"),
                           "%s", program_err());
    }
}

Test(rig_world_refuse, faults_that_a_board_does_not_know)
{
    static const struct {
        const char *fault, *needle;
    } row[] = {
        {"  - {kind: flash_damage, how: stuck, region: config, at: 1m}\n", "flash_damage"},
        {"  - {kind: boot_failure, how: hang}\n", "boot_failure"},
        {"  - {kind: boot_failure}\n", "boot_failure"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        boards_small(1, "pump-2.4.0", "", row[i].fault);
        refused("", row[i].needle);
    }
}

Test(rig_world_refuse, behaviour_that_no_image_can_have)
{
    static const char *const key[] = {"hangs: 20%",        "health: {drivers: 50%}",
                                      "boot_fails: 1%",    "crash_per_day: 1%",
                                      "telemetry_gap: 1%", "energy: +1%",
                                      "memory_growth: 1%", "cpu: +1%",
                                      "data_migration: 1%"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        char behaviour[96], name[32];
        snprintf(behaviour, sizeof behaviour, ", behaviour: {%s}", key[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(key[i], ":"), key[i]);
        boards_small(1, "pump-2.4.0", behaviour, "");
        refused("", name);
    }
}

Test(rig_world_refuse, bytes_made_by_the_seed_are_no_firmware)
{
    char text[2048];
    snprintf(text, sizeof text,
             "scenario: small\nstart: 2026-11-01T10:00:00Z\n"
             "fleet:\n  - {group: pumps, count: 1, firmware: 2.3.1}\n"
             "flash: {boot_config: 2x4KiB, slot: 384KiB, data: 184KiB, journal: 64KiB}\n"
             "firmware:\n  2.3.1: {size: 64KiB}\n  2.4.0: {size: 64KiB}\n"
             "campaign: {to: 2.4.0}\n");
    program_write("small.yaml", text);
    refused("", "firmware 2.3.1");
    cr_assert_not_null(strstr(program_err(), "file:"), "%s", program_err());
}

Test(rig_world_refuse, times_that_do_not_fit)
{
    static const struct {
        const char *options, *needle;
    } row[] = {
        {"--set device.fault_free=1ms", "device.fault_free"},
        {"--set device.watchdog=2h", "device.watchdog"},
        {"--check-digest 00000000000000000000000000000000", "no digest"},
    };
    boards_small(1, "pump-2.4.0", "", "");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        refused(row[i].options, row[i].needle);
}

Test(rig_world_refuse, more_boards_than_the_cores_carry)
{
    boards_small(1, "pump-2.4.0", "", "");
    long most = sysconf(_SC_NPROCESSORS_ONLN) * rig_world_body.needs.per_core;
    cr_assert_eq(program("run small.yaml --world board --quiet --devices %ld", most + 1), 1);
    cr_assert_not_null(strstr(program_err(), "cores carry"), "%s", program_err());
    char fewer[64];
    snprintf(fewer, sizeof fewer, "run at most --devices %ld", most);
    cr_assert_not_null(strstr(program_err(), fewer), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
}

Test(rig_world_refuse, what_is_no_image)
{
    boards_small(1, "pump-2.4.0", "", "");
    cr_assert_eq(program("run small.yaml --world board --quiet --set "
                         "firmware.2.4.0.file=/dev/null"),
                 1);
    cr_assert_not_null(strstr(program_err(), "not a firmware image"), "%s", program_err());
}

Test(rig_world_refuse, a_missing_rom)
{
    boards_small(1, "pump-2.4.0", "", "");
    bench_no_agent(); /* brickyard alone */
    cr_assert_eq(program("run small.yaml --world board --quiet"), 1);
    cr_assert_not_null(strstr(program_err(), "board/rom.elf"), "%s", program_err());
    cr_assert_not_null(strstr(program_err(), "board_rom"), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
}
