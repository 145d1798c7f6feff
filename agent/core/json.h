/*
 * Reads a JSON object into a C struct by a table: which keys, of which form, at which offset.
 * No allocation; work and memory are bounded by the input's length. Private to agent/core.
 *
 * Strict where jsmn is not: the whole text must be one JSON object by RFC 8259 in valid UTF-8. A
 * key of the table that occurs twice is refused, because two readers might take different ones.
 * Keys outside the table are ignored with all that is in them.
 */
#ifndef AGENT_JSON_H
#define AGENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AGENT_JSON_TOKENS_MAX = 256, AGENT_JSON_DEPTH_MAX = 32 };

enum agent_json_form {
    AGENT_JSON_TEXT,      /* char[max]: NUL-terminated, not empty, no control characters */
    AGENT_JSON_TEXT_NONE, /* the same, may be empty */
    AGENT_JSON_ANY_TEXT,  /* must be a string; not stored */
    AGENT_JSON_BOOL,      /* bool */
    AGENT_JSON_U32,       /* uint32_t, min..2^32-1, digits only */
    AGENT_JSON_HEX,       /* uint8_t[max], and the number of bytes as uint16_t at `extra` */
    AGENT_JSON_HEX_ALL,   /* uint8_t[max], exactly that many */
    AGENT_JSON_TIME,      /* int64_t in ms; null leaves what is there */
    AGENT_JSON_NAME,      /* a string of the list `names`; its index as int32_t */
    AGENT_JSON_OBJECT     /* an object of the shape `object`, offsets from `at` */
};

struct agent_json_shape;
struct agent_json_field {
    const char *key;
    enum agent_json_form form;
    bool optional;
    uint32_t max; /* room in bytes; for a name: how many names */
    size_t at;    /* offset in the struct */
    size_t extra;
    uint32_t min;
    const char *const *names;
    const struct agent_json_shape *object;
};

struct agent_json_shape {
    const struct agent_json_field *fields;
    uint32_t count; /* up to 32 */
};

/*
 * AGENT_OK; AGENT_EFORMAT: not JSON, a value of another type, a key given twice; AGENT_EMISSING: a
 * key that is not optional is absent; AGENT_ERANGE: more than AGENT_INPUT_MAX bytes, too deep, too
 * many tokens, or a value that does not fit its form. After an error parts of out are written.
 */
int agent_json_read(const struct agent_json_shape *shape, void *out, const char *text,
                    uint32_t len);

/* json_grammar.c: AGENT_OK if the text is one JSON object, AGENT_ERANGE if it is too deep. */
int agent_json_check(const char *text, uint32_t len);

/*
 * json_value.c: the values, given as the bytes between a token's ends, of a text that was checked.
 * Escapes are resolved; a lone surrogate and U+0000 are AGENT_ERANGE.
 */
struct agent_json_bytes {
    const char *at;
    uint32_t len;
};
bool agent_json_equals(struct agent_json_bytes string, const char *expected);
int agent_json_text(char *out, uint32_t max, struct agent_json_bytes string);
int agent_json_u32(uint32_t *out, uint32_t min, struct agent_json_bytes number);
int agent_json_hex(uint8_t *out, uint32_t max, uint32_t *out_bytes, struct agent_json_bytes string);

#endif
