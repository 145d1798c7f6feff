/* Boards' functions as frames on a relay board's wire, and as a driver sees them. */
#include "rig/wiring.h"
#include "kit.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct kit_line relay;
static struct rig_bench *bench;
static struct rig_wiring *wiring;

static const char text[] =
    "bench: b\n"
    "controllers: {r: {driver: lcus, device: relay, timeout: 5s, retries: 0}}\n"
    "boards:\n"
    "  - name: plain\n"
    "    power: {controller: r, channel: 1, off_at_least: 300ms}\n"
    "    reset: {controller: r, channel: 3, hold: 100ms}\n"
    "    straps: {one: {controller: r, channel: 4}, two: {controller: r, channel: 5}}\n"
    "  - name: turned\n"
    "    power: {controller: r, channel: 2, inverted: true, off_at_least: 300ms}\n"
    "    reset: {controller: r, channel: 6, inverted: true, hold: 100ms}\n"
    "  - name: bare\n";

static void wire(const struct rig_relay_driver *driver)
{
    char message[512];
    cr_assert(!rig_bench_parse(&bench, kit_path("desk.yaml"), text, strlen(text), message,
                               sizeof message),
              "%s", message);
    if (driver)
        bench->controller[0].driver = driver;
    cr_assert(!rig_wiring_open(&wiring, bench, NULL, message, sizeof message), "%s", message);
}

static void unwire(void)
{
    rig_wiring_close(wiring);
    if (bench)
        bench->controller[0].driver = rig_relay_driver("lcus"); /* whose settings those are */
    rig_bench_free(bench);
    kit_close();
}

static void open_relay(void)
{
    kit_open();
    kit_line_open(&relay, "relay");
    wire(NULL);
}

TestSuite(wiring, .init = open_relay, .fini = unwire);

static struct rig_answer ask(int board, enum rig_function function, uint32_t strap,
                             enum rig_want want)
{
    struct rig_answer answer;
    const struct rig_ask what = {.want = want};
    int error = rig_wiring_do(wiring, &answer, &bench->board[board], function, strap, &what);
    cr_assert_eq(error, answer.error);
    return answer;
}

Test(wiring, power_of_a_plain_contact)
{
    struct rig_answer answer = ask(0, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
    cr_assert(!answer.error && !answer.on && !answer.confirmed, "%s", answer.message);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x00, 0xA1));
    answer = ask(0, RIG_FUNCTION_POWER, 0, RIG_WANT_ON);
    cr_assert(!answer.error && answer.on && answer.cycles == 1);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x01, 0x01, 0xA2));
}

Test(wiring, power_of_an_inverted_contact_is_turned_over)
{
    struct rig_answer answer = ask(1, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
    cr_assert(!answer.error && !answer.on);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x01, 0xA3), "off closes it");
    answer = ask(1, RIG_FUNCTION_POWER, 0, RIG_WANT_ON);
    cr_assert(!answer.error && answer.on);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x02, 0x00, 0xA2), "on opens it");
}

Test(wiring, off_time_is_the_power_s_also_where_the_contact_is_inverted)
{
    for (int board = 0; board < 2; board++) {
        struct rig_answer off = ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
        struct rig_answer on = ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_ON);
        cr_assert_geq(on.sent_us - off.done_us, 300000);
        int64_t waited_us = INT64_MAX;
        for (int i = 0; i < 10 && waited_us >= 250000; i++) { /* a busy host may stop this test */
            off = ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
            waited_us = off.sent_us - on.done_us;
            on = ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_ON);
        }
        cr_assert_lt(waited_us, 250000, "nothing is waited for before an off");
    }
}

Test(wiring, an_ask_for_a_longer_off_time_is_kept)
{
    struct rig_answer answer;
    const struct rig_ask on = {.want = RIG_WANT_ON, .off_at_least_ms = 600};
    struct rig_answer off = ask(0, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
    cr_assert(!rig_wiring_do(wiring, &answer, &bench->board[0], RIG_FUNCTION_POWER, 0, &on));
    cr_assert_geq(answer.sent_us - off.done_us, 600000);
}

Test(wiring, reset_is_held_and_let_go)
{
    struct rig_answer answer;
    cr_assert(!rig_wiring_reset(wiring, &answer, &bench->board[0]), "%s", answer.message);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x01, 0xA4));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x03, 0x00, 0xA3));
    int64_t from_us = rig_port_now_us();
    cr_assert(!rig_wiring_reset(wiring, &answer, &bench->board[1]));
    cr_assert_geq(rig_port_now_us() - from_us, 100000);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x06, 0x00, 0xA6));
    cr_assert(kit_frame_is(&relay, 0xA0, 0x06, 0x01, 0xA7));
}

Test(wiring, each_strap_has_its_channel)
{
    ask(0, RIG_FUNCTION_STRAP, 1, RIG_WANT_ON);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x05, 0x01, 0xA6));
    ask(0, RIG_FUNCTION_STRAP, 0, RIG_WANT_ON);
    cr_assert(kit_frame_is(&relay, 0xA0, 0x04, 0x01, 0xA5));
    cr_assert_eq(ask(0, RIG_FUNCTION_STRAP, 2, RIG_WANT_ON).error, RIG_EUNSUPPORTED);
}

Test(wiring, a_line_that_the_board_has_not_is_told_and_nothing_is_sent)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    struct rig_answer answer = ask(2, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
    cr_assert_eq(answer.error, RIG_EUNSUPPORTED);
    cr_assert(strstr(answer.message, "bare has no power line; line 11"), "%s", answer.message);
    cr_assert_eq(rig_wiring_ask(wiring, &bench->board[2], RIG_FUNCTION_POWER, 0, &off),
                 RIG_EUNSUPPORTED);
    cr_assert(kit_line_is_silent(&relay, 100));
}

Test(wiring, an_unplugged_relay_is_told_with_board_and_controller)
{
    kit_line_unplug(&relay);
    struct rig_answer answer = ask(0, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF);
    cr_assert_eq(answer.error, RIG_EOPEN);
    cr_assert(strstr(answer.message, "plain: r channel 1: "), "%s", answer.message);
}

/* ---- A driver that reads back, and fails when it is told to ---- */

struct rig_relay {
    int dummy;
};
static struct rig_relay the_relay;
static bool closed[9];
static int fails; /* so many sets from now on */

static int fake_open(struct rig_relay **out, const struct rig_setting_value *value,
                     uint32_t timeout_ms, char *message, size_t len)
{
    (void)value;
    (void)timeout_ms;
    (void)message;
    (void)len;
    *out = &the_relay;
    return RIG_OK;
}

static void fake_close(struct rig_relay *r)
{
    (void)r;
}

static int fake_set(struct rig_relay *r, uint32_t channel, bool on, char *message, size_t len)
{
    (void)r;
    if (fails && fails--)
        return rig_port_say(RIG_ESILENT, message, len, "no answer");
    closed[channel] = on;
    return RIG_OK;
}

static int fake_get(struct rig_relay *r, bool *on, uint32_t channel, char *message, size_t len)
{
    (void)r;
    (void)message;
    (void)len;
    *on = closed[channel];
    return RIG_OK;
}

static const struct rig_setting no_settings[] = {{0}};
static const struct rig_relay_driver fake = {.name = "fake",
                                             .summary = "",
                                             .channel_first = 1,
                                             .channel_last = 8,
                                             .setting = no_settings,
                                             .open = fake_open,
                                             .close = fake_close,
                                             .set = fake_set,
                                             .get = fake_get};

static void open_fake(void)
{
    kit_open();
    wire(&fake);
}

TestSuite(wiring_read_back, .init = open_fake, .fini = unwire);

Test(wiring_read_back, what_is_read_is_the_board_s)
{
    closed[2] = true; /* inverted: no power */
    struct rig_answer answer = ask(1, RIG_FUNCTION_POWER, 0, RIG_WANT_READ);
    cr_assert(!answer.error && !answer.on && answer.confirmed);
    answer = ask(1, RIG_FUNCTION_POWER, 0, RIG_WANT_ON);
    cr_assert(!answer.error && answer.on && answer.confirmed && !closed[2]);
    answer = ask(1, RIG_FUNCTION_POWER, 0, RIG_WANT_READ);
    cr_assert(answer.on);
}

Test(wiring_read_back, failed_is_left_by_the_board_s_off_not_by_the_contact_s)
{
    for (int board = 0; board < 2; board++) {
        cr_assert(!ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF).error);
        fails = 1;
        cr_assert_eq(ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_ON).error, RIG_ESILENT);
        cr_assert_eq(ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_ON).error, RIG_EFAILED);
        cr_assert_eq(closed[board + 1], board == 1, "no power after all that");
        cr_assert(!ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_OFF).error);
        cr_assert(!ask(board, RIG_FUNCTION_POWER, 0, RIG_WANT_ON).error);
        cr_assert_eq(closed[board + 1], board == 0);
    }
}

/* ---- Through the loop ---- */

static void on_answer(void *ctx, const struct rig_answer *answer)
{
    *(struct rig_answer *)ctx = *answer;
    ev_break(EV_DEFAULT, EVBREAK_ALL);
}

Test(wiring_read_back, answers_come_by_the_loop)
{
    char message[512];
    struct rig_answer answer = {.error = 1};
    const struct rig_ask off = {.want = RIG_WANT_OFF, .answered = on_answer, .ctx = &answer};
    rig_wiring_close(wiring);
    cr_assert(!rig_wiring_open(&wiring, bench, EV_DEFAULT, message, sizeof message));
    cr_assert_eq(rig_wiring_ask(wiring, &bench->board[1], RIG_FUNCTION_POWER, 0, &off), RIG_OK);
    ev_run(EV_DEFAULT, 0);
    cr_assert(!answer.error && answer.channel == 2 && !answer.on && answer.confirmed && closed[2]);
    cr_assert_not_null(rig_wiring_controller(wiring, 0));
    cr_assert_not_null(rig_wiring_odometer(wiring));
}
