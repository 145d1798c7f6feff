/* Brickyard's own device behind sim/dut.h, in sessions that nothing disturbs. */
#include "host.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PAGE = 256, BYTES = 16384 };

static struct host host;
static struct host_image v1, v2, v3, stranger;

static void set_up(void)
{
    host_init(&host, 0, PAGE);
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

TestSuite(dut_own, .init = set_up, .fini = tear_down);

Test(dut_own, the_factory_image_boots_confirmed_and_is_idle)
{
    host_run(&host);
    cr_assert_str_eq(host.running, "1.9.0");
    cr_assert_not(host.boot.trial);
    cr_assert_eq(host.boot.watchdog_s, 120);
    cr_assert_eq(host.boots, 1);
}

Test(dut_own, a_good_update_ends_confirmed_and_is_reported)
{
    host_update(&host, &v2);
    cr_assert_str_eq(host_outcome(&host, 0), "confirmed");
    cr_assert_str_eq(host.running, "1.10.0");
    cr_assert_eq(host.boot.slot, 1);
    host_run(&host);
    cr_assert_not(host.boot.trial);
    cr_assert_str_eq(host.running, "1.10.0");
}
