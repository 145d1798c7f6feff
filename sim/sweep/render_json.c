/* The JSON of CONTRACT.md, `sweep --json`: its keys in its order, then those that were added. */
#include "render.h"
#include "rep/db.h"
#include "rep/json.h"
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define SWEEP(member, kind) REP_FIELD(sim_sweep_result, member, #member, kind)
#define BROKEN(member, kind) REP_FIELD(sim_sweep_broken, member, #member, kind)
#define PUT(object, fields, row) rep_json_put(object, fields, COUNT(fields), row)

static const struct rep_field head[] = {
    SWEEP(scenario, TEXT),   SWEEP(device, TEXT), SWEEP(image_bytes, U32), SWEEP(operations, U64),
    SWEEP(histories, U64),   SWEEP(cuts, U64),    SWEEP(states, U64),      SWEEP(fixpoint, BOOL),
    SWEEP(cuts_per_s, REAL), SWEEP(wall_s, REAL),
};
static const struct rep_field broken[] = {
    BROKEN(token, TEXT),
    BROKEN(cuts, U32),
    BROKEN(what, TEXT),
    BROKEN(states, U64),
};
static const struct rep_field exit_code[] = {SWEEP(exit_code, I32)};
static const struct rep_field added[] = {
    SWEEP(depth, U32),         SWEEP(merged, U64),        SWEEP(boots, U64),
    SWEEP(sampled_pairs, U64), SWEEP(unequal_pairs, U64), SWEEP(unfired, U64),
    SWEEP(more_broken, BOOL),
};
static const struct rep_field crypto[] = {
    SWEEP(sha256_bytes, U64),
    SWEEP(ecdsa_verifies, U64),
};
static const struct rep_field memory[] = {SWEEP(memory_peak_bytes, U64)};

static json_t *forms_of(const struct sim_sweep_result *result)
{
    json_t *forms = json_object();
    int status = forms ? 0 : -1;
    for (int i = 0; !status && i < SIM_SWEEP_FORMS; i++)
        if (sim_sweep_has_form(result, i))
            status = json_object_set_new(forms, sim_sweep_form_name(i),
                                         rep_json_unsigned(result->form[i]));
    if (!status)
        return forms;
    json_decref(forms);
    return NULL;
}

static json_t *brokens_of(const struct sim_sweep_result *result)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < result->brokens; i++) {
        const struct sim_sweep_broken *row = &result->broken[i];
        json_t *object = json_object();
        if (json_object_set_new(object, "promise",
                                rep_json_text(row->promise, strlen(row->promise))) ||
            PUT(object, broken, row) || json_array_append(list, object)) {
            json_decref(list);
            list = NULL;
        }
        json_decref(object);
    }
    return list;
}

static int put_result(json_t *root, const struct sim_sweep_result *result)
{
    json_t *counts = json_object();
    int status = PUT(counts, crypto, result);
    if (PUT(root, head, result) || json_object_set_new(root, "forms", forms_of(result)) ||
        json_object_set_new(root, "broken", brokens_of(result)) || PUT(root, exit_code, result) ||
        PUT(root, added, result))
        status = -1;
    return json_object_set_new(root, "crypto", counts) || PUT(root, memory, result) || status;
}

int sim_sweep_json(FILE *out, const struct sim_sweep_result *result)
{
    json_t *root = json_object();
    int error = put_result(root, result) ? REP_EMEMORY : REP_OK;
    if (!error && rep_json_write(out, root))
        error = REP_EWRITE;
    json_decref(root);
    return error;
}
