/* What the report says of promises that nobody could look at. */
#include "desk.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct rep_result result;
static struct rig_aim aim;

static void make_result(void)
{
    rep_result_init(&result);
    result.promise = calloc(REP_PROMISES, sizeof *result.promise);
    result.promises = REP_PROMISES;
    for (uint32_t p = 0; p < REP_PROMISES; p++)
        result.promise[p].promise = (enum rep_promise)p;
}

static void set_up(void)
{
    desk_open();
    make_result();
}

static void tear_down(void)
{
    rep_result_free(&result);
    desk_close();
    rig_aim_free(&aim);
}

TestSuite(rig_site_report, .init = set_up, .fini = tear_down, .timeout = 300);

static const char *of(enum rep_promise promise)
{
    return result.promise[promise].first_what;
}

static void report(char *flash_file)
{
    ((struct rig_bench_board *)desk.place.board)->flash_file = flash_file;
    int error = rs_report(&desk.site, &result);
    ((struct rig_bench_board *)desk.place.board)->flash_file = NULL;
    cr_assert_eq(error, 0);
}

Test(rig_site_report, without_a_flash_that_can_be_read_what_ran_is_not_checked)
{
    report(NULL);
    cr_expect(strstr(of(REP_PROMISE_FLASH_DISCIPLINE), "no flash operation"));
    cr_expect_str_eq(of(REP_PROMISE_VERIFIED_CODE),
                     "the flash of 1 of 1 boards can't be read (no flash_file)");
    cr_expect_str_eq(of(REP_PROMISE_RUNNING_IMAGE), of(REP_PROMISE_VERIFIED_CODE));
    cr_expect_str_eq(of(REP_PROMISE_NO_BRICK), "", "that the console tells");
}

Test(rig_site_report, with_one_only_its_operations_are_not)
{
    char path[] = "flash.img";
    report(path);
    cr_expect(strstr(of(REP_PROMISE_FLASH_DISCIPLINE), "no flash operation"));
    cr_expect_str_eq(of(REP_PROMISE_VERIFIED_CODE), "");
    cr_expect_str_eq(of(REP_PROMISE_RUNNING_IMAGE), "");
}

Test(rig_site_report, what_was_seen_broken_stays_so)
{
    result.promise[REP_PROMISE_VERIFIED_CODE].broken = 1;
    strcpy(result.promise[REP_PROMISE_VERIFIED_CODE].first_what, "pumps-00001: slot A, which ran");
    report(NULL);
    cr_expect_str_eq(of(REP_PROMISE_VERIFIED_CODE), "pumps-00001: slot A, which ran");
}

/* ---- Cuts of the rig's own ---- */

TestSuite(rig_site_report_aimed, .init = make_result, .fini = tear_down, .timeout = 300);

static void aim_at(const char *text, uint32_t cuts)
{
    char message[256];
    cr_assert_eq(rig_aim_read(&aim, text, message, sizeof message), 0, "%s", message);
    desk_open_with(&aim, cuts);
}

static const char *fact(const char *name)
{
    for (uint32_t f = 0; f < result.facts; f++)
        if (!strcmp(result.fact[f].name, name))
            return result.fact[f].value;
    return "";
}

/* What a run is judged by: armed more often than fired is exit code 6. */
static void expect_fault(uint64_t scheduled, uint64_t armed, uint64_t fired)
{
    cr_assert_eq(result.faults, 1u);
    cr_expect_str_eq(result.fault[0].kind, "aimed_cut");
    cr_expect_eq(result.fault[0].number, 1u);
    cr_expect_eq(result.fault[0].scheduled, scheduled);
    cr_expect_eq(result.fault[0].armed, armed);
    cr_expect_eq(result.fault[0].fired, fired);
}

Test(rig_site_report_aimed, an_aim_that_never_struck_did_not_take_effect)
{
    aim_at("/a typing mistake/+5ms", 3);
    desk_boot();
    desk_dark();
    report(NULL);
    expect_fault(3, 3, 0);
    cr_expect_str_eq(fact("aimed cuts"), "none of 3: its expression matched no line of a console");
    cr_expect_str_eq(fact("aimed cuts missed"), "");
}

Test(rig_site_report_aimed, one_that_something_else_forestalled_is_told_so)
{
    aim_at("/go/+10s", 3);
    desk_boot();
    desk_says("go");
    desk_dark();
    report(NULL);
    expect_fault(3, 3, 0);
    cr_expect(strstr(fact("aimed cuts"), "none of 3: 1 were on their way"), "%s",
              fact("aimed cuts"));
}

/* The campaign was over before the others could come: no reason to fail. */
Test(rig_site_report_aimed, fewer_than_were_wanted_are_told_and_fail_nothing)
{
    aim_at("/go/+60ms", 3);
    desk_boot();
    desk_says("go");
    cr_assert(desk_until(&desk.darks, 1, 3000), "%s", desk.lost);
    report(NULL);
    expect_fault(3, 1, 1);
    cr_expect_eq(strncmp(fact("aimed cuts"), "1 of 3; ", 8), 0, "%s", fact("aimed cuts"));
}

Test(rig_site_report_aimed, lines_that_were_too_costly_to_look_through_are_told)
{
    aim_at("/(a+)+$/+5ms", 3);
    desk_boot();
    desk_says("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    desk_dark();
    report(NULL);
    expect_fault(3, 3, 0);
    cr_expect_eq(strncmp(fact("aimed cuts missed"), "1 lines", 7), 0, "%s",
                 fact("aimed cuts missed"));
}

Test(rig_site_report_aimed, without_an_aim_there_is_no_such_fault)
{
    desk_open();
    report(NULL);
    cr_expect_eq(result.faults, 0u);
    cr_expect_str_eq(fact("aimed cuts"), "");
}
