/*
 * Text that came from scenarios, devices and files, made fit for its form: JSON and XML accept only
 * valid UTF-8, XML no control characters, and a terminal must not be driven by a device's name.
 * Pure; thread-safe.
 */
#ifndef REP_TEXT_H
#define REP_TEXT_H

#include "rep/result.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next code point at *at, which moves on; U+FFFD for each byte that starts no valid UTF-8; 0 at
 * the end of the text or of its room. */
uint32_t rep_text_next(const char **at, const char *end);

/* Appends a code point as UTF-8 to to[used..room-1]; gives the new length, or used where it does
 * not fit. */
size_t rep_text_append(char *to, size_t used, size_t room, uint32_t code);

enum rep_text_form {
    REP_TEXT_JSON, /* any code point */
    REP_TEXT_XML,  /* XML 1.0 section 2.2: what is no Char becomes U+FFFD */
    REP_TEXT_LINE  /* one line of a terminal: control characters become '?' */
};

/* The code point itself, or what stands for it in that form. */
uint32_t rep_text_fit(uint32_t code, enum rep_text_form form);

/* Text of at most `from_bytes` bytes in that form, escaping left to the caller; to is
 * zero-terminated. */
void rep_text_clean(char *to, size_t room, const char *from, size_t from_bytes,
                    enum rep_text_form form);

/* Room that is always enough for a member of the result: a bad byte becomes three. */
enum { REP_TEXT_ROOM = 3 * REP_TOKEN_MAX + 1 };

/* k / n by integers, rounded towards zero: "63.04%" or, where a share would be nonsense ("> 500
 * ms"), "0.630"; "no data" where n is 0. */
void rep_text_ratio(char *to, size_t room, int64_t k, int64_t n, bool percent);
/* "3d 04:05", or "-" for a time that never was. */
void rep_text_time(char *to, size_t room, int64_t seconds);
/* "1.5 GiB". */
void rep_text_bytes(char *to, size_t room, uint64_t bytes);

#endif
