/* A replay token: everything that a run was made from, and the device.
 * "by1,hash=..,seed=..,devices=.., device=..,scenario=PATH[,set=K=V]..."; in values, % and , are
 * written %25 and %2C. */
#include "sim/token.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(char *out, size_t len, const char *text)
{
    size_t at = strlen(out);
    for (; *text && at + 4 < len; text++) {
        if (*text == '%' || *text == ',' || *text == ' ') {
            at += (size_t)snprintf(out + at, len - at, "%%%02X", (unsigned)*text);
        } else {
            out[at++] = *text;
            out[at] = 0;
        }
    }
}

void sim_token_write(char *out, size_t len, const struct sim_token *token)
{
    snprintf(out, len, "by1,hash=%s,seed=%llu,devices=%u,device=%s,scenario=", token->hash,
             (unsigned long long)token->seed, token->devices, token->device);
    put(out, len, token->scenario);
    for (uint32_t i = 0; i < token->sets; i++) {
        size_t at = strlen(out);
        snprintf(out + at, len - at, ",set=");
        put(out, len, token->set[i]);
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX in place; false when one is broken. */
static bool decode(char *text)
{
    char *to = text;
    for (; *text; text++, to++) {
        *to = *text;
        if (*text != '%')
            continue;
        int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
        if (low < 0)
            return false;
        *to = (char)(high * 16 + low);
        text += 2;
    }
    *to = 0;
    return true;
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return end != text && !*end && *text >= '0' && *text <= '9' && *out <= max;
}

static bool copy(char *out, size_t len, const char *text)
{
    return *text && (size_t)snprintf(out, len, "%s", text) < len;
}

static bool take(struct sim_token *out, const char *key, char *value)
{
    uint64_t n;
    if (!decode(value))
        return false;
    if (!strcmp(key, "hash"))
        return copy(out->hash, sizeof out->hash, value);
    if (!strcmp(key, "seed"))
        return number(value, UINT64_MAX, &out->seed);
    if (!strcmp(key, "devices") && number(value, UINT32_MAX, &n)) {
        out->devices = (uint32_t)n;
        return true;
    }
    if (!strcmp(key, "device"))
        return copy(out->device, sizeof out->device, value);
    if (!strcmp(key, "scenario"))
        return copy(out->scenario, sizeof out->scenario, value);
    if (!strcmp(key, "set") && out->sets < SIM_TOKEN_SETS_MAX) {
        out->set[out->sets++] = value;
        return true;
    }
    return false;
}

bool sim_token_read(struct sim_token *out, const char *text)
{
    memset(out, 0, sizeof *out);
    if ((size_t)snprintf(out->text, sizeof out->text, "%s", text) >= sizeof out->text)
        return false;
    char *save = NULL, *part = strtok_r(out->text, ",", &save);
    if (!part || strcmp(part, "by1"))
        return false;
    while ((part = strtok_r(NULL, ",", &save))) {
        char *equals = strchr(part, '=');
        if (!equals)
            return false;
        *equals = 0;
        if (!take(out, part, equals + 1))
            return false;
    }
    return *out->hash && *out->device && *out->scenario;
}
