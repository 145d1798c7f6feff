/* The Linux board: made, powered on and off. */
#include "flash_file/op.h"
#include "linux_internal.h"
#include "write_log.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_MB = 192, PATH_ROOM = 2 * 512, QMP_FD = RIG_CHILD_FD_FIRST, CONSOLE_FD = QMP_FD + 1 };
enum { COPY_BYTES = 1 << 20 };

/* In an option QEMU wants a path's commas twice. */
static const char *path(char out[PATH_ROOM], const char *name)
{
    size_t at = 0;
    for (; *name && at + 3 < PATH_ROOM; name++) {
        out[at++] = *name;
        if (*name == ',')
            out[at++] = ',';
    }
    out[at] = '\0';
    return out;
}

/* What QEMU itself says comes out of the console too. Flushes do nothing (no-flush): the host is
 * not what loses power here, and what QEMU has written to a file outlives it. The guest's order of
 * writes and flushes is in the log all the same. */
static int start_qemu(struct rig_linux *board, const int fds[2], char *message, size_t len)
{
    const struct rig_linux_config *config = &board->config;
    char name[PATH_ROOM], log_name[PATH_ROOM], memory[16];
    char flash[3 * PATH_ROOM], records[2 * PATH_ROOM], tar[2 * PATH_ROOM], qmp[48], console[48],
        speed[64];
    snprintf(memory, sizeof memory, "%u", config->memory_mb ? config->memory_mb : MEMORY_MB);
    snprintf(qmp, sizeof qmp, "socket,id=qmp,fd=%d", QMP_FD);
    snprintf(console, sizeof console, "socket,id=console,fd=%d", CONSOLE_FD);
    snprintf(flash, sizeof flash,
             "driver=blklogwrites,node-name=logged,file.driver=file,file.filename=%s,"
             "file.cache.no-flush=on,log.driver=file,log.filename=%s,log.cache.no-flush=on,"
             "log-sector-size=%d",
             path(name, config->flash), path(log_name, board->path[LB_LOG]), RIG_LOG_UNIT);
    snprintf(speed, sizeof speed, "throttle-group,id=speed,x-iops-write=%u", config->writes_per_s);
    snprintf(records, sizeof records, "driver=file,node-name=records,filename=%s,cache.no-flush=on",
             path(name, config->records));
    snprintf(tar, sizeof tar, "driver=file,node-name=config,filename=%s,read-only=on",
             path(name, config->config));
    // clang-format off
    const char *const argv[] = {
        config->qemu ? config->qemu : "qemu-system-aarch64",
        "-M", "virt", "-cpu", "cortex-a53", "-m", memory,
        "-nodefaults", "-no-user-config", "-display", "none",
        "-kernel", config->kernel, "-initrd", config->initramfs,
        "-append", "console=ttyAMA0 rdinit=/init panic=1 quiet cryptomgr.notests",
        "-chardev", qmp, "-mon", "chardev=qmp,mode=control",
        "-chardev", console, "-serial", "chardev:console",
        "-object", speed, "-blockdev", flash,
        "-blockdev", "driver=throttle,node-name=flash,throttle-group=speed,file=logged",
        "-device", "virtio-blk-device,drive=flash,serial=flash",
        "-blockdev", records, "-device", "virtio-blk-device,drive=records,serial=records",
        "-blockdev", tar, "-device", "virtio-blk-device,drive=config,serial=config",
        "-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net",
        "-device", "i6300esb", NULL};
    // clang-format on
    const struct rig_child_start start = {.argv = argv, .fds = fds, .fds_count = 2, .said = fds[1]};
    return rig_child_start(&board->child, &start, message, len);
}

static int check_file(const char *name, int64_t bytes, char *message, size_t len)
{
    struct stat file;
    if (access(name, R_OK | (bytes ? W_OK : 0)) || stat(name, &file)) {
        snprintf(message, len, "%s: %s", name, strerror(errno));
        return -1;
    }
    if (!bytes || (S_ISREG(file.st_mode) && file.st_size == bytes))
        return 0;
    snprintf(message, len, "%s: has to be a file of exactly %lld bytes", name, (long long)bytes);
    return -1;
}

static int check_files(const struct rig_linux_config *config, char *message, size_t len)
{
    int64_t flash = (int64_t)config->layout->data_addr + config->layout->data_bytes;
    return check_file(config->kernel, 0, message, len) ||
                   check_file(config->initramfs, 0, message, len) ||
                   check_file(config->config, 0, message, len) ||
                   check_file(config->flash, flash, message, len) ||
                   check_file(config->records, AGENT_RECORDS_BYTES, message, len)
               ? -1
               : 0;
}

static int make_file(const char *name, char *message, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        snprintf(message, len, "%s: %s", name, strerror(errno));
    return fd;
}

/* By sendfile, since copy_file_range does not copy between file systems of two types. */
static int copy_file(const char *to, const char *from, char *message, size_t len)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = make_file(to, message, len);
    ssize_t got = -1;
    while (in >= 0 && out >= 0 && (got = sendfile(out, in, NULL, COPY_BYTES)) > 0)
        continue;
    if (got && out >= 0)
        snprintf(message, len, "%s can't be copied to %s: %s", from, to, strerror(errno));
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return got ? -1 : 0;
}

/* What rig_linux_tear looks back at. */
static int begin_log(const struct rig_linux *board, char *message, size_t len)
{
    int log = make_file(board->path[LB_LOG], message, len);
    if (log < 0)
        return -1;
    close(log);
    return copy_file(board->path[LB_POWER_ON], board->path[LB_FLASH], message, len);
}

int rig_linux_power_on(struct rig_linux *board, char *message, size_t len)
{
    int qmp[2], console[2];
    assert(!board->child.pid);
    if (check_files(&board->config, message, len) || begin_log(board, message, len))
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp)) {
        snprintf(message, len, "no socket: %s", strerror(errno));
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console)) {
        snprintf(message, len, "no socket: %s", strerror(errno));
        close(qmp[0]);
        close(qmp[1]);
        return -1;
    }
    int error = start_qemu(board, (const int[]){qmp[1], console[1]}, message, len);
    close(qmp[1]);
    close(console[1]);
    if (error) {
        close(qmp[0]);
        close(console[0]);
        return -1;
    }
    if (!lb_hear(board, console[0], qmp[0]))
        return 0;
    snprintf(message, len, "no memory");
    rig_child_kill(&board->child);
    lb_deaf(board);
    return -1;
}

static void on_stopped(void *ctx, const json_t *result, const char *error)
{
    (void)error;
    *(int *)ctx = result ? 1 : -1;
}

/* The console is read meanwhile: QEMU waits for it while it is full. */
static bool stop(struct rig_linux *board)
{
    int stopped = 0;
    int64_t until_us = lb_now_us() + LB_STOP_WITHIN_MS * 1000, left_us;
    if (rig_qmp_send(board->qmp, "stop", NULL, on_stopped, &stopped))
        return false;
    rig_qmp_work(board->qmp);
    while (!stopped && rig_qmp_fd(board->qmp) >= 0 && (left_us = until_us - lb_now_us()) > 0) {
        struct pollfd wait[] = {{.fd = rig_qmp_fd(board->qmp), .events = rig_qmp_wants(board->qmp)},
                                {.fd = board->console, .events = POLLIN}};
        if (poll(wait, 2, (int)(left_us / 1000) + 1) < 0 && errno != EINTR)
            break;
        if (wait[0].revents)
            rig_qmp_work(board->qmp);
        if (wait[1].revents)
            lb_console(board);
    }
    if (!stopped) /* its reply would come to a variable that is gone */
        rig_child_kill(&board->child);
    while (!stopped && rig_qmp_fd(board->qmp) >= 0)
        rig_qmp_work(board->qmp);
    return stopped > 0;
}

bool rig_linux_power_off(struct rig_linux *board)
{
    if (!board->child.pid || board->going)
        return true;
    board->going = true;
    board->marker[0] = '\0';
    ev_timer_stop(board->config.loop, &board->cut);
    bool clean = stop(board);
    ev_io_stop(board->config.loop, &board->ends);
    rig_child_kill(&board->child);
    lb_console(board);
    lb_deaf(board);
    board->going = false;
    return clean;
}

bool rig_linux_is_on(const struct rig_linux *board)
{
    return board->child.pid && !board->going;
}

pid_t rig_linux_pid(const struct rig_linux *board)
{
    return board->child.pid;
}

int64_t lb_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int name_files(struct rig_linux *board)
{
    const struct rig_linux_config *config = &board->config;
    int used[] = {snprintf(board->path[LB_FLASH], LB_PATH_MAX, "%s", config->flash),
                  snprintf(board->path[LB_POWER_ON], LB_PATH_MAX, "%s/power-on", config->folder),
                  snprintf(board->path[LB_LOG], LB_PATH_MAX, "%s/writes", config->folder)};
    return used[0] >= LB_PATH_MAX || used[1] >= LB_PATH_MAX || used[2] >= LB_PATH_MAX ? -1 : 0;
}

int rig_linux_create(struct rig_linux **out, const struct rig_linux_config *config, char *message,
                     size_t len)
{
    struct rig_linux *board = *out = calloc(1, sizeof *board);
    if (board && !rig_lines_init(&board->lines)) {
        board->config = *config;
        board->child.pidfd = -1;
        board->console = -1;
        if (!name_files(board))
            return 0;
        rig_lines_free(&board->lines);
    }
    snprintf(message, len, board ? "%s: too long a path" : "no memory", config->folder);
    free(board);
    *out = NULL;
    return -1;
}

void rig_linux_free(struct rig_linux *board)
{
    if (!board)
        return;
    board->config.events = (struct rig_linux_events){0};
    rig_linux_power_off(board);
    rig_lines_free(&board->lines);
    free(board);
}
