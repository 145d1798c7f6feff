/* The keys of a fault, and which of them each kind takes. */
#include "form.h"
#include "key.h"
#include "number.h"
#include <string.h>

enum { HOWS_MAX = 256 };

static const char torn_accepts[] =
    "one of any, before, nothing, prefix, suffix, random, unstable, after; for an erase also first "
    "(prefix) and last (suffix)";

static int read_torn(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     void *member)
{
    static const struct scn_key key = {
        .type = SCN_T_ENUM, .names = &scn_names_torn, .accepts = torn_accepts};
    struct scn_node plain_name = *node;
    if (node->kind == SCN_NODE_SCALAR && !strcmp(node->text, "first"))
        plain_name.text = "prefix";
    if (node->kind == SCN_NODE_SCALAR && !strcmp(node->text, "last"))
        plain_name.text = "suffix";
    return scn_read_key(r, path, &plain_name, &key, member);
}

static const char by_accepts[] = "a signed duration, as +400d or -90s, up to 36500d either way";

static int read_by(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                   void *member)
{
    static const int64_t most_us = INT64_C(36500) * 86400000000;
    int64_t *by_us = member;
    int error = scn_need_scalar(r, path, node, by_accepts);
    if (error)
        return error;
    bool sign = node->text[0] == '+' || node->text[0] == '-';
    if (!sign || !scn_duration_parse(node->text + 1, by_us) || !*by_us)
        return scn_refuse_value(r, path, node, "is no signed duration", by_accepts);
    if (*by_us > most_us)
        return scn_refuse_value(r, path, node, "is out of range", by_accepts);
    if (node->text[0] == '-')
        *by_us = -*by_us;
    return SCN_OK;
}

#define WHERE(member) .offset = offsetof(struct scn_where, member)
static const struct scn_key where_keys[] = {
    {.name = "site",
     .type = SCN_T_NAME,
     WHERE(site),
     .max = SCN_NAME_MAX - 1,
     .means = "Devices of this site only."},
    {.name = "link",
     .type = SCN_T_WORD,
     WHERE(link),
     .names = &scn_names_link,
     .means = "Devices with this link only."},
    {.name = "group",
     .type = SCN_T_NAME,
     WHERE(group),
     .max = SCN_NAME_MAX - 1,
     .means = "Devices of this group only."},
    {.name = "criticality",
     .type = SCN_T_WORD,
     WHERE(criticality),
     .names = &scn_names_criticality,
     .means = "Devices of this criticality only."},
    {.name = "device",
     .type = SCN_T_NAME,
     WHERE(device),
     .max = SCN_NAME_MAX - 1,
     .means = "One device, by its id or its index from 0."},
};
static const struct scn_map map_where = {"where of a fault", SCN_KEYS(where_keys), NULL};

/* What a kind takes: d during, a at, f for, t torn, h how, r region, w where, v devices, o off_for,
 * n times, e server, l latency, j jitter, b bandwidth, s slice, m delay, y by. Needs: 'd' during or
 * at, 'a' at, 'r' region and during or at, 'e' server and at, 's' something that is slow, 'y' by
 * and at. */
struct fault_form {
    const char *takes;
    char needs;
    struct {
        int from, to;
    } how[2]; /* runs of enum scn_how; all zero: none */
};

static const struct fault_form fault_forms[SCN_FAULT_KINDS] = {
    [SCN_FAULT_POWER_LOSS] = {"datwvon", 'd', {{0, 0}}},
    [SCN_FAULT_CORRUPT_DOWNLOAD] = {"hwvn",
                                    0,
                                    {{SCN_HOW_BIT_FLIP, SCN_HOW_DISCONNECT},
                                     {SCN_HOW_HTTP_416, SCN_HOW_HUGE_HEADERS}}},
    [SCN_FAULT_NETWORK_DROP] = {"dafhwvn", 'd', {{SCN_HOW_RESET, SCN_HOW_SLOW_CLOSE}}},
    [SCN_FAULT_BOOT_FAILURE] = {"hwvn", 0, {{SCN_HOW_HANG, SCN_HOW_HEALTH_HARD_FAULT}}},
    [SCN_FAULT_FLASH_DAMAGE] = {"darhwv", 'r', {{SCN_HOW_BIT_ROT, SCN_HOW_WORN}}},
    [SCN_FAULT_BROKER_DOWN] = {"af", 'a', {{0, 0}}},
    [SCN_FAULT_CDN_DOWN] = {"af", 'a', {{0, 0}}},
    [SCN_FAULT_SERVICE_RESTART] = {"a", 'a', {{0, 0}}},
    [SCN_FAULT_BAD_CERTIFICATE] = {"afhwve", 'e', {{SCN_HOW_EXPIRED, SCN_HOW_UNKNOWN_CA}}},
    [SCN_FAULT_SLOW_LINK] = {"afwvljbs", 's', {{0, 0}}},
    [SCN_FAULT_BROKER_RESTART] = {"ah", 'a', {{SCN_HOW_KEEP, SCN_HOW_FORGET}}},
    [SCN_FAULT_MESSAGE] = {"ahwvnm", 0, {{SCN_HOW_DUPLICATE, SCN_HOW_LATE}}},
    [SCN_FAULT_CLOCK_SKEW] = {"afwvy", 'y', {{0, 0}}},
};

static const struct {
    char letter;
    const char *key;
} fault_letters[] = {
    {'d', "during"}, {'a', "at"},      {'f', "for"},     {'t', "torn"},      {'h', "how"},
    {'r', "region"}, {'w', "where"},   {'v', "devices"}, {'o', "off_for"},   {'n', "times"},
    {'e', "server"}, {'l', "latency"}, {'j', "jitter"},  {'b', "bandwidth"}, {'s', "slice"},
    {'m', "delay"},  {'y', "by"},
};

static int check_takes(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, const struct fault_form *form, const char *kind)
{
    char takes[160] = "kind";
    const struct scn_node *extra = NULL;
    for (size_t i = 0; i < sizeof fault_letters / sizeof fault_letters[0]; i++) {
        const struct scn_node *child = scn_node_get(node, fault_letters[i].key);
        size_t len = strlen(takes);
        if (strchr(form->takes, fault_letters[i].letter))
            snprintf(takes + len, sizeof takes - len, ", %s", fault_letters[i].key);
        else if (child)
            extra = child;
    }
    if (extra)
        return scn_fail_key(r, path, extra, "%s does not take '%s'; accepted: %s", kind, extra->key,
                            takes);
    return SCN_OK;
}

/* What makes a link slow; and a time that it ends at only makes sense with one that it begins at.
 */
static int check_slow(struct scn_reader *r, const struct scn_path *path,
                      const struct scn_node *node, const char *kind)
{
    if (!scn_node_get(node, "latency") && !scn_node_get(node, "jitter") &&
        !scn_node_get(node, "bandwidth") && !scn_node_get(node, "slice"))
        return scn_fail(r, path, node,
                        "%s needs something that is slow; accepted: latency, jitter, bandwidth, "
                        "slice",
                        kind);
    const struct scn_node *ends = scn_node_get(node, "for");
    if (ends && !scn_node_get(node, "at"))
        return scn_fail(r, path, ends,
                        "'for' without 'at'; accepted: both, or none: the whole run");
    return SCN_OK;
}

static int check_needs(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, const struct fault_form *form, const char *kind)
{
    const struct scn_node *during = scn_node_get(node, "during"), *at = scn_node_get(node, "at");
    if (during && at)
        return scn_fail_key(r, path, at, "both during and at; accepted: one of them");
    if (form->needs == 's')
        return check_slow(r, path, node, kind);
    if (form->needs == 'e' && !scn_node_get(node, "server"))
        return scn_fail(r, path, node, "%s needs 'server'; accepted: one of broker, store", kind);
    if (form->needs == 'y' && !scn_node_get(node, "by"))
        return scn_fail(r, path, node, "%s needs 'by'; accepted: %s", kind, by_accepts);
    if (strchr("aey", form->needs) && form->needs && !at)
        return scn_fail(r, path, node, "%s needs 'at'; accepted: a time from the start, as 50h",
                        kind);
    if (form->needs && !during && !at)
        return scn_fail(r, path, node,
                        "%s needs 'during' or 'at'; accepted: during a state, as downloading, or "
                        "at a time from the start, as 50h",
                        kind);
    if (form->needs == 'r' && !scn_node_get(node, "region")) {
        char regions[96];
        scn_names_list(&scn_names_region, 0, SCN_REGIONS - 1, regions, sizeof regions);
        return scn_fail(r, path, node, "%s needs 'region'; accepted: one of %s", kind, regions);
    }
    return SCN_OK;
}

static bool happens_by(const struct fault_form *form, enum scn_how how)
{
    for (int i = 0; i < 2; i++)
        if ((int)how >= form->how[i].from && (int)how <= form->how[i].to)
            return true;
    return how == SCN_HOW_ANY;
}

static void list_hows(const struct fault_form *form, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < 2 && form->how[i].to; i++) {
        size_t len = strlen(out);
        if (i)
            len += (size_t)snprintf(out + len, size - len, ", ");
        scn_names_list(&scn_names_how, form->how[i].from, form->how[i].to, out + len, size - len);
    }
}

static int check_how(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     const struct fault_form *form, const struct scn_fault *fault)
{
    char hows[HOWS_MAX];
    if (happens_by(form, fault->how))
        return SCN_OK;
    list_hows(form, hows, sizeof hows);
    const struct scn_path below = {path, "how", 0};
    return scn_fail(r, &below, scn_node_get(node, "how"),
                    "%s can't happen by '%s'; accepted: any, %s",
                    scn_fault_kind_name((int)fault->kind), scn_how_name((int)fault->how), hows);
}

static int finish_fault(struct scn_reader *r, const struct scn_path *path,
                        const struct scn_node *node, void *object)
{
    struct scn_fault *fault = object;
    const struct fault_form *form = &fault_forms[fault->kind];
    const char *kind = scn_fault_kind_name((int)fault->kind);
    fault->has_at = scn_node_get(node, "at") != NULL;
    if (fault->kind == SCN_FAULT_NETWORK_DROP && !scn_node_get(node, "how"))
        fault->how = SCN_HOW_RESET;
    if (fault->kind == SCN_FAULT_BROKER_RESTART && !scn_node_get(node, "how"))
        fault->how = SCN_HOW_KEEP;
    fault->line = node->line;
    fault->column = node->column;
    int error = check_takes(r, path, node, form, kind);
    if (!error)
        error = check_needs(r, path, node, form, kind);
    if (!error)
        error = check_how(r, path, node, form, fault);
    if (!error && !fault->devices.num) {
        const struct scn_path below = {path, "devices", 0};
        return scn_fail(r, &below, scn_node_get(node, "devices"),
                        "0%% hits no device; accepted: more than 0%%");
    }
    return error;
}

#define AT(member) .offset = offsetof(struct scn_fault, member)
static const struct scn_key fault_keys[] = {
    {.name = "kind",
     .type = SCN_T_ENUM,
     AT(kind),
     .names = &scn_names_fault_kind,
     .required = true,
     .means = "What happens; the table below says which keys each kind takes."},
    {.name = "during",
     .type = SCN_T_ENUM,
     AT(during),
     .names = &scn_names_during,
     .means = "When in the life of a device: a flash operation, a boot or a state of the agent."},
    {.name = "at",
     .type = SCN_T_DURATION,
     AT(at_us),
     .max = 31536000000000,
     .means = "When, from the start; instead of `during`."},
    {.name = "for",
     .type = SCN_T_DURATION,
     AT(for_us),
     .min = 1000000,
     .max = 31536000000000,
     .fallback = "1h",
     .means = "How long it lasts."},
    {.name = "torn",
     .type = SCN_T_CUSTOM,
     AT(torn),
     .read = read_torn,
     .accepts = torn_accepts,
     .fallback = "any",
     .means = "What is left of the flash operation that the power cut hits."},
    {.name = "how",
     .type = SCN_T_ENUM,
     AT(how),
     .names = &scn_names_how,
     .fallback = "any",
     .means = "In which way; each kind has its own."},
    {.name = "region",
     .type = SCN_T_ENUM,
     AT(region),
     .names = &scn_names_region,
     .means = "The region of flash that is damaged."},
    {.name = "where",
     .type = SCN_T_MAP,
     AT(where),
     .map = &map_where,
     .means = "Which devices may be hit; all given ones must hold. Without it: the whole fleet."},
    {.name = "devices",
     .type = SCN_T_RATIO,
     AT(devices),
     .max = 100,
     .fallback = "100%",
     .means = "Share of the devices that match `where`."},
    {.name = "off_for",
     .type = SCN_T_DURATION,
     AT(off_for_us),
     .min = 1000,
     .max = 2592000000000,
     .fallback = "30s",
     .means = "How long the power stays away."},
    {.name = "times",
     .type = SCN_T_U32,
     AT(times),
     .min = 1,
     .max = 1000,
     .fallback = "1",
     .means = "How often on one device."},
    {.name = "server",
     .type = SCN_T_ENUM,
     AT(server),
     .names = &scn_names_server,
     .means = "Whose certificate is bad."},
    {.name = "latency",
     .type = SCN_T_DURATION,
     AT(latency_us),
     .max = 600000000,
     .fallback = "0s",
     .means = "Added to each way of whatever passes; the link's own time, which no scale divides."},
    {.name = "jitter",
     .type = SCN_T_DURATION,
     AT(jitter_us),
     .max = 600000000,
     .fallback = "0s",
     .means = "Up to so much more latency, drawn anew each time."},
    {.name = "bandwidth",
     .type = SCN_T_SIZE,
     AT(bandwidth_bytes_s),
     .min = 16,
     .max = 1073741824,
     .means = "Bytes a second, each way; without it no limit."},
    {.name = "slice",
     .type = SCN_T_SIZE,
     AT(slice_bytes),
     .min = 1,
     .max = 65536,
     .means = "What passes comes in pieces of at most this; without it no limit."},
    {.name = "delay",
     .type = SCN_T_DURATION,
     AT(delay_us),
     .min = 1000000,
     .max = 86400000000,
     .fallback = "1m",
     .means = "How late the message is, or how long after the first it comes once more."},
    {.name = "by",
     .type = SCN_T_CUSTOM,
     AT(by_us),
     .read = read_by,
     .accepts = by_accepts,
     .means = "How far the device's own clock is ahead (+) or behind (-)."},
};
const struct scn_map scn_map_fault = {"faults", SCN_KEYS(fault_keys), finish_fault};

void scn_fault_takes(int kind, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "| `%s` |", scn_fault_kind_name(kind));
    for (size_t i = 0; i < sizeof fault_letters / sizeof fault_letters[0] && len < size; i++)
        if (strchr(fault_forms[kind].takes, fault_letters[i].letter))
            len += (size_t)snprintf(out + len, size - len, " `%s`", fault_letters[i].key);
    char hows[HOWS_MAX];
    list_hows(&fault_forms[kind], hows, sizeof hows);
    if (len < size)
        snprintf(out + len, size - len, " | %s |", hows[0] ? hows : "-");
}
