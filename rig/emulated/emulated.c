/* brickyard-emulator, found beside the running program, started and ended. */
#include "rig/emulated.h"
#include "rig/port.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READY_WITHIN_MS = 20000, STEP_MS = 20, END_WITHIN_MS = 10000, FILE_MAX = 760 };

/* In bin/ below the running program, or beside it: both are of one build. */
static int find(char *out, size_t room, char *message, size_t len)
{
    static const char *const where[] = {"bin/", "", "../bin/"};
    char self[RIG_EMULATED_PATH_MAX] = "";
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *slash = got > 0 ? strrchr(self, '/') : NULL;
    for (size_t i = 0; slash && i < sizeof where / sizeof *where; i++) {
        snprintf(out, room, "%.*s/%sbrickyard-emulator", (int)(slash - self), self, where[i]);
        if (!access(out, X_OK))
            return 0;
    }
    snprintf(message, len, "brickyard-emulator is not beside brickyard: build it (ninja -C build)");
    return -1;
}

/* Its last words, when it could not start. */
static void last_words(const char *path, char *out, size_t len)
{
    char line[256];
    FILE *in = fopen(path, "re");
    out[0] = '\0';
    while (in && fgets(line, sizeof line, in))
        snprintf(out, len, "%.*s", (int)strcspn(line, "\n"), line);
    if (in)
        fclose(in);
}

static int wait_ready(struct rig_emulated *emulated, const char *log, char *message, size_t len)
{
    char path[FILE_MAX], words[256];
    snprintf(path, sizeof path, "%s/ready", emulated->folder);
    for (int ms = 0; ms < READY_WITHIN_MS; ms += STEP_MS) {
        if (!access(path, F_OK)) {
            emulated->there = true;
            return 0;
        }
        struct pollfd ends = {.fd = emulated->child.pidfd, .events = POLLIN};
        if (poll(&ends, 1, STEP_MS) == 1)
            break;
    }
    rig_child_kill(&emulated->child);
    last_words(log, words, sizeof words);
    snprintf(message, len, "brickyard-emulator did not come up in %s: %s", emulated->folder,
             *words ? words : "it said nothing");
    return -1;
}

static int start(struct rig_emulated *out, const struct rig_bench_emulator *wanted, uint64_t seed,
                 char *message, size_t len)
{
    char program[FILE_MAX], boards[16], number[24], log[FILE_MAX], path[FILE_MAX];
    snprintf(path, sizeof path, "%s/ready", out->folder);
    snprintf(log, sizeof log, "%s/emulator.log", out->folder);
    snprintf(boards, sizeof boards, "%u", wanted->boards);
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    if (find(program, sizeof program, message, len))
        return -1;
    mkdir(out->folder, 0700);
    unlink(path); /* of one that was killed */
    FILE *said = fopen(log, "we");
    if (!said) {
        snprintf(message, len, "%s: %s", log, strerror(errno));
        return -1;
    }
    const char *const argv[] = {program, "--folder", out->folder, "--boards",
                                boards,  "--seed",   number,      NULL};
    const struct rig_child_start child = {.argv = argv, .said = fileno(said)};
    int error = rig_child_start(&out->child, &child, message, len);
    fclose(said);
    return error || wait_ready(out, log, message, len) ? -1 : 0;
}

bool rig_emulated_runs(const struct rig_bench *bench)
{
    char path[FILE_MAX], why[128];
    int fd = -1;
    assert(bench);
    if (!bench->emulator.wanted)
        return false;
    snprintf(path, sizeof path, "%.700s/control", bench->emulator.folder);
    if (rig_port_unix(&fd, path, why, sizeof why))
        return false;
    close(fd);
    snprintf(path, sizeof path, "%.700s/ready", bench->emulator.folder);
    return !access(path, F_OK);
}

int rig_emulated_start(struct rig_emulated *out, const struct rig_bench *bench, uint64_t seed,
                       char *message, size_t len)
{
    assert(out && bench && message);
    *out = (struct rig_emulated){.child = {.pidfd = -1}};
    if (!bench->emulator.wanted)
        return 0;
    int used = snprintf(out->folder, sizeof out->folder, "%s", bench->emulator.folder);
    if (used >= (int)sizeof out->folder) {
        snprintf(message, len, "%.80s...: too long a path for an emulator's folder", out->folder);
        return -1;
    }
    out->there = rig_emulated_runs(bench);
    return out->there ? 0 : start(out, &bench->emulator, seed, message, len);
}

void rig_emulated_end(struct rig_emulated *emulated)
{
    assert(emulated);
    emulated->there = false;
    if (!emulated->child.pid)
        return;
    kill(emulated->child.pid, SIGTERM);
    rig_child_wait(&emulated->child, END_WITHIN_MS);
}
