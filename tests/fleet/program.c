/* See program.h. */
#include "program.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 40, LINE_MAX_BYTES = 8192, OUTPUT_MAX = 4 << 20, WAIT_MS = 240000 };

static char folder[64], out_path[96], err_path[96];
static char out_text[OUTPUT_MAX], err_text[OUTPUT_MAX];
static size_t file_bytes_max;
static bool ordinary_user;
static const char *output_to;

void program_enter(void)
{
    char inner[96];
    snprintf(folder, sizeof folder, "/tmp/brickyard-cli-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/work", folder);
    snprintf(out_path, sizeof out_path, "%s/out", folder);
    snprintf(err_path, sizeof err_path, "%s/err", folder);
    cr_assert_eq(mkdir(inner, 0755), 0);
    cr_assert_eq(chdir(inner), 0);
    cr_assert_not_null(getenv("BRICKYARD_BIN"), "ctest sets BRICKYARD_BIN");
}

static unsigned list(bool remove_them)
{
    unsigned entries = 0;
    DIR *dir = opendir(".");
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        entries++;
        if (remove_them && unlink(entry->d_name))
            rmdir(entry->d_name);
    }
    closedir(dir);
    return entries;
}

unsigned program_entries(void)
{
    return list(false);
}

void program_leave(void)
{
    char inner[96];
    list(true);
    snprintf(inner, sizeof inner, "%s/work", folder);
    cr_assert_eq(chdir("/"), 0);
    unlink(out_path);
    unlink(err_path);
    cr_assert_eq(rmdir(inner), 0);
    cr_assert_eq(rmdir(folder), 0);
}

void program_limit_files(size_t bytes)
{
    file_bytes_max = bytes;
}

void program_as_ordinary_user(void)
{
    ordinary_user = true;
}

void program_output_to(const char *path)
{
    output_to = path;
}

static void open_as(int fd, const char *path, int flags)
{
    int file = open(path, flags, 0666);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
}

/* In the child: everything that the next run has of its own, then the program itself. */
static void become(char *const arguments[])
{
    open_as(STDIN_FILENO, "/dev/null", O_RDONLY);
    open_as(STDOUT_FILENO, output_to ? output_to : out_path, O_WRONLY | O_CREAT | O_TRUNC);
    open_as(STDERR_FILENO, err_path, O_WRONLY | O_CREAT | O_TRUNC);
    if (file_bytes_max) {
        const struct rlimit limit = {file_bytes_max, file_bytes_max};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (ordinary_user) /* root loses it by the exec; nobody else has it */
        prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
    execv(arguments[0], arguments);
    _exit(127);
}

pid_t program_start(const char *line)
{
    static char copy[LINE_MAX_BYTES];
    char *arguments[ARGUMENTS_MAX] = {getenv("BRICKYARD_BIN")}, *save = NULL;
    int count = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        cr_assert_lt(count, ARGUMENTS_MAX - 1);
        arguments[count++] = word;
    }
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        become(arguments);
    return pid;
}

static void slurp(const char *path, char *out)
{
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(out, 1, OUTPUT_MAX - 1, file) : 0;
    out[len] = 0;
    if (file)
        fclose(file);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        cr_assert_eq(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int program(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list values;
    va_start(values, format);
    int len = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    cr_assert_lt(len, LINE_MAX_BYTES);
    out_text[0] = 0;
    int code = wait_for(program_start(line));
    if (!output_to)
        slurp(out_path, out_text);
    slurp(err_path, err_text);
    file_bytes_max = 0;
    ordinary_user = false;
    output_to = NULL;
    return code;
}

const char *program_out(void)
{
    return out_text;
}

const char *program_err(void)
{
    return err_text;
}

bool program_kill(pid_t pid)
{
    cr_assert_eq(kill(pid, SIGKILL), 0);
    return wait_for(pid) == 1000 + SIGKILL;
}

int program_watch(void)
{
    int watch = inotify_init1(IN_CLOEXEC);
    cr_assert_geq(watch, 0);
    cr_assert_geq(inotify_add_watch(watch, ".", IN_MOVED_TO | IN_CREATE | IN_MODIFY), 0);
    return watch;
}

void program_await(int watch, const char *name, unsigned changes)
{
    bool there = false;
    for (unsigned seen = 0; !there || seen < changes;) {
        char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
        struct pollfd poller = {.fd = watch, .events = POLLIN};
        cr_assert_eq(poll(&poller, 1, WAIT_MS), 1, "%u of %u changes came", seen, changes);
        ssize_t len = read(watch, buffer, sizeof buffer);
        cr_assert_gt(len, 0);
        for (char *at = buffer; at < buffer + len;) {
            const struct inotify_event *event = (const void *)at;
            there |= event->len && !strcmp(event->name, name);
            seen += there && (event->mask & IN_MODIFY);
            at += sizeof *event + event->len;
        }
    }
    close(watch);
}

void program_write(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file, "%s", name);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}
