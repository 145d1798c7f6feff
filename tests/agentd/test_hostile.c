/* What a broker and a server may send: the daemon lives, says what it refused, and stays small. */
#include "rig.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
enum { MEMORY_KB_MAX = 512 * 1024 }; /* shadow and quarantine */
#else
enum { MEMORY_KB_MAX = 32 * 1024 };
#endif

static struct rig *rig;

static void set_up(void)
{
    rig = calloc(1, sizeof *rig);
    rig_init(rig);
    rig_broker(rig);
    rig_config(rig, "", "");
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    rig_agent(rig);
    cr_assert(rig_wait(&rig->agent, "event=mqtt_up"));
}

static void tear_down(void)
{
    rig_free(rig);
    free(rig);
}

TestSuite(agentd_hostile, .init = set_up, .fini = tear_down, .timeout = 300);

static void expect_well(void)
{
    cr_expect_eq(
        rig_run(rig, "%s --config agent.yaml --control status >answer", rig_program("ota-agent")),
        0);
    long kb = rig_memory_kb(&rig->agent);
    cr_expect(kb > 0 && kb < MEMORY_KB_MAX, "%ld kB", kb);
    int status = rig_end(&rig->agent, SIGTERM);
    cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "%s", rig->agent.said);
    cr_expect(!strstr(rig->agent.said, "NEVER-LOGGED"), "what was refused is not in the log");
}

static void send_bytes(const char *topic, const void *bytes, size_t len)
{
    rig_write(rig, "payload", bytes, len);
    rig_publish(rig, topic, "payload");
}

Test(agentd_hostile, payloads_that_are_no_messages)
{
    enum { BIG = 1000000, NEST = 10000, NEST_SHORT = 4000 };
    char *bytes = malloc(BIG);
    memset(bytes, 'A', BIG);
    memcpy(bytes, "NEVER-LOGGED", 12);
    send_bytes("ota/notification/dev-1", bytes, BIG);
    cr_expect(
        rig_wait(&rig->agent, "event=refused topic=ota/notification/dev-1 bytes=1000000 reason="));
    send_bytes("ota/command/dev-1", bytes, 500);
    cr_expect(rig_wait(&rig->agent, "event=refused topic=ota/command/dev-1 bytes=500 "));
    uint32_t random = 1;
    for (int i = 0; i < 8000; i++)
        bytes[i] = (char)((random = random * 1664525 + 1013904223) >> 24);
    send_bytes("ota/notification/dev-1", bytes, 8000);
    cr_expect(rig_wait(&rig->agent, "event=refused topic=ota/notification/dev-1 bytes=8000 "));
    for (int depth = NEST; depth >= NEST_SHORT; depth -= NEST - NEST_SHORT) {
        char line[64];
        memset(bytes, '[', (size_t)depth);
        memset(bytes + depth, ']', (size_t)depth);
        memcpy(bytes, "{\"manifest\":", 12);
        bytes[2 * depth - 1] = '}';
        send_bytes("ota/notification/dev-1", bytes, 2 * (size_t)depth);
        snprintf(line, sizeof line, "event=refused topic=ota/notification/dev-1 bytes=%d ",
                 2 * depth);
        cr_expect(rig_wait(&rig->agent, line));
    }
    free(bytes);
    expect_well();
}

/* An answer with this head, and this many bytes of the image. */
static void write_answer(const char *head, size_t body)
{
    size_t len;
    char *image = rig_read(rig, "1.1.0.bin", &len);
    char *answer = calloc(1, strlen(head) + 2 * len + 1);
    size_t at = strlen(head);
    memcpy(answer, head, at);
    memcpy(answer + at, image, body < len ? body : len);
    rig_write(rig, "answer.http", answer, at + body);
    free(image);
    free(answer);
}

Test(agentd_hostile, a_megabyte_of_headers)
{
    enum { LINE = 1000, LINES = 1000 };
    char *head = calloc(1, LINE * (LINES + 2)), line[LINE + 1];
    rig_canned(rig);
    strcpy(head, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n");
    memset(line, 'h', LINE);
    memcpy(line, "X-NEVER-LOGGED: ", 16);
    strcpy(line + LINE - 2, "\r\n");
    for (int i = 0; i < LINES; i++)
        strcpy(head + strlen(head), line);
    strcat(head, "\r\n");
    write_answer(head, 65536);
    free(head);
    rig_notify(rig, "1.1.0", "answer.http", true);
    cr_expect(rig_wait(&rig->agent, "event=http_error reason="));
    cr_expect(rig_wait(&rig->agent, "event=state from=Downloading to=DownloadFailed"));
    expect_well();
}

Test(agentd_hostile, a_server_that_lies_about_the_length)
{
    static const struct {
        char head[160];
        size_t body;
        char expect[64];
    } row[] = {
        /* shorter than declared */
        {"HTTP/1.0 200 OK\r\nContent-Length: 65536\r\n\r\n", 30000, "event=http_error reason="},
        /* another length than the manifest's */
        {"HTTP/1.0 200 OK\r\nContent-Length: 4000000000\r\n\r\n", 65536, "event=state from=Downl"},
        {"HTTP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n", 65536, "event=http_error reason="},
        /* a range that was not asked for */
        {"HTTP/1.0 206 OK\r\nContent-Range: bytes 60000-65535/65536\r\n\r\n", 5536,
         "event=state from=Downloading to=DownloadFailed"},
        {"garbage\r\n\r\n", 100, "event=http_error reason="},
        /* no length that could be true, but the signed bytes: only those count */
        {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 65536,
         "event=confirmed version=1.1.0"},
    };
    rig_canned(rig);
    write_answer(row[0].head, row[0].body);
    rig_notify(rig, "1.1.0", "answer.http", true);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        write_answer(row[i].head, row[i].body);
        cr_assert(rig_wait(&rig->agent, "event=http_get"), "row %zu", i);
        cr_assert(rig_wait(&rig->agent, row[i].expect), "row %zu", i);
    }
    expect_well();
}
