/*
 * What devices send, read strictly: one JSON object of flat members, at most CAMP_PAYLOAD_MAX
 * bytes, every string short enough for its place. jsmn keeps tokens on the stack, so that a status
 * costs no allocation. Unknown keys are ignored. A payload that fails any check yields nothing at
 * all.
 */
#define JSMN_STATIC
#define JSMN_STRICT
#include <jsmn.h>

#include "camp.h"

#include <string.h>
#include <time.h>

enum { WIRE_TOKENS_MAX = 64 };

struct wire_object {
    const char *json;
    int tokens;
    jsmntok_t token[WIRE_TOKENS_MAX];
};

static const char *const status_names[CAMP_STATUS_KINDS] = {
    "",
    "notified",
    "scheduled",
    "downloading",
    "download_failed",
    "verified",
    "verify_failed",
    "waiting_apply",
    "applying",
    "rebooting",
    "health_check",
    "confirmed",
    "rolled_back",
    "refused",
};

const char *camp_status_name(int status)
{
    return status >= 0 && status < CAMP_STATUS_KINDS ? status_names[status] : "status?";
}

static bool object_parse(struct wire_object *object, const char *json, uint32_t len)
{
    /* jsmn stops at a NUL, as if the text ended there. */
    if (len == 0 || len > CAMP_PAYLOAD_MAX || memchr(json, '\0', len))
        return false;
    jsmn_parser parser;
    jsmn_init(&parser);
    object->json = json;
    object->tokens = jsmn_parse(&parser, json, len, object->token, WIRE_TOKENS_MAX);
    return object->tokens > 0 && object->token[0].type == JSMN_OBJECT;
}

static bool token_is(const struct wire_object *object, const jsmntok_t *token, const char *text)
{
    size_t len = (size_t)(token->end - token->start);
    return strlen(text) == len && memcmp(object->json + token->start, text, len) == 0;
}

/* The value of a member of the outermost object, NULL when there is none. */
static const jsmntok_t *object_find(const struct wire_object *object, const char *key)
{
    int at = 1;
    while (at + 1 < object->tokens) {
        const jsmntok_t *name = &object->token[at], *value = name + 1;
        if (name->type != JSMN_STRING || name->size != 1)
            return NULL;
        if (token_is(object, name, key))
            return value;
        for (at += 2; at < object->tokens && object->token[at].start < value->end; at++)
            ;
    }
    return NULL;
}

/* False when it is missing, no string, or too long. Escapes stay as they are written. */
static bool object_string(const struct wire_object *object, const char *key, char *out, size_t room)
{
    const jsmntok_t *value = object_find(object, key);
    if (!value || value->type != JSMN_STRING)
        return false;
    size_t len = (size_t)(value->end - value->start);
    if (len >= room)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = object->json[value->start + (int)i];
        out[i] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    out[len] = '\0';
    return true;
}

static bool digits_parse(const char *text, size_t len, int64_t *out)
{
    if (len == 0 || len > 18)
        return false;
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* A whole number, not negative. False when it is missing or anything else. */
static bool object_number(const struct wire_object *object, const char *key, int64_t *out)
{
    const jsmntok_t *value = object_find(object, key);
    return value && value->type == JSMN_PRIMITIVE &&
           digits_parse(object->json + value->start, (size_t)(value->end - value->start), out);
}

static bool object_seq(const struct wire_object *object, uint32_t *out)
{
    int64_t number;
    if (!object_number(object, "seq", &number) || number < 1 || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool object_status(const struct wire_object *object, enum camp_status_kind *out)
{
    const jsmntok_t *value = object_find(object, "status");
    if (!value || value->type != JSMN_STRING)
        return false;
    for (int kind = CAMP_ST_NOTIFIED; kind < CAMP_STATUS_KINDS; kind++) {
        if (token_is(object, value, status_names[kind])) {
            *out = (enum camp_status_kind)kind;
            return true;
        }
    }
    return false;
}

bool camp_wire_status(struct camp_wire_status *out, const char *json, uint32_t len)
{
    struct wire_object object;
    return object_parse(&object, json, len) &&
           object_string(&object, "device_id", out->device_id, sizeof out->device_id) &&
           object_string(&object, "campaign_id", out->campaign_id, sizeof out->campaign_id) &&
           object_string(&object, "version", out->version, sizeof out->version) &&
           object_string(&object, "reason", out->reason, sizeof out->reason) &&
           object_seq(&object, &out->seq) && object_status(&object, &out->status);
}

bool camp_wire_pong(struct camp_wire_pong *out, const char *json, uint32_t len)
{
    struct wire_object object;
    char id[REP_NAME_MAX];
    if (!object_parse(&object, json, len) || !object_string(&object, "pong", id, sizeof id))
        return false;
    out->device_id[0] = '\0';
    if (object_find(&object, "device_id") &&
        !object_string(&object, "device_id", out->device_id, sizeof out->device_id))
        return false;
    return id[0] == 'c' && digits_parse(id + 1, strlen(id + 1), &out->number);
}

/* With their times resets are news by themselves (all three numbers, or none). A daemon or a board
 * has no clock over its resets: it tells in each message how many there were that it has not told,
 * 0 mostly, and their time is that of the message. */
static bool object_resets(const struct wire_object *object, struct camp_telemetry *out)
{
    int64_t resets, first_ms, last_ms;
    bool timed =
        object_find(object, "first_reset_ms") || object_find(object, "last_reset_ms") != NULL;
    if (!object_find(object, "resets"))
        return true;
    if (!object_number(object, "resets", &resets) || resets > UINT32_MAX)
        return false;
    out->resets = (uint32_t)resets;
    out->first_reset_us = out->last_reset_us = CAMP_RESETS_UNTIMED;
    if (!timed)
        return true;
    if (resets < 1 || !object_number(object, "first_reset_ms", &first_ms) ||
        !object_number(object, "last_reset_ms", &last_ms) || last_ms > INT64_MAX / 1000)
        return false;
    out->received = 0;
    out->first_reset_us = first_ms * 1000;
    out->last_reset_us = last_ms * 1000;
    return true;
}

bool camp_wire_telemetry(struct camp_telemetry *out, char device_id[CAMP_ID_MAX], const char *json,
                         uint32_t len)
{
    struct wire_object object;
    uint32_t seq;
    *out = (struct camp_telemetry){.received = 1};
    return object_parse(&object, json, len) &&
           object_string(&object, "device_id", device_id, CAMP_ID_MAX) &&
           object_string(&object, "version", out->version, sizeof out->version) &&
           object_seq(&object, &seq) && object_number(&object, "energy_mw", &out->energy_mw) &&
           object_number(&object, "memory_kb", &out->memory_kb) &&
           object_number(&object, "cpu_permille", &out->cpu_permille) &&
           object_resets(&object, out);
}

int64_t camp_wire_resets_total(const char *json, uint32_t len)
{
    struct wire_object object;
    int64_t total;
    if (!object_parse(&object, json, len) || !object_number(&object, "resets_total", &total))
        return -1;
    return total;
}

bool camp_wire_is_dated(const char *json, uint32_t len)
{
    struct wire_object object;
    return object_parse(&object, json, len) && object_find(&object, "at");
}

/* "2026-03-19T10:00:02.125Z"; the fraction may be missing, and counts to milliseconds. */
bool camp_wire_at(int64_t *out_us, const char *json, uint32_t len)
{
    struct wire_object object;
    struct tm utc = {0};
    char text[40];
    if (!object_parse(&object, json, len) || !object_string(&object, "at", text, sizeof text))
        return false;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!end)
        return false;
    *out_us = (int64_t)timegm(&utc) * CAMP_SECOND;
    if (*end == '.') {
        const char *digits = ++end;
        for (int64_t worth_us = CAMP_SECOND / 10; *end >= '0' && *end <= '9'; worth_us /= 10)
            *out_us += (*end++ - '0') * (worth_us >= 1000 ? worth_us : 0);
        if (end == digits)
            return false;
    }
    return end[0] == 'Z' && !end[1];
}

bool camp_wire_is_pong(const char *json, uint32_t len)
{
    struct wire_object object;
    return object_parse(&object, json, len) && object_find(&object, "pong");
}
