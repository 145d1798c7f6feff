/* The tests' bench. */
#include "desk.h"
#include "../board_fw/bench.h"
#include "daemon_kit/control.h"
#include "rig/child.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPTIONS_MAX = 24 };

int64_t desk_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void desk_pass(int ms)
{
    poll(NULL, 0, ms);
}

bool desk_lives(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    if (file)
        fclose(file);
    return state != 'Z'; /* whoever inherited it may take its time to bury it */
}

/* ---- The emulator ---- */

static const char *program(void)
{
    static char path[PATH_MAX];
    const char *brickyard = getenv("BRICKYARD_BIN");
    cr_assert(brickyard, "BRICKYARD_BIN is set by CTest");
    snprintf(path, sizeof path, "%.*s/bin/brickyard-emulator",
             (int)(strrchr(brickyard, '/') - brickyard), brickyard);
    return path;
}

char *desk_path(const struct desk *desk, const char *name)
{
    static char path[DESK_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", desk->folder, name);
    return path;
}

void desk_folder(struct desk *desk)
{
    *desk = (struct desk){.pidfd = -1};
    strcpy(desk->folder, "/tmp/rig-emulator-XXXXXX");
    cr_assert(mkdtemp(desk->folder));
}

static void start(struct rig_child *child, const struct desk *desk, const char *const *options,
                  int said)
{
    const char *argv[OPTIONS_MAX] = {program(), "--folder", desk->folder};
    char message[256] = "";
    for (int i = 0; options[i]; i++)
        argv[3 + i] = options[i];
    const struct rig_child_start how = {.argv = argv, .said = said};
    cr_assert_eq(rig_child_start(child, &how, message, sizeof message), 0, "%s", message);
}

void desk_start(struct desk *desk, const char *const *options)
{
    struct rig_child child;
    start(&child, desk, options, STDERR_FILENO);
    desk->pid = child.pid;
    desk->pidfd = child.pidfd;
    struct pollfd ends = {.fd = child.pidfd, .events = POLLIN};
    int64_t until_us = desk_now_us() + DESK_WITHIN_MS * 1000;
    while (access(desk_path(desk, "ready"), F_OK)) {
        cr_assert_eq(poll(&ends, 1, 2), 0, "it ended");
        cr_assert_lt(desk_now_us(), until_us, "it is not ready");
    }
}

int desk_refused(const struct desk *desk, const char *const *options, char *said, size_t len)
{
    struct rig_child child;
    int pipes[2];
    cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
    start(&child, desk, options, pipes[1]);
    close(pipes[1]);
    int status = rig_child_wait(&child, DESK_WITHIN_MS);
    ssize_t got = read(pipes[0], said, len - 1);
    said[got > 0 ? got : 0] = '\0';
    close(pipes[0]);
    cr_assert(WIFEXITED(status), "status %d: %s", status, said);
    return WEXITSTATUS(status);
}

void desk_kill(struct desk *desk, int signal)
{
    struct rig_child child = {.pid = desk->pid, .pidfd = desk->pidfd};
    kill(desk->pid, signal);
    int status = rig_child_wait(&child, DESK_WITHIN_MS);
    if (signal == SIGTERM)
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    desk->pid = 0;
}

void desk_close(struct desk *desk)
{
    struct dirent *entry;
    if (desk->pid)
        desk_kill(desk, SIGTERM);
    DIR *dir = opendir(desk->folder);
    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    cr_assert_eq(rmdir(desk->folder), 0);
}

/* ---- Flash ---- */

static uint8_t *make_flash(const char *version)
{
    static struct bench bench;
    struct bench_image image;
    char name[32];
    bench_open(&bench);
    uint8_t *flash = bench_flash_read(&bench);
    snprintf(name, sizeof name, "pump-%s", version);
    bench_image(&bench, &image, name);
    bench_slot(flash, BOOT_SLOT_A, &image, 1);
    bench_image_free(&image);
    bench_close(&bench);
    return flash;
}

void desk_flash(const struct desk *desk, int first, int last, const char *version)
{
    uint8_t *flash = make_flash(version);
    for (int board = first; board <= last; board++) {
        char name[32];
        snprintf(name, sizeof name, "board-%02d.nor", board);
        FILE *file = fopen(desk_path(desk, name), "wb");
        cr_assert(file && fwrite(flash, 1, DESK_NOR_BYTES, file) == DESK_NOR_BYTES);
        cr_assert_eq(fclose(file), 0);
    }
    free(flash);
}

const char *desk_load(void)
{
    return LOAD_ELF;
}

/* ---- Ports ---- */

int desk_port(const struct desk *desk, const char *name)
{
    int fd = open(desk_path(desk, name), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    cr_assert(fd >= 0, "%s: %s", name, strerror(errno));
    return fd;
}

void desk_send(int fd, const void *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        cr_assert_eq(poll(&wait, 1, DESK_WITHIN_MS), 1, "it takes nothing");
        ssize_t sent = write(fd, (const char *)bytes + done, len - done);
        cr_assert(sent > 0 || errno == EAGAIN, "%s", strerror(errno));
        done += sent > 0 ? (size_t)sent : 0;
    }
}

static void keep(struct desk_heard *heard, const char *bytes, size_t len)
{
    heard->bytes += len;
    if (heard->len + len >= sizeof heard->text)
        heard->len = heard->seen = 0; /* a flood: the newest is enough */
    for (size_t i = 0; i < len; i++)
        heard->text[heard->len++] = bytes[i] ? bytes[i] : '?';
    heard->text[heard->len] = '\0';
}

/* False: nothing came within that time. */
static bool hear(int fd, struct desk_heard *heard, int ms)
{
    char bytes[4096];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, ms) <= 0)
        return false;
    ssize_t got = read(fd, bytes, sizeof bytes);
    cr_assert(got > 0 || (got < 0 && errno == EAGAIN), "%s", got ? strerror(errno) : "hung up");
    if (got > 0)
        keep(heard, bytes, (size_t)got);
    return true;
}

void desk_listen(int fd, struct desk_heard *heard, int ms)
{
    int64_t until_us = desk_now_us() + ms * 1000;
    for (int64_t left; (left = until_us - desk_now_us()) > 0;)
        hear(fd, heard, (int)(left / 1000) + 1);
}

void desk_says(int fd, struct desk_heard *heard, const char *text)
{
    int64_t until_us = desk_now_us() + DESK_WITHIN_MS * 1000;
    const char *at;
    while (!(at = strstr(heard->text + heard->seen, text))) {
        hear(fd, heard, 100);
        cr_assert_lt(desk_now_us(), until_us, "`%s` did not come; it said:\n%s", text, heard->text);
    }
    heard->seen = (size_t)(at - heard->text) + strlen(text);
}

/* ---- Control ---- */

const char *desk_ask(const struct desk *desk, const char *line)
{
    static char answer[AGENT_KIT_ANSWER_MAX];
    cr_assert_eq(agent_kit_control_ask(answer, desk_path(desk, "control"), line, 10), 0, "%s: %s",
                 line, strerror(errno));
    return answer;
}

void desk_order(const struct desk *desk, const char *line)
{
    const char *answer = desk_ask(desk, line);
    cr_assert_str_eq(answer, "ok", "%s: %s", line, answer);
}

json_t *desk_facts(const struct desk *desk, int board)
{
    char line[32] = "facts";
    if (board)
        snprintf(line, sizeof line, "facts board-%02d", board);
    const char *answer = desk_ask(desk, line);
    json_t *facts = json_loads(answer, 0, NULL);
    cr_assert(facts, "%s", answer);
    return facts;
}

int64_t desk_fact(const struct desk *desk, int board, const char *key)
{
    json_t *facts = desk_facts(desk, board);
    const json_t *fact = json_object_get(facts, key);
    cr_assert(fact, "%s", key);
    int64_t value = json_is_boolean(fact) ? json_is_true(fact) : json_integer_value(fact);
    json_decref(facts);
    return value;
}

void desk_wait_fact(const struct desk *desk, int board, const char *key, int64_t value)
{
    int64_t until_us = desk_now_us() + DESK_WITHIN_MS * 1000, now;
    while ((now = desk_fact(desk, board, key)) != value) {
        cr_assert_lt(desk_now_us(), until_us, "%s is %lld, not %lld", key, (long long)now,
                     (long long)value);
        desk_pass(3);
    }
}

/* The first question may be in the same turn. */
void desk_settle(const struct desk *desk)
{
    desk_fact(desk, 1, "on");
    desk_fact(desk, 1, "on");
}

json_t *desk_cuts(const struct desk *desk, int board)
{
    char name[32], line[1024];
    json_t *cuts = json_array();
    snprintf(name, sizeof name, "board-%02d.cuts", board);
    FILE *file = fopen(desk_path(desk, name), "r");
    cr_assert(file, "%s", name);
    while (fgets(line, sizeof line, file)) {
        json_t *cut = json_loads(line, 0, NULL);
        cr_assert(cut && strchr(line, '\n'), "%s", line);
        json_array_append_new(cuts, cut);
    }
    fclose(file);
    return cuts;
}
