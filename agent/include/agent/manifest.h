/*
 * Messages to the device: the notification with its manifest, and commands. Parsed with jsmn into
 * fixed arrays; no allocation. Unknown keys are ignored, missing ones refused; nothing is trusted
 * which the signed image header contradicts (the manifest is not signed).
 */
#ifndef AGENT_MANIFEST_H
#define AGENT_MANIFEST_H

#include "boot/crypto.h"
#include "boot/image.h"
#include <stdbool.h>
#include <stdint.h>

enum { AGENT_ID_MAX = 40, AGENT_URL_MAX = 256, AGENT_COMMAND_ID_MAX = 40 };

struct agent_manifest {
    char firmware_id[AGENT_ID_MAX];
    char version[BOOT_VERSION_MAX];
    char device_type[BOOT_DEVICE_TYPE_MAX];
    char min_hw_revision[BOOT_HW_REVISION_MAX];
    char binary_url[AGENT_URL_MAX];
    uint32_t binary_size_bytes;
    uint8_t checksum_sha256[BOOT_SHA256_BYTES];
    uint8_t signature[BOOT_SIGNATURE_MAX];
    uint16_t signature_bytes;
    char signing_cert_id[BOOT_CERT_ID_MAX];
    char rollback_version[BOOT_VERSION_MAX]; /* an older version that may be installed as a rollback
                                              */
};

struct agent_notification {
    char campaign_id[AGENT_ID_MAX];
    bool force;
    int64_t deadline_ms; /* INT64_MAX: none */
    struct agent_manifest manifest;
};

/* AGENT_OK, AGENT_EFORMAT, AGENT_EMISSING or AGENT_ERANGE; out is then zeroed. Any bytes, any
 * length. */
int agent_notification_parse(struct agent_notification *out, const char *json, uint32_t len);

enum agent_command_kind {
    AGENT_CMD_APPLY,
    AGENT_CMD_DEFER,
    AGENT_CMD_RETRY,
    AGENT_CMD_ROLLBACK,
    AGENT_CMD_PING,
    AGENT_CMD_REVOKE_KEY,
    AGENT_CMD_KINDS
};

/*
 * A revocation is signed over the bytes "revoke_key:" cert_id (no NUL, no newline) by
 * signing_cert_id. JSON keys: command_id, command, and for revoke_key: cert_id, signing_cert_id,
 * signature (DER, hex); for defer: defer_s.
 */
struct agent_command {
    enum agent_command_kind kind;
    char command_id[AGENT_COMMAND_ID_MAX];
    uint32_t defer_s;
    char cert_id[BOOT_CERT_ID_MAX];
    char signing_cert_id[BOOT_CERT_ID_MAX];
    uint8_t signature[BOOT_SIGNATURE_MAX];
    uint16_t signature_bytes;
};
int agent_command_parse(struct agent_command *out, const char *json, uint32_t len);

/*
 * Semantic version order (semver.org 2.0.0, section 11): 1.9 < 1.10, 2.4.0-rc.1 < 2.4.0; build
 * metadata is ignored. *out gets -1, 0 or 1. AGENT_ERANGE when one of them is no version.
 */
int agent_version_compare(int *out, const char *a, const char *b);

#endif
