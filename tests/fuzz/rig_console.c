/* Any bytes as a board's console, in any pieces, with markers: text stays text, no line is too
 * long, the loop comes back, and what was counted adds up. The first byte says in what pieces they
 * come, the second how many of them are looked at. */
#include "rig/console.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t lines, marked, looked;
static unsigned gone;

static void check(const struct rig_console_line *line)
{
    if (strlen(line->text) > RIG_CONSOLE_LINE_MAX || line->at_us <= 0)
        abort();
    for (const unsigned char *c = (const unsigned char *)line->text; *c; c++)
        if (*c < ' ' || *c == 0x7F || *c == 0xC0 || *c == 0xC1 || *c > 0xF4)
            abort();
}

static void on_line(void *ctx, const struct rig_console_line *line)
{
    (void)ctx;
    lines++;
    check(line);
}

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    (void)ctx, (void)bytes;
    looked += len;
}

static void on_gone(void *ctx, const char *why)
{
    (void)ctx;
    if (!why || gone++)
        abort();
}

static void on_mark(void *ctx, const struct rig_console_line *line)
{
    (void)ctx;
    marked++;
    check(line);
}

/* One listener for all inputs; its name is gone when nobody needs it any more. */
static int listen_once(struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at->sun_family = AF_UNIX;
    snprintf(at->sun_path, sizeof at->sun_path, "/tmp/fuzz-rig-console-%ld", (long)getpid());
    unlink(at->sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof *at) || listen(fd, 4))
        abort();
    return fd;
}

static struct sockaddr_un at;

static void remove_name(void)
{
    unlink(at.sun_path);
}

static void check_facts(const struct rig_console *console, size_t sent)
{
    struct rig_console_facts facts;
    rig_console_facts(console, &facts);
    if (facts.bytes != sent || facts.lines != lines || facts.bytes - facts.thrown_away != looked ||
        facts.shortened > lines || facts.gone != 1 || rig_console_is_there(console))
        abort();
}

static void feed(struct ev_loop *loop, int fd, const uint8_t *data, size_t size, size_t piece)
{
    for (size_t from = 0; from < size;) {
        size_t len = size - from < piece ? size - from : piece;
        ssize_t n = send(fd, data + from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        from += n > 0 ? (size_t)n : 0;
        ev_run(loop, EVRUN_NOWAIT);
    }
    close(fd);
    while (!gone)
        ev_run(loop, EVRUN_ONCE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ev_loop *loop;
    static int listener;
    static const char *const pattern[] = {"(a+)+$", "^boot: slot ([ab])$", "(.)\\1+x"};
    struct rig_console *console;
    struct rig_marker *marker;
    char message[256];
    if (size < 2)
        return 0;
    if (!loop) {
        loop = ev_loop_new(EVFLAG_AUTO);
        listener = listen_once(&at);
        atexit(remove_name);
    }
    lines = marked = looked = gone = 0;
    struct rig_console_config config = {
        .loop = loop,
        .at = {.kind = RIG_CONSOLE_UNIX, .path = at.sun_path},
        .bytes_per_s = data[1] & 1 ? 1 : 1u << 30,
        .events = {.line = on_line, .bytes = on_bytes, .gone = on_gone},
    };
    if (rig_console_open(&console, &config, message, sizeof message))
        abort();
    int fd = accept(listener, NULL, NULL);
    for (int i = 0; i < 3; i++)
        if (rig_marker_add(&marker, console, pattern[i], on_mark, NULL, message, sizeof message))
            abort();
    feed(loop, fd, data + 2, size - 2, 1 + data[0]);
    check_facts(console, size - 2);
    rig_console_free(console);
    return 0;
}
