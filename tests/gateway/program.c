/* ota-gateway as a program: on a Unix socket, as QEMU has it, and on a terminal. */
#include "bench.h"
#include "daemon_kit/log.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct board *const board = &bench.board;
static char folder[] = "/tmp/brickyard-gateway-XXXXXX";
static char line_path[100];
static int line = -1, listener = -1;
static pid_t program;
static uint16_t broker_port; /* 0: the bench's */
static const char *first = "100ms", *most = "1s";
static ev_io reader;

static void end_program(int signal)
{
    if (program > 0) {
        kill(program, signal);
        waitpid(program, NULL, 0);
    }
    program = 0;
}

static void open_all(void)
{
    bench_open_bare();
    cr_assert(mkdtemp(folder));
    snprintf(line_path, sizeof line_path, "%s/line", folder);
}

static void close_all(void)
{
    char command[160];
    end_program(SIGKILL);
    ev_io_stop(bench.loop, &reader);
    bench_close();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(gateway_program, .init = open_all, .fini = close_all, .timeout = 300);

static const char *in_folder(const char *name)
{
    static char paths[2][160]; /* two results at a time */
    static int next;
    char *path = paths[next ^= 1];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_config(const char *extra)
{
    char ca[SIM_PKI_PATH_MAX];
    FILE *out = fopen(in_folder("gateway.yaml"), "w");
    sim_pki_ca_path(&bench.servers.pki, ca);
    fprintf(out,
            "device_id: " BOARD_ID "\nline: %s\nbaud: 115200\n"
            "mqtt:\n  host: 127.0.0.1\n  port: %u\n  ca: %s\n  server_name: %s\n  user: " BOARD_ID
            "\n  secret: secret\n  reconnect: {first: %s, max: %s}\n"
            "http: {connect_to: \"%s\"}\n%s",
            line_path, broker_port ? broker_port : bench.servers.broker.port[SIM_CERT_GOOD], ca,
            SIM_BROKER_NAME, first, most, bench.connect_to, extra);
    fclose(out);
}

static int start(const char *const *argv)
{
    program = fork();
    if (program)
        return 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int log = open(in_folder("log"), O_CREAT | O_WRONLY | O_APPEND | O_TRUNC, 0600);
    dup2(log, STDERR_FILENO);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Beside the program brickyard (tests' environment), or where this test was built. */
static const char *command(void)
{
    static char path[1024];
    const char *brickyard = getenv("BRICKYARD_BIN");
    if (brickyard) {
        snprintf(path, sizeof path, "%.*s/ota-gateway", (int)(strrchr(brickyard, '/') - brickyard),
                 brickyard);
        return path;
    }
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 32);
    cr_assert_gt(len, 0);
    path[len] = '\0';
    strcpy(strrchr(path, '/'), "/ota-gateway");
    return path;
}

static void start_gateway(void)
{
    start((const char *const[]){command(), "--config", in_folder("gateway.yaml"), NULL});
}

static const char *log_text(void)
{
    static char text[16384];
    FILE *in = fopen(in_folder("log"), "r");
    size_t len = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in)
        fclose(in);
    text[len] = '\0';
    return text;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    uint8_t bytes[4096];
    ssize_t len = read(io->fd, bytes, sizeof bytes);
    (void)events;
    if (len > 0)
        board_input(bytes, (size_t)len);
    else if (!len || errno != EAGAIN)
        ev_io_stop(loop, io);
}

static void out(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len) {
        ssize_t done = write(line, at, len);
        if (done <= 0 && errno != EAGAIN)
            return;
        if (done > 0) {
            at += done;
            len -= (size_t)done;
        }
    }
}

static void watch(int fd)
{
    line = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&reader, on_readable, fd, EV_READ);
    ev_io_start(bench.loop, &reader);
    bench.board_out = out;
    board_reset();
}

static void listen_at_the_socket(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", line_path);
    unlink(line_path);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(listener, 1), 0);
}

static void board_boots(void)
{
    watch(accept(listener, NULL, NULL));
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
}

static void board_dies(void)
{
    ev_io_stop(bench.loop, &reader);
    board->on = false;
    close(line);
    close(listener);
}

static void whole_story(void)
{
    static const char *const status = "ota/status/" BOARD_ID;
    uint32_t before = observer_count(status);
    board_publish(LINK_TOPIC_STATUS, 8, "{\"seq\":1}");
    BENCH_UNTIL(board->count[LINK_PUBLISHED] && observer_count(status) > before);
    bench_put("image.bin", bench_noise(300000), 300000);
    board_get(1, 0, bench_url("image.bin"));
    BENCH_UNTIL(board->count[LINK_END] + board->count[LINK_ERROR]);
    cr_assert_eq(board->body_len, 300000, "%s", board->text[LINK_ERROR]);
    cr_assert_eq(memcmp(board->body, bench_noise(300000), 300000), 0);
}

static void must_end_cleanly(void)
{
    int status = -1;
    kill(program, SIGTERM);
    waitpid(program, &status, 0);
    program = 0;
    cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "status %x\n%s", (unsigned)status,
              log_text());
    cr_assert(strstr(log_text(), "event=stopping"));
}

Test(gateway_program, a_board_on_a_socket_that_dies_and_comes_back)
{
    static const char *const presence = "ota/presence/" BOARD_ID;
    listen_at_the_socket();
    write_config("");
    start_gateway();
    board_boots();
    whole_story();
    board_dies();
    BENCH_UNTIL(observer_saw(presence) && strstr(observer_saw(presence), "false"));
    listen_at_the_socket();
    board_boots();
    whole_story();
    must_end_cleanly();
    cr_assert(strstr(log_text(), "device=" BOARD_ID " event=line_up"), "%s", log_text());
    cr_assert(strstr(log_text(), "event=line_down"), "%s", log_text());
    BENCH_UNTIL(strstr(observer_saw(presence), "false"));
}

/* Bytes that a terminal would change: raw means that none is. */
Test(gateway_program, a_board_on_a_serial_port)
{
    int pty = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(pty >= 0 && !grantpt(pty) && !unlockpt(pty));
    snprintf(line_path, sizeof line_path, "%s", ptsname(pty));
    write_config("log: {level: debug}\n");
    start_gateway();
    watch(pty);
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
    whole_story();
    must_end_cleanly();
    close(pty);
}

/* A broker that takes every connection and says nothing. */
static ev_io counter;
static unsigned accepted;

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    accepted += accept(io->fd, NULL, NULL) >= 0; /* stays open: the handshake waits */
}

static void count_connections(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(fd, 64), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    broker_port = ntohs(at.sin_port);
    ev_io_init(&counter, on_connection, fd, EV_READ);
    ev_io_start(bench.loop, &counter);
}

/* Each is a new session that is answered: the gateway has heard its HELLO. */
static void say_hello_again(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        board_reset();
        BENCH_UNTIL(board->count[LINK_TIME]);
    }
}

/* Four connections are free, then each waits a second at least. */
Test(gateway_program, a_board_that_says_hello_again_and_again_does_not_hammer_the_broker)
{
    enum { FREE = 4, TIMES = 60 };
    int pty = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(pty >= 0 && !grantpt(pty) && !unlockpt(pty));
    snprintf(line_path, sizeof line_path, "%s", ptsname(pty));
    count_connections();
    first = "1s";
    most = "1m";
    write_config("log: {level: warn}\n");
    int64_t since_ms = agent_time_since_ms();
    start_gateway();
    watch(pty);
    say_hello_again(TIMES);
    int64_t seconds = (agent_time_since_ms() - since_ms) / 1000;
    cr_expect_geq(accepted, 1, "it tries\n%s", log_text());
    cr_expect_leq(accepted, FREE + 1 + seconds, "%u connections in %d s", accepted, (int)seconds);
    close(pty);
}

static void expect_refusal(const char *config, const char *what)
{
    FILE *file = fopen(in_folder("gateway.yaml"), "w");
    fputs(config, file);
    fclose(file);
    start((const char *const[]){command(), "--config", in_folder("gateway.yaml"), "--check", NULL});
    int status = -1;
    waitpid(program, &status, 0);
    program = 0;
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == !!what[0], "%s\n%s", config, log_text());
    cr_assert(strstr(log_text(), what), "%s\n%s", config, log_text());
}

Test(gateway_program, configurations_are_checked)
{
    expect_refusal("device_id: a\nline: l\nmqtt: {host: h, ca: c}\n", "");
    expect_refusal("device_id: a/b\nline: l\nmqtt: {host: h, ca: c}\n",
                   "gateway.yaml:1:12: device_id: 'a/b' holds another character");
    expect_refusal("device_id: a\nmqtt: {host: h, ca: c}\n", "line: is missing");
    expect_refusal("device_id: a\nline: l\nbaud: 1000000\nmqtt: {host: h, ca: c}\n", ":3:7: baud");
    expect_refusal("device_id: a\nline: l\nbaud: 12345\nmqtt: {host: h, ca: c}\n",
                   "is no speed of a serial port");
    expect_refusal("device_id: a\nline: l\nmqtt: {host: h, ca: c, hots: x}\n", "hots: unknown key");
    expect_refusal("device_id: a\nline: l\nline: m\nmqtt: {host: h, ca: c}\n", "given twice");
    expect_refusal("device_id: a\nline: [l]\nmqtt: {host: h, ca: c}\n", "a list where");
    expect_refusal("device_id: a\nline: l\nmqtt: {host: h, ca: c, key: k}\n", "go together");
    expect_refusal("device_id: a\nline: l\nmqtt: {reconnect: {first: {a: b}}}\n", "mapping where");
    expect_refusal("- a\n", "a list where");
    expect_refusal("a\n", "a single value where");
    expect_refusal("device_id: {a: b}\n", "a mapping where");
    expect_refusal("device_id: a\nline: l\nmqtt: x\n", "is a single value");
}
