/* A replay token: everything that a run was made from, and the device.
 * "by1,hash=..,seed=..,devices=..,device=..,scenario=PATH[,set=K=V]...". */
#include "sim/token.h"
#include "sim/token_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_token_write(char *out, size_t len, const struct sim_token *token)
{
    snprintf(out, len, "by1,hash=%s,seed=%llu,devices=%u,device=%s,scenario=", token->hash,
             (unsigned long long)token->seed, token->devices, token->device);
    sim_token_put(out, len, token->scenario);
    for (uint32_t i = 0; i < token->sets; i++) {
        size_t at = strlen(out);
        snprintf(out + at, len - at, ",set=");
        sim_token_put(out, len, token->set[i]);
    }
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return end != text && !*end && *text >= '0' && *text <= '9' && *out <= max;
}

static bool take(struct sim_token *out, const char *key, char *value)
{
    uint64_t n;
    if (!strcmp(key, "hash"))
        return sim_token_copy(out->hash, sizeof out->hash, value);
    if (!strcmp(key, "seed"))
        return number(value, UINT64_MAX, &out->seed);
    if (!strcmp(key, "devices") && number(value, UINT32_MAX, &n)) {
        out->devices = (uint32_t)n;
        return true;
    }
    if (!strcmp(key, "device"))
        return sim_token_copy(out->device, sizeof out->device, value);
    if (!strcmp(key, "scenario"))
        return sim_token_copy(out->scenario, sizeof out->scenario, value);
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
    struct sim_token_parts parts;
    const char *key;
    char *value;
    sim_token_begin(&parts, out->text, "by1");
    while (sim_token_next(&parts, &key, &value))
        if (!take(out, key, value))
            return false;
    return !parts.bad && *out->hash && *out->device && *out->scenario;
}
