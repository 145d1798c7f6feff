/* Consoles that go and come back, and what is written to them. */
#include "../soak/soak.h"
#include "kit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct heard heard;
static char folder[64], path[96];

static void set_up(void)
{
    folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/console", folder);
    heard_init(&heard);
}

static void tear_down(void)
{
    heard_end(&heard);
    folder_remove(folder);
}

TestSuite(console_life, .init = set_up, .fini = tear_down);

static bool is_gone(const struct heard *it)
{
    return it->gone > 0;
}

static bool is_back(const struct heard *it)
{
    return it->back > 0;
}

static unsigned threads(void)
{
    char status[4096];
    file_read("/proc/self/status", status, sizeof status);
    return (unsigned)strtoul(strstr(status, "Threads:") + 8, NULL, 10);
}

static int plug(void)
{
    char name[64];
    int master = pty_make(name, sizeof name);
    cr_assert(!symlink(name, path), "%s", strerror(errno));
    return master;
}

Test(console_life, an_unplugged_pty_is_told_once_and_opened_again_within_about_a_second)
{
    int master = plug();
    struct rig_console_config config = heard_config(&heard, path);
    heard_open(&heard, &config);
    say(master, "first life\nunfin");
    heard_wait_lines(&heard, 1);
    close(master);
    unlink(path);
    heard_wait(&heard, "gone", is_gone);
    cr_assert_str_eq(heard.why, "closed by the other side");
    cr_assert_not(rig_console_is_there(heard.console));
    cr_assert_eq(rig_console_write(heard.console, "x", 1), RIG_EGONE);
    heard_turn(&heard, 2300); /* more than one try finds nothing */
    cr_assert_eq(heard.gone, 1u);
    cr_assert_eq(heard.back, 0u);
    int64_t plugged_us = rig_port_now_us();
    master = plug();
    heard_wait(&heard, "back", is_back);
    cr_assert_leq(rig_port_now_us() - plugged_us, 30000000);
    cr_assert(rig_console_is_there(heard.console));
    say(master, "second life\n");
    heard_wait_lines(&heard, 2);
    cr_assert_str_eq(heard_last(&heard), "second life"); /* without "unfin" */
    cr_assert_eq(rig_console_write(heard.console, "hello\n", 6), RIG_OK);
    char text[16] = "";
    cr_assert_eq(rig_port_read_until(master, text, sizeof text, '\n', 60000), RIG_OK);
    cr_assert_str_eq(text, "hello\n");
    close(master);
}

Test(console_life, what_the_other_side_said_before_it_went_is_told_first)
{
    uint16_t port = 0;
    int listener = listen_tcp(&port, 8);
    struct rig_console_config config = heard_config(&heard, NULL);
    config.at = (struct rig_console_at){.kind = RIG_CONSOLE_TCP, .host = "127.0.0.1", .port = port};
    heard_open(&heard, &config);
    int fd = accept(listener, NULL, NULL);
    say(fd, "last words\n");
    /* Unread bytes make it a reset; what was sent before is there nevertheless or is lost by the
     * kernel, never by the console. */
    cr_assert_eq(rig_console_write(heard.console, "x", 1), RIG_OK);
    char one;
    cr_assert_eq(recv(fd, &one, 1, 0), 1);
    close(fd);
    heard_wait(&heard, "gone", is_gone);
    cr_assert_str_eq(heard_last(&heard), "last words");
    heard_wait(&heard, "back", is_back);
    fd = accept(listener, NULL, NULL);
    say(fd, "again\n");
    heard_wait_lines(&heard, 2);
    cr_assert_str_eq(heard_last(&heard), "again");
    close(fd);
    close(listener);
}

Test(console_life, a_tcp_host_that_does_not_answer_does_not_hold_the_loop_up)
{
    uint16_t port = 0;
    int listener = listen_tcp(&port, 0);
    struct rig_console_config config = heard_config(&heard, NULL);
    config.at = (struct rig_console_at){.kind = RIG_CONSOLE_TCP, .host = "127.0.0.1", .port = port};
    heard_open(&heard, &config);
    unsigned alone = threads();
    int fd = accept(listener, NULL, NULL);
    /* Two callers fill the queue: the kernel drops further SYNs, as a dead host does. */
    int filler[2];
    char message[128];
    for (int i = 0; i < 2; i++)
        if (rig_port_tcp(&filler[i], "127.0.0.1", port, 200, message, sizeof message))
            filler[i] = -1;
    close(fd);
    heard_wait(&heard, "gone", is_gone);
    heard_turn(&heard, 1100); /* it dials since second 1 */
    /* One that waits would hold each of these up; a busy host holds up some. */
    int64_t longest_us = INT64_MAX;
    for (int i = 0; i < 10 && longest_us >= 300000; i++) {
        heard.longest_us = 0;
        heard_turn(&heard, 1400);
        longest_us = heard.longest_us;
    }
    cr_assert_eq(heard.back, 0u);
    cr_assert_lt(longest_us, 300000);
    /* Freed while it dials, which is a thread of 3 s: it is not waited for. */
    for (int i = 0; i < 6000 && threads() != alone; i++)
        heard_turn(&heard, 10);
    for (int i = 0; i < 6000 && threads() == alone; i++)
        heard_turn(&heard, 10);
    int64_t start_us = rig_port_now_us();
    rig_console_free(heard.console);
    heard.console = NULL;
    cr_assert(rig_port_now_us() - start_us < 1500000 || threads() > alone);
    for (int i = 0; i < 2; i++)
        if (filler[i] >= 0)
            close(filler[i]);
    close(listener);
}

Test(console_life, a_console_that_is_not_there_is_refused_with_the_reason)
{
    char message[256];
    uint16_t port = 0;
    struct rig_console_config config = heard_config(&heard, path);
    cr_assert_eq(rig_console_open(&heard.console, &config, message, sizeof message), RIG_EOPEN);
    cr_assert_null(heard.console);
    cr_assert(strstr(message, path), "%s", message);
    config.at.kind = RIG_CONSOLE_UNIX;
    cr_assert_eq(rig_console_open(&heard.console, &config, message, sizeof message), RIG_EOPEN);
    int nobody = listen_tcp(&port, -1);
    config.at = (struct rig_console_at){.kind = RIG_CONSOLE_TCP, .host = "127.0.0.1", .port = port};
    cr_assert_eq(rig_console_open(&heard.console, &config, message, sizeof message), RIG_EOPEN);
    close(nobody);
    int master = plug();
    config = heard_config(&heard, path);
    config.transcript = "/nowhere/at/all";
    cr_assert_eq(rig_console_open(&heard.console, &config, message, sizeof message), RIG_EOPEN);
    cr_assert(strstr(message, "/nowhere/at/all"), "%s", message);
    /* One console at a time. */
    config.transcript = NULL;
    heard_open(&heard, &config);
    struct rig_console *second;
    cr_assert_eq(rig_console_open(&second, &config, message, sizeof message), RIG_EBUSY);
    close(master);
}

Test(console_life, a_write_is_taken_whole_or_not_at_all_and_comes_whole)
{
    static char block[300000], got[1 << 20];
    int listener = listen_unix(path);
    struct rig_console_config config = heard_config(&heard, path);
    config.at.kind = RIG_CONSOLE_UNIX;
    heard_open(&heard, &config);
    int fd = accept(listener, NULL, NULL);
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 7 + i / 251);
    for (int i = 0; i < 8; i++) {
        int error = rig_console_write(heard.console, block, sizeof block);
        cr_assert(error == RIG_OK || error == RIG_ESILENT);
        *(error ? &refused : &taken) += 1;
    }
    /* 1 MiB waits; a little more is in the socket. */
    cr_assert(taken >= 3 && taken <= 4 && refused >= 4, "%zu, %zu", taken, refused);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (size_t at = 0; at < taken * sizeof block;) {
        ssize_t n = read(fd, got, sizeof got);
        for (ssize_t i = 0; i < n; i++, at++)
            cr_assert_eq(got[i], block[at % sizeof block]);
        ev_run(heard.loop, EVRUN_NOWAIT);
    }
    cr_assert_eq(read(fd, got, 1), -1);
    cr_assert_eq(rig_console_write(heard.console, block, 10), RIG_OK);
    cr_assert_eq(read(fd, got, sizeof got), 10);
    say(fd, "and back\n");
    heard_wait_bytes(&heard, 9);
    close(fd);
    close(listener);
}

static void speak(void *ctx, const struct rig_console_line *line)
{
    struct heard *it = ctx;
    it->lines++;
    (void)line;
    /* Its other side has gone: told later, from the loop. */
    rig_console_write(it->console, "x", 1);
    cr_assert_eq(it->gone, 0u);
    rig_console_remark(it->console, "heard");
    rig_console_break(it->console);
}

Test(console_life, a_write_from_a_callback_after_the_end_is_no_surprise)
{
    int listener = listen_unix(path);
    struct rig_console_config config = heard_config(&heard, path);
    config.at.kind = RIG_CONSOLE_UNIX;
    config.events.line = speak;
    heard_open(&heard, &config);
    int fd = accept(listener, NULL, NULL);
    say(fd, "one\ntwo\nthree\n");
    close(fd);
    heard_wait(&heard, "gone", is_gone);
    cr_assert_eq(heard.lines, 3u);
    cr_assert_eq(heard_facts(&heard).gone, 1u);
    close(listener);
}

Test(console_life, openings_leave_no_descriptor)
{
    char message[256], transcript[96];
    uint16_t port = 0;
    int master = plug(), listener = listen_tcp(&port, 8);
    snprintf(transcript, sizeof transcript, "%s/transcript", folder);
    struct rig_console_config config = heard_config(&heard, path);
    config.transcript = transcript;
    unsigned before = 0;
    for (int i = 0; i < (int)soak(200, 1000); i++) {
        struct rig_console *console;
        struct rig_marker *marker;
        if (i == 10)
            before = descriptors();
        config.at = i % 4 ? (struct rig_console_at){.path = path, .baud = 115200}
                          : (struct rig_console_at){
                                .kind = RIG_CONSOLE_TCP, .host = "127.0.0.1", .port = port};
        cr_assert_eq(rig_console_open(&console, &config, message, sizeof message), RIG_OK, "%s",
                     message);
        cr_assert(!rig_marker_add(&marker, console, "x", (rig_marked *)speak, &heard, message,
                                  sizeof message));
        rig_console_write(console, "ping", 4);
        ev_run(heard.loop, EVRUN_NOWAIT);
        rig_console_free(console);
        if (!(i % 4))
            close(accept(listener, NULL, NULL));
    }
    cr_assert_eq(descriptors(), before);
    cr_assert_eq(
        rig_console_open(&heard.console,
                         &(struct rig_console_config){.loop = heard.loop,
                                                      .at = {.path = "/dev/null", .baud = 9600}},
                         message, sizeof message),
        RIG_EOPEN);
    cr_assert_eq(descriptors(), before);
    close(master);
    close(listener);
}
