/*
 * One board, one run. The lock is the kernel's, so a killed owner holds nothing; what the file says
 * is for people only.
 *
 *   PID SECONDS-SINCE-1970 USER WHAT FOR\n
 */
#include "rig/benchfile.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OWNER_BYTES = 256 };

struct rig_lock {
    int fd;
};

int rig_bench_make_state(const struct rig_bench *bench, char *message, size_t len)
{
    struct stat status;
    if (!mkdir(bench->state, 0700) || (errno == EEXIST && !stat(bench->state, &status) &&
                                       S_ISDIR(status.st_mode) && !access(bench->state, W_OK)))
        return RIG_OK;
    int reason = errno == EEXIST ? ENOTDIR : errno;
    return rig_port_say(RIG_EOPEN, message, len,
                        "%s: %s; the bench's locks and counters belong there: make it writable, or "
                        "name another folder in `state:` of %s",
                        bench->state, strerror(reason), bench->file);
}

static int path_of(char path[PATH_MAX], const struct rig_bench *bench,
                   const struct rig_bench_board *board)
{
    int len = snprintf(path, PATH_MAX, "%s/%s.lock", bench->state, board->name);
    return len < PATH_MAX ? 0 : -1;
}

static void write_age(char out[32], int64_t seconds)
{
    long long s = seconds < 0 ? 0 : seconds;
    if (s < 60)
        snprintf(out, 32, "%lld s", s);
    else if (s < 3600)
        snprintf(out, 32, "%lld min", s / 60);
    else if (s < 86400)
        snprintf(out, 32, "%lld h %lld min", s / 3600, s % 3600 / 60);
    else
        snprintf(out, 32, "%lld d %lld h", s / 86400, s % 86400 / 3600);
}

/* From the file of a lock that somebody holds. */
static void describe(int fd, char *out, size_t len)
{
    char text[OWNER_BYTES] = "", user[33], what_for[160], age[32];
    long pid;
    long long since;
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (sscanf(text, "%ld %lld %32s %159[^\n]", &pid, &since, user, what_for) != 4) {
        snprintf(out, len, "somebody who has only just begun");
        return;
    }
    write_age(age, (int64_t)time(NULL) - since);
    int used = snprintf(out, len, "%s (pid %ld, %s) since %s", user, pid, what_for, age);
    for (int i = 0; i < used && (size_t)i < len; i++) /* the file may hold anything */
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
            out[i] = '?';
}

static void sign(int fd, const char *what_for)
{
    char text[OWNER_BYTES], buffer[1024];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found))
        found = NULL;
    int len = snprintf(text, sizeof text, "%ld %lld %.32s %.150s\n", (long)getpid(),
                       (long long)time(NULL), found ? found->pw_name : "somebody", what_for);
    /* Without it a reader is told less, and nothing else. */
    if (pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len))
        (void)!ftruncate(fd, 0);
}

int rig_lock_take(struct rig_lock **out, const struct rig_bench *bench,
                  const struct rig_bench_board *board, const char *what_for, char *message,
                  size_t len)
{
    assert(out && bench && board && what_for && message);
    char path[PATH_MAX], owner[OWNER_BYTES + 64];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *out = NULL;
    if (rig_bench_make_state(bench, message, len))
        return RIG_EOPEN;
    int fd = path_of(path, bench, board)
                 ? -1
                 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return rig_port_say(RIG_EOPEN, message, len, "%s: %s", path, strerror(errno));
    if (fcntl(fd, F_OFD_SETLK, &whole)) {
        int reason = errno;
        bool busy = reason == EAGAIN || reason == EACCES;
        describe(fd, owner, sizeof owner);
        close(fd);
        return busy
                   ? rig_port_say(RIG_EBUSY, message, len, "%s is in use by %s", board->name, owner)
                   : rig_port_say(RIG_EOPEN, message, len, "%s: it can't be locked: %s", path,
                                  strerror(reason));
    }
    struct rig_lock *lock = malloc(sizeof *lock);
    if (!lock) {
        close(fd);
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    }
    sign(fd, what_for);
    lock->fd = fd;
    *out = lock;
    return RIG_OK;
}

void rig_lock_release(struct rig_lock *lock)
{
    if (!lock)
        return;
    (void)!ftruncate(lock->fd, 0);
    close(lock->fd);
    free(lock);
}

int rig_lock_descriptor(const struct rig_lock *lock)
{
    return lock->fd;
}

void rig_lock_owner(const struct rig_bench *bench, const struct rig_bench_board *board, char *out,
                    size_t len)
{
    assert(bench && board && out && len);
    char path[PATH_MAX];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *out = '\0';
    if (path_of(path, bench, board))
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        snprintf(out, len, "somebody, or nobody: %s: %s", path, strerror(errno));
    if (fd < 0)
        return;
    if (!fcntl(fd, F_OFD_GETLK, &whole) && whole.l_type != F_UNLCK)
        describe(fd, out, len);
    close(fd);
}
