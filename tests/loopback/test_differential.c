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
    fprintf(stderr, "%s: %s (%s), and %s (%s)\n", value[0], value[1], value[2], value[3], value[4]);
    return 0;
}

static unsigned differences(const struct world_run *a, const struct world_run *b, const char * or)
{
    char query[512];
    unsigned different = 0;
    sqlite3 *db = open_both(a, b);
    snprintf(query, sizeof query,
             "SELECT v.id, v.outcome, v.version, l.outcome, l.version "
             "FROM main.device v JOIN other.device l USING (id) "
             "WHERE v.outcome <> l.outcome OR v.version <> l.version OR v.brick <> l.brick %s",
             or);
    cr_assert_eq(sqlite3_exec(db, query, count_row, &different, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    sqlite3_close(db);
    return different;
}

static void expect_same_verdict(const struct world_run *a, const struct world_run *b)
{
    cr_expect_eq(a->exit_code, b->exit_code, "%d and %d: %s", a->exit_code, b->exit_code, b->said);
    cr_assert(a->json && b->json, "%s%s", a->said, b->said);
    cr_expect_str_eq(json_string_value(json_object_get(a->json, "verdict")),
                     json_string_value(json_object_get(b->json, "verdict")));
}

static void expect_same_ends(const char *scenario)
{
    struct world_run simulated, real;
    world_run(&simulated, scenario, "virtual", "");
    world_run(&real, scenario, "loopback", "");
    expect_same_verdict(&simulated, &real);
    unsigned different = differences(&simulated, &real, "");
    cr_expect_eq(different, 0, "%u devices ended differently", different);
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

enum { FAULTS = 30 };

/* Of every sort that a worker carries out, or judges for its parent; each on a device of its own,
 * so that no fault's moment depends on another's. */
static char *faults_of_all_sorts(void)
{
    static const struct {
        unsigned devices;
        const char *fault;
    } row[] = {
        {1, "kind: corrupt_download, how: bit_flip"},
        {1, "kind: corrupt_download, how: truncated"},
        {1, "kind: corrupt_download, how: stale_file, times: 2"},
        {1, "kind: corrupt_download, how: http_403"},
        {1, "kind: corrupt_download, how: disconnect"},
        {12, "kind: power_loss, during: any, torn: any, off_for: 1s"},
        {5, "kind: message, how: duplicate, delay: 1s"},
        {4, "kind: message, how: late, delay: 1s"},
        {1, "kind: boot_failure, how: hard_fault"},
        {1, "kind: boot_failure, how: health_config"},
        {2, "kind: network_drop, during: downloading, how: reset, for: 1s"},
    };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    unsigned device = 0;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        for (unsigned k = 0; k < row[i].devices; k++)
            fprintf(out, "  - {%s, where: {device: %u}}\n", row[i].fault, device++);
    fclose(out);
    cr_assert_eq(device, FAULTS);
    return text;
}

static json_int_t fired(const struct world_run *run, size_t fault)
{
    const json_t *row = json_array_get(json_object_get(run->json, "faults"), fault);
    return json_integer_value(json_object_get(row, "fired"));
}

Test(differential, three_processes_end_as_one_and_as_in_virtual_time)
{
    struct world_run simulated, one, three;
    char *faults = faults_of_all_sorts(), *scenario = world_scenario(FAULTS, "", faults);
    world_run(&simulated, scenario, "virtual", "");
    world_run(&one, scenario, "loopback", "--jobs 1");
    world_run(&three, scenario, "loopback", "--jobs 3");
    expect_same_verdict(&simulated, &three);
    expect_same_verdict(&one, &three);
    cr_expect_eq(differences(&simulated, &three, ""), 0);
    cr_expect_eq(differences(&one, &three, "OR v.cuts <> l.cuts OR v.boots <> l.boots"), 0);
    cr_expect_eq(world_fact(&one, "processes"), 1);
    cr_expect_eq(world_fact(&three, "processes"), 4);
    for (size_t fault = 0; fault < FAULTS; fault++) {
        cr_expect_gt(fired(&three, fault), 0, "fault %zu", fault + 1);
        cr_expect_eq(fired(&one, fault), fired(&three, fault), "fault %zu", fault + 1);
    }
    world_run_free(&simulated);
    world_run_free(&one);
    world_run_free(&three);
    free(scenario);
    free(faults);
}
