/* A finished burn-in, for a campaign. */
#include "rig/burnin.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

static const char *fact(const struct rep_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->facts; i++)
        if (!strcmp(result->fact[i].name, name))
            return result->fact[i].value;
    return "";
}

static int take(struct sim_burn_in *out, const struct bi_identity *identity,
                struct rep_result *result, const char *path, char *message, size_t len)
{
    if (result->cut_short || result->phases != 1) {
        snprintf(message, len,
                 "%s: this burn-in is unfinished; accepted: one that came to its end "
                 "(`brickyard rig burnin ... --db %s --resume` goes on with it)",
                 path, path);
        return -1;
    }
    snprintf(out->file, sizeof out->file, "%s", path);
    memcpy(out->version, identity->candidate, sizeof out->version);
    memcpy(out->image_sha256, identity->image_sha256, sizeof out->image_sha256);
    memcpy(out->device_type, identity->device_type, sizeof out->device_type);
    memcpy(out->explanation, result->explanation, sizeof out->explanation);
    snprintf(out->figures, sizeof out->figures,
             "%u boards of %.30s, power cuts %.80s; cycles %.60s", identity->boards,
             identity->bench, fact(result, "power cuts"), fact(result, "cycles"));
    out->phase = result->phase[0];
    result->phase[0].gate = NULL; /* it is out's now */
    result->phase[0].gates = 0;
    return 0;
}

int rig_burnin_read(struct sim_burn_in *out, const char *path, char *message, size_t len)
{
    struct bi_identity *identity = calloc(1, sizeof *identity);
    struct rep_result result;
    *out = (struct sim_burn_in){0};
    rep_result_init(&result);
    snprintf(message, len, "no memory");
    int error = identity ? bi_store_read(path, identity, &result, message, len) : -1;
    if (!error)
        error = take(out, identity, &result, path, message, len);
    rep_result_free(&result);
    free(identity);
    return error;
}

void rig_burnin_free(struct sim_burn_in *burn_in)
{
    free(burn_in->phase.gate);
    burn_in->phase.gate = NULL;
}
