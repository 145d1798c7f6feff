/* Many at once, delays, and the end: what waits for whom. */
#include "bench.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static int asks(const struct rig_server *server, const char *text)
{
    int fd = client_open(server);
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    return fd;
}

static void answered(int fd, const char *status)
{
    char reply[2048];
    client_read(fd, reply, sizeof reply);
    cr_expect(!strncmp(reply, status, strlen(status)), "%s", reply);
}

static void moment(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static bool silent(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

Test(rig_server_turns, two_at_once_on_a_board_are_done_one_after_the_other)
{
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    fake.held_up = true;
    int first = asks(server, GET("/power/control/off?hostname=pump-1"));
    fake_wait_for_sets(&fake, 1);
    int second = asks(server, GET("/power/control/on?hostname=bank-1&port=1"));
    int other = asks(server, GET("/power/control/off?hostname=pump-2"));
    fake_wait_for_sets(&fake, 2);
    cr_expect(silent(first) && silent(second));
    cr_expect_str_eq(fake.log,
                     "take pump-1;set pump-1 0.0 off 0:1;"
                     "take pump-2;set pump-2 0.0 off 0:4;",
                     "another board does not wait, the same board does");
    fake_let(&fake);
    answered(first, "HTTP/1.1 200 ");
    answered(second, "HTTP/1.1 200 ");
    answered(other, "HTTP/1.1 200 ");
    cr_expect(strstr(fake.log, "let go pump-1;"));
    cr_expect(strstr(strstr(fake.log, "let go pump-1;"),
                     "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;"));
    rig_server_stop(server);
}

Test(rig_server_turns, delay_lies_between_off_and_on)
{
    static const struct {
        const char *text;
        int64_t at_least_us, less_us;
    } row[] = {
        /* One that was not read would be the 5 s of the last row. */
        {GET("/power/control/reboot?hostname=pump-1&delay=0"), 0, 4500000},
        {GET("/power/control/reboot?hostname=pump-1&delay=1"), 1000000, 4500000},
        {GET("/power/control/reboot?hostname=pump-1"), 5000000, 60000000},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fake fake;
        fake_init(&fake);
        struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
        answered(asks(server, row[i].text), "HTTP/1.1 200 ");
        cr_assert_eq(fake.sets, 2);
        int64_t between = fake.set_us[1] - fake.set_us[0];
        cr_expect(between >= row[i].at_least_us && between < row[i].less_us, "%zu: %ld us", i,
                  (long)between);
        rig_server_stop(server);
    }
}

Test(rig_server_turns, delay_of_on_comes_before_it_and_holds_up_nobody)
{
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    int64_t begun = rig_port_now_us();
    int late = asks(server, GET("/power/control/on?hostname=pump-1&delay=6"));
    answered(asks(server, GET("/power/control/off?hostname=pump-1")), "HTTP/1.1 200 ");
    answered(late, "HTTP/1.1 200 ");
    cr_expect_str_eq(fake.log, "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"
                               "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;");
    cr_expect(fake.set_us[1] - begun >= 6000000);
    rig_server_stop(server);
}

Test(rig_server_turns, a_client_that_goes_does_not_leave_a_board_off)
{
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    close(asks(server, GET("/power/control/reboot?hostname=pump-1&delay=1")));
    fake_wait_for_sets(&fake, 2);
    rig_server_stop(server);
    cr_expect_str_eq(fake.log, "take pump-1;set pump-1 0.0 off 0:1;"
                               "set pump-1 0.0 on 0:1;let go pump-1;");
}

/* The first of them that is answered, within a minute; the others are still silent. */
static int first_answered(const int *fds, int n)
{
    struct pollfd wait[RIG_SERVER_WAITERS_MAX + 1];
    for (int i = 0; i < n; i++)
        wait[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    cr_assert_eq(poll(wait, (nfds_t)n, 60000), 1);
    int first = 0;
    while (!wait[first].revents)
        first++;
    return first;
}

static void full(int fd)
{
    char reply[2048];
    client_read(fd, reply, sizeof reply);
    cr_expect(!strncmp(reply, "HTTP/1.1 503 ", 13), "%s", reply);
    cr_expect_str_eq(body_of(reply), "128 requests wait for their delay or their turn already; "
                                     "nothing was switched\n");
}

/* As many as may wait, and one more: that one is refused at once, and everybody who wants no delay
 * is served. */
Test(rig_server_turns, those_that_wait_for_a_delay_keep_nobody_out)
{
    enum { N = RIG_SERVER_WAITERS_MAX + 1 };
    int wait[N];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    for (int i = 0; i < N; i++)
        wait[i] = asks(server, GET("/power/control/on?hostname=pump-2&delay=600"));
    int refused = first_answered(wait, N);
    full(wait[refused]);
    full(asks(server, GET("/power/control/reboot?hostname=pump-1")));
    for (int i = 0; i < 3; i++)
        answered(asks(server, GET("/power/control/off?hostname=pump-1")), "HTTP/1.1 200 ");
    rig_server_stop(server);
    for (int i = 0; i < N; i++)
        if (i != refused)
            answered(wait[i], "HTTP/1.1 503 ");
    cr_expect_eq(fake.sets, 3);
}

/* One board is held up; its queue is bounded like the delays. */
Test(rig_server_turns, those_that_wait_for_a_turn_are_bounded_too)
{
    enum { N = RIG_SERVER_WAITERS_MAX + 1 };
    int wait[N];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    fake.held_up = true;
    int first = asks(server, GET("/power/control/off?hostname=pump-1"));
    fake_wait_for_sets(&fake, 1);
    for (int i = 0; i < N; i++)
        wait[i] = asks(server, GET("/power/control/off?hostname=pump-1"));
    int refused = first_answered(wait, N);
    full(wait[refused]);
    fake_let(&fake);
    answered(first, "HTTP/1.1 200 ");
    for (int i = 0; i < N; i++)
        if (i != refused)
            answered(wait[i], "HTTP/1.1 200 ");
    answered(asks(server, GET("/power/control/on?hostname=pump-1&delay=1")), "HTTP/1.1 200 ");
    rig_server_stop(server);
}

static int client_from(const struct rig_server *server, const char *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &at.sin_addr);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    at.sin_port = htons((uint16_t)atoi(strrchr(rig_server_url(server), ':') + 1));
    cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* One more client than there are connections for its address is turned away, not kept; those that
 * say nothing are closed in time, and then others are served. */
Test(rig_server_turns, silent_clients_are_bounded_and_let_go)
{
    static const char request[] = GET("/power/control/off?hostname=pump-1");
    int silence[RIG_SERVER_ADDRESS_MAX];
    char reply[64];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    int64_t begun = rig_port_now_us();
    for (int i = 0; i < RIG_SERVER_ADDRESS_MAX; i++)
        silence[i] = i % 2 ? client_open(server) : asks(server, "GET /power/control/on?host");
    cr_expect_eq(client_read(client_open(server), reply, sizeof reply), 0);
    int other = client_from(server, "127.0.0.2"); /* meanwhile other addresses are served */
    cr_assert_eq(send(other, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    answered(other, "HTTP/1.1 200 ");
    for (int i = 0; i < RIG_SERVER_ADDRESS_MAX; i++)
        client_read(silence[i], reply, sizeof reply);
    int64_t waited_us = rig_port_now_us() - begun;
    cr_expect(waited_us > 1000000 && waited_us < 60000000, "%ld us", (long)waited_us);
    /* A client sees the end of a connection before the server has counted it off. */
    bool served = false;
    for (int i = 0; i < 200 && !served; i++, moment(served ? 0 : 300))
        served = client_ask(server, request, reply, sizeof reply) &&
                 !strncmp(reply, "HTTP/1.1 200 ", 13);
    cr_expect(served, "%s", reply);
    rig_server_stop(server);
}

Test(rig_server_turns, the_end_waits_for_no_delay_and_says_what_was_left)
{
    char reply[2048];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    int late = asks(server, GET("/power/control/on?hostname=pump-2&delay=600"));
    int mid = asks(server, GET("/power/control/reboot?hostname=pump-1&delay=600"));
    int half = asks(server, "GET /power/control/off?hostname=pump-2 HTTP/1.1\r\n");
    fake_wait_for_sets(&fake, 1);
    /* `late` was sent first on a connection that was accepted first; that its job waits can't be
     * seen from outside, and a connection that is not yet read is closed without an answer. */
    moment(3000);
    int64_t begun = rig_port_now_us();
    rig_server_stop(server);
    cr_expect(rig_port_now_us() - begun < 60000000); /* not 600 s */
    client_read(mid, reply, sizeof reply);
    cr_expect(!strncmp(reply, "HTTP/1.1 503 ", 13), "%s", reply);
    cr_expect_str_eq(body_of(reply),
                     "the server is ending; it was switched off and not on again\n");
    client_read(late, reply, sizeof reply);
    cr_expect_str_eq(body_of(reply), "the server is ending; nothing was switched\n");
    close(half);
    cr_expect_str_eq(fake.log, "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;");
}
