/* The token of a history: "sw1,hash=..,scenario=PATH,dut=PATH,history=..". */
#include "sim/sweep.h"
#include "sim/token_text.h"
#include <string.h>

static const char mark[] = "sw1";

/* A token's parts: where each is in the struct, and its room. */
struct part {
    const char *key;
    char *text;
    size_t len;
    bool may_be_empty;
};
enum { PARTS = 4 };

static void list_parts(struct part part[PARTS], struct sim_sweep_token *token)
{
    part[0] = (struct part){"hash", token->hash, sizeof token->hash, false};
    part[1] = (struct part){"scenario", token->scenario, sizeof token->scenario, false};
    part[2] = (struct part){"dut", token->dut, sizeof token->dut, true};
    part[3] = (struct part){"history", token->history, sizeof token->history, false};
}

bool sim_sweep_is_token(const char *text)
{
    return !strncmp(text, mark, sizeof mark - 1) && text[sizeof mark - 1] == ',';
}

/* The part of this key is read, and crossed off the list. */
static bool take(struct part *part, const char *key, const char *value)
{
    for (int i = 0; i < PARTS; i++, part++) {
        if (!part->key || strcmp(part->key, key))
            continue;
        part->key = NULL;
        return (!*value && part->may_be_empty) || sim_token_copy(part->text, part->len, value);
    }
    return false;
}

bool sim_sweep_token_read(struct sim_sweep_token *out, const char *text)
{
    char copy[4 * SIM_SWEEP_TOKEN_MAX];
    struct part part[PARTS];
    struct sim_token_parts parts;
    const char *key;
    char *value;
    memset(out, 0, sizeof *out);
    if (!sim_token_copy(copy, sizeof copy, text))
        return false;
    list_parts(part, out);
    sim_token_begin(&parts, copy, mark);
    while (sim_token_next(&parts, &key, &value))
        if (!take(part, key, value))
            return false;
    return !parts.bad && *out->hash && *out->scenario && *out->history;
}

void sim_sweep_token_write(char *out, size_t len, const struct sim_sweep_token *token)
{
    struct sim_sweep_token copy = *token;
    struct part part[PARTS];
    list_parts(part, &copy);
    *out = 0;
    bool fits = sim_token_put(out, len, mark);
    for (int i = 0; i < PARTS; i++) {
        char key[16];
        size_t at = strlen(out);
        snprintf(key, sizeof key, ",%s=", part[i].key);
        if (at + strlen(key) < len)
            memcpy(out + at, key, strlen(key) + 1);
        else
            fits = false;
        fits = fits && sim_token_put(out, len, part[i].text);
    }
    if (!fits)
        *out = 0;
}
