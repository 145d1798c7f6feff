/* `brickyard rig serve` with a bench file, locks and relays: from a client's bytes to the
 * contacts'. */
#include "desk.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const any_port[] = {"--listen", "127.0.0.1:0", NULL};

/* The reply to one request, by a plain socket. */
static void ask(const struct desk *desk, const char *target, char *reply, size_t room)
{
    char text[512], message[256];
    size_t n = 0;
    int fd;
    cr_assert_eq(rig_port_tcp(&fd, "127.0.0.1", desk->port, 5000, message, sizeof message), 0);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
    cr_assert_eq(rig_port_write(fd, text, strlen(text), 5000), 0);
    rig_port_read(fd, reply, room - 1, &n, 20000);
    reply[n] = '\0';
    close(fd);
}

static void expect(const struct desk *desk, const char *target, const char *status,
                   const char *body)
{
    char reply[2048], first[64];
    ask(desk, target, reply, sizeof reply);
    const char *got = strstr(reply, "\r\n\r\n");
    snprintf(first, sizeof first, "HTTP/1.1 %s", status);
    cr_expect(!strncmp(reply, first, strlen(first)), "%s: %s", target, reply);
    cr_expect(got && strstr(got, body), "%s: %s", target, reply);
}

Test(rig_serve, switches_contacts)
{
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    expect(&desk, "/power/control/on?hostname=bank-1&port=1", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2);
    expect(&desk, "/power/control/off?hostname=pump-1", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    /* Inverted: no power is a closed contact, whichever name was used. */
    expect(&desk, "/power/control/off?hostname=bank-1&port=4", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x04, 0x01, 0xA5);
    expect(&desk, "/power/control/on?hostname=desk&port=2", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x04, 0x00, 0xA4);
    expect(&desk, "/power/control/on?hostname=bank-1&port=7", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x07, 0x01, 0xA8);
    expect(&desk, "/power/control/reboot?alias=pump-1&delay=1", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01, 0x01, 0xA2);
    desk_close(&desk);
}

Test(rig_serve, a_board_of_a_run_is_refused_with_who_has_it)
{
    char message[512];
    struct rig_bench *bench;
    struct rig_lock *lock;
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    cr_assert_eq(rig_bench_read(&bench, desk.bench_file, message, sizeof message), 0, "%s",
                 message);
    cr_assert_eq(rig_lock_take(&lock, bench, &bench->board[0], "brickyard rig burnin", message,
                               sizeof message),
                 0, "%s", message);
    expect(&desk, "/power/control/off?hostname=bank-1&port=1", "409", "pump-1 is in use by ");
    expect(&desk, "/power/control/off?hostname=pump-1", "409", "brickyard rig burnin) since ");
    expect(&desk, "/power/control/on?hostname=pump-2", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x04, 0x00, 0xA4);
    rig_lock_release(lock);
    expect(&desk, "/power/control/off?hostname=pump-1", "200", "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    rig_lock_owner(bench, &bench->board[0], message, sizeof message);
    cr_expect_str_eq(message, "", "let go after the request");
    rig_bench_free(bench);
    desk_close(&desk);
}

/* Between two requests others can have the port; while they do, a request is answered so. */
Test(rig_serve, the_port_is_free_between_requests)
{
    char message[256];
    int fd;
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    expect(&desk, "/power/control/on?hostname=pump-1", "200", "OK");
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2);
    const struct rig_serial serial = {.path = ptsname(desk.board), .baud = 9600};
    cr_assert_eq(rig_port_serial(&fd, &serial, message, sizeof message), 0, "%s", message);
    expect(&desk, "/power/control/off?hostname=pump-1", "503", "somebody else has it open");
    close(fd);
    expect(&desk, "/power/control/off?hostname=pump-1", "200", "OK");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    desk_close(&desk);
}

/* The hardware was closed in between, and somebody may have switched off a moment ago. */
Test(rig_serve, off_times_hold_from_one_request_to_the_next)
{
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    expect(&desk, "/power/control/off?hostname=pump-1", "200", "OK");
    int64_t begun = rig_port_now_us();
    expect(&desk, "/power/control/on?hostname=pump-1", "200", "OK");
    cr_expect(rig_port_now_us() - begun >= 100000, "off_at_least: 100ms");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01, 0x01, 0xA2);
    desk_close(&desk);
}

Test(rig_serve, an_unplugged_relay_is_seen)
{
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    expect(&desk, "/power/control/on?hostname=pump-1", "200", "OK");
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2);
    desk_unplug(&desk);
    expect(&desk, "/power/control/off?hostname=pump-1", "503", "pump-1 power off: open: ");
    expect(&desk, "/power/control/reboot?hostname=pump-2&delay=0", "503",
           "; not switched on again");
    desk_close(&desk);
}

/* In the middle of a reboot: the board stays without power, the answer says so, and what is FAILED
 * stays so although the hardware was closed in between. */
Test(rig_serve, unplugged_in_the_middle_of_a_reboot)
{
    char text[128], reply[2048], message[256];
    size_t n = 0;
    int fd;
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    cr_assert_eq(rig_port_tcp(&fd, "127.0.0.1", desk.port, 5000, message, sizeof message), 0);
    snprintf(text, sizeof text,
             "GET /power/control/reboot?hostname=pump-1&delay=2 HTTP/1.0\r\nHost: x\r\n\r\n");
    cr_assert_eq(rig_port_write(fd, text, strlen(text), 5000), 0);
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    desk_unplug(&desk);
    rig_port_read(fd, reply, sizeof reply - 1, &n, 20000);
    reply[n] = '\0';
    close(fd);
    cr_expect(strstr(reply, " 503 "), "%s", reply);
    cr_expect(strstr(reply, "; it was switched off before"), "%s", reply);
    expect(&desk, "/power/control/on?hostname=pump-1", "503", "switch it off first");
    expect(&desk, "/power/control/off?hostname=pump-1", "503", "open: ");
    desk_close(&desk);
}

Test(rig_serve, does_not_begin_on_a_wrong_command_line)
{
    static const struct {
        const char *argument[4], *says;
    } row[] = {
        {{"--listen", "0.0.0.0:0"}, "give --token-file"},
        {{"--listen", "nowhere"}, "no address and port"},
        {{"--token-file", "/nowhere/token"}, "No such file"},
        {{"--port", "1"}, "unknown option"},
        {{"pump-1"}, "belongs to no option"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char said[1024];
        struct desk desk;
        desk_open(&desk, "", "");
        cr_expect_eq(desk_serve_ends(&desk, row[i].argument, said, sizeof said), 1);
        cr_expect(strstr(said, row[i].says), "%s", said);
        desk_close(&desk);
    }
}
