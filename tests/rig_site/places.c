/* Which device gets which board. */
#include "kit.h"
#include "site_internal.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct rig_site site;
static struct rig_bench *bench;
static struct sim_world world;
static struct scn scn;
static struct sim_unit unit[3];
static char message[1024];

enum lacks { NOTHING, LINE, FLASH };

/* Each board: device type, revision ("": any). */
static void boards(const char *const of[][2], unsigned count, enum lacks lacks)
{
    char text[4096], what[160], line[48];
    snprintf(text, sizeof text,
             "bench: desk\ncontrollers:\n  bank-1: {driver: lcus, device: relay}\nboards:\n");
    for (unsigned i = 0; i < count; i++) {
        size_t len = strlen(text);
        const char *type = of[i][0], *revision = of[i][1];
        snprintf(what, sizeof what, "%s%s%s%s%s%s", *type ? "    device_type: " : "", type,
                 *type ? "\n" : "", *revision ? "    hw_revision: " : "", revision,
                 *revision ? "\n" : "");
        snprintf(line, sizeof line, "    line: {serial: l%u}\n", i + 1);
        snprintf(text + len, sizeof text - len,
                 "  - name: b%u\n%s    console: {serial: c%u}\n"
                 "    power: {controller: bank-1, channel: %u}\n%s%s",
                 i + 1, what, i + 1, i + 1, lacks == LINE ? "" : line,
                 lacks == FLASH ? "" : "    flash: [cp, \"{image}\", b]\n");
    }
    kit_write("bench.yaml", text);
    cr_assert_eq(rig_bench_read(&bench, kit_path("bench.yaml"), message, sizeof message), 0, "%s",
                 message);
    site.config = (struct rig_site_config){.bench = bench, .what_for = "a test"};
}

static void device(unsigned number, const char *revision)
{
    snprintf(unit[number].id, sizeof unit[number].id, "d%u", number + 1);
    unit[number].hw_revision = revision;
    world.roster.unit = unit;
    world.roster.count = number + 1;
}

static void setup(void)
{
    kit_open();
    memset(&site, 0, sizeof site);
    memset(&world, 0, sizeof world);
    memset(unit, 0, sizeof unit);
    memset(&scn, 0, sizeof scn);
    snprintf(scn.path, sizeof scn.path, "s.yaml");
    snprintf(scn.group[0].device_type, sizeof scn.group[0].device_type, "pump");
    scn.groups = 1;
    world.scn = &scn;
}

static void teardown(void)
{
    rs_places_release(&site);
    rig_bench_free(bench);
    kit_close();
}

TestSuite(rig_site_places, .init = setup, .fini = teardown);

static const char *board_of(unsigned device_number)
{
    return site.place[device_number].board->name;
}

Test(rig_site_places, each_device_gets_the_first_board_that_fits)
{
    static const char *const of[][2] = {{"valve", ""}, {"pump", "Rev-C"}, {"pump", "Rev-B"}};
    boards(of, 3, NOTHING);
    device(0, "Rev-B");
    device(1, "Rev-C");
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), 0, "%s", message);
    cr_assert_str_eq(board_of(0), "b3");
    cr_assert_str_eq(board_of(1), "b2");
}

Test(rig_site_places, none_takes_the_only_board_of_another)
{
    static const char *const of[][2] = {{"", ""}, {"", "Rev-C"}};
    boards(of, 2, NOTHING);
    device(0, "Rev-C"); /* both fit */
    device(1, "Rev-B"); /* the first alone */
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), 0, "%s", message);
    cr_assert_str_eq(board_of(0), "b2");
    cr_assert_str_eq(board_of(1), "b1");
}

Test(rig_site_places, too_few_boards_are_told_with_what_to_do)
{
    static const char *const of[][2] = {{"", "Rev-B"}, {"", "Rev-C"}};
    boards(of, 2, NOTHING);
    device(0, "Rev-B");
    device(1, "Rev-B");
    cr_expect_eq(rs_places_fit(bench, &world, message, sizeof message), -1);
    cr_expect(strstr(message, "no board of"), "%s", message);
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), -1);
    cr_assert(strstr(message, "no board of") && strstr(message, "d2") && strstr(message, "Rev-B") &&
                  strstr(message, "--devices"),
              "%s", message);
    for (unsigned i = 0; i < 2; i++) {
        char owner[200];
        rig_lock_owner(bench, &bench->board[i], owner, sizeof owner);
        cr_assert_str_eq(owner, "", "nothing is locked");
    }
}

Test(rig_site_places, a_board_that_somebody_uses_is_told_with_who)
{
    static const char *const of[][2] = {{"", ""}, {"", ""}};
    struct rig_lock *lock;
    boards(of, 2, NOTHING);
    cr_assert_eq(
        rig_lock_take(&lock, bench, &bench->board[1], "a burn-in", message, sizeof message), 0);
    device(0, "Rev-B");
    device(1, "Rev-B");
    cr_expect_eq(rs_places_fit(bench, &world, message, sizeof message), 0, "it is not asked for");
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), -1);
    cr_assert(strstr(message, "b2") && strstr(message, "a burn-in"), "%s", message);
    rig_lock_release(lock);
}

Test(rig_site_places, a_board_without_a_line_is_told_with_where)
{
    static const char *const of[][2] = {{"", ""}};
    boards(of, 1, LINE);
    device(0, "Rev-B");
    cr_expect_eq(rs_places_fit(bench, &world, message, sizeof message), -1);
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), -1);
    cr_assert(strstr(message, "bench.yaml:5: board b1: a campaign also needs line:"), "%s",
              message);
}

Test(rig_site_places, a_board_that_can_not_be_flashed_is_told)
{
    static const char *const of[][2] = {{"", ""}};
    boards(of, 1, FLASH);
    device(0, "Rev-B");
    cr_assert_eq(rs_places_take(&site, &world, message, sizeof message), -1);
    cr_assert(strstr(message, "also needs flash:"), "%s", message);
}
