/* Opening, locking and making of the file and of its operation record. */
#include "flash_file/flash_file.h"
#include "settle.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *agent_flash_file_error_name(int error)
{
    static const char *const name[] = {"AGENT_FLASH_FILE_OK", "AGENT_FLASH_FILE_EFILE",
                                       "AGENT_FLASH_FILE_ESIZE", "AGENT_FLASH_FILE_ELOCKED",
                                       "AGENT_FLASH_FILE_EOP"};
    return error <= 0 && error >= AGENT_FLASH_FILE_EOP ? name[-error] : "AGENT_FLASH_FILE_?";
}

uint32_t agent_flash_file_bytes(const struct boot_layout *layout)
{
    return layout->data_addr + layout->data_bytes;
}

static int fail_file(const char *path, const char *what, char *why, size_t len)
{
    snprintf(why, len, "%s: %s: %s", path, what, strerror(errno));
    return AGENT_FLASH_FILE_EFILE;
}

static int fill_blank(int fd, uint32_t bytes)
{
    uint8_t blank[65536];
    memset(blank, 0xFF, sizeof blank);
    for (uint32_t at = 0; at < bytes; at += (uint32_t)sizeof blank) {
        size_t piece = bytes - at < sizeof blank ? bytes - at : sizeof blank;
        if (pwrite(fd, blank, piece, at) != (ssize_t)piece)
            return -1;
    }
    return fdatasync(fd);
}

int agent_flash_file_make(const char *path, const struct boot_layout *layout, char *why, size_t len)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_file(path, "can't be made", why, len);
    errno = EIO;
    int error = fill_blank(fd, agent_flash_file_bytes(layout));
    if (error) {
        fail_file(path, "can't be written", why, len);
        unlink(path);
    }
    close(fd);
    return error ? AGENT_FLASH_FILE_EFILE : AGENT_FLASH_FILE_OK;
}

static int check_size(const struct agent_flash_file *file, char *why, size_t len)
{
    const char *path = file->config->path;
    struct stat status;
    uint64_t size = 0;
    if (fstat(file->fd, &status))
        return fail_file(path, "can't be looked at", why, len);
    bool block = S_ISBLK(status.st_mode);
    if (block && ioctl(file->fd, BLKGETSIZE64, &size))
        return fail_file(path, "has no size", why, len);
    if (!block)
        size = (uint64_t)status.st_size;
    if ((block || S_ISREG(status.st_mode)) && (block ? size >= file->bytes : size == file->bytes))
        return AGENT_FLASH_FILE_OK;
    snprintf(why, len,
             "%s: has %llu bytes, the configured layout %u; make a flash of this layout by "
             "--factory",
             path, (unsigned long long)size, file->bytes);
    return AGENT_FLASH_FILE_ESIZE;
}

static int lock(const struct agent_flash_file *file, char *why, size_t len)
{
    if (!flock(file->fd, LOCK_EX | LOCK_NB))
        return AGENT_FLASH_FILE_OK;
    if (errno != EWOULDBLOCK)
        return fail_file(file->config->path, "can't be locked", why, len);
    snprintf(why, len, "%s: in use by another process", file->config->path);
    return AGENT_FLASH_FILE_ELOCKED;
}

static int blank_record(int fd, off_t at)
{
    uint8_t head[AGENT_OP_HEAD_BYTES];
    agent_op_encode(head, &(struct agent_op){.kind = AGENT_OP_NONE});
    return pwrite(fd, head, sizeof head, at) == (ssize_t)sizeof head ? 0 : -1;
}

/* A record is written through a map, where a hole that finds the disk full is a SIGBUS: a crash of
 * the firmware, to all who look. So its bytes are there from the start. */
static int allocate(int fd, off_t bytes, off_t bytes_before)
{
    int error;
    do
        error = posix_fallocate(fd, 0, bytes);
    while (error == EINTR);
    if (!error)
        return 0;
    int shorter = ftruncate(fd, bytes_before); /* a part is no record */
    (void)shorter;
    errno = error;
    return -1;
}

/* A new medium of both records is all zero. A file is made as long as it has to be. */
static int find_record(int fd)
{
    static const uint8_t zero[AGENT_OP_HEAD_BYTES];
    uint8_t head[AGENT_OP_HEAD_BYTES];
    struct stat status;
    if (fstat(fd, &status))
        return -1;
    bool takes = !status.st_size || status.st_size >= AGENT_RECORDS_BYTES;
    if (S_ISREG(status.st_mode) && takes && allocate(fd, AGENT_RECORDS_BYTES, status.st_size))
        return -1;
    off_t end = lseek(fd, 0, SEEK_END);
    errno = EINVAL;
    if (end < AGENT_RECORDS_BYTES ||
        pread(fd, head, sizeof head, AGENT_RECORDS_AT_OP) != (ssize_t)sizeof head)
        return -1;
    return memcmp(head, zero, sizeof head) ? 0 : blank_record(fd, AGENT_RECORDS_AT_OP);
}

/* Whoever made it may have been killed behind the head. */
static int size_record(int fd)
{
    struct stat status;
    if (fstat(fd, &status))
        return -1;
    if (status.st_size && status.st_size != AGENT_OP_HEAD_BYTES &&
        status.st_size != AGENT_OP_BYTES) {
        errno = EINVAL;
        return -1;
    }
    if (!status.st_size && blank_record(fd, 0))
        return -1;
    return allocate(fd, AGENT_OP_BYTES, status.st_size);
}

static int map_record(struct agent_flash_file *file, char *why, size_t len)
{
    const char *path = file->config->op_path;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_file(path, "can't be opened", why, len);
    bool synced = file->config->op_synced;
    void *map = (synced ? find_record(fd) : size_record(fd))
                    ? MAP_FAILED
                    : mmap(NULL, AGENT_OP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                           synced ? AGENT_RECORDS_AT_OP : 0);
    int error = map == MAP_FAILED ? fail_file(path, "can't be mapped", why, len) : 0;
    close(fd);
    if (!error)
        file->op = map;
    return error;
}

static int open_record(struct agent_flash_file *file, char *why, size_t len)
{
    struct agent_op op;
    if (!file->config->op_path)
        return AGENT_FLASH_FILE_OK;
    int error = map_record(file, why, len);
    if (error)
        return error;
    if (!agent_op_decode(&op, file->op)) {
        snprintf(why, len, "%s: is no operation record; remove it", file->config->op_path);
        return AGENT_FLASH_FILE_EOP;
    }
    file->cut = op;
    file->number = op.number;
    errno = EIO;
    if (!agent_flash_file_settle(file))
        return fail_file(file->config->op_path, "can't be written", why, len);
    return AGENT_FLASH_FILE_OK;
}

int agent_flash_file_open(struct agent_flash_file *out,
                          const struct agent_flash_file_config *config, char *why, size_t len)
{
    memset(out, 0, sizeof *out);
    out->config = config;
    out->bytes = agent_flash_file_bytes(config->layout);
    out->fd = open(config->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (out->fd < 0)
        return fail_file(config->path, "can't be opened", why, len);
    int error = lock(out, why, len);
    if (!error)
        error = check_size(out, why, len);
    if (!error)
        error = open_record(out, why, len);
    if (error)
        agent_flash_file_close(out);
    return error;
}

void agent_flash_file_close(struct agent_flash_file *file)
{
    if (file->op)
        munmap(file->op, AGENT_OP_BYTES);
    file->op = NULL;
    close(file->fd);
    file->fd = -1;
}
