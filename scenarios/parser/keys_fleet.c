/* The keys of a group of the fleet. */
#include "form.h"
#include "key.h"
#include <string.h>

enum { LAB_DEVICES = 10 };

static const char zones_accepts[] = "a list of 1..32 IANA names, as [UTC, Europe/Berlin]";
static const char window_accepts[] =
    "'Sun 02:00-06:00 UTC', 'daily 01:00-05:00 local' or '' for none";

static int read_zone(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     struct scn_group *group)
{
    int error = scn_need_scalar(r, path, node, zones_accepts);
    if (error)
        return error;
    if (!scn_zone_posix(node->text))
        return scn_refuse_value(r, path, node, "is not a known zone", zones_accepts);
    for (uint32_t i = 0; i < group->zones; i++)
        if (!strcmp(group->zone[i], node->text))
            return scn_refuse_value(r, path, node, "is there twice", zones_accepts);
    snprintf(group->zone[group->zones++], SCN_NAME_MAX, "%s", node->text);
    return SCN_OK;
}

static int read_zones(struct scn_reader *r, const struct scn_path *path,
                      const struct scn_node *node, void *member)
{
    if (node->kind == SCN_NODE_SCALAR)
        return read_zone(r, path, node, member);
    if (node->kind != SCN_NODE_LIST || !node->children || node->children > SCN_ZONES_MAX)
        return scn_fail(r, path, node, "%s of %u entries; accepted: %s", scn_node_kind_name(node),
                        node->children, zones_accepts);
    struct scn_path below = {path, NULL, 0};
    for (const struct scn_node *child = node->first; child; child = child->next, below.index++) {
        int error = read_zone(r, &below, child, member);
        if (error)
            return error;
    }
    return SCN_OK;
}

static int read_window(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, void *member)
{
    int error = scn_need_scalar(r, path, node, window_accepts);
    if (error)
        return error;
    if (node->text[0] && !scn_window_ok(node->text))
        return scn_refuse_value(r, path, node, "is not a window", window_accepts);
    snprintf(member, SCN_NAME_MAX, "%s", node->text);
    return SCN_OK;
}

static int finish_group(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, void *object)
{
    struct scn_group *group = object;
    if (!scn_word_ok(group->name)) {
        const struct scn_path below = {path, "group", 0};
        return scn_refuse_value(r, &below, scn_node_get(node, "group"), "is not a word",
                                "letters, digits, '.', '_' and '-'");
    }
    if (!group->count && !group->lab)
        return scn_fail(r, path, node, "'count' is missing; accepted: a whole number 1..%d",
                        SCN_DEVICES_MAX);
    if (!group->count)
        group->count = LAB_DEVICES;
    if (group->lab && group->sites > 1) {
        const struct scn_path below = {path, "sites", 0};
        return scn_refuse_value(r, &below, scn_node_get(node, "sites"), "in a lab group",
                                "1, because a lab is one site, named lab");
    }
    return SCN_OK;
}

#define AT(member) .offset = offsetof(struct scn_group, member)
static const struct scn_key group_keys[] = {
    {.name = "group",
     .type = SCN_T_NAME,
     AT(name),
     .max = SCN_NAME_MAX - 1,
     .required = true,
     .accepts = "a word of letters, digits, '.', '_' and '-', at most 63",
     .means = "The name of the group."},
    {.name = "lab",
     .type = SCN_T_BOOL,
     AT(lab),
     .fallback = "false",
     .means = "A group for phase 0, outside every count and percentage; its site is named lab."},
    {.name = "count",
     .type = SCN_T_U32,
     AT(count),
     .min = 1,
     .max = SCN_DEVICES_MAX,
     .computed = "10 in a lab, else required",
     .means = "Devices of the group."},
    {.name = "device_type",
     .type = SCN_T_NAME,
     AT(device_type),
     .max = 31,
     .fallback = "pump_monitor_v2",
     .means = "What the images must be made for."},
    {.name = "hw_revision",
     .type = SCN_T_SHARES,
     AT(hw_revision),
     .max = 15,
     .fallback = "Rev-A",
     .means = "Hardware revisions; one name alone has all."},
    {.name = "firmware",
     .type = SCN_T_NAME,
     AT(firmware),
     .max = 31,
     .required = true,
     .accepts = "a version under firmware",
     .means = "The version that the devices run at the start."},
    {.name = "sites",
     .type = SCN_T_U32,
     AT(sites),
     .min = 1,
     .max = 9999,
     .fallback = "1",
     .means = "Sites, named site-01, site-02 and so on, spread over the zones."},
    {.name = "zones",
     .type = SCN_T_CUSTOM,
     .read = read_zones,
     .accepts = zones_accepts,
     .fallback = "UTC",
     .means = "Time zones of the sites."},
    {.name = "link",
     .type = SCN_T_SHARES,
     AT(link),
     .names = &scn_names_link,
     .fallback = "ethernet",
     .means = "How the devices are connected."},
    {.name = "criticality",
     .type = SCN_T_SHARES,
     AT(criticality),
     .names = &scn_names_criticality,
     .fallback = "low",
     .means = "How much depends on a device; the standard canary takes low ones only."},
    {.name = "ota_window",
     .type = SCN_T_CUSTOM,
     AT(ota_window),
     .read = read_window,
     .accepts = window_accepts,
     .means = "When an update may be applied; without one, nights and weekends are preferred."},
    {.name = "active_process",
     .type = SCN_T_RATIO,
     AT(active_process),
     .max = 100,
     .fallback = "0%",
     .means = "Share of the time in which a device may not be interrupted."},
    {.name = "telemetry_every",
     .type = SCN_T_DURATION,
     AT(telemetry_every_us),
     .min = 1000000,
     .max = 604800000000,
     .fallback = "5m",
     .means = "The interval of telemetry."},
};
const struct scn_map scn_map_group = {"fleet", SCN_KEYS(group_keys), finish_group};
