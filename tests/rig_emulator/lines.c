/* Console and OTA line on ptys, as a rig has them. */
#include "desk.h"
#include "link/channel_state.h"
#include "link/message.h"
#include "port.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char ON[] = "\xA0\x01\x01\xA2", OFF[] = "\xA0\x01\x00\xA1";

static struct desk desk;
static struct desk_heard heard;
static int relay, console, line;

static void open_all(const char *rom)
{
    const char *const options[] = {"--boards", "1", rom ? "--rom" : NULL, rom, "--contact",
                                   "1ms..2ms", NULL};
    const char *const plain[] = {"--boards", "1", "--contact", "1ms..2ms", NULL};
    desk_folder(&desk);
    if (!rom)
        desk_flash(&desk, 1, 1, "2.3.1");
    desk_start(&desk, rom ? options : plain);
    relay = desk_port(&desk, "relay-1");
    console = desk_port(&desk, "board-01.console");
    line = desk_port(&desk, "board-01.line");
}

static void close_all(void)
{
    close(relay), close(console), close(line);
    desk_close(&desk);
}

TestSuite(rig_emulator_lines, .timeout = 300);

/* ---- The OTA line loses nothing ---- */

static uint8_t byte_of(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

struct echo {
    size_t all, sent, got, wrong;
};

static void echo_send(struct echo *echo)
{
    uint8_t bytes[1024];
    size_t len = echo->all - echo->sent < sizeof bytes ? echo->all - echo->sent : sizeof bytes;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_of(echo->sent + i);
    ssize_t sent = len ? write(line, bytes, len) : 0;
    cr_assert(sent >= 0 || errno == EAGAIN, "%s", strerror(errno));
    echo->sent += sent > 0 ? (size_t)sent : 0;
}

static void echo_take(struct echo *echo)
{
    uint8_t bytes[4096];
    ssize_t got = read(line, bytes, sizeof bytes);
    cr_assert(got > 0 || errno == EAGAIN, "%s", strerror(errno));
    for (ssize_t i = 0; i < got; i++)
        echo->wrong += bytes[i] != byte_of(echo->got++);
}

/* Until all is back, or nothing moves for `ms`. */
static void echo_run(struct echo *echo, bool takes, int ms)
{
    while (echo->got < echo->all) {
        short events = (short)((takes ? POLLIN : 0) | (echo->sent < echo->all ? POLLOUT : 0));
        struct pollfd wait = {.fd = line, .events = events};
        if (poll(&wait, 1, ms) <= 0)
            return;
        if (wait.revents & POLLOUT)
            echo_send(echo);
        if (wait.revents & POLLIN)
            echo_take(echo);
    }
}

static void start_echo(void)
{
    open_all(desk_load());
    desk_order(&desk, "strap board-01 6 high"); /* it echoes */
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold straps 64");
}

Test(rig_emulator_lines, the_ota_line_echoes_all_that_is_sent)
{
    struct echo echo = {.all = 96 * 1024 + 17};
    start_echo();
    int64_t from_us = desk_now_us();
    echo_run(&echo, true, 60000);
    cr_log_info("%zu bytes there and back in %.0f ms", echo.all,
                (double)(desk_now_us() - from_us) / 1e3);
    cr_assert_eq(echo.got, echo.all);
    cr_assert_eq(echo.wrong, 0);
    cr_assert_eq(desk_fact(&desk, 1, "line_dropped"), 0);
    close_all();
}

/* Nobody takes what comes back, until everything in between is full: sending stops, nothing is
 * lost. */
Test(rig_emulator_lines, a_gateway_that_does_not_read_stops_the_line_and_loses_nothing)
{
    struct echo echo = {.all = 2 * 1024 * 1024};
    start_echo();
    for (int i = 0; i < 150 && echo.sent <= 64 * 1024;
         i++) /* 400 ms may be a host that stands still */
        echo_run(&echo, false, 400);
    cr_assert_lt(echo.sent, echo.all, "it is held back");
    cr_assert_gt(echo.sent, 64 * 1024);
    cr_log_info("held after %zu bytes", echo.sent);
    echo.all = echo.sent;
    echo_run(&echo, true, 60000);
    cr_assert_eq(echo.got, echo.all);
    cr_assert_eq(echo.wrong, 0);
    cr_assert_eq(desk_fact(&desk, 1, "line_dropped"), 0);
    close_all();
}

Test(rig_emulator_lines, a_board_without_power_hears_nothing)
{
    struct echo echo = {.all = 200000};
    open_all(desk_load());
    desk_order(&desk, "strap board-01 6 high");
    while (echo.sent < echo.all) {
        struct pollfd wait = {.fd = line, .events = POLLOUT};
        cr_assert_eq(poll(&wait, 1, 60000), 1, "it goes nowhere, but it goes");
        echo_send(&echo);
    }
    desk_wait_fact(&desk, 1, "line_in", (int64_t)echo.all);
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold straps 64");
    desk_pass(50);
    echo_take(&echo);
    cr_assert_eq(echo.got, 0);
    close_all();
}

static uint32_t now_ms(void)
{
    return (uint32_t)(desk_now_us() / 1000);
}

/* The firmware's own greeting, by the channel that its gateways speak. */
Test(rig_emulator_lines, the_firmware_says_hello)
{
    static struct link_channel channel;
    const struct link_config config = {0x12345u, 200, 5000};
    char id[64] = "";
    uint8_t bytes[4096];
    struct link_delivery delivery;
    struct link_message message;
    open_all(NULL);
    link_init(&channel, &config, now_ms());
    desk_send(relay, ON, 4);
    int64_t until_us = desk_now_us() + 120000000;
    while (!id[0] && desk_now_us() < until_us) {
        struct pollfd wait = {.fd = line, .events = POLLIN};
        size_t len = link_output(&channel, bytes, sizeof bytes, now_ms());
        desk_send(line, bytes, len);
        if (poll(&wait, 1, 20) == 1) {
            ssize_t got = read(line, bytes, sizeof bytes);
            link_input(&channel, bytes, got > 0 ? (size_t)got : 0, now_ms());
        }
        while (link_next(&channel, &delivery) != LINK_EV_NONE)
            if (delivery.event == LINK_EV_MESSAGE &&
                link_decode(&message, delivery.kind, delivery.bytes, delivery.len) &&
                message.kind == LINK_HELLO)
                snprintf(id, sizeof id, "%.*s", (int)message.len, (const char *)message.bytes);
    }
    cr_assert_str_eq(id, "pump-0001");
    cr_assert_eq(link_counters(&channel)->crc_errors, 0);
    close_all();
}

/* ---- Opened, closed, opened again ---- */

Test(rig_emulator_lines, what_was_said_while_nobody_listened_is_gone)
{
    char bytes[256];
    open_all(desk_load());
    desk_order(&desk, "strap board-01 5 high"); /* it says that it boots, and nothing more */
    close(console);
    desk_settle(&desk);
    desk_send(relay, ON, 4);
    desk_wait_fact(&desk, 1, "on", 1);
    desk_pass(1000); /* it boots */
    console = desk_port(&desk, "board-01.console");
    cr_assert_lt(read(console, bytes, sizeof bytes), 0);
    cr_assert_eq(errno, EAGAIN);
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold");
    close_all();
}

/* Nor what was said to somebody who closed it before reading. */
Test(rig_emulator_lines, what_was_not_read_before_it_was_closed_is_gone)
{
    char bytes[256];
    open_all(desk_load());
    desk_send(relay, ON, 4);
    desk_says(console, &heard, "BOOT cold");
    desk_send(relay, OFF, 4);
    desk_wait_fact(&desk, 1, "on", 0);
    desk_order(&desk, "flood board-01 500000");
    close(console);
    desk_settle(&desk);
    console = desk_port(&desk, "board-01.console");
    cr_assert_lt(read(console, bytes, sizeof bytes), 0);
    cr_assert_eq(errno, EAGAIN);
    close_all();
}

/* ---- Somebody left it exclusive ---- */

static void on_pause(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void pause_loop(struct ev_loop *loop)
{
    ev_timer timer;
    ev_timer_init(&timer, on_pause, 0.05, 0);
    ev_now_update(loop);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
}

static void on_input(void *ctx, const void *bytes, size_t len)
{
    (void)bytes;
    *(size_t *)ctx += len;
}

/* Opened for its user alone by TIOCEXCL, which a pty would keep for ever: root overrides that, so
 * all of it is done as nobody. Returns at which step it failed; 0: it did not. */
static int exclusive_again_and_again(const char *folder)
{
    char path[DESK_PATH_MAX];
    struct em_hub hub;
    struct em_port port;
    size_t heard_bytes = 0;
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    snprintf(path, sizeof path, "%s/port", folder);
    const struct em_port_config config = {
        .path = path, .out_max = 4096, .input = on_input, .ctx = &heard_bytes};
    em_hub_open(&hub, loop);
    if ((!geteuid() && setuid(65534)) || em_port_open(&port, &hub, &config))
        return 1;
    for (int turn = 0; turn < 4; turn++) {
        int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || ioctl(fd, TIOCEXCL))
            return 10 + turn;
        if (turn % 2 && write(fd, "x", 1) != 1)
            return 20 + turn;
        close(fd);
        pause_loop(loop);
    }
    em_port_close(&port);
    em_hub_close(&hub);
    ev_loop_destroy(loop);
    return heard_bytes == 2 && access(path, F_OK) ? 0 : 30;
}

Test(rig_emulator_lines, exclusive_use_ends_with_its_user)
{
    int status = -1;
    desk_folder(&desk);
    cr_assert_eq(chmod(desk.folder, 0777), 0);
    pid_t pid = fork();
    if (!pid)
        _exit(exclusive_again_and_again(desk.folder));
    waitpid(pid, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    desk_close(&desk);
}
