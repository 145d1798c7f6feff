/* Objects of a JSON form from structs and their lists of fields. */
#include "rep/json.h"
#include "rep/text.h"

#include <string.h>

json_t *rep_json_text(const char *text, size_t bytes)
{
    char clean[3 * REP_JSON_TEXT_MAX + 1];
    rep_text_clean(clean, sizeof clean, text, bytes < REP_JSON_TEXT_MAX ? bytes : REP_JSON_TEXT_MAX,
                   REP_TEXT_JSON);
    return json_string(clean);
}

json_t *rep_json_unsigned(uint64_t value)
{
    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    return json_sprintf("%llu", (unsigned long long)value);
}

static json_t *field_value(const struct rep_field *field, const void *row)
{
    const void *member = (const char *)row + field->offset;
    union {
        uint32_t u32;
        int32_t i32;
        int64_t i64;
        uint64_t u64;
        double real;
        int name;
    } value;
    if (field->kind == REP_KIND_TEXT)
        return rep_json_text(member, field->bytes);
    if (field->kind == REP_KIND_BOOL)
        return json_boolean(*(const bool *)member);
    memcpy(&value, member, field->bytes);
    switch (field->kind) {
    case REP_KIND_U32:
        return json_integer(value.u32);
    case REP_KIND_I32:
        return json_integer(value.i32);
    case REP_KIND_I64:
        return json_integer(value.i64);
    case REP_KIND_REAL:
        return json_real(value.real);
    case REP_KIND_NAME:
        return json_string(field->label(value.name) ? field->label(value.name) : "?");
    default:
        return rep_json_unsigned(value.u64);
    }
}

int rep_json_put(json_t *object, const struct rep_field *fields, size_t n, const void *row)
{
    int status = object ? 0 : -1;
    for (size_t i = 0; !status && i < n; i++)
        status = json_object_set_new(object, fields[i].name, field_value(&fields[i], row));
    return status;
}

json_t *rep_json_rows(const struct rep_field *fields, size_t n, const void *rows, uint32_t count,
                      size_t row_bytes)
{
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < count; i++) {
        json_t *object = json_object();
        if (rep_json_put(object, fields, n, (const char *)rows + i * row_bytes) ||
            json_array_append(array, object)) {
            json_decref(array);
            array = NULL;
        }
        json_decref(object);
    }
    return array;
}

int rep_json_write(FILE *out, const json_t *root)
{
    return json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) ||
           fputc('\n', out) == EOF;
}
