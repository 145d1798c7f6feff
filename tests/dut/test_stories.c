/* Brickyard's own device behind sim/dut.h, in sessions that nothing disturbs. */
#include "host.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PAGE = 256, BYTES = 16384 };

static struct host host;
static struct host_image v1, v2, v3, stranger;

static void set_up_variant(uint32_t variant, uint32_t page_bytes)
{
    host_init(&host, variant, page_bytes);
    host_image(&host, &v1, "1.9.0", BYTES, HOST_KEY_GOOD);
    host_image(&host, &v2, "1.10.0", BYTES - 100, HOST_KEY_GOOD);
    host_image(&host, &v3, "1.11.0", 9000, HOST_KEY_OTHER);
    host_image(&host, &stranger, "1.12.0", BYTES, HOST_KEY_STRANGER);
    host_factory(&host, &v1);
}

static void tear_down(void)
{
    host_image_free(&v1);
    host_image_free(&v2);
    host_image_free(&v3);
    host_image_free(&stranger);
    host_free(&host);
}

static void set_up(void)
{
    set_up_variant(0, PAGE);
}

TestSuite(dut_own, .init = set_up, .fini = tear_down);

/* What the device says last, and what runs after a further power cycle. */
static void expect(const char *outcome, const char *version)
{
    cr_expect_str_eq(host_outcome(&host, 0), outcome);
    host_run(&host);
    cr_expect_not(host.boot.trial);
    cr_expect_str_eq(host.running, version);
}

Test(dut_own, the_factory_image_boots_confirmed_and_writes_nothing)
{
    uint32_t writes = host.writes;
    expect("", "1.9.0");
    cr_expect_eq(host.writes, writes);
    cr_expect_eq(host.boot.watchdog_s, 120);
    cr_expect_eq(host.boot.image_addr, host.unit.layout.slot_addr[0]);
}

Test(dut_own, a_good_update_is_confirmed_and_reported)
{
    host_update(&host, &v2);
    const struct host_report *last = &host.report[host.reports - 1];
    cr_expect_str_eq(last->firmware_id, "fw-1.10.0");
    cr_expect_str_eq(last->version, "1.10.0");
    cr_expect_eq(last->status, DUT_SAYS_CONFIRMED);
    expect("confirmed", "1.10.0");
    cr_expect_arr_eq(host.flash + host.boot.image_addr, v2.dut.bytes, v2.dut.len);
}

Test(dut_own, updates_follow_each_other)
{
    host_update(&host, &v2);
    host_update(&host, &v3);
    expect("confirmed", "1.11.0");
    host_update(&host, &v1);
    expect("refused version", "1.11.0");
}

Test(dut_own, each_check_that_fails_ends_rolled_back)
{
    static const char *const said[DUT_CHECKS] = {
        "rolled_back health_mqtt", "rolled_back health_drivers", "rolled_back health_config",
        "rolled_back health_telemetry", "rolled_back health_hard_fault"};
    for (int check = 0; check < DUT_CHECKS; check++) {
        tear_down();
        set_up();
        strcpy(host.bad_version, "1.10.0");
        host.fails[check] = true;
        host_update(&host, &v2);
        expect(said[check], "1.9.0");
        host_update(&host, &v2);
        expect("refused rolled_back_before", "1.9.0");
        host_update(&host, &v3);
        expect("confirmed", "1.11.0");
    }
}

Test(dut_own, an_image_by_a_stranger_is_refused)
{
    host_update(&host, &stranger);
    expect("verify_failed signature", "1.9.0");
    host_update(&host, &v2);
    expect("confirmed", "1.10.0");
}

Test(dut_own, a_key_that_is_not_trusted_is_refused)
{
    host.unit.keys = 1;
    host_update(&host, &v3);
    expect("refused key", "1.9.0");
}

Test(dut_own, an_ordered_rollback_goes_back_and_a_further_update_works)
{
    host_update(&host, &v2);
    host_rollback(&host);
    expect("rolled_back operator", "1.9.0");
    host_update(&host, &v3);
    expect("confirmed", "1.11.0");
}

Test(dut_own, a_rollback_without_a_fallback_is_refused)
{
    host_rollback(&host);
    expect("refused operator", "1.9.0");
}

Test(dut_own, an_offer_that_stays_does_not_keep_the_device_busy)
{
    host.offered = &v2;
    strcpy(v2.firmware_id, "fw-other"); /* so that the service never hears of it */
    host_run(&host);
    expect("confirmed", "1.10.0");
    cr_expect_lt(host.offers, 40);
}

/* Of a config record or of a journal bank: both have it behind the magic. */
static uint32_t sequence_at(uint32_t addr)
{
    const uint8_t *at = host.flash + addr + 4;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

Test(dut_own, sequences_wrap_within_one_update)
{
    tear_down();
    set_up_variant(1, PAGE);
    cr_assert_str_eq(host.dut->variant[1], "sequences about to wrap");
    const struct dut_layout *at = &host.unit.layout;
    cr_expect_eq(sequence_at(at->config_addr), 0xFFFFFFFE);
    cr_expect_eq(sequence_at(at->data_addr), 0xFFFFFFFE);
    host_update(&host, &v2);
    cr_expect_lt(sequence_at(at->config_addr), 16);
    expect("confirmed", "1.10.0");
    host_rollback(&host);
    expect("rolled_back operator", "1.9.0");
    for (int i = 0; i < 40; i++) /* the journal comes past its wrap too */
        host_update(&host, i % 2 ? &v1 : &stranger);
    expect("confirmed", "1.9.0");
    cr_expect_lt(sequence_at(at->data_addr), 64);
    cr_expect_lt(sequence_at(at->data_addr + at->journal_bytes / 2), 64);
}

Test(dut_own, every_page_size_that_fits_works)
{
    static const uint32_t page[] = {16, 64, 512, 1024};
    for (uint32_t i = 0; i < sizeof page / sizeof page[0]; i++) {
        tear_down();
        set_up_variant(i % 2, page[i]);
        host_update(&host, &v2);
        host_rollback(&host);
        host_update(&host, &v3);
        expect("confirmed", "1.11.0");
    }
}

Test(dut_own, a_layout_that_breaks_the_rules_is_refused)
{
    host.unit.layout.page_bytes = 2048;
    cr_expect(strstr(host.dut->refuses(&host.unit), "page"));
    host.unit.layout.page_bytes = PAGE;
    host.unit.keys = 0;
    cr_expect(strstr(host.dut->refuses(&host.unit), "keys"));
    host.unit.keys = 1;
    host.unit.trial_boots = 16;
    cr_expect(strstr(host.dut->refuses(&host.unit), "trial boots"));
    host.unit.trial_boots = 15;
    cr_expect_null(host.dut->refuses(&host.unit));
}
