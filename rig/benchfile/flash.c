/* The board's flashing command: neither it nor anything that it started outlives the rig, and the
 * board's lock is held until all of that is gone. */
#include "rig/child.h"
#include "rig/wiring.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 256, LINE_SHOWN = 160 };

struct flashing {
    const struct rig_bench_board *board;
    const char *argv[ARGUMENTS_MAX + 1];
    struct rig_child child;
    int said, log, stop, lock;
    char line[LINE_SHOWN],
        last[LINE_SHOWN]; /* what it is saying; its last line that says a thing */
    size_t line_bytes;
};

/* `text` with each {image} and {board} replaced; malloc. */
static char *fill_in(const char *text, const char *image, const char *board)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&out, &bytes);
    if (!to)
        return NULL;
    while (*text) {
        if (!strncmp(text, "{image}", 7) || !strncmp(text, "{board}", 7)) {
            fputs(text[1] == 'i' ? image : board, to);
            text += 7;
        } else {
            fputc(*text++, to);
        }
    }
    if (!fclose(to))
        return out;
    free(out);
    return NULL;
}

static int make_arguments(struct flashing *f, const char *image, char *message, size_t len)
{
    size_t n = 0;
    for (; f->board->flash[n]; n++) {
        if (n == ARGUMENTS_MAX)
            return rig_port_say(RIG_EREFUSED, message, len, "flash: accepted: %d arguments",
                                ARGUMENTS_MAX);
        f->argv[n] = fill_in(f->board->flash[n], image, f->board->name);
        if (!f->argv[n])
            return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    }
    return RIG_OK;
}

static void keep_line(struct flashing *f)
{
    f->line[f->line_bytes] = '\0';
    if (f->line_bytes)
        memcpy(f->last, f->line, f->line_bytes + 1);
    f->line_bytes = 0;
}

/* Progress bars end their lines with CR. */
static void hear(struct flashing *f, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n' || c == '\r')
            keep_line(f);
        else if (f->line_bytes < sizeof f->line - 1 && (f->line_bytes || c != ' '))
            f->line[f->line_bytes++] = c < ' ' || c == 0x7f ? '.' : (char)c;
    }
    while (f->log >= 0 && len) {
        ssize_t put = write(f->log, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return; /* the log is for people; flashing goes on */
        bytes += put;
        len -= (size_t)put;
    }
}

/* Whether there may be more. */
static bool read_some(struct flashing *f)
{
    char bytes[4096];
    ssize_t got = read(f->said, bytes, sizeof bytes);
    if (got > 0)
        hear(f, bytes, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* RIG_OK: it has ended. */
static int watch(struct flashing *f)
{
    int64_t until_us = rig_port_now_us() + (int64_t)f->board->flash_within_ms * 1000;
    for (bool open = true;;) {
        int64_t left_ms = (until_us - rig_port_now_us() + 999) / 1000;
        if (left_ms <= 0)
            return RIG_ESILENT;
        struct pollfd on[] = {{.fd = f->child.pidfd, .events = POLLIN},
                              {.fd = open ? f->said : -1, .events = POLLIN},
                              {.fd = f->stop, .events = POLLIN}};
        if (poll(on, 3, (int)left_ms) < 0)
            continue;
        if (on[2].revents)
            return RIG_EGONE;
        if (on[1].revents)
            open = read_some(f);
        if (on[0].revents)
            return RIG_OK;
    }
}

static int judge(const struct flashing *f, int watched, int status, char *message, size_t len)
{
    const char *said = *f->last ? f->last : "it said nothing";
    const char *name = f->board->name, *program = f->argv[0];
    if (watched == RIG_ESILENT)
        return rig_port_say(RIG_ESILENT, message, len,
                            "%s: %.60s was killed after %u ms (flash_within); its last line: %s",
                            name, program, f->board->flash_within_ms, said);
    if (watched)
        return rig_port_say(watched, message, len,
                            "%s: %.60s was stopped and killed; its last "
                            "line: %s",
                            name, program, said);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return RIG_OK;
    return WIFEXITED(status) ? rig_port_say(RIG_EREFUSED, message, len,
                                            "%s: %.60s ended with exit code %d; its last line: %s",
                                            name, program, WEXITSTATUS(status), said)
                             : rig_port_say(RIG_EREFUSED, message, len,
                                            "%s: %.60s was ended by signal %d; its last line: %s",
                                            name, program, WTERMSIG(status), said);
}

static int run(struct flashing *f, char *message, size_t len)
{
    char why[300];
    int out[2];
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK))
        return rig_port_say(RIG_EOPEN, message, len, "%s: %s", f->board->name, strerror(errno));
    /* Only our end is to be non-blocking: the program expects its output to wait. */
    fcntl(out[1], F_SETFL, 0);
    const struct rig_child_guard guard = {.hold = f->lock};
    const struct rig_child_start start = {
        .argv = f->argv, .said = out[1], .folder = f->board->folder, .guard = &guard};
    int failed = rig_child_start(&f->child, &start, why, sizeof why);
    close(out[1]);
    f->said = out[0];
    int watched = failed ? RIG_EOPEN : watch(f);
    int status = rig_child_kill(&f->child);
    for (int more = 0; !failed && more < 256 && read_some(f); more++)
        continue;
    keep_line(f);
    close(out[0]);
    if (failed)
        return rig_port_say(RIG_EOPEN, message, len, "%s: flash: %s", f->board->name, why);
    return judge(f, watched, status, message, len);
}

static int open_log(struct flashing *f, const char *log, char *message, size_t len)
{
    f->log = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600) : -1;
    return log && f->log < 0 ? rig_port_say(RIG_EOPEN, message, len, "%s: %s", log, strerror(errno))
                             : RIG_OK;
}

int rig_flash_board(const struct rig_bench_board *board, const struct rig_lock *lock,
                    const char *image, const char *log, int stop, char *message, size_t len)
{
    assert(board && image && message);
    char absolute[PATH_MAX];
    struct stat status;
    *message = '\0';
    if (!board->flash)
        return rig_port_say(RIG_EUNSUPPORTED, message, len,
                            "%s can't be flashed: the bench file (line %d) has no `flash:` command "
                            "for it",
                            board->name, board->row);
    if (!realpath(image, absolute) || stat(absolute, &status))
        return rig_port_say(RIG_EOPEN, message, len, "%s: %s", image, strerror(errno));
    if (!S_ISREG(status.st_mode) || access(absolute, R_OK))
        return rig_port_say(RIG_EOPEN, message, len, "%s: accepted: a file that can be read",
                            image);
    struct flashing *f = calloc(1, sizeof *f);
    if (!f)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    f->board = board;
    f->stop = stop;
    f->lock = lock ? rig_lock_descriptor(lock) : -1;
    int error = open_log(f, log, message, len);
    if (!error)
        error = make_arguments(f, absolute, message, len);
    if (!error)
        error = run(f, message, len);
    for (size_t i = 0; f->argv[i]; i++)
        free((char *)f->argv[i]);
    if (f->log >= 0)
        close(f->log);
    free(f);
    return error;
}
