/* Devantech Ethernet boards, from the manual of the ETH008 ("TCP access and commands"). */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <string.h>

/* The board: every command is one segment. */
static struct board {
    uint8_t id, outputs[3], last_grains;
    const char *password;           /* NULL: none is set */
    bool unlocked;                  /* for one command, as after 30 s of silence */
    int silent_at, close_at, taken; /* the n-th command has no answer, an end instead of one */
    uint8_t junk;                   /* instead of 00 */
} board;
static uint8_t said[8];

static size_t obey(const uint8_t *in, size_t len)
{
    unsigned relays = board.id == 21 ? 20 : 8;
    if (len == 1 && in[0] == 0x10) {
        memcpy(said, (uint8_t[]){board.id, 3, 7}, 3);
        return 3;
    }
    if (len == 1 && in[0] == 0x24) {
        memcpy(said, board.outputs, board.id == 21 ? 3 : 1);
        return board.id == 21 ? 3 : 1;
    }
    if (len > 1 && in[0] == 0x79) {
        board.unlocked = board.password && len - 1 == strlen(board.password) &&
                         !memcmp(in + 1, board.password, len - 1);
        said[0] = board.unlocked ? 1 : 2;
        return 1;
    }
    bool sets = len == 3 && (in[0] == 0x20 || in[0] == 0x21) && in[1] >= 1 && in[1] <= relays;
    said[0] = board.junk;
    if (!sets || (board.password && !board.unlocked)) {
        said[0] = 1;
        return 1;
    }
    board.unlocked = false;
    board.last_grains = in[2];
    uint8_t *byte = &board.outputs[(in[1] - 1) / 8], bit = (uint8_t)(1 << (in[1] - 1) % 8);
    *byte = (uint8_t)(in[0] == 0x20 ? *byte | bit : *byte & ~bit);
    return 1;
}

static void device(void *ctx, struct net_reply *reply, const uint8_t *in, size_t len)
{
    (void)ctx;
    board.taken++;
    reply->bytes = said;
    reply->len = obey(in, len);
    if (board.taken == board.silent_at || board.taken == board.close_at)
        reply->len = 0;
    reply->close = board.taken == board.close_at;
}

static void start(uint8_t id)
{
    board.id = id;
    net_start(NET_TCP, device, NULL);
}

static struct rig_relay *opened_for(uint32_t timeout_ms)
{
    return net_open(&rig_relay_devantech_eth,
                    (const char *[]){"host", "127.0.0.1", "port", net_server.port, NULL},
                    timeout_ms);
}

static struct rig_relay *opened(void)
{
    return opened_for(NET_PATIENT_MS);
}

static bool took(int at, const char *bytes, size_t len)
{
    return at < net_server.taken_n && net_server.taken[at].len == len &&
           !memcmp(net_server.taken[at].bytes, bytes, len);
}

Test(net_devantech, commands_are_the_manuals_bytes_one_segment_each)
{
    start(19);
    struct rig_relay *relay = opened();
    const struct rig_relay_driver *driver = &rig_relay_devantech_eth;
    bool on = false;
    cr_expect_eq(driver->set(relay, 3, true, NET_SAID), 0);
    cr_expect_eq(driver->get(relay, &on, 3, NET_SAID), 0);
    cr_expect(on);
    cr_expect_eq(driver->pulse(relay, 3, true, 5000, NET_SAID), 0);
    cr_expect_eq(driver->set(relay, 3, false, NET_SAID), 0);
    cr_expect_eq(driver->get(relay, &on, 3, NET_SAID), 0);
    cr_expect_not(on);
    cr_expect(took(0, "\x10", 1));
    cr_expect(took(1, "\x20\x03\x00", 3));
    cr_expect(took(2, "\x24", 1));
    cr_expect(took(3, "\x20\x03\x32", 3), "the manual's example: 5 seconds are 50");
    cr_expect(took(4, "\x21\x03\x00", 3));
    cr_expect(took(5, "\x24", 1));
    cr_expect_eq(net_server.taken_n, 6);
    driver->close(relay);
}

Test(net_devantech, a_pulse_is_rounded_up_and_never_for_good)
{
    static const struct {
        uint32_t ms;
        uint8_t grains;
    } rows[] = {{0, 1}, {1, 1}, {100, 1}, {101, 2}, {25500, 255}};
    start(19);
    struct rig_relay *relay = opened();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(rig_relay_devantech_eth.pulse(relay, 1, false, rows[i].ms, NET_SAID), 0);
        cr_expect_eq(board.last_grains, rows[i].grains);
    }
    int before = net_server.taken_n;
    cr_expect_eq(rig_relay_devantech_eth.pulse(relay, 1, false, 25501, NET_SAID), RIG_EUNSUPPORTED);
    cr_expect_eq(net_server.taken_n, before, "nothing was sent");
    rig_relay_devantech_eth.close(relay);
}

Test(net_devantech, twenty_relays_are_three_bytes)
{
    start(21);
    struct rig_relay *relay = opened();
    bool on;
    for (uint32_t at = 1; at <= 20; at++) {
        cr_expect_eq(rig_relay_devantech_eth.set(relay, at, true, NET_SAID), 0);
        for (uint32_t other = 1; other <= 20; other++) {
            cr_assert_eq(rig_relay_devantech_eth.get(relay, &on, other, NET_SAID), 0);
            cr_assert_eq(on, other == at);
        }
        cr_expect_eq(rig_relay_devantech_eth.set(relay, at, false, NET_SAID), 0);
        net_server.taken_n = 0;
    }
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 21, true, NET_SAID), RIG_EUNSUPPORTED);
    rig_relay_devantech_eth.close(relay);
}

static int with_password(struct rig_relay **out, const char *password)
{
    return net_try(out, &rig_relay_devantech_eth,
                   (const char *[]){"host", "127.0.0.1", "port", net_server.port, "password",
                                    net_secret(password), NULL},
                   NET_PATIENT_MS);
}

Test(net_devantech, password_is_entered_before_each_command_that_switches)
{
    board.password = "apple";
    start(19);
    struct rig_relay *relay;
    cr_assert_eq(with_password(&relay, "apple"), 0);
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 1, true, NET_SAID), 0);
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 1, false, NET_SAID), 0, "%s", net_message);
    cr_expect(took(2, "\x79\x61\x70\x70\x6C\x65", 6), "the manual's example");
    cr_expect(took(3, "\x20\x01\x00", 3));
    cr_expect(took(4, "\x79\x61\x70\x70\x6C\x65", 6));
    rig_relay_devantech_eth.close(relay);
}

Test(net_devantech, wrong_password_is_refused_and_never_said)
{
    board.password = "apple";
    start(19);
    struct rig_relay *relay;
    cr_expect_eq(with_password(&relay, "secret-pear"), RIG_EREFUSED);
    cr_expect(strstr(net_message, "password is wrong") != NULL, "%s", net_message);
    cr_expect(strstr(net_message, "pear") == NULL);
    relay = opened();
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 1, true, NET_SAID), RIG_EREFUSED);
    cr_expect(strstr(net_message, "may want a password") != NULL, "%s", net_message);
    rig_relay_devantech_eth.close(relay);
}

Test(net_devantech, no_answer_then_no_late_answer_is_taken)
{
    start(19);
    board.silent_at = 2;
    struct rig_relay *relay = opened_for(NET_SHORT_MS);
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 2, true, NET_SAID), RIG_ESILENT);
    cr_expect(strstr(net_message, "no answer to 20 02 00 within 2000 ms") != NULL, "%s",
              net_message);
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 2, false, NET_SAID), RIG_EGONE);
    cr_expect_eq(net_server.taken_n, 2, "it is to be opened anew");
    rig_relay_devantech_eth.close(relay);
    relay = opened();
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 2, false, NET_SAID), 0);
    rig_relay_devantech_eth.close(relay);
}

Test(net_devantech, closed_in_the_middle_or_an_odd_byte)
{
    start(19);
    board.close_at = 2;
    struct rig_relay *relay = opened();
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 2, true, NET_SAID), RIG_EGONE);
    rig_relay_devantech_eth.close(relay);
    relay = opened();
    board.junk = 0x55;
    cr_expect_eq(rig_relay_devantech_eth.set(relay, 2, true, NET_SAID), RIG_EANSWER);
    cr_expect(strstr(net_message, "55") != NULL, "%s", net_message);
    rig_relay_devantech_eth.close(relay);
}

Test(net_devantech, sixth_user_is_told_that_it_is_busy)
{
    start(19);
    net_server.connections_max = 5;
    struct rig_relay *five[5], *sixth = NULL;
    for (int i = 0; i < 5; i++)
        five[i] = opened();
    const char *pairs[] = {"host", "127.0.0.1", "port", net_server.port, NULL};
    cr_expect_eq(net_try(&sixth, &rig_relay_devantech_eth, pairs, NET_PATIENT_MS), RIG_EBUSY);
    cr_expect_eq(sixth, NULL);
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(rig_relay_devantech_eth.set(five[i], 1, i % 2, NET_SAID), 0);
        rig_relay_devantech_eth.close(five[i]);
    }
}

Test(net_devantech, unknown_module_wants_to_be_told_its_relays)
{
    start(99);
    struct rig_relay *relay;
    const char *pairs[] = {"host", "127.0.0.1", "port", net_server.port, "channels", "8", NULL};
    cr_expect_eq(net_try(&relay, &rig_relay_devantech_eth, pairs + 0, NET_PATIENT_MS), RIG_OK);
    rig_relay_devantech_eth.close(relay);
    pairs[4] = NULL;
    cr_expect_eq(net_try(&relay, &rig_relay_devantech_eth, pairs, NET_PATIENT_MS), RIG_EANSWER);
    cr_expect(strstr(net_message, "99") != NULL, "%s", net_message);
}

Test(net_devantech, nobody_listens)
{
    struct rig_relay *relay;
    const char *pairs[] = {"host", "127.0.0.1", "port", net_nobody(), NULL};
    cr_expect_eq(net_try(&relay, &rig_relay_devantech_eth, pairs, NET_PATIENT_MS), RIG_EOPEN);
    cr_expect(strstr(net_message, pairs[3]) != NULL, "%s", net_message);
}
