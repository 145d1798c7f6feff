/* Lines out of a stream that is not trusted. What was read stays in here, so that a callback may
 * read further: no line is seen twice, and none out of order. */
#ifndef RIG_LINES_H
#define RIG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RIG_LINE_MAX = 1024, RIG_LINES_CHUNK = 65536 };

struct rig_lines {
    char *chunk; /* RIG_LINES_CHUNK */
    size_t at, have;
    char line[RIG_LINE_MAX];
    size_t len;
    uint64_t shortened; /* lines of more than RIG_LINE_MAX - 1 bytes: their rest is left out */
};

int rig_lines_init(struct rig_lines *lines); /* 0, or -1: no memory */
void rig_lines_free(struct rig_lines *lines);
void rig_lines_reset(struct rig_lines *lines); /* a new stream begins */
/* Takes at most RIG_LINES_CHUNK; everything before has to be taken out. */
void rig_lines_put(struct rig_lines *lines, const void *bytes, size_t len);
/* Reads once from fd if nothing is left. > 0: something is there; 0: the end; -1: errno. */
ssize_t rig_lines_read(struct rig_lines *lines, int fd);
/* The next whole line, without its end, control characters as '?'. False: none. */
bool rig_lines_next(struct rig_lines *lines, char out[RIG_LINE_MAX]);

#endif
