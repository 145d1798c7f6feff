#include "agent/agent.h"
#include "message.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct message message;
static struct agent_notification parsed;

static int parse_with(const char *key, const char *value, const char *more)
{
    message_make(&message, key, value, more);
    return agent_notification_parse(&parsed, message.text, message.len);
}

static bool is_zeroed(void)
{
    static const struct agent_notification zero;
    return memcmp(&parsed, &zero, sizeof zero) == 0;
}

Test(manifest, every_member_is_read)
{
    static const uint8_t signature[] = {0x30, 0x45, 0x02, 0x21, 0x00, 0xa1, 0xb2};
    cr_assert_eq(parse_with("", NULL, ""), AGENT_OK);
    cr_expect_str_eq(parsed.campaign_id, "spring-2026");
    cr_expect_eq(parsed.force, false);
    cr_expect_eq(parsed.deadline_ms, INT64_C(1774828800000));
    cr_expect_str_eq(parsed.manifest.firmware_id, "fw-2.4.0");
    cr_expect_str_eq(parsed.manifest.version, "2.4.0");
    cr_expect_str_eq(parsed.manifest.device_type, "pump_monitor_v2");
    cr_expect_str_eq(parsed.manifest.min_hw_revision, "Rev-B");
    cr_expect_str_eq(parsed.manifest.binary_url, "https://updates.example/fw-2.4.0.bin");
    cr_expect_eq(parsed.manifest.binary_size_bytes, 536576);
    for (int i = 0; i < BOOT_SHA256_BYTES; i++)
        cr_expect_eq(parsed.manifest.checksum_sha256[i], (i % 16) * 0x11, "byte %d", i);
    cr_expect_eq(parsed.manifest.signature_bytes, sizeof signature);
    cr_expect_arr_eq(parsed.manifest.signature, signature, sizeof signature);
    cr_expect_str_eq(parsed.manifest.signing_cert_id, "release-2026");
    cr_expect_str_eq(parsed.manifest.rollback_version, "2.3.1");
}

Test(manifest, absent_key_is_missing_and_leaves_zeroes)
{
    for (int i = 0; i < MESSAGE_MANIFEST; i++) {
        cr_expect_eq(parse_with(message_manifest[i].key, NULL, ""), AGENT_EMISSING, "%s",
                     message_manifest[i].key);
        cr_expect(is_zeroed());
    }
    cr_expect_eq(parse_with("campaign_id", NULL, ""), AGENT_EMISSING);
    cr_expect_eq(parse_with("force", NULL, ""), AGENT_EMISSING);
    cr_expect_eq(parse_with("manifest", NULL, ""), AGENT_EMISSING);
    cr_expect_eq(parse_with("manifest", "{}", ""), AGENT_EMISSING);
}

Test(manifest, deadline_may_be_absent_or_null)
{
    cr_expect_eq(parse_with("deadline", NULL, ""), AGENT_OK);
    cr_expect_eq(parsed.deadline_ms, INT64_MAX);
    cr_expect_eq(parse_with("deadline", "null", ""), AGENT_OK);
    cr_expect_eq(parsed.deadline_ms, INT64_MAX);
}

Test(manifest, value_of_another_type_is_refused)
{
    static const char *const values[] = {"null", "true",     "17",         "[]",
                                         "{}",   "\"text\"", "[\"2.4.0\"]"};
    for (int k = 0; k < MESSAGE_MANIFEST; k++) {
        bool number = strcmp(message_manifest[k].key, "binary_size_bytes") == 0;
        for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
            if (i == (number ? 2 : 5))
                continue;
            cr_expect_eq(parse_with(message_manifest[k].key, values[i], ""), AGENT_EFORMAT,
                         "%s: %s", message_manifest[k].key, values[i]);
            cr_expect(is_zeroed());
        }
    }
    cr_expect_eq(parse_with("force", "\"true\"", ""), AGENT_EFORMAT);
    cr_expect_eq(parse_with("force", "null", ""), AGENT_EFORMAT);
    cr_expect_eq(parse_with("force", "1", ""), AGENT_EFORMAT);
    cr_expect_eq(parse_with("deadline", "1774828800", ""), AGENT_EFORMAT);
    cr_expect_eq(parse_with("deadline", "false", ""), AGENT_EFORMAT);
    cr_expect_eq(parse_with("manifest", "[]", ""), AGENT_EFORMAT);
}

Test(manifest, size_is_a_whole_number_from_1_to_4294967295)
{
    static const struct {
        const char *in;
        int expect;
        uint32_t bytes;
    } rows[] = {{"1", AGENT_OK, 1},
                {"4294967295", AGENT_OK, UINT32_MAX},
                {"4294967296", AGENT_ERANGE, 0},
                {"99999999999999999999999999", AGENT_ERANGE, 0},
                {"0", AGENT_ERANGE, 0},
                {"-0", AGENT_ERANGE, 0},
                {"-1", AGENT_ERANGE, 0},
                {"1.0", AGENT_ERANGE, 0},
                {"1e3", AGENT_ERANGE, 0},
                {"01", AGENT_EFORMAT, 0},
                {"+1", AGENT_EFORMAT, 0},
                {"0x10", AGENT_EFORMAT, 0}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(parse_with("binary_size_bytes", rows[i].in, ""), rows[i].expect, "%s",
                     rows[i].in);
        cr_expect_eq(parsed.manifest.binary_size_bytes, rows[i].bytes, "%s", rows[i].in);
    }
}

static void quoted(char *out, char fill, size_t count)
{
    out[0] = out[count + 1] = '"';
    memset(out + 1, fill, count);
    out[count + 2] = '\0';
}

Test(manifest, text_fits_with_its_nul_or_is_refused)
{
    static const struct {
        const char *key;
        size_t max;
    } rows[] = {{"firmware_id", AGENT_ID_MAX},          {"version", BOOT_VERSION_MAX},
                {"device_type", BOOT_DEVICE_TYPE_MAX},  {"min_hw_revision", BOOT_HW_REVISION_MAX},
                {"binary_url", AGENT_URL_MAX},          {"signing_cert_id", BOOT_CERT_ID_MAX},
                {"rollback_version", BOOT_VERSION_MAX}, {"campaign_id", AGENT_ID_MAX}};
    char value[512];
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool may_be_empty = i == 3 || i == 6;
        quoted(value, 'x', rows[i].max - 1);
        cr_expect_eq(parse_with(rows[i].key, value, ""), AGENT_OK, "%s", rows[i].key);
        quoted(value, 'x', rows[i].max);
        cr_expect_eq(parse_with(rows[i].key, value, ""), AGENT_ERANGE, "%s", rows[i].key);
        cr_expect(is_zeroed());
        cr_expect_eq(parse_with(rows[i].key, "\"\"", ""), may_be_empty ? AGENT_OK : AGENT_ERANGE,
                     "%s", rows[i].key);
    }
}

Test(manifest, hex_has_its_exact_length_and_only_digits)
{
    static const struct {
        const char *key;
        size_t digits;
        int expect;
    } rows[] = {{"checksum_sha256", 64, AGENT_OK},      {"checksum_sha256", 63, AGENT_ERANGE},
                {"checksum_sha256", 62, AGENT_ERANGE},  {"checksum_sha256", 66, AGENT_ERANGE},
                {"checksum_sha256", 0, AGENT_ERANGE},   {"signature_ecdsa", 144, AGENT_OK},
                {"signature_ecdsa", 2, AGENT_OK},       {"signature_ecdsa", 146, AGENT_ERANGE},
                {"signature_ecdsa", 143, AGENT_ERANGE}, {"signature_ecdsa", 0, AGENT_ERANGE}};
    char value[512];
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        quoted(value, 'a', rows[i].digits);
        cr_expect_eq(parse_with(rows[i].key, value, ""), rows[i].expect, "row %u", i);
        for (size_t at = 1; at <= rows[i].digits && rows[i].expect == AGENT_OK; at++) {
            value[at] = at % 2 ? 'g' : ' ';
            cr_expect_eq(parse_with(rows[i].key, value, ""), AGENT_ERANGE, "row %u, %zu", i, at);
            value[at] = 'a';
        }
    }
}

Test(manifest, escapes_are_resolved_or_refused)
{
    static const struct {
        const char *in;
        int expect;
        const char *text;
    } rows[] = {
        {"\"a\\/b\\\\c\\\"d\"", AGENT_OK, "a/b\\c\"d"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", AGENT_OK,
         "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", AGENT_OK,
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"a\\u0000b\"", AGENT_ERANGE, ""},
        {"\"a\\nb\"", AGENT_ERANGE, ""},
        {"\"a\\u001fb\"", AGENT_ERANGE, ""},
        {"\"\\ud83d\"", AGENT_ERANGE, ""},
        {"\"\\ud83dxxxxxx\"", AGENT_ERANGE, ""},
        {"\"\\ud83d\\u0041\"", AGENT_ERANGE, ""},
        {"\"\\ude00\\ud83d\"", AGENT_ERANGE, ""},
        {"\"\\u12\"", AGENT_EFORMAT, ""},
        {"\"\\u12g4\"", AGENT_EFORMAT, ""},
        {"\"\\x41\"", AGENT_EFORMAT, ""},
        {"\"a\nb\"", AGENT_EFORMAT, ""},
        {"\"a\x01z\"", AGENT_EFORMAT, ""},
        {"\"\x80\"", AGENT_EFORMAT, ""},
        {"\"\xc0\xaf\"", AGENT_EFORMAT, ""},
        {"\"\xe0\x80\xaf\"", AGENT_EFORMAT, ""},
        {"\"\xed\xa0\x80\"", AGENT_EFORMAT, ""},
        {"\"\xf4\x90\x80\x80\"", AGENT_EFORMAT, ""},
        {"\"\xe2\x82\"", AGENT_EFORMAT, ""},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(parse_with("firmware_id", rows[i].in, ""), rows[i].expect, "row %u", i);
        cr_expect_str_eq(parsed.manifest.firmware_id, rows[i].text, "row %u", i);
    }
}

Test(manifest, deadline_is_a_moment_in_rfc_3339)
{
    static const struct {
        const char *in;
        int64_t expect_ms; /* -1: refused */
    } rows[] = {{"1970-01-01T00:00:00Z", 0},
                {"2026-03-30T00:00:00Z", 1774828800000},
                {"2026-03-30T00:00Z", 1774828800000},
                {"2026-03-30T02:00:00+02:00", 1774828800000},
                {"2026-03-29T18:30:00-05:30", 1774828800000},
                {"2026-03-30T00:00:00.5Z", 1774828800500},
                {"2026-03-30T00:00:00.123456789Z", 1774828800123},
                {"2026-03-29T23:59:60Z", 1774828800000},
                {"2024-02-29T00:00:00Z", 1709164800000},
                {"2025-02-29T00:00:00Z", -1},
                {"2026-04-31T00:00:00Z", -1},
                {"2026-13-01T00:00:00Z", -1},
                {"2026-00-01T00:00:00Z", -1},
                {"2026-03-00T00:00:00Z", -1},
                {"2026-03-30T24:00:00Z", -1},
                {"2026-03-30T00:60:00Z", -1},
                {"2026-03-30T00:00:61Z", -1},
                {"2026-03-30T00:00:00", -1},
                {"2026-03-30T00:00:00.Z", -1},
                {"2026-03-30T00:00:00+2:00", -1},
                {"2026-03-30T00:00:00+24:00", -1},
                {"2026-03-30T00:00:00Zx", -1},
                {"2026-03-30 00:00:00Z", -1},
                {"2026-03-30", -1},
                {"26-03-30T00:00:00Z", -1},
                {"tomorrow", -1},
                {"", -1}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char value[64];
        snprintf(value, sizeof value, "\"%s\"", rows[i].in);
        int expect = rows[i].expect_ms < 0 ? AGENT_ERANGE : AGENT_OK;
        cr_expect_eq(parse_with("deadline", value, ""), expect, "%s", rows[i].in);
        if (expect == AGENT_OK)
            cr_expect_eq(parsed.deadline_ms, rows[i].expect_ms, "%s", rows[i].in);
    }
}

Test(manifest, unknown_keys_are_ignored_with_all_that_is_in_them)
{
    static const char *const more[] = {
        "\"x\": 1",
        "\"x\": null",
        "\"x\": \"\\ud800\"",
        "\"x\": {\"force\": 7, \"manifest\": {\"version\": [1, [2, {\"version\": 3}]]}}",
        "\"delta\": [{\"from_version\": \"2.3.1\", \"size_bytes\": 1e-7}], \"\": []",
        "\"forc\": 1, \"forcex\": 2, \"FORCE\": 3",
        "\"x\": 1, \"x\": 2",
    };
    for (unsigned i = 0; i < sizeof more / sizeof *more; i++) {
        char outer[256];
        snprintf(outer, sizeof outer, "%s", more[i]);
        cr_expect_eq(parse_with("", NULL, outer), AGENT_OK, "%s", more[i]);
        cr_expect_str_eq(parsed.manifest.version, "2.4.0");
    }
}

Test(manifest, key_given_twice_is_refused)
{
    static const char *const more[] = {
        "\"force\": false",      "\"campaign_id\": \"spring-2026\"",
        "\"deadline\": null",    "\"manifest\": {}",
        "\"\\u0066orce\": true",
    };
    for (unsigned i = 0; i < sizeof more / sizeof *more; i++)
        cr_expect_eq(parse_with("", NULL, more[i]), AGENT_EFORMAT, "%s", more[i]);
    for (int i = 0; i < MESSAGE_MANIFEST; i++) {
        char twice[512];
        snprintf(twice, sizeof twice, "%s, \"%s\": %s", message_manifest[i].value,
                 message_manifest[i].key, message_manifest[i].value);
        cr_expect_eq(parse_with(message_manifest[i].key, twice, ""), AGENT_EFORMAT, "%s",
                     message_manifest[i].key);
    }
}

/* A copy of the exact size, so that the sanitizer sees a read past the end. */
static int parse_exact(const char *text, uint32_t len)
{
    char *exact = malloc(len ? len : 1);
    memcpy(exact, text, len);
    int error = agent_notification_parse(&parsed, exact, len);
    free(exact);
    return error;
}

Test(manifest, text_that_is_cut_or_goes_on_is_refused)
{
    cr_assert_eq(parse_with("", NULL, ""), AGENT_OK);
    for (uint32_t len = 0; len < message.len; len++) {
        cr_expect_eq(parse_exact(message.text, len), AGENT_EFORMAT, "%u", len);
        cr_expect(is_zeroed());
    }
    for (int c = 0; c < 256; c++) {
        bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        message.text[message.len] = (char)c;
        cr_expect_eq(parse_exact(message.text, message.len + 1), space ? AGENT_OK : AGENT_EFORMAT,
                     "%d", c);
    }
}

Test(manifest, hostile_size_and_nesting_are_refused)
{
    static char big[1 << 20];
    memset(big, '[', sizeof big);
    cr_expect_eq(agent_notification_parse(&parsed, big, sizeof big), AGENT_ERANGE);
    cr_expect_eq(agent_notification_parse(&parsed, big, 4000), AGENT_EFORMAT);
    memcpy(big, "{\"x\":", 5);
    cr_expect_eq(agent_notification_parse(&parsed, big, 8000), AGENT_ERANGE);
    cr_expect_eq(agent_notification_parse(&parsed, big, 10005), AGENT_ERANGE);
    /* 8,192 bytes are read, 8,193 are not. */
    cr_assert_eq(parse_with("", NULL, ""), AGENT_OK);
    memset(message.text + message.len, ' ', sizeof message.text - message.len);
    cr_expect_eq(agent_notification_parse(&parsed, message.text, AGENT_INPUT_MAX), AGENT_OK);
    cr_expect_eq(agent_notification_parse(&parsed, message.text, AGENT_INPUT_MAX + 1),
                 AGENT_ERANGE);
}

Test(manifest, nesting_and_tokens_have_limits_that_are_exact)
{
    char more[2048];
    for (int depth = 30; depth <= 32; depth++) {
        memset(more, '[', sizeof more);
        memcpy(more, "\"x\":", 4);
        memset(more + 4 + depth, ']', (size_t)depth);
        more[4 + 2 * depth] = '\0';
        cr_expect_eq(parse_with("", NULL, more), depth <= 31 ? AGENT_OK : AGENT_ERANGE, "%d",
                     depth);
    }
    /* The message itself has 33 tokens: the object, three pairs, a key, the manifest, 12 pairs. */
    for (int elements = 220; elements <= 222; elements++) {
        size_t len = (size_t)snprintf(more, sizeof more, "\"x\":[0");
        for (int i = 1; i < elements; i++)
            len += (size_t)snprintf(more + len, sizeof more - len, ",0");
        snprintf(more + len, sizeof more - len, "]");
        cr_expect_eq(parse_with("", NULL, more), elements <= 221 ? AGENT_OK : AGENT_ERANGE, "%d",
                     elements);
    }
}
