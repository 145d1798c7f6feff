/*
 * Pieces of a JSON form: objects from structs and their lists of fields (rep/field.h). The objects
 * are jansson's, and so are the rules of ownership; NULL and -1 mean that there was no memory.
 */
#ifndef REP_JSON_H
#define REP_JSON_H

#include "rep/field.h"
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

enum { REP_JSON_TEXT_MAX = 1024 }; /* bytes of a text, the rest is left out */

/* Text of at most `bytes` bytes: what is no UTF-8 becomes U+FFFD. */
json_t *rep_json_text(const char *text, size_t bytes);
/* jansson's integers are signed: what does not fit is given as decimal text rather than as another
 * number. */
json_t *rep_json_unsigned(uint64_t value);
/* Adds the members of row to object (NULL: -1). */
int rep_json_put(json_t *object, const struct rep_field *fields, size_t n, const void *row);
/* A list of `count` such objects, from rows of row_bytes each. */
json_t *rep_json_rows(const struct rep_field *fields, size_t n, const void *rows, uint32_t count,
                      size_t row_bytes);
/* The whole form as text; not 0 when that failed. */
int rep_json_write(FILE *out, const json_t *root);

#endif
