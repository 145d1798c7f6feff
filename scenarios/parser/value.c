/* One value of a scenario: text to the member of a struct, by the row of its key. */
#include "key.h"
#include "number.h"
#include <string.h>

int scn_refuse_value(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     const char *why, const char *accepts)
{
    return scn_fail(r, path, node, "'%.60s' %s; accepted: %s", node->text, why, accepts);
}

int scn_need_scalar(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    const char *accepts)
{
    if (node->kind != SCN_NODE_SCALAR)
        return scn_fail(r, path, node, "%s where one value belongs; accepted: %s",
                        scn_node_kind_name(node), accepts);
    if (node->plain && (!node->text[0] || !strcmp(node->text, "~") || !strcmp(node->text, "null")))
        return scn_fail(r, path, node, "no value; accepted: %s", accepts);
    return SCN_OK;
}

static const char not_in_range[] = "is out of range";

static const char *read_bool(const struct scn_node *node, void *member)
{
    bool value = !strcmp(node->text, "true");
    if (!node->plain || (!value && strcmp(node->text, "false")))
        return "is neither true nor false";
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_u32(const struct scn_node *node, const struct scn_key *key, void *member)
{
    uint64_t wide;
    const char *text = node->text;
    bool negative = text[0] == '-' && scn_u64_parse(text + 1, &wide);
    bool huge = strspn(text, "0123456789") == strlen(text);
    if (!node->plain || (!negative && !huge))
        return "is not a whole number";
    if (negative || !scn_u64_parse(text, &wide) || wide < (uint64_t)key->min ||
        wide > (uint64_t)key->max)
        return not_in_range;
    uint32_t value = (uint32_t)wide;
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_u64(const struct scn_node *node, void *member)
{
    uint64_t value;
    if (!node->plain || !scn_u64_parse(node->text, &value))
        return "is not a whole number of 64 bits";
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_size(const struct scn_node *node, const struct scn_key *key, void *member)
{
    int64_t wide;
    if (!scn_size_parse(node->text, &wide))
        return "is not a size";
    if (wide < key->min || wide > key->max)
        return not_in_range;
    uint32_t value = (uint32_t)wide;
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_duration(const struct scn_node *node, const struct scn_key *key,
                                 void *member)
{
    int64_t value;
    if (!scn_duration_parse(node->text, &value))
        return "is not a duration";
    if (value < key->min || value > key->max)
        return not_in_range;
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_time(const struct scn_node *node, void *member)
{
    int64_t value;
    if (!scn_time_parse(node->text, &value))
        return "is not a time";
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_ratio(const struct scn_node *node, const struct scn_key *key, void *member)
{
    struct scn_ratio value, min = {key->min, 100}, max = {key->max, 100};
    if (!scn_ratio_parse(node->text, &value))
        return "is not a ratio";
    if (scn_ratio_compare(value, min) < 0 || scn_ratio_compare(value, max) > 0)
        return not_in_range;
    memcpy(member, &value, sizeof value);
    return NULL;
}

static const char *read_text(const struct scn_node *node, const struct scn_key *key, void *member)
{
    size_t len = strlen(node->text);
    if (key->type == SCN_T_NAME && !len)
        return "is empty";
    if (len > (size_t)key->max)
        return "is too long";
    for (const char *c = node->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "holds a control character";
    memcpy(member, node->text, len + 1);
    return NULL;
}

static const char *read_word(const struct scn_node *node, const struct scn_key *key, void *member)
{
    int value = scn_names_find(key->names, node->text);
    if (value < 0)
        return "is not known";
    bool flag = value != 0;
    if (key->type == SCN_T_ENUM)
        memcpy(member, &value, sizeof value);
    else if (key->type == SCN_T_FLAG)
        memcpy(member, &flag, sizeof flag);
    else
        memcpy(member, node->text, strlen(node->text) + 1);
    return NULL;
}

/* NULL, or what is wrong with the text. */
static const char *read_scalar(const struct scn_node *node, const struct scn_key *key, void *member)
{
    switch (key->type) {
    case SCN_T_BOOL:
        return read_bool(node, member);
    case SCN_T_U32:
        return read_u32(node, key, member);
    case SCN_T_U64:
        return read_u64(node, member);
    case SCN_T_SIZE:
        return read_size(node, key, member);
    case SCN_T_DURATION:
        return read_duration(node, key, member);
    case SCN_T_TIME:
        return read_time(node, member);
    case SCN_T_RATIO:
        return read_ratio(node, key, member);
    case SCN_T_TEXT:
    case SCN_T_NAME:
        return read_text(node, key, member);
    default:
        return read_word(node, key, member);
    }
}

static int read_one(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    const struct scn_key *key, void *member)
{
    char accepts[SCN_ACCEPTS_MAX];
    scn_key_accepts(key, accepts, sizeof accepts);
    int error = scn_need_scalar(r, path, node, accepts);
    if (error)
        return error;
    const char *why = read_scalar(node, key, member);
    if (!why)
        return SCN_OK;
    const char *meant =
        key->names ? scn_nearest(node->text, key->names->name, key->names->count) : NULL;
    if (!meant)
        return scn_refuse_value(r, path, node, why, accepts);
    return scn_fail(r, path, node, "'%.60s' %s; did you mean '%s'? accepted: %s", node->text, why,
                    meant, accepts);
}

int scn_read_key(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const struct scn_key *key, void *object)
{
    void *member = (char *)object + key->offset;
    switch (key->type) {
    case SCN_T_MAP:
        return scn_read_map(r, path, node, key->map, member);
    case SCN_T_LIST:
    case SCN_T_NAMED:
        return scn_read_list(r, path, node, key, object);
    case SCN_T_SHARES:
        return scn_read_shares(r, path, node, key, object);
    case SCN_T_CUSTOM:
        return key->read(r, path, node, member);
    default:
        return read_one(r, path, node, key, member);
    }
}
