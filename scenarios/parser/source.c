#include "source.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_large(struct scn_reader *r)
{
    return scn_fail_text(r, SCN_ETOO_LARGE, 0, 0,
                         "larger than a scenario can be; accepted: at most 1MiB");
}

/* One byte more than allowed is asked for, so that a file or pipe which is larger shows. */
static int read_all(struct scn_reader *r, int fd, char *bytes, size_t *len)
{
    *len = 0;
    for (;;) {
        ssize_t got = read(fd, bytes + *len, SCN_SOURCE_MAX + 1 - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return scn_fail_text(r, SCN_EFILE, 0, 0, "can't be read: %s", strerror(errno));
        if (got == 0)
            return SCN_OK;
        *len += (size_t)got;
        if (*len > SCN_SOURCE_MAX)
            return too_large(r);
    }
}

static int read_open(struct scn_reader *r, int fd, char **bytes, size_t *len)
{
    struct stat status;
    if (fstat(fd, &status))
        return scn_fail_text(r, SCN_EFILE, 0, 0, "can't be read: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return scn_fail_text(r, SCN_EFILE, 0, 0, "is a directory; accepted: a YAML file");
    if (S_ISREG(status.st_mode) && status.st_size > SCN_SOURCE_MAX)
        return too_large(r);
    *bytes = malloc(SCN_SOURCE_MAX + 1);
    return *bytes ? read_all(r, fd, *bytes, len) : scn_fail_memory(r);
}

int scn_source_read(struct scn_reader *r, const char *path, char **bytes, size_t *len)
{
    *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return scn_fail_text(r, SCN_EFILE, 0, 0, "can't be opened: %s", strerror(errno));
    int error = read_open(r, fd, bytes, len);
    close(fd);
    if (error) {
        free(*bytes);
        *bytes = NULL;
    }
    return error;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t scn_utf8_length(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t need = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (!need || need > len || b[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
        (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
        return 0;
    return need;
}

/*
 * libfyaml reads ahead over brackets before it says how deep they are, which for a megabyte of them
 * takes seconds and hundreds of megabytes. So brackets are counted here, roughly (those in texts
 * and comments too): a scenario does not leave so many open, and the exact limit is checked while
 * the tree is built.
 */
static bool too_many_open(char c, int *open)
{
    enum { BRACKETS_MAX = 1024 };
    if (c == '[' || c == '{')
        ++*open;
    else if ((c == ']' || c == '}') && *open)
        --*open;
    return *open > BRACKETS_MAX;
}

int scn_source_check(struct scn_reader *r, const char *bytes, size_t len)
{
    int line = 1, column = 1, open = 0;
    for (size_t at = 0; at < len;) {
        unsigned char c = (unsigned char)bytes[at];
        size_t step = scn_utf8_length(bytes + at, len - at);
        if (!step)
            return scn_fail_text(r, SCN_ESYNTAX, line, column,
                                 "byte 0x%02x is not UTF-8; accepted: UTF-8 text", c);
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return scn_fail_text(r, SCN_ESYNTAX, line, column,
                                 "control character 0x%02x; accepted: text", c);
        if (too_many_open((char)c, &open))
            return scn_fail_text(r, SCN_ESYNTAX, line, column,
                                 "nested too deeply; accepted: at most 64 levels");
        at += step;
        column++;
        if (c == '\n') {
            line++;
            column = 1;
        }
    }
    return SCN_OK;
}
