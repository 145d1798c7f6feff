#include "run.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 24, END_MS = 120000, LONG_END_MS = 240000 };

static void start(struct run *run, const char *words)
{
    /* Standard output and error apart: a shell is put between. */
    const char *argv[WORDS_MAX + 8] = {"/bin/sh",
                                       "-c",
                                       "out=$1; err=$2; shift 2; "
                                       "exec \"$@\" >\"$out\" 2>\"$err\"",
                                       "sh",
                                       kit_path("out"),
                                       kit_path("err"),
                                       getenv("BRICKYARD_BIN")};
    static char copy[1024];
    char message[256], *save = NULL;
    size_t n = 7;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        cr_assert_lt(n, WORDS_MAX + 7);
        argv[n++] = !strcmp(word, "BENCH") ? kit_path("desk.yaml") : word;
    }
    const struct rig_child_start start = {.argv = argv, .said = -1, .folder = kit_folder};
    unlink(kit_path("out"));
    unlink(kit_path("err"));
    cr_assert(!rig_child_start(&run->child, &start, message, sizeof message), "%s", message);
}

void run_start(struct run *run, const char *words)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "rig %s", words);
    start(run, whole);
}

static int end_within(struct run *run, int ms)
{
    int status = rig_child_wait(&run->child, ms);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_end(struct run *run)
{
    return end_within(run, END_MS);
}

int run_brickyard(const char *words)
{
    struct run run;
    start(&run, words);
    return end_within(&run, LONG_END_MS);
}

int run_rig(const char *words)
{
    struct run run;
    run_start(&run, words);
    return run_end(&run);
}

bool run_is_over(struct run *run, int within_ms)
{
    struct pollfd on = {.fd = run->child.pidfd, .events = POLLIN};
    return poll(&on, 1, within_ms) == 1;
}

static bool holds(const char *file, const char *text)
{
    const char *said = kit_read(file);
    bool found = strstr(said, text) != NULL;
    cr_expect(found, "'%s' is not in standard %s: %s", text, file, said);
    return found;
}

bool run_said(const char *text)
{
    return holds("err", text);
}

bool run_told(const char *text)
{
    return holds("out", text);
}
