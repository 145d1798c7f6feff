/* The keys of the campaign, its phases and their gates. */
#include "form.h"
#include "key.h"
#include <string.h>

static const char gate_accepts[] =
    "'< 95%', '> 2%', '<= 1/5000', '>= 0.5%'; for command_ms a time, as '>= 500ms'";

static int finish_gate(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, void *object)
{
    if (scn_gate_parse(object))
        return SCN_OK;
    const struct scn_path below = {path, "stop_if", 0};
    return scn_refuse_value(r, &below, scn_node_get(node, "stop_if"),
                            "is not a limit of this metric", gate_accepts);
}

#define GATE(member) .offset = offsetof(struct scn_gate, member)
static const struct scn_key gate_keys[] = {
    {.name = "metric",
     .type = SCN_T_ENUM,
     GATE(metric),
     .names = &scn_names_metric,
     .required = true,
     .means = "What is measured."},
    {.name = "stop_if",
     .type = SCN_T_NAME,
     GATE(text),
     .max = SCN_NAME_MAX - 1,
     .required = true,
     .accepts = gate_accepts,
     .means = "The campaign stops if the metric is so; needs quotes."},
    {.name = "of",
     .type = SCN_T_FLAG,
     GATE(of_cohort),
     .names = &scn_names_of,
     .fallback = "reported",
     .means = "The denominator: devices that reported, or the whole cohort."},
    {.name = "min_sample",
     .type = SCN_T_U32,
     GATE(min_sample),
     .min = 1,
     .max = SCN_DEVICES_MAX,
     .fallback = "1",
     .means = "With fewer than this many the gate is on hold, never green."},
};
const struct scn_map scn_map_gate = {"gates", SCN_KEYS(gate_keys), finish_gate};

#define PHASE(member) .offset = offsetof(struct scn_phase, member)
static const struct scn_key phase_where_keys[] = {
    {.name = "site",
     .type = SCN_T_NAME,
     PHASE(where_site),
     .max = SCN_NAME_MAX - 1,
     .means = "Devices of this site only."},
    {.name = "group",
     .type = SCN_T_NAME,
     PHASE(where_group),
     .max = SCN_NAME_MAX - 1,
     .means = "Devices of this group only."},
    {.name = "criticality",
     .type = SCN_T_WORD,
     PHASE(where_criticality),
     .names = &scn_names_criticality,
     .means = "Devices of this criticality only."},
};
static const struct scn_map map_phase_where = {"where of a phase", SCN_KEYS(phase_where_keys),
                                               NULL};

static const char devices_accepts[] = "a list of 1..8 device ids";

static int read_devices(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, void *member)
{
    struct scn_phase *phase = member;
    struct scn_path below = {path, NULL, 0};
    if (node->kind != SCN_NODE_LIST || !node->children || node->children > 8)
        return scn_fail(r, path, node, "%s of %u entries; accepted: %s", scn_node_kind_name(node),
                        node->children, devices_accepts);
    for (const struct scn_node *child = node->first; child; child = child->next, below.index++) {
        int error = scn_need_scalar(r, &below, child, devices_accepts);
        if (error)
            return error;
        if (strlen(child->text) >= SCN_NAME_MAX || !scn_word_ok(child->text))
            return scn_refuse_value(r, &below, child, "is not a device id", devices_accepts);
        snprintf(phase->devices[phase->devices_count++], SCN_NAME_MAX, "%s", child->text);
    }
    return SCN_OK;
}

static int read_lab(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    void *member)
{
    static const struct scn_key key = {.type = SCN_T_BOOL};
    struct scn_phase *phase = member;
    bool lab = false;
    int error = scn_read_key(r, path, node, &key, &lab);
    phase->size = lab ? SCN_SIZE_LAB : SCN_SIZE_SHARE;
    return error;
}

static int finish_phase(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, void *object)
{
    static const struct {
        const char *key;
        enum scn_size_kind size;
    } sizes[] = {
        {"share", SCN_SIZE_SHARE}, {"count", SCN_SIZE_COUNT}, {"devices", SCN_SIZE_DEVICES}};
    struct scn_phase *phase = object;
    uint32_t given = phase->size == SCN_SIZE_LAB;
    phase->line = node->line;
    phase->column = node->column;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (scn_node_get(node, sizes[i].key)) {
            phase->size = sizes[i].size;
            given++;
        }
    if (given != 1)
        return scn_fail(r, path, node,
                        "%u sizes are given; accepted: exactly one of share, count, devices and "
                        "lab: true",
                        given);
    return SCN_OK;
}

static const struct scn_key phase_keys[] = {
    {.name = "name",
     .type = SCN_T_NAME,
     PHASE(name),
     .max = SCN_NAME_MAX - 1,
     .required = true,
     .means = "The name of the phase."},
    {.name = "share",
     .type = SCN_T_RATIO,
     PHASE(share),
     .max = 100,
     .means = "Size: a cumulative share of the fleet without labs, rounded up."},
    {.name = "count",
     .type = SCN_T_U32,
     PHASE(count),
     .min = 1,
     .max = SCN_DEVICES_MAX,
     .means = "Size: a cumulative number of devices."},
    {.name = "devices",
     .type = SCN_T_CUSTOM,
     .read = read_devices,
     .accepts = devices_accepts,
     .means = "Size: these devices."},
    {.name = "lab",
     .type = SCN_T_CUSTOM,
     .read = read_lab,
     .accepts = "true or false",
     .means = "Size: the lab groups."},
    {.name = "where",
     .type = SCN_T_MAP,
     .map = &map_phase_where,
     .means = "Which devices may be taken; all given ones must hold."},
    {.name = "hold",
     .type = SCN_T_DURATION,
     PHASE(hold_us),
     .max = 31536000000000,
     .fallback = "24h",
     .means = "How long the phase is watched, from when 95 % of the cohort have an outcome."},
    {.name = "rate_per_hour",
     .type = SCN_T_U32,
     PHASE(rate_per_hour),
     .min = 0,
     .max = SCN_DEVICES_MAX,
     .fallback = "0",
     .means = "Notifications an hour at most; 0: no limit."},
    {.name = "stagger",
     .type = SCN_T_BOOL,
     PHASE(stagger),
     .fallback = "false",
     .means = "Site after site, following the sun."},
    {.name = "gates",
     .type = SCN_T_LIST,
     PHASE(gate),
     .max = SCN_GATES_MAX,
     .map = &scn_map_gate,
     .stride = sizeof(struct scn_gate),
     .count_offset = offsetof(struct scn_phase, gates),
     .means = "What stops the campaign in this phase."},
};
const struct scn_map scn_map_phase = {"phases", SCN_KEYS(phase_keys), finish_phase};

static const char phases_accepts[] = "standard, or a list of 1..16 mappings, see phases";

static int read_phases(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, void *member)
{
    static const struct scn_key list = {.type = SCN_T_LIST,
                                        .offset = offsetof(struct scn_campaign, phase),
                                        .max = SCN_PHASES_MAX,
                                        .required = true,
                                        .map = &scn_map_phase,
                                        .stride = sizeof(struct scn_phase),
                                        .count_offset = offsetof(struct scn_campaign, phases),
                                        .accepts = phases_accepts};
    struct scn_campaign *campaign = member;
    if (node->kind != SCN_NODE_SCALAR)
        return scn_read_list(r, path, node, &list, campaign);
    if (strcmp(node->text, "standard"))
        return scn_refuse_value(r, path, node, "is not known", phases_accepts);
    campaign->standard_phases = true;
    return SCN_OK;
}

#define ORDER(member) .offset = offsetof(struct scn_order, member)
static const struct scn_key order_keys[] = {
    {.name = "at",
     .type = SCN_T_DURATION,
     ORDER(at_us),
     .max = 31536000000000,
     .required = true,
     .means = "When, from the start; not before the order above it."},
    {.name = "do",
     .type = SCN_T_ENUM,
     ORDER(action),
     .names = &scn_names_order,
     .required = true,
     .means = "What the operator orders the campaign to do."},
};
const struct scn_map scn_map_order = {"operator", SCN_KEYS(order_keys), NULL};

#define AT(member) .offset = offsetof(struct scn_campaign, member)
static const struct scn_key campaign_keys[] = {
    {.name = "to",
     .type = SCN_T_NAME,
     AT(to),
     .max = 31,
     .required = true,
     .accepts = "a version under firmware",
     .means = "The version that is rolled out."},
    {.name = "rollback_version",
     .type = SCN_T_TEXT,
     AT(rollback_version),
     .max = 31,
     .computed = "the version of the fleet's first group outside labs",
     .accepts = "a version under firmware",
     .means = "The version that the manifest allows to go back to."},
    {.name = "delta",
     .type = SCN_T_ENUM,
     AT(delta),
     .names = &scn_names_delta,
     .fallback = "auto",
     .means = "Whether a delta is offered."},
    {.name = "force",
     .type = SCN_T_BOOL,
     AT(force),
     .fallback = "false",
     .means = "Ignore the maintenance windows."},
    {.name = "approval",
     .type = SCN_T_FLAG,
     AT(approval),
     .names = &scn_names_approval,
     .fallback = "none",
     .means = "Whether an operator must approve each apply."},
    {.name = "phases",
     .type = SCN_T_CUSTOM,
     .read = read_phases,
     .accepts = phases_accepts,
     .map = &scn_map_phase,
     .fallback = "standard",
     .means = "The phases in their order."},
    {.name = "on_trigger",
     .type = SCN_T_ENUM,
     AT(on_trigger),
     .names = &scn_names_trigger,
     .fallback = "pause",
     .means = "What happens when a gate turns red."},
    {.name = "operator",
     .type = SCN_T_LIST,
     AT(order),
     .max = SCN_ORDERS_MAX,
     .map = &scn_map_order,
     .stride = sizeof(struct scn_order),
     .count_offset = offsetof(struct scn_campaign, orders),
     .means = "What a person orders at the service's desk; what makes no sense then is ignored."},
    {.name = "time_scale",
     .type = SCN_T_U32,
     AT(time_scale),
     .min = 1,
     .max = 100000,
     .fallback = "1",
     .means = "Divides the times of phases and windows; worlds on the wall clock only."},
    {.name = "observe",
     .type = SCN_T_DURATION,
     AT(observe_us),
     .max = 31536000000000,
     .fallback = "7d",
     .means = "Observation after the last phase."},
    {.name = "silent_after",
     .type = SCN_T_DURATION,
     AT(silent_after_us),
     .min = 60000000,
     .max = 31536000000000,
     .fallback = "48h",
     .means = "A device without an outcome this long after its notification is silent."},
    {.name = "presumed_brick_after",
     .type = SCN_T_DURATION,
     AT(presumed_brick_us),
     .min = 60000000,
     .max = 31536000000000,
     .fallback = "12h",
     .means = "No message this long after `rebooting` is presumed a brick."},
};
const struct scn_map scn_map_campaign = {"campaign", SCN_KEYS(campaign_keys), NULL};
