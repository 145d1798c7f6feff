/* What the report says of promises that nobody could look at. */
#include "desk.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct rep_result result;

static void set_up(void)
{
    desk_open();
    rep_result_init(&result);
    result.promise = calloc(REP_PROMISES, sizeof *result.promise);
    result.promises = REP_PROMISES;
    for (uint32_t p = 0; p < REP_PROMISES; p++)
        result.promise[p].promise = (enum rep_promise)p;
}

static void tear_down(void)
{
    rep_result_free(&result);
    desk_close();
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
