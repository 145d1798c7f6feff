/* A folder for one test, a relay board's serial line as a pty, and bench files in it. */
#ifndef TEST_RIG_BENCHFILE_KIT_H
#define TEST_RIG_BENCHFILE_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern char kit_folder[64]; /* of this test; all is made in it */
void kit_open(void);
void kit_close(void); /* removes the folder */

/* "FOLDER/name", in one of a few buffers. */
const char *kit_path(const char *name);
void kit_write(const char *name, const char *text);
/* The whole file, NUL behind it; "" when it is not there. In a buffer of its own kind. */
const char *kit_read(const char *name);
bool kit_is_there(const char *name);

/* The hardware's side of a serial line: FOLDER/name is the other one. */
struct kit_line {
    int master, slave; /* slave: kept open, so that nothing that was said is lost */
    char name[32];
};
void kit_line_open(struct kit_line *line, const char *name);
void kit_line_unplug(struct kit_line *line);
/* Bytes that came, at most len; false after timeout_ms with fewer. */
bool kit_line_take(struct kit_line *line, void *bytes, size_t len, int timeout_ms);
bool kit_line_is_silent(struct kit_line *line, int for_ms);
void kit_line_say(struct kit_line *line, const char *text);

/* The frame of the vendor's page is the next one on the line: on1 `A0 01 01 A2`. */
bool kit_frame_is(struct kit_line *line, uint8_t a, uint8_t b, uint8_t c, uint8_t d);

int64_t kit_now_ms(void);

#endif
