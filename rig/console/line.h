/* Lines out of bytes that are not trusted. Pure. */
#ifndef RIG_CONSOLE_LINE_H
#define RIG_CONSOLE_LINE_H

#include "rig/console.h"

struct rig_line {
    char text[RIG_CONSOLE_LINE_MAX + 2]; /* room for the CR of a full line, and NUL */
    size_t len;
    bool told;      /* it is whole and was handed out: the next byte begins a line */
    bool shortened; /* more came than there is room for */
    bool skip;      /* its beginning was thrown away: the next line end begins a line */
};

/* Takes bytes up to and with the first LF; gives how many. *whole: the line stands in text, clean
 * and NUL-terminated, until the next call; len is of it. */
size_t rig_line_take(struct rig_line *line, bool *whole, const char *bytes, size_t len);
/* What has come of an unfinished line, made clean. False: nothing. The line is empty afterwards. */
bool rig_line_end(struct rig_line *line, char out[RIG_CONSOLE_LINE_MAX + 1]);
/* Bytes are missing from here on: the unfinished line is dropped. */
void rig_line_gap(struct rig_line *line);
/* In place: a byte that is no valid UTF-8, or a control character (tab becomes a space), is '.'.
 * The text gets no longer; gives its length. */
size_t rig_line_clean(char *text, size_t len);

#endif
