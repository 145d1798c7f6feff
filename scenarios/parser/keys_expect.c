/* The keys of what is expected of a run. */
#include "form.h"
#include "key.h"
#include <string.h>

static const char range_accepts[] = "a whole number, or '> 5', '>= 1', '< 3', '<= 9', '1..20'";

static int read_range(struct scn_reader *r, const struct scn_path *path,
                      const struct scn_node *node, void *member)
{
    int error = scn_need_scalar(r, path, node, range_accepts);
    if (error)
        return error;
    if (!scn_range_parse(node->text, member))
        return scn_refuse_value(r, path, node, "is not a range", range_accepts);
    return SCN_OK;
}

static int finish_expect(struct scn_reader *r, const struct scn_path *path,
                         const struct scn_node *node, void *object)
{
    struct scn_expect *expect = object;
    expect->given = scn_node_get(r->tree->root, "expect") != NULL;
    const char *key = expect->stopped_phase[0] ? "stopped_in" : "stopped_by";
    bool stopped = expect->stopped_phase[0] || expect->stopped_metric[0];
    if (expect->verdict != SCN_VERDICT_PASS || !stopped)
        return SCN_OK;
    return scn_fail_key(r, path, scn_node_get(node, key),
                        "'%s' with verdict pass; accepted: with verdict gate_stopped", key);
}

#define AT(member) .offset = offsetof(struct scn_expect, member)
#define RANGE(key_name, member, text)                                                              \
    {                                                                                              \
        .name = key_name, .type = SCN_T_CUSTOM, AT(member), .read = read_range,                    \
        .accepts = range_accepts, .means = text                                                    \
    }
static const struct scn_key expect_keys[] = {
    {.name = "verdict",
     .type = SCN_T_ENUM,
     AT(verdict),
     .names = &scn_names_verdict,
     .fallback = "any",
     .means = "How the run ends."},
    {.name = "stopped_in",
     .type = SCN_T_TEXT,
     AT(stopped_phase),
     .max = SCN_NAME_MAX - 1,
     .accepts = "the name of a phase",
     .means = "The phase in which a gate stops the campaign."},
    {.name = "stopped_by",
     .type = SCN_T_WORD,
     AT(stopped_metric),
     .names = &scn_names_metric,
     .means = "The metric of the gate that stops it."},
    {.name = "alert",
     .type = SCN_T_WORD,
     AT(alert),
     .names = &scn_names_alert,
     .means = "An alert of this level is raised."},
    RANGE("bricked", bricked, "Devices that are bricks at the end."),
    RANGE("confirmed", confirmed, "Devices that run the new version."),
    RANGE("rolled_back", rolled_back, "Devices that went back by themselves."),
    RANGE("enrolled", enrolled, "Devices that were notified."),
    RANGE("download_failed", download_failed, "Devices whose download failed for good."),
    RANGE("verify_failed", verify_failed, "Devices that refused what they had downloaded."),
    RANGE("refused", refused, "Devices that refused the manifest."),
    RANGE("silent", silent, "Devices that never told an outcome."),
    RANGE("pending", pending, "Devices that are still at it when the run ends."),
};
const struct scn_map scn_map_expect = {"expect", SCN_KEYS(expect_keys), finish_expect};
