/* Whether a burn-in may stand for the lab phase of this world's campaign. */
#include "fleet_internal.h"
#include <openssl/sha.h>
#include <string.h>

static bool has_lab_phase(const struct scn_campaign *plan)
{
    for (uint32_t p = 0; p < plan->phases; p++)
        if (plan->phase[p].size == SCN_SIZE_LAB)
            return true;
    return false;
}

static int refuse(struct sim_fleet *fleet, const char *what, const char *has, const char *wants)
{
    snprintf(
        fleet->message, fleet->message_len,
        "--burn-in %s: it was done with %s %s, and %s rolls out %s; accepted: a burn-in of what "
        "is rolled out",
        fleet->options->burn_in->file, what, has, fleet->scn->path, wants);
    return SIM_FLEET_EWORLD;
}

static int check_gates(struct sim_fleet *fleet)
{
    const struct sim_burn_in *burn_in = fleet->options->burn_in;
    const struct scn_campaign *plan = &fleet->scn->campaign;
    if (!has_lab_phase(plan)) {
        snprintf(
            fleet->message, fleet->message_len,
            "--burn-in %s: %s has no lab phase whose place it could take; accepted: a scenario "
            "with a group lab: true and a lab phase",
            burn_in->file, fleet->scn->path);
        return SIM_FLEET_EWORLD;
    }
    const struct scn_gate *lacks = camp_burn_in_lacks(plan, &burn_in->phase);
    if (!lacks)
        return 0;
    snprintf(fleet->message, fleet->message_len,
             "--burn-in %s: the lab phase of %s has the gate %s \"%s\" (of: %s, min_sample: %u), "
             "which was not judged by the burn-in; accepted: one whose scenarios have that gate, "
             "with that limit and that of:, and which had data enough",
             burn_in->file, fleet->scn->path, scn_metric_name((int)lacks->metric), lacks->text,
             lacks->of_cohort ? "cohort" : "reported", lacks->min_sample);
    return SIM_FLEET_EWORLD;
}

int sim_fleet_check_burn_in(struct sim_fleet *fleet)
{
    const struct sim_burn_in *burn_in = fleet->options->burn_in;
    const struct sim_artifact *candidate = &fleet->world.artifact[fleet->world.candidate];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[2 * sizeof digest + 1];
    SHA256(candidate->bytes, candidate->len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    if (strcmp(burn_in->version, candidate->from->version))
        return refuse(fleet, "version", burn_in->version, candidate->from->version);
    if (strcmp(burn_in->device_type, candidate->header.device_type))
        return refuse(fleet, "device type", burn_in->device_type, candidate->header.device_type);
    if (strcmp(burn_in->image_sha256, hex))
        return refuse(fleet, "the image", burn_in->image_sha256, hex);
    return check_gates(fleet);
}
