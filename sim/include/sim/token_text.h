/*
 * The text of tokens: a mark, then "KEY=VALUE" parts, all parted by commas and without blanks, so
 * that a token is one word of a command line. In values %, comma and blank are written %25, %2C and
 * %20. Memory is the caller's; thread-safe.
 */
#ifndef SIM_TOKEN_TEXT_H
#define SIM_TOKEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Appends a value to the text in out (len: all of its room), escaped. False when it does not fit:
 * then a part of it is there, no escape is cut in two. */
bool sim_token_put(char *out, size_t len, const char *value);

/* A walk over the parts of a text, which is taken to pieces. Once bad, always bad. */
struct sim_token_parts {
    char *at; /* NULL: no part is left */
    bool bad;
};
/* Bad where the text does not begin with the mark. */
void sim_token_begin(struct sim_token_parts *parts, char *text, const char *mark);
/* The next part, its value decoded in place; false behind the last, or where the text is bad: a
 * part without '=', a broken escape, the escape of a zero byte. */
bool sim_token_next(struct sim_token_parts *parts, const char **key, char **value);

/* A value into out; false when it is empty or does not fit len, its final zero included. */
bool sim_token_copy(char *out, size_t len, const char *value);

#endif
