/*
 * One scenario in two worlds: the same verdict, and the same end for each device, where its faults
 * do not depend on timing. The virtual world is the model, real servers and sockets are the proof.
 */
#include "worlds.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *open_both(const struct world_run *a, const struct world_run *b)
{
    sqlite3 *db;
    char attach[160];
    cr_assert_eq(sqlite3_open(a->db, &db), SQLITE_OK);
    snprintf(attach, sizeof attach, "ATTACH '%s' AS other", b->db);
    cr_assert_eq(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    return db;
}

static int count_row(void *ctx, int columns, char **value, char **name)
{
    (void)columns;
    (void)name;
    ++*(unsigned *)ctx;
    fprintf(stderr, "%s: virtual %s (%s), loopback %s (%s)\n", value[0], value[1], value[2],
            value[3], value[4]);
    return 0;
}

static void expect_same_ends(const char *scenario)
{
    struct world_run simulated, real;
    unsigned different = 0;
    world_run(&simulated, scenario, "virtual", "");
    world_run(&real, scenario, "loopback", "");
    cr_expect_eq(simulated.exit_code, real.exit_code, "virtual %d, loopback %d: %s",
                 simulated.exit_code, real.exit_code, real.said);
    cr_assert(simulated.json && real.json, "%s%s", simulated.said, real.said);
    cr_expect_str_eq(json_string_value(json_object_get(simulated.json, "verdict")),
                     json_string_value(json_object_get(real.json, "verdict")));
    sqlite3 *db = open_both(&simulated, &real);
    cr_assert_eq(sqlite3_exec(db,
                              "SELECT v.id, v.outcome, v.version, l.outcome, l.version "
                              "FROM main.device v JOIN other.device l USING (id) "
                              "WHERE v.outcome <> l.outcome OR v.version <> l.version "
                              "OR v.brick <> l.brick",
                              count_row, &different, NULL),
                 SQLITE_OK);
    cr_expect_eq(different, 0, "%u devices ended differently", different);
    sqlite3_close(db);
    world_run_free(&simulated);
    world_run_free(&real);
}

Test(differential, every_corrupt_download_ends_the_same)
{
    char *scenario =
        world_scenario(44, "",
                       "  - {kind: corrupt_download, how: bit_flip, where: {device: 0}}\n"
                       "  - {kind: corrupt_download, how: truncated, where: {device: 1}}\n"
                       "  - {kind: corrupt_download, how: wrong_file, where: {device: 2}}\n"
                       "  - {kind: corrupt_download, how: stale_file, where: {device: 3}}\n"
                       "  - {kind: corrupt_download, how: wrong_length, where: {device: 4}}\n"
                       "  - {kind: corrupt_download, how: garbage, where: {device: 5}}\n"
                       "  - {kind: corrupt_download, how: http_403, where: {device: 6}}\n"
                       "  - {kind: corrupt_download, how: http_404, where: {device: 7}}\n"
                       "  - {kind: corrupt_download, how: http_500, where: {device: 8}}\n"
                       "  - {kind: corrupt_download, how: endless, where: {device: 9}}\n"
                       "  - {kind: corrupt_download, how: disconnect, where: {device: 10}}\n"
                       "  - {kind: corrupt_download, devices: 50%, times: 2}\n");
    expect_same_ends(scenario);
    free(scenario);
}

/* The edge has sent what it spoiled long before the power goes: the device has not seen it, and the
 * next answer is spoiled again. */
Test(differential, a_cut_before_the_spoiled_byte_spares_no_device)
{
    char *scenario =
        world_scenario(40, "",
                       "  - {kind: corrupt_download, how: bit_flip}\n"
                       "  - {kind: power_loss, during: flash_write, torn: prefix, off_for: 1s}\n");
    expect_same_ends(scenario);
    free(scenario);
}

Test(differential, every_cell_of_a_power_cut_ends_the_same)
{
    char *scenario =
        world_scenario(60, "",
                       "  - {kind: power_loss, during: any, torn: any, off_for: 1s}\n"
                       "  - {kind: power_loss, during: flash_write, torn: prefix, devices: 30%, "
                       "off_for: 1s}\n"
                       "  - {kind: power_loss, during: flash_erase, torn: random, devices: 30%, "
                       "off_for: 1s}\n");
    expect_same_ends(scenario);
    free(scenario);
}

Test(differential, every_failing_firmware_ends_the_same)
{
    char *scenario = world_scenario(
        40,
        "    behaviour: {boot_fails: 10%, health: {drivers: 10%, config: 10%, telemetry: 10%, "
        "hard_fault: 10%}}\n",
        "  - {kind: boot_failure, how: hard_fault, devices: 10%}\n"
        "  - {kind: boot_failure, how: health_config, devices: 10%}\n");
    expect_same_ends(scenario);
    free(scenario);
}
