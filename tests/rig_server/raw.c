/* The server, asked by bytes: answers by pdudaemon's literals, what was switched, and in which
 * order. */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define INVALID "HTTP/1.1 500 Internal Server Error\r\n"
#define INVALID_BODY "Invalid request\n"

struct row {
    const char *request, *status, *body, *log;
};

static void expect(const struct row *row, const struct rig_server *server, struct fake *fake)
{
    char reply[4096];
    *fake->log = '\0';
    client_ask(server, row->request, reply, sizeof reply);
    cr_expect(!strncmp(reply, row->status, strlen(row->status)), "%s: %s", row->request, reply);
    cr_expect_str_eq(body_of(reply), row->body, "%s", row->request);
    cr_expect_str_eq(fake->log, row->log, "%s", row->request);
}

static void expect_all(const struct row *row, size_t rows, const struct rig_server *server,
                       struct fake *fake)
{
    for (size_t i = 0; i < rows; i++)
        expect(&row[i], server, fake);
}

Test(rig_server, switches_what_a_client_names)
{
    static const struct row row[] = {
        {GET("/power/control/on?hostname=bank-1&port=1"), OK, "OK - accepted request\n",
         "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;"},
        {GET("/power/control/off?hostname=bank-1&port=1"), OK, "OK - accepted request\n",
         "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"},
        {GET("/power/control/reboot?hostname=bank-1&port=4&delay=0"), OK, "OK - accepted request\n",
         "take pump-2;set pump-2 0.0 off 0:4;set pump-2 0.0 on 0:4;let go pump-2;"},
        {GET("/power/control/on?hostname=bank-1&port=2"), OK, "OK - accepted request\n",
         "take pump-1;set pump-1 1.0 on 0:2;let go pump-1;"},
        {GET("/power/control/on?hostname=bank-1&port=3"), OK, "OK - accepted request\n",
         "take pump-1;set pump-1 2.0 on 0:3;let go pump-1;"},
        {GET("/power/control/on?hostname=bank-2&port=0"), OK, "OK - accepted request\n",
         "take -;set - 0.0 on 1:0;let go -;"},
        {GET("/power/control/off?hostname=pump-2"), OK, "OK - accepted request\n",
         "take pump-2;set pump-2 0.0 off 0:4;let go pump-2;"},
        {GET("/power/control/off?hostname=pump-2&port=0"), OK, "OK - accepted request\n",
         "take pump-2;set pump-2 0.0 off 0:4;let go pump-2;"},
        {GET("/power/control/off?alias=pump-1"), OK, "OK - accepted request\n",
         "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"},
        {GET("/power/control/on?hostname=desk&port=2"), OK, "OK - accepted request\n",
         "take pump-2;set pump-2 0.0 on 0:4;let go pump-2;"},
        {GET("/power/control/on?port=0&other=7&&hostname=%70ump%2D1&delay=0"), OK,
         "OK - accepted request\n", "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;"},
    };
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    expect_all(row, sizeof row / sizeof *row, server, &fake);
    rig_server_stop(server);
}

Test(rig_server, refuses_what_it_does_not_understand_and_switches_nothing)
{
    static const struct row row[] = {
        {GET("/power/control/on"), INVALID, INVALID_BODY "hostname: missing\n", ""},
        {GET("/power/control/on?hostname=&port=1"), INVALID, INVALID_BODY "hostname: missing\n",
         ""},
        {GET("/power/control/on?hostname=bank-1"), INVALID,
         INVALID_BODY "port: missing; accepted: 1 to 8, the channels of bank-1\n", ""},
        {GET("/power/control/on?hostname=bank-1&port="), INVALID,
         INVALID_BODY "port: missing; accepted: 1 to 8, the channels of bank-1\n", ""},
        {GET("/power/control/on?hostname=bank-1&port=9"), INVALID,
         INVALID_BODY "port: no such channel; accepted: 1 to 8, the channels of bank-1\n", ""},
        {GET("/power/control/on?hostname=bank-1&port=-1"), INVALID,
         INVALID_BODY "port: \"-1\" is no number\n", ""},
        {GET("/power/control/on?hostname=bank-1&port=1x"), INVALID,
         INVALID_BODY "port: \"1x\" is no number\n", ""},
        {GET("/power/control/on?hostname=bank-1&port=4294967297"), INVALID,
         INVALID_BODY "port: \"4294967297\" is no number\n", ""},
        {GET("/power/control/on?hostname=bank-1&port=1&port=2"), INVALID,
         INVALID_BODY "port: given twice\n", ""},
        {GET("/power/control/on?hostname=pump-1&port=1"), INVALID,
         INVALID_BODY "port: pump-1 is a board and has one outlet; accepted: 0, or none\n", ""},
        {GET("/power/control/on?hostname=desk&port=0"), INVALID,
         INVALID_BODY "port: no such board; accepted: 1 to 3, the boards of desk in its file's "
                      "order\n",
         ""},
        {GET("/power/control/on?hostname=desk&port=4"), INVALID,
         INVALID_BODY "port: no such board; accepted: 1 to 3, the boards of desk in its file's "
                      "order\n",
         ""},
        {GET("/power/control/on?hostname=mute"), INVALID,
         INVALID_BODY "mute has no power contact in the bench file\n", ""},
        {GET("/power/control/on?hostname=pump&port=1"), INVALID,
         INVALID_BODY "hostname: \"pump\" is no controller and no board of the bench, nor the "
                      "bench's name\n",
         ""},
        {GET("/power/control/on?alias=bank-1"), INVALID,
         INVALID_BODY "alias: \"bank-1\" is no board of the bench\n", ""},
        {GET("/power/control/on?alias=pump-1&port=1"), INVALID,
         INVALID_BODY "alias: not together with hostname or port\n", ""},
        {GET("/power/control/reboot?hostname=pump-1&delay=601"), INVALID,
         INVALID_BODY "delay: \"601\" is not accepted; accepted: 0 to 600 seconds\n", ""},
        {GET("/power/control/reboot?hostname=pump-1&delay=-1"), INVALID,
         INVALID_BODY "delay: \"-1\" is not accepted; accepted: 0 to 600 seconds\n", ""},
        {GET("/power/control/on?hostname=pump-1%0aX"), INVALID,
         INVALID_BODY "hostname: longer than 127 bytes, or not readable text\n", ""},
        {GET("/power/control/on?hostname=pump%2"), INVALID,
         INVALID_BODY "hostname: longer than 127 bytes, or not readable text\n", ""},
        {GET("/power/control/cycle?hostname=pump-1"), "HTTP/1.1 404 Not Found\r\n",
         "404: Not Found", ""},
        {GET("/power/control/on/?hostname=pump-1"), "HTTP/1.1 404 Not Found\r\n", "404: Not Found",
         ""},
        {GET("/"), "HTTP/1.1 404 Not Found\r\n", "404: Not Found", ""},
        {"POST /power/control/on?hostname=pump-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
         "Content-Length: 3\r\n\r\nabc",
         "HTTP/1.1 405 Method Not Allowed\r\n", "405: Method Not Allowed", ""},
        {"HEAD /power/control/off?hostname=pump-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 405 Method Not Allowed\r\n", "", ""},
        {"GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
         "Sec-Fetch-Site: cross-site\r\n\r\n",
         "HTTP/1.1 403 Forbidden\r\n",
         "403: Forbidden\na page in a browser may not switch relays\n", ""},
    };
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    expect_all(row, sizeof row / sizeof *row, server, &fake);
    rig_server_stop(server);
}

/* A session of Python's requests keeps its connection; two requests may come in one segment. */
/* A page's own name with a loopback address: browsers then send no Origin and no Sec-Fetch-Site. */
Test(rig_server, a_name_of_the_web_is_not_this_machine)
{
    static const struct {
        char host[40];
        bool served;
    } row[] = {
        {"localhost:16421", true},
        {"127.0.0.1:16421", true},
        {"[::1]:16421", true},
        {"rig", true},
        {"rig.localhost", true},
        {"evil.example:16421", false},
        {"127.0.0.1.nip.example", false},
        {"Evil.example.", false},
        {"xlocalhost.example", false},
    };
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char request[600], reply[4096];
        snprintf(request, sizeof request,
                 "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nHost: %s\r\n"
                 "Connection: close\r\n\r\n",
                 row[i].host);
        *fake.log = '\0';
        client_ask(server, request, reply, sizeof reply);
        cr_expect(!strncmp(reply, row[i].served ? OK : "HTTP/1.1 403 ", 13), "%s: %s", row[i].host,
                  reply);
        cr_expect_eq(*fake.log != '\0', row[i].served, "%s", row[i].host);
    }
    rig_server_stop(server);
}

Test(rig_server, several_requests_on_one_connection)
{
    static const char text[] = "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /power/control/no HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /power/control/on?hostname=pump-1 HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n";
    char reply[4096];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    client_ask(server, text, reply, sizeof reply);
    const char *second = strstr(reply, "HTTP/1.1 404 Not Found\r\n");
    cr_expect(!strncmp(reply, OK, strlen(OK)), "%s", reply);
    cr_expect(second && strstr(second, OK), "%s", reply);
    cr_expect_str_eq(fake.log, "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"
                               "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;");
    rig_server_stop(server);
}

/* What is no HTTP is answered with an error or not at all, and the next client is served. */
Test(rig_server, rubbish_does_no_harm)
{
    static const char *const text[] = {
        "\r\n\r\n\r\n",
        "power/control/off\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET /power/control/off?hostname=pump-1 HTTP/9.9\r\n\r\n",
        "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nHost: x\r\nno colon\r\n: x\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody",
        "GET /power/control/off?hostname=pump-1 HTTP/1.1\r\nTransfer-Encoding: "
        "chunked\r\n\r\nzz\r\n",
    };
    char reply[4096];
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        int fd = client_open(server);
        cr_assert_eq(send(fd, text[i], strlen(text[i]), MSG_NOSIGNAL), (ssize_t)strlen(text[i]));
        shutdown(fd, SHUT_WR);
        client_read(fd, reply, sizeof reply);
        cr_expect(strncmp(reply, OK, strlen(OK)), "%s: %s", text[i], reply);
    }
    cr_expect_str_eq(fake.log, "");
    client_ask(server, GET("/power/control/off?hostname=pump-1"), reply, sizeof reply);
    cr_expect(!strncmp(reply, OK, strlen(OK)), "%s", reply);
    rig_server_stop(server);
}

/* 1024 bytes are taken, one more is not; far more is the library's to refuse. */
Test(rig_server, bounds_the_url)
{
    static const struct {
        size_t url_bytes;
        const char *status, *log;
    } row[] = {
        {1024, OK, "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;"},
        {1025, "HTTP/1.1 414 ", ""},
        {100000, "HTTP/1.1 414 ", ""},
    };
    static const char head[] = "/power/control/on?hostname=pump-1&pad=";
    struct fake fake;
    fake_init(&fake);
    struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        static char request[110000], pad[110000], reply[4096];
        memset(pad, 'a', sizeof pad);
        snprintf(request, sizeof request,
                 "GET %s%.*s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", head,
                 (int)(row[i].url_bytes - strlen(head)), pad);
        int fd = client_open(server);
        *fake.log = '\0';
        /* It may answer and close before all of it was read. */
        send(fd, request, strlen(request), MSG_NOSIGNAL);
        client_read(fd, reply, sizeof reply);
        cr_expect(!strncmp(reply, row[i].status, strlen(row[i].status)), "%zu: %s",
                  row[i].url_bytes, reply);
        cr_expect_str_eq(fake.log, row[i].log);
    }
    rig_server_stop(server);
}

Test(rig_server, an_infrastructure_error_is_seen)
{
    static const struct {
        int take_error, set_error;
        uint32_t from;
        struct row row;
    } row[] = {
        {RIG_EBUSY,
         0,
         0,
         {GET("/power/control/off?hostname=pump-1"), "HTTP/1.1 409 Conflict\r\n",
          "pump-1 is in use by alice (pid 123, brickyard rig burnin)\n", "take pump-1;"}},
        {RIG_EOPEN,
         0,
         0,
         {GET("/power/control/off?hostname=pump-1"), "HTTP/1.1 503 Service Unavailable\r\n",
          "pump-1 is in use by alice (pid 123, brickyard rig burnin)\n", "take pump-1;"}},
        {0,
         RIG_ESILENT,
         0,
         {GET("/power/control/off?hostname=pump-1"), "HTTP/1.1 503 Service Unavailable\r\n",
          "pump-1 power off: silent: no answer to FF 09 00 within 500 ms\n",
          "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"}},
        {0,
         RIG_EGONE,
         0,
         {GET("/power/control/reboot?hostname=pump-1&delay=0"),
          "HTTP/1.1 503 Service Unavailable\r\n",
          "pump-1 power off: gone: no answer to FF 09 00 within 500 ms; not switched on again\n",
          "take pump-1;set pump-1 0.0 off 0:1;let go pump-1;"}},
        {0,
         RIG_EGONE,
         1,
         {GET("/power/control/reboot?hostname=pump-1&delay=0"),
          "HTTP/1.1 503 Service Unavailable\r\n",
          "pump-1 power on: gone: no answer to FF 09 00 within 500 ms; it was switched off "
          "before\n",
          "take pump-1;set pump-1 0.0 off 0:1;set pump-1 0.0 on 0:1;let go pump-1;"}},
        {0,
         RIG_EUNSUPPORTED,
         0,
         {GET("/power/control/on?hostname=bank-2&port=3"), INVALID,
          INVALID_BODY "bank-2 channel 3 on: unsupported: no answer to FF 09 00 within 500 ms\n",
          "take -;set - 0.0 on 1:3;let go -;"}},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fake fake;
        fake_init(&fake);
        fake.take_error = row[i].take_error;
        fake.set_error = row[i].set_error;
        fake.from = row[i].from;
        struct rig_server *server = start(&fake, "127.0.0.1:0", NULL);
        expect(&row[i].row, server, &fake);
        cr_expect_eq(fake.taken, 0, "no board stays locked");
        rig_server_stop(server);
    }
}

static void token_file(char path[static 64], const char *bytes, mode_t mode)
{
    snprintf(path, 64, "/tmp/rig-token-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

#define WITH(header)                                                                               \
    "GET /power/control/on?hostname=pump-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" header    \
    "\r\n"
#define NO "HTTP/1.1 401 Unauthorized\r\n"

Test(rig_server, with_a_token_nobody_else_switches)
{
    static const char switched[] = "take pump-1;set pump-1 0.0 on 0:1;let go pump-1;";
    static const struct row row[] = {
        {WITH(""), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Bearer 0123456789abcdef\r\n"), OK, "OK - accepted request\n",
         switched},
        {WITH("Authorization: bearer 0123456789abcdef\r\n"), OK, "OK - accepted request\n",
         switched},
        {WITH("Authorization: Bearer 0123456789abcdeg\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Bearer 0123456789abcde\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Bearer 0123456789abcdef0\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Bearer \r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Bearer\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: 0123456789abcdef\r\n"), NO, "401: Unauthorized", ""},
        /* base64 of "labgrid:0123456789abcdef", of "labgrid:wrong", of "0123456789abcdef:" */
        {WITH("Authorization: Basic bGFiZ3JpZDowMTIzNDU2Nzg5YWJjZGVm\r\n"), OK,
         "OK - accepted request\n", switched},
        {WITH("Authorization: Basic bGFiZ3JpZDp3cm9uZw==\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Basic MDEyMzQ1Njc4OWFiY2RlZjo=\r\n"), NO, "401: Unauthorized", ""},
        {WITH("Authorization: Basic !!!\r\n"), NO, "401: Unauthorized", ""},
        /* Without a token one does not even learn which boards there are. */
        {GET("/power/control/on?hostname=nobody"), NO, "401: Unauthorized", ""},
        {GET("/elsewhere"), NO, "401: Unauthorized", ""},
    };
    char path[64];
    struct fake fake;
    token_file(path, "0123456789abcdef\n", 0600);
    fake_init(&fake);
    struct rig_server *server = start(&fake, "0.0.0.0:0", path);
    expect_all(row, sizeof row / sizeof *row, server, &fake);
    rig_server_stop(server);
    unlink(path);
}

static void does_not_start(const char *where, const char *token, const char *says)
{
    char message[RIG_SERVER_MESSAGE_MAX] = "";
    struct rig_server *server;
    struct fake fake;
    fake_init(&fake);
    const struct rig_server_config config = {
        .bench = test_bench(), .listen = where, .token_file = token, .ops = fake.ops, .ctx = &fake};
    cr_expect_eq(rig_server_start(&server, &config, message, sizeof message), -1, "%s", where);
    cr_expect(strstr(message, says), "%s: %s", where, message);
    cr_expect_null(server);
}

Test(rig_server, does_not_start_open_to_others)
{
    char readable[64], brief[64];
    token_file(readable, "0123456789abcdef\n", 0644);
    token_file(brief, "0123456789abcde\n0123456789abcdef\n", 0600);
    does_not_start("0.0.0.0:0", NULL, "give --token-file");
    does_not_start("[::]:0", NULL, "give --token-file");
    does_not_start("0.0.0.0:0", "/nowhere/token", "No such file");
    does_not_start("127.0.0.1:0", "/nowhere/token", "No such file");
    does_not_start("0.0.0.0:0", readable, "anybody may read it");
    does_not_start("0.0.0.0:0", brief, "its first line is no token");
    unlink(readable);
    unlink(brief);
}

Test(rig_server, does_not_start_on_what_is_no_address)
{
    static const char *const where[] = {"",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:65536",
                                        ":80",
                                        "::1:80",
                                        "[::1:80",
                                        "[]:80",
                                        "[",
                                        "]:1",
                                        "a.b:80",
                                        "127.0.0.1:8x",
                                        "127.0.0.1:-1"};
    char taken[64];
    struct fake fake;
    for (size_t i = 0; i < sizeof where / sizeof *where; i++)
        does_not_start(where[i], NULL, "no address and port");
    fake_init(&fake);
    struct rig_server *server = start(&fake, "localhost:0", NULL);
    cr_expect(!strncmp(rig_server_url(server), "http://127.0.0.1:", 17));
    snprintf(taken, sizeof taken, "%s", rig_server_url(server) + 7);
    does_not_start(taken, NULL, "Address already in use");
    rig_server_stop(server);
}

Test(rig_server, does_not_start_where_a_name_means_two_things)
{
    struct rig_bench *bench = test_bench();
    bench->board[1].name = "bank-2";
    does_not_start("127.0.0.1:0", NULL, "\"bank-2\" names two of");
    bench->board[1].name = "desk";
    does_not_start("127.0.0.1:0", NULL, "\"desk\" names two of");
    bench->board[1].name = "pump-2";
}
