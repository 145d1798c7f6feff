/* What is rolled out, and to whom: the scenario's campaign, its fleet as the registry, a manifest.
 */
#include "agent/agent.h"
#include "agent/manifest.h"
#include "service.h"
#include "sim/registry.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The scenario's name is the campaign's id on the wire. */
static int check_name(const struct svc_plan *plan, const char *path,
                      char message[SIM_SERVICE_MESSAGE_MAX])
{
    if (strlen(plan->scn->name) < AGENT_ID_MAX)
        return 0;
    snprintf(message, SIM_SERVICE_MESSAGE_MAX,
             "%.400s: scenario: '%s' is too long for a campaign's id; accepted: at most %d bytes",
             path, plan->scn->name, AGENT_ID_MAX - 1);
    return -1;
}

static int load_scenario(struct svc_plan *plan, const char *path,
                         char message[SIM_SERVICE_MESSAGE_MAX])
{
    struct scn_messages messages = {0};
    int error = scn_load(&plan->scn, path, NULL, &messages);
    for (uint32_t i = 0; i < messages.count; i++)
        if (messages.message[i].warning)
            SVC_LOG(AGENT_LOG_WARN, "scenario", AGENT_TEXT("text", messages.message[i].text));
        else
            snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%s", messages.message[i].text);
    return error ? -1 : 0;
}

static int build_registry(struct svc_plan *plan)
{
    const struct scn *scn = plan->scn;
    if (sim_roster_build(&plan->roster, scn))
        return -1;
    plan->registry = sim_registry_create(&plan->roster, scn->campaign.time_scale);
    return plan->registry ? 0 : -1;
}

/* Judged by the agent's own reader: what every device would refuse is refused here. */
static const char *judge_manifest(const struct svc_plan *plan, struct agent_notification *out)
{
    static const char *const why[] = {"is not of the form that devices read",
                                      "lacks a member that devices need",
                                      "has a member that is out of range"};
    size_t room = strlen(plan->manifest) + 128;
    char *text = malloc(room);
    if (!text)
        return "no memory";
    int len = snprintf(text, room,
                       "{\"campaign_id\":\"c\",\"manifest\":%s,\"force\":false,"
                       "\"deadline\":\"2199-01-01T00:00:00Z\"}",
                       plan->manifest);
    int error = agent_notification_parse(out, text, (uint32_t)len);
    free(text);
    if (!error)
        return NULL;
    return why[error == AGENT_EMISSING ? 1 : error == AGENT_ERANGE ? 2 : 0];
}

static int check_manifest(const struct svc_plan *plan, const char *path,
                          char message[SIM_SERVICE_MESSAGE_MAX])
{
    struct agent_notification notification;
    const char *wrong = judge_manifest(plan, &notification);
    if (wrong) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX,
                 "%.400s: %s; accepted: a manifest as `brickyard firmware manifest` writes it",
                 path, wrong);
        return -1;
    }
    const char *version = notification.manifest.version;
    if (strcmp(version, plan->scn->campaign.to)) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX,
                 "%.400s: version: '%s'; accepted: '%s', the scenario's campaign.to", path, version,
                 plan->scn->campaign.to);
        return -1;
    }
    for (uint32_t g = 0; g < plan->scn->groups; g++)
        if (strcmp(plan->scn->group[g].device_type, notification.manifest.device_type))
            SVC_LOG(AGENT_LOG_WARN, "manifest",
                    AGENT_TEXT("text", "a group of another device type will refuse it"),
                    AGENT_TEXT("group", plan->scn->group[g].name));
    return 0;
}

static int load_manifest(struct svc_plan *plan, const char *path,
                         char message[SIM_SERVICE_MESSAGE_MAX])
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        if (error.line > 0)
            snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.400s:%d:%d: %s; accepted: JSON", path,
                     error.line, error.column, error.text);
        else
            snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.400s: %s; accepted: a JSON file", path,
                     error.text);
        return -1;
    }
    plan->manifest = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (plan->manifest)
        return check_manifest(plan, path, message);
    snprintf(message, SIM_SERVICE_MESSAGE_MAX, "no memory");
    return -1;
}

static void take_fingerprint(struct svc_plan *plan)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, plan->scn->content_hash, sizeof plan->scn->content_hash);
    XXH3_128bits_update(&state, plan->manifest, strlen(plan->manifest));
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    snprintf(plan->fingerprint, sizeof plan->fingerprint, "%016llx%016llx",
             (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

int svc_plan_load(struct svc_plan *out, const struct sim_service_settings *settings,
                  char message[SIM_SERVICE_MESSAGE_MAX])
{
    *out = (struct svc_plan){.scn = NULL};
    if (load_scenario(out, settings->scenario, message) ||
        check_name(out, settings->scenario, message) ||
        load_manifest(out, settings->manifest, message))
        return -1;
    if (build_registry(out)) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX, "no memory for the fleet");
        return -1;
    }
    take_fingerprint(out);
    return 0;
}

void svc_plan_free(struct svc_plan *plan)
{
    free(plan->manifest);
    free(plan->registry);
    sim_roster_free(&plan->roster);
    if (plan->scn)
        scn_free(plan->scn);
}
