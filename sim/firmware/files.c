/* Reading and writing whole files; see files.h. */
#include "files.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sim_fw_bytes_free(struct sim_fw_bytes *bytes)
{
    if (bytes->data)
        OPENSSL_cleanse(bytes->data, bytes->len);
    free(bytes->data);
    *bytes = (struct sim_fw_bytes){0};
}

void sim_fw_explain(struct sim_fw_why *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
}

static int explain_errno(struct sim_fw_why *why, const char *what)
{
    sim_fw_explain(why, "%s: %s", what, strerror(errno));
    return SIM_FW_EIO;
}

/* The size is what fstat says; a file that shrinks or grows meanwhile is an error, not a guess. */
static int read_exactly(int fd, struct sim_fw_bytes *out, size_t len, struct sim_fw_why *why)
{
    if (len == 0)
        return SIM_FW_OK;
    out->data = malloc(len);
    if (!out->data) {
        sim_fw_explain(why, "no memory for %zu bytes", len);
        return SIM_FW_EMEMORY;
    }
    while (out->len < len) {
        ssize_t got = read(fd, out->data + out->len, len - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return explain_errno(why, "cannot be read");
        if (got == 0) {
            sim_fw_explain(why, "became shorter while it was read");
            return SIM_FW_EIO;
        }
        out->len += (size_t)got;
    }
    return SIM_FW_OK;
}

static int check_readable(int fd, size_t max, size_t *len, struct sim_fw_why *why)
{
    struct stat info;
    if (fstat(fd, &info))
        return explain_errno(why, "cannot be examined");
    if (!S_ISREG(info.st_mode)) {
        sim_fw_explain(why, S_ISDIR(info.st_mode) ? "is a directory" : "is no regular file");
        return SIM_FW_EIO;
    }
    if ((uintmax_t)info.st_size > max) {
        sim_fw_explain(why, "has %ju bytes; at most %zu are accepted", (uintmax_t)info.st_size,
                       max);
        return SIM_FW_ERANGE;
    }
    *len = (size_t)info.st_size;
    return SIM_FW_OK;
}

int sim_fw_file_read(struct sim_fw_bytes *out, const char *path, size_t max, struct sim_fw_why *why)
{
    assert(out && path && why);
    *out = (struct sim_fw_bytes){0};
    /* Without O_NONBLOCK a named pipe would wait for a writer for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return explain_errno(why, "cannot be opened");
    size_t len = 0;
    int error = check_readable(fd, max, &len, why);
    if (!error)
        error = read_exactly(fd, out, len, why);
    close(fd);
    if (error)
        sim_fw_bytes_free(out);
    return error;
}

bool sim_fw_file_same(const char *a, const char *b)
{
    struct stat left, right;
    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

static int write_all(int fd, const struct sim_fw_bytes *data)
{
    for (size_t at = 0; at < data->len;) {
        ssize_t put = write(fd, data->data + at, data->len - at);
        if (put < 0 && errno != EINTR)
            return -1;
        at += put > 0 ? (size_t)put : 0;
    }
    return fsync(fd);
}

static int check_target(const struct sim_fw_output *out, struct sim_fw_why *why)
{
    struct stat info;
    if (stat(out->path, &info))
        return SIM_FW_OK; /* not there; whether it can be made is seen when it is */
    if (!S_ISREG(info.st_mode)) {
        sim_fw_explain(why, "is there already and is no regular file");
        return SIM_FW_EIO;
    }
    if (!out->replace) {
        sim_fw_explain(why, "exists already; nothing was written");
        return SIM_FW_EEXISTS;
    }
    return SIM_FW_OK;
}

int sim_fw_output_prepare(struct sim_fw_output *out, const char *path,
                          const struct sim_fw_bytes *data, mode_t mode, struct sim_fw_why *why)
{
    assert(out && path && data && why);
    out->path = path;
    int error = check_target(out, why);
    if (error)
        return error;
    if (asprintf(&out->temporary, "%s.XXXXXX", path) < 0) {
        out->temporary = NULL;
        return explain_errno(why, "no name for the temporary file");
    }
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd < 0) {
        explain_errno(why, "cannot be created");
        free(out->temporary);
        out->temporary = NULL;
        return SIM_FW_EIO;
    }
    if (fchmod(fd, mode) || write_all(fd, data))
        error = explain_errno(why, "cannot be written");
    if (close(fd) && !error)
        error = explain_errno(why, "cannot be written");
    if (error)
        sim_fw_output_discard(out);
    return error;
}

int sim_fw_output_commit(struct sim_fw_output *out, struct sim_fw_why *why)
{
    if (!out->temporary)
        return SIM_FW_OK;
    int error = SIM_FW_OK;
    /* link, unlike rename, fails when somebody has made the file since it was looked for. */
    int failed = out->replace ? rename(out->temporary, out->path) : link(out->temporary, out->path);
    if (failed) {
        error = errno == EEXIST ? SIM_FW_EEXISTS : SIM_FW_EIO;
        explain_errno(why, "cannot be given its name");
    }
    if (failed || !out->replace)
        unlink(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
    return error;
}

void sim_fw_output_discard(struct sim_fw_output *out)
{
    if (!out->temporary)
        return;
    unlink(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
}

int sim_fw_file_write(const char *path, const struct sim_fw_bytes *data, struct sim_fw_why *why)
{
    mode_t mask = umask(0);
    umask(mask);
    struct sim_fw_output out = {.replace = true};
    int error = sim_fw_output_prepare(&out, path, data, 0666 & ~mask, why);
    return error ? error : sim_fw_output_commit(&out, why);
}
