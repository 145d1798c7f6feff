/* A real driver: an LCUS board on a pty, which is pulled and plugged in elsewhere. Bytes are the
 * vendor's literals. */
#include "bench.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], device[96];
static int board = -1;

static void plug_in(void)
{
    board = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(board >= 0 && !grantpt(board) && !unlockpt(board));
    unlink(device);
    cr_assert_eq(symlink(ptsname(board), device), 0);
}

static void pull(void)
{
    close(board);
    board = -1;
}

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/lcus.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(device, sizeof device, "%s/relay", folder);
    plug_in();
}

static void teardown(void)
{
    if (board >= 0)
        close(board);
    unlink(device);
    rmdir(folder);
}

/* The next four bytes that the board hears. */
static void expect(const char *bytes)
{
    char heard[4];
    for (size_t got = 0; got < sizeof heard;) {
        cr_assert_eq(poll(&(struct pollfd){.fd = board, .events = POLLIN}, 1, 60000), 1);
        ssize_t n = read(board, heard + got, sizeof heard - got);
        cr_assert_gt(n, 0);
        got += (size_t)n;
    }
    cr_assert_eq(memcmp(heard, bytes, sizeof heard), 0);
}

static struct rig_setting_value *value;

static struct rig_controller *open_lcus(void)
{
    static struct rig_controller_config config;
    struct rig_controller *controller;
    char message[200];
    config = (struct rig_controller_config){
        .name = "bank-1", .driver = rig_relay_driver("lcus"), .timeout_ms = 500, .retries = 1};
    cr_assert_eq(rig_setting_values(&value, config.driver->setting,
                                    (const char *const[]){"device", device, NULL}, message,
                                    sizeof message),
                 RIG_OK, "%s", message);
    config.value = value;
    cr_assert_eq(rig_controller_open(&controller, &config), RIG_OK);
    return controller;
}

static void close_lcus(struct rig_controller *controller)
{
    rig_controller_close(controller);
    rig_setting_free(value, rig_relay_driver("lcus")->setting);
}

static int want(struct rig_controller *controller, enum rig_want what)
{
    struct rig_answer answer;
    return rig_controller_do(controller, &answer, &(struct rig_ask){.want = what, .channel = 1});
}

TestSuite(rig_controller_pty, .init = setup, .fini = teardown);

Test(rig_controller_pty, pulled_is_failed_until_it_was_switched_off_at_its_new_place)
{
    struct rig_controller *controller = open_lcus();
    cr_assert_eq(want(controller, RIG_WANT_ON), RIG_OK);
    expect("\xA0\x01\x01\xA2");
    cr_assert_eq(want(controller, RIG_WANT_READ), RIG_EUNSUPPORTED);
    pull();
    cr_assert_eq(want(controller, RIG_WANT_OFF), RIG_EOPEN, "gone, then not to be opened");
    plug_in();
    cr_assert_eq(want(controller, RIG_WANT_ON), RIG_EFAILED);
    cr_assert_eq(want(controller, RIG_WANT_OFF), RIG_OK);
    expect("\xA0\x01\x00\xA1");
    cr_assert_eq(want(controller, RIG_WANT_ON), RIG_OK);
    expect("\xA0\x01\x01\xA2");
    close_lcus(controller);
}

Test(rig_controller_pty, plugged_in_elsewhere_is_found_by_the_next_try)
{
    struct rig_answer answer;
    struct rig_controller *controller = open_lcus();
    cr_assert_eq(want(controller, RIG_WANT_OFF), RIG_OK);
    pull();
    plug_in();
    cr_assert_eq(rig_controller_do(controller, &answer,
                                   &(struct rig_ask){.want = RIG_WANT_ON, .channel = 1}),
                 RIG_OK);
    cr_assert_eq(answer.tries, 2);
    expect("\xA0\x01\x01\xA2");
    close_lcus(controller);
}
