/* Every fault of the control socket shows its effect; every other line is an error and no more. */
#include "daemon_kit/control.h"
#include "desk.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char ON[] = "\xA0\x01\x01\xA2", OFF[] = "\xA0\x01\x00\xA1";

static struct desk desk;
static struct desk_heard heard;
static int relay;

/* One board, with the load generator; its contact moves within 2 ms. */
static void set_up(void)
{
    const char *const options[] = {"--boards",  "1",        "--rom", desk_load(),
                                   "--contact", "1ms..2ms", NULL};
    desk_folder(&desk);
    desk_start(&desk, options);
    relay = desk_port(&desk, "relay-1");
}

static void tear_down(void)
{
    close(relay);
    desk_close(&desk);
}

TestSuite(rig_emulator_faults, .timeout = 300, .init = set_up, .fini = tear_down);

static void sent_and_nothing(const char *frame)
{
    int64_t before = desk_fact(&desk, 1, "on");
    desk_send(relay, frame, 4);
    desk_pass(40);
    cr_assert_eq(desk_fact(&desk, 1, "on"), before);
}

Test(rig_emulator_faults, a_silent_relay_does_nothing_more_until_healed)
{
    desk_order(&desk, "silent relay-1");
    sent_and_nothing(ON);
    desk_order(&desk, "heal");
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 0, "what it did not hear is not made up for");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
}

Test(rig_emulator_faults, a_stuck_contact_stays_and_follows_its_coil_when_healed)
{
    desk_order(&desk, "stick relay-1 1");
    sent_and_nothing(ON);
    desk_order(&desk, "heal");
    desk_wait_fact(&desk, 1, "on", 1);
    desk_order(&desk, "stick relay-1 1");
    sent_and_nothing(OFF);
    desk_order(&desk, "heal");
    desk_wait_fact(&desk, 1, "on", 0);
}

Test(rig_emulator_faults, a_welded_contact_closes_and_never_opens)
{
    desk_order(&desk, "weld relay-1 1");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    sent_and_nothing(OFF);
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), 0);
    desk_order(&desk, "heal");
    desk_wait_fact(&desk, 1, "on", 0);
}

Test(rig_emulator_faults, a_bouncing_contact_is_several_power_ons_once)
{
    desk_order(&desk, "bounce relay-1 1 3");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "power_ons", 4);
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), 3);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 1);
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "power_ons"), 5);
    cr_assert_eq(desk_fact(&desk, 1, "error"), 0);
}

static bool hung_up(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 60000) == 1 && wait.revents & POLLHUP;
}

Test(rig_emulator_faults, an_unplugged_relay_hangs_up_and_comes_back_under_its_name)
{
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    desk_order(&desk, "unplug relay-1");
    cr_assert(hung_up(relay));
    cr_assert_lt(access(desk_path(&desk, "relay-1"), F_OK), 0);
    desk_order(&desk, "unplug relay-1");
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 1, "its coils have their supply");
    desk_order(&desk, "plug relay-1");
    desk_order(&desk, "plug relay-1");
    close(relay);
    relay = desk_port(&desk, "relay-1");
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
}

Test(rig_emulator_faults, a_relay_without_supply_lets_go)
{
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    desk_order(&desk, "unplug relay-1 dead");
    desk_wait_fact(&desk, 1, "on", 0);
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), 1);
    desk_order(&desk, "plug relay-1");
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 0, "at power up all contacts are open");
}

/* Half a frame before the plug was pulled, and the other half after: no frame. */
Test(rig_emulator_faults, half_a_frame_does_not_outlive_the_plug)
{
    desk_send(relay, ON, 3);
    desk_pass(20);
    desk_order(&desk, "unplug relay-1");
    desk_order(&desk, "plug relay-1");
    close(relay);
    relay = desk_port(&desk, "relay-1");
    desk_send(relay, ON + 3, 1);
    desk_pass(30);
    cr_assert_eq(desk_fact(&desk, 1, "on"), 0);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
}

static bool has_hung_up(int fd)
{
    struct pollfd on = {.fd = fd, .events = POLLIN};
    return poll(&on, 1, 60000) == 1 && (on.revents & POLLHUP);
}

Test(rig_emulator_faults, a_killed_qemu_is_no_cut_and_comes_back_with_the_next_power_on)
{
    cr_assert_str_eq(desk_ask(&desk, "kill board-01"), "error: it is off");
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    pid_t pid = (pid_t)desk_fact(&desk, 1, "pid");
    int console = desk_port(&desk, "board-01.console"), line = desk_port(&desk, "board-01.line");
    desk_order(&desk, "kill board-01");
    desk_wait_fact(&desk, 1, "on", 0);
    cr_assert_not(desk_lives(pid));
    cr_assert_eq(desk_fact(&desk, 1, "ends"), 1);
    cr_assert_eq(desk_fact(&desk, 1, "closed"), 1);
    cr_assert(has_hung_up(console) && has_hung_up(line), "nobody takes it for a silent board");
    cr_assert(access(desk_path(&desk, "board-01.console"), F_OK));
    cr_assert(access(desk_path(&desk, "board-01.line"), F_OK));
    close(console);
    close(line);
    sent_and_nothing(ON); /* the contact is closed already: nothing moves */
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "closed", 0);
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), 0);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    close(desk_port(&desk, "board-01.console"));
    close(desk_port(&desk, "board-01.line"));
}

/* By anybody: QEMU has locks of its own on other bytes. */
static bool first_byte_is_held(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(desk_path(&desk, "board-01.nor"), O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock));
    close(fd);
    return lock.l_type != F_UNLCK;
}

Test(rig_emulator_faults, a_flash_file_is_held_from_power_on_until_the_cut_is_in_it)
{
    cr_assert_not(first_byte_is_held());
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    cr_assert(first_byte_is_held());
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "cuts", 1);
    cr_assert_not(first_byte_is_held());
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    cr_assert(first_byte_is_held());
    desk_order(&desk, "kill board-01");
    desk_wait_fact(&desk, 1, "on", 0);
    cr_assert_not(first_byte_is_held());
}

Test(rig_emulator_faults, a_flood_is_as_long_as_asked_and_the_board_still_speaks)
{
    enum { ALL = 3000000 };
    int console = desk_port(&desk, "board-01.console");
    desk_order(&desk, "flood board-01 3000000");
    desk_send(relay, ON, 4); /* nobody reads meanwhile: the relay does not mind */
    desk_wait_fact(&desk, 1, "on", 1);
    int64_t until_us = desk_now_us() + 120000000;
    while (heard.bytes < ALL && desk_now_us() < until_us)
        desk_listen(console, &heard, 5);
    cr_assert_geq(heard.bytes, ALL);
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold straps 0");
    cr_assert_eq(desk_fact(&desk, 1, "console_dropped"), 0);
    close(console);
}

Test(rig_emulator_faults, reset_and_straps_reach_the_board)
{
    int console = desk_port(&desk, "board-01.console");
    cr_assert_str_eq(desk_ask(&desk, "reset board-01"), "error: it is off");
    desk_order(&desk, "strap board-01 5 high"); /* the load that is idle */
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold straps 32");
    desk_order(&desk, "reset board-01");
    desk_says(console, &heard, "BOOT warm straps ");
    cr_assert_eq(desk_fact(&desk, 1, "cuts"), 0);
    desk_order(&desk, "strap board-01 5 low");
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold straps 0");
    close(console);
}

/* ---- Lines that are no order ---- */

static int control(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, desk_path(&desk, "control"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* The answer to these bytes; "": hung up on without one. */
static const char *answer_to(const void *bytes, size_t len)
{
    static char answer[512];
    int fd = control();
    size_t got = 0;
    send(fd, bytes, len, MSG_NOSIGNAL);
    while (got < sizeof answer - 1) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t one = poll(&wait, 1, 60000) == 1 ? recv(fd, answer + got, 1, 0) : -1;
        if (one <= 0 || answer[got++] == '\n')
            break;
    }
    answer[got] = '\0';
    close(fd);
    return answer;
}

Test(rig_emulator_faults, hostile_lines_are_errors)
{
    static const char *const lines[] = {
        "",
        " ",
        "frobnicate",
        "unplug",
        "unplug relay-0",
        "unplug relay-2",
        "unplug relay-1 x",
        "unplug board-01",
        "unplug relay-99999999999999999999",
        "unplug relay--1",
        "plug relay-1 dead",
        "stick relay-1",
        "stick relay-1 0",
        "stick relay-1 9",
        "stick relay-1 -1",
        "stick relay-1 1 1",
        "bounce relay-1 1",
        "bounce relay-1 1 0",
        "bounce relay-1 1 21",
        "bounce relay-1 1 4294967297",
        "heal relay-1",
        "kill board-02",
        "kill board-00",
        "kill relay-1",
        "flood board-01",
        "flood board-01 268435457",
        "flood board-01 9999999999",
        "flood board-01 0x10",
        "strap board-01 8 high",
        "strap board-01 1 up",
        "facts board-02",
        "facts all the things of it",
        "FACTS",
        "silent relay-1\r",
        "%s%s%s%n",
        "silent relay-1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    char line[512];
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t len = (size_t)snprintf(line, sizeof line, "%s\n", lines[i]);
        const char *answer = answer_to(line, len);
        cr_assert(!strncmp(answer, "error: ", 7) && answer[strlen(answer) - 1] == '\n',
                  "`%s`: `%s`", lines[i], answer);
    }
    memset(line, 'a', sizeof line);
    cr_assert_str_eq(answer_to(line, sizeof line), "error: the line is too long\n");
    cr_assert(!strncmp(answer_to("heal\0heal\n", 10), "error: ", 7), "a NUL is no end");
    cr_assert(!strncmp(answer_to("\xFF\xFE\x80\n", 4), "error: ", 7));
    close(control()); /* hung up without a word */
    int half = control();
    send(half, "silent rel", 10, MSG_NOSIGNAL);
    close(half);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
}
