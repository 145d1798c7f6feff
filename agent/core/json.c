/* Tokens (jsmn) to struct members, by the table of json.h. */
#include "json.h"
#include "agent/agent.h"
#include "calendar.h"
#define JSMN_STATIC
#define JSMN_STRICT
#include <jsmn.h>
#include <string.h>

struct document {
    const char *text;
    int count;
    jsmntok_t tokens[AGENT_JSON_TOKENS_MAX];
};

static struct agent_json_bytes token_bytes(const struct document *document, int token)
{
    const jsmntok_t *found = &document->tokens[token];
    struct agent_json_bytes bytes = {document->text + found->start,
                                     (uint32_t)(found->end - found->start)};
    return bytes;
}

/* The token after a value and all that is in it. */
static int token_after(const struct document *document, int token)
{
    int end = document->tokens[token].end;
    do
        token++;
    while (token < document->count && document->tokens[token].start < end);
    return token;
}

/* Whether a token has the JSON type that a form is written in. */
static bool is_typed(const struct document *document, int token, enum agent_json_form form)
{
    jsmntype_t type = document->tokens[token].type;
    char first = document->text[document->tokens[token].start];
    bool literal = type == JSMN_PRIMITIVE && (first == 't' || first == 'f' || first == 'n');
    switch (form) {
    case AGENT_JSON_BOOL:
        return literal && first != 'n';
    case AGENT_JSON_U32:
        return type == JSMN_PRIMITIVE && !literal;
    case AGENT_JSON_TIME:
        return type == JSMN_STRING || (literal && first == 'n');
    case AGENT_JSON_OBJECT:
        return type == JSMN_OBJECT;
    default:
        return type == JSMN_STRING;
    }
}

static int store_hex(const struct agent_json_field *field, uint8_t *base,
                     struct agent_json_bytes value)
{
    uint32_t bytes = 0;
    int error = agent_json_hex(base + field->at, field->max, &bytes, value);
    if (error)
        return error;
    if (field->form == AGENT_JSON_HEX_ALL)
        return bytes == field->max ? AGENT_OK : AGENT_ERANGE;
    uint16_t count = (uint16_t)bytes;
    memcpy(base + field->extra, &count, sizeof count);
    return AGENT_OK;
}

static int store_name(const struct agent_json_field *field, uint8_t *base,
                      struct agent_json_bytes value)
{
    for (uint32_t i = 0; i < field->max; i++) {
        if (agent_json_equals(value, field->names[i])) {
            int32_t index = (int32_t)i;
            memcpy(base + field->at, &index, sizeof index);
            return AGENT_OK;
        }
    }
    return AGENT_ERANGE;
}

static int store_u32(const struct agent_json_field *field, uint8_t *base,
                     struct agent_json_bytes value)
{
    uint32_t number = 0;
    int error = agent_json_u32(&number, field->min, value);
    memcpy(base + field->at, &number, sizeof number);
    return error;
}

static int store_time(const struct agent_json_field *field, uint8_t *base,
                      struct agent_json_bytes value)
{
    int64_t at_ms = 0;
    int error = agent_time_parse(&at_ms, value.at, value.len);
    if (!error)
        memcpy(base + field->at, &at_ms, sizeof at_ms);
    return error;
}

/* A value that is not an object. */
static int store_scalar(const struct document *document, const struct agent_json_field *field,
                        uint8_t *base, int token)
{
    struct agent_json_bytes value = token_bytes(document, token);
    bool truth = value.at[0] == 't';
    switch (field->form) {
    case AGENT_JSON_TEXT:
        if (value.len == 0)
            return AGENT_ERANGE;
        return agent_json_text((char *)base + field->at, field->max, value);
    case AGENT_JSON_TEXT_NONE:
        return agent_json_text((char *)base + field->at, field->max, value);
    case AGENT_JSON_BOOL:
        memcpy(base + field->at, &truth, sizeof truth);
        return AGENT_OK;
    case AGENT_JSON_U32:
        return store_u32(field, base, value);
    case AGENT_JSON_HEX:
    case AGENT_JSON_HEX_ALL:
        return store_hex(field, base, value);
    case AGENT_JSON_TIME:
        if (document->tokens[token].type == JSMN_PRIMITIVE)
            return AGENT_OK;
        return store_time(field, base, value);
    case AGENT_JSON_NAME:
        return store_name(field, base, value);
    default:
        return AGENT_OK;
    }
}

/* The index of the field with this key, or -1 for a key that is ignored. */
static int field_find(const struct agent_json_shape *shape, struct agent_json_bytes key)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        if (agent_json_equals(key, shape->fields[i].key))
            return (int)i;
    }
    return -1;
}

/* Finds the value of each field, as a token; 0 (which is the outermost object) where it is absent.
 */
static int object_find(const struct document *document, const struct agent_json_shape *shape,
                       int object, int values[32])
{
    int end = token_after(document, object);
    memset(values, 0, 32 * sizeof *values);
    for (int key = object + 1; key < end; key = token_after(document, key + 1)) {
        int field = field_find(shape, token_bytes(document, key));
        if (field < 0)
            continue;
        if (values[field])
            return AGENT_EFORMAT;
        values[field] = key + 1;
    }
    return AGENT_OK;
}

/* Goes down as deep as the shapes are nested, which is a constant of the program, not of the input.
 */
static int object_read(const struct document *document, const struct agent_json_shape *shape,
                       uint8_t *base, int object)
{
    int values[32];
    int error = object_find(document, shape, object, values);
    for (uint32_t i = 0; i < shape->count && !error; i++) {
        const struct agent_json_field *field = &shape->fields[i];
        if (!values[i])
            error = field->optional ? AGENT_OK : AGENT_EMISSING;
        else if (!is_typed(document, values[i], field->form))
            error = AGENT_EFORMAT;
        else if (field->form == AGENT_JSON_OBJECT)
            error = object_read(document, field->object, base + field->at, values[i]);
        else
            error = store_scalar(document, field, base, values[i]);
    }
    return error;
}

int agent_json_read(const struct agent_json_shape *shape, void *out, const char *text, uint32_t len)
{
    struct document document;
    jsmn_parser parser;
    if (len > AGENT_INPUT_MAX)
        return AGENT_ERANGE;
    int error = agent_json_check(text, len);
    if (error)
        return error;
    jsmn_init(&parser);
    document.text = text;
    document.count = jsmn_parse(&parser, text, len, document.tokens, AGENT_JSON_TOKENS_MAX);
    if (document.count <= 0)
        return document.count == JSMN_ERROR_NOMEM ? AGENT_ERANGE : AGENT_EFORMAT;
    return object_read(&document, shape, out, 0);
}
