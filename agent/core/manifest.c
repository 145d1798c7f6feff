/*
 * The notification. Versions are stored as they are given: whether they are versions at all is
 * found where they are compared, so that the agent can name the campaign in its refusal.
 */
#include "agent/agent.h"
#include "json.h"
#include <string.h>

#define TEXT(form_, member)                                                                        \
    {                                                                                              \
        .key = #member, .form = form_, .max = sizeof((struct agent_manifest *)0)->member,          \
        .at = offsetof(struct agent_manifest, member)                                              \
    }

static const struct agent_json_field manifest_fields[] = {
    TEXT(AGENT_JSON_TEXT, firmware_id),
    TEXT(AGENT_JSON_TEXT, version),
    TEXT(AGENT_JSON_TEXT, device_type),
    TEXT(AGENT_JSON_TEXT_NONE, min_hw_revision),
    TEXT(AGENT_JSON_TEXT, binary_url),
    TEXT(AGENT_JSON_TEXT, signing_cert_id),
    TEXT(AGENT_JSON_TEXT_NONE, rollback_version),
    TEXT(AGENT_JSON_HEX_ALL, checksum_sha256),
    {.key = "binary_size_bytes",
     .form = AGENT_JSON_U32,
     .at = offsetof(struct agent_manifest, binary_size_bytes),
     .min = 1},
    {.key = "signature_ecdsa",
     .form = AGENT_JSON_HEX,
     .max = BOOT_SIGNATURE_MAX,
     .at = offsetof(struct agent_manifest, signature),
     .extra = offsetof(struct agent_manifest, signature_bytes)},
    {.key = "release_notes_url", .form = AGENT_JSON_ANY_TEXT},
    {.key = "published_at", .form = AGENT_JSON_ANY_TEXT},
};

static const struct agent_json_shape manifest_shape = {
    manifest_fields, sizeof manifest_fields / sizeof *manifest_fields};

static const struct agent_json_field notification_fields[] = {
    {.key = "campaign_id",
     .form = AGENT_JSON_TEXT,
     .max = AGENT_ID_MAX,
     .at = offsetof(struct agent_notification, campaign_id)},
    {.key = "force", .form = AGENT_JSON_BOOL, .at = offsetof(struct agent_notification, force)},
    {.key = "deadline",
     .form = AGENT_JSON_TIME,
     .optional = true,
     .at = offsetof(struct agent_notification, deadline_ms)},
    {.key = "manifest",
     .form = AGENT_JSON_OBJECT,
     .at = offsetof(struct agent_notification, manifest),
     .object = &manifest_shape},
};

static const struct agent_json_shape notification_shape = {
    notification_fields, sizeof notification_fields / sizeof *notification_fields};

int agent_notification_parse(struct agent_notification *out, const char *json, uint32_t len)
{
    memset(out, 0, sizeof *out);
    out->deadline_ms = INT64_MAX;
    int error = agent_json_read(&notification_shape, out, json, len);
    if (error)
        memset(out, 0, sizeof *out);
    return error;
}
