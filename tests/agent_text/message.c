#include "message.h"
#include <stdio.h>
#include <string.h>

#define HEX_16 "00112233445566778899aAbBcCdDeEfF"

const struct message_key message_outer[MESSAGE_OUTER] = {
    {"campaign_id", "\"spring-2026\""},
    {"force", "false"},
    {"deadline", "\"2026-03-30T00:00:00Z\""},
};

const struct message_key message_manifest[MESSAGE_MANIFEST] = {
    {"firmware_id", "\"fw-2.4.0\""},
    {"version", "\"2.4.0\""},
    {"device_type", "\"pump_monitor_v2\""},
    {"min_hw_revision", "\"Rev-B\""},
    {"binary_url", "\"https://updates.example/fw-2.4.0.bin\""},
    {"binary_size_bytes", "536576"},
    {"checksum_sha256", "\"" HEX_16 HEX_16 "\""},
    {"signature_ecdsa", "\"3045022100a1b2\""},
    {"signing_cert_id", "\"release-2026\""},
    {"release_notes_url", "\"https://updates.example/notes\""},
    {"rollback_version", "\"2.3.1\""},
    {"published_at", "\"2026-03-19T09:00:00Z\""},
};

static void append(struct message *out, const char *text)
{
    size_t bytes = strlen(text);
    if (out->len + bytes < sizeof out->text) {
        memcpy(out->text + out->len, text, bytes + 1);
        out->len += (uint32_t)bytes;
    }
}

static void append_key(struct message *out, const char *key, const char *value)
{
    if (out->text[out->len - 1] != '{')
        append(out, ",");
    append(out, "\"");
    append(out, key);
    append(out, "\": ");
    append(out, value);
}

static void append_keys(struct message *out, const struct message_key *keys, int count,
                        const char *key, const char *value)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(keys[i].key, key) != 0)
            append_key(out, keys[i].key, keys[i].value);
        else if (value)
            append_key(out, key, value);
    }
}

void message_make(struct message *out, const char *key, const char *value, const char *more)
{
    out->len = 0;
    append(out, "{");
    append(out, more);
    append_keys(out, message_outer, MESSAGE_OUTER, key, value);
    if (strcmp(key, "manifest") != 0) {
        append_key(out, "manifest", "{");
        append_keys(out, message_manifest, MESSAGE_MANIFEST, key, value);
        append(out, "}");
    } else if (value) {
        append_key(out, "manifest", value);
    }
    append(out, "}");
}
