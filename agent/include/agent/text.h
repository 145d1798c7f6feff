/*
 * Bounded text without libc: JSON and log lines of the core and of its ports. A text that does not
 * fit is cut, never overrun; it is not NUL-terminated. The caller owns the buffer. NULL is misuse.
 */
#ifndef AGENT_TEXT_H
#define AGENT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct agent_text {
    char *out;
    uint32_t len, max;
};

void agent_text_char(struct agent_text *text, char c);
void agent_text_put(struct agent_text *text, const char *string);
/* The inside of a JSON string. */
void agent_text_escaped(struct agent_text *text, const char *string);
/* At least this many digits, padded with zeros. */
void agent_text_number(struct agent_text *text, uint32_t number, uint32_t digits);
/* ISO 8601 in UTC with milliseconds: "2026-03-19T10:00:00.000Z". */
void agent_text_time(struct agent_text *text, int64_t utc_ms);

bool agent_text_equal(const char *a, const char *b);
/* Copies what fits into max bytes and pads with NUL, so that records compare by their bytes. */
void agent_text_copy(char *out, uint32_t max, const char *string);

#endif
