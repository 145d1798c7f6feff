/*
 * Operators' commands. The keys of the kind are read in a second pass, so that a key which belongs
 * to another kind is an unknown one and is ignored.
 */
#include "agent/agent.h"
#include "json.h"
#include <string.h>

/* What both passes write. The kind has a width of its own: that of an enum is the compiler's
 * choice. */
struct command_draft {
    int32_t kind;
    struct agent_command command;
};

#define MEMBER(member) offsetof(struct command_draft, command.member)

static const char *const kind_names[AGENT_CMD_KINDS] = {
    [AGENT_CMD_APPLY] = "apply", [AGENT_CMD_DEFER] = "defer",
    [AGENT_CMD_RETRY] = "retry", [AGENT_CMD_ROLLBACK] = "rollback",
    [AGENT_CMD_PING] = "ping",   [AGENT_CMD_REVOKE_KEY] = "revoke_key",
};

static const struct agent_json_field any_fields[] = {
    {.key = "command_id",
     .form = AGENT_JSON_TEXT,
     .max = AGENT_COMMAND_ID_MAX,
     .at = MEMBER(command_id)},
    {.key = "command",
     .form = AGENT_JSON_NAME,
     .max = AGENT_CMD_KINDS,
     .at = offsetof(struct command_draft, kind),
     .names = kind_names},
};

static const struct agent_json_field defer_fields[] = {
    {.key = "defer_s", .form = AGENT_JSON_U32, .at = MEMBER(defer_s)},
};

static const struct agent_json_field revoke_fields[] = {
    {.key = "cert_id", .form = AGENT_JSON_TEXT, .max = BOOT_CERT_ID_MAX, .at = MEMBER(cert_id)},
    {.key = "signing_cert_id",
     .form = AGENT_JSON_TEXT,
     .max = BOOT_CERT_ID_MAX,
     .at = MEMBER(signing_cert_id)},
    {.key = "signature",
     .form = AGENT_JSON_HEX,
     .max = BOOT_SIGNATURE_MAX,
     .at = MEMBER(signature),
     .extra = MEMBER(signature_bytes)},
};

static const struct agent_json_shape any_shape = {any_fields,
                                                  sizeof any_fields / sizeof *any_fields};
static const struct agent_json_shape kind_shapes[AGENT_CMD_KINDS] = {
    [AGENT_CMD_DEFER] = {defer_fields, sizeof defer_fields / sizeof *defer_fields},
    [AGENT_CMD_REVOKE_KEY] = {revoke_fields, sizeof revoke_fields / sizeof *revoke_fields},
};

int agent_command_parse(struct agent_command *out, const char *json, uint32_t len)
{
    struct command_draft draft;
    memset(out, 0, sizeof *out);
    memset(&draft, 0, sizeof draft);
    int error = agent_json_read(&any_shape, &draft, json, len);
    if (!error && kind_shapes[draft.kind].count)
        error = agent_json_read(&kind_shapes[draft.kind], &draft, json, len);
    if (error)
        return error;
    draft.command.kind = (enum agent_command_kind)draft.kind;
    *out = draft.command;
    return AGENT_OK;
}
