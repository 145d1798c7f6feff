#include "agent/agent.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct agent_command parsed;

static int parse(const char *json)
{
    return agent_command_parse(&parsed, json, (uint32_t)strlen(json));
}

#define REVOKE "\"command_id\":\"c-1\",\"command\":\"revoke_key\""

Test(command, each_kind_has_its_name)
{
    static const char *const names[AGENT_CMD_KINDS] = {"apply",    "defer", "retry",
                                                       "rollback", "ping",  "revoke_key"};
    for (int kind = 0; kind < AGENT_CMD_KINDS; kind++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"command_id\":\"c-%d\",\"command\":\"%s\",\"defer_s\":3600,\"cert_id\":\"old\","
                 "\"signing_cert_id\":\"new\",\"signature\":\"3006aB\"}",
                 kind, names[kind]);
        cr_assert_eq(parse(json), AGENT_OK, "%s", names[kind]);
        cr_expect_eq((int)parsed.kind, kind);
        cr_expect_eq(parsed.command_id[2], '0' + kind);
        cr_expect_eq(parsed.defer_s, kind == AGENT_CMD_DEFER ? 3600u : 0u);
        cr_expect_str_eq(parsed.cert_id, kind == AGENT_CMD_REVOKE_KEY ? "old" : "");
        cr_expect_str_eq(parsed.signing_cert_id, kind == AGENT_CMD_REVOKE_KEY ? "new" : "");
        cr_expect_eq(parsed.signature_bytes, kind == AGENT_CMD_REVOKE_KEY ? 3 : 0);
    }
    cr_expect_eq(parsed.signature[2], 0xab);
}

Test(command, what_is_not_a_whole_command_is_refused_and_zeroed)
{
    static const struct {
        const char *in;
        int expect;
    } rows[] = {
        {"", AGENT_EFORMAT},
        {"\"apply\"", AGENT_EFORMAT},
        {"[]", AGENT_EFORMAT},
        {"{}", AGENT_EMISSING},
        {"{\"command\":\"apply\"}", AGENT_EMISSING},
        {"{\"command_id\":\"c\"}", AGENT_EMISSING},
        {"{\"command_id\":\"c\",\"command\":\"format\"}", AGENT_ERANGE},
        {"{\"command_id\":\"c\",\"command\":\"\"}", AGENT_ERANGE},
        {"{\"command_id\":\"c\",\"command\":\"Apply\"}", AGENT_ERANGE},
        {"{\"command_id\":\"c\",\"command\":\"applyx\"}", AGENT_ERANGE},
        {"{\"command_id\":\"\",\"command\":\"apply\"}", AGENT_ERANGE},
        {"{\"command_id\":7,\"command\":\"apply\"}", AGENT_EFORMAT},
        {"{\"command_id\":\"c\",\"command\":0}", AGENT_EFORMAT},
        {"{\"command_id\":\"c\",\"command\":\"apply\",\"command\":\"rollback\"}", AGENT_EFORMAT},
        {"{\"command_id\":\"0123456789012345678901234567890123456789\",\"command\":\"apply\"}",
         AGENT_ERANGE},
        {"{\"command_id\":\"c\",\"command\":\"defer\"}", AGENT_EMISSING},
        {"{\"command_id\":\"c\",\"command\":\"defer\",\"defer_s\":\"60\"}", AGENT_EFORMAT},
        {"{\"command_id\":\"c\",\"command\":\"defer\",\"defer_s\":-60}", AGENT_ERANGE},
        {"{\"command_id\":\"c\",\"command\":\"defer\",\"defer_s\":4294967296}", AGENT_ERANGE},
        {"{" REVOKE ",\"signing_cert_id\":\"b\",\"signature\":\"3006\"}", AGENT_EMISSING},
        {"{" REVOKE ",\"cert_id\":\"a\",\"signature\":\"3006\"}", AGENT_EMISSING},
        {"{" REVOKE ",\"cert_id\":\"a\",\"signing_cert_id\":\"b\"}", AGENT_EMISSING},
        {"{" REVOKE ",\"cert_id\":\"a\",\"signing_cert_id\":\"b\",\"signature\":\"\"}",
         AGENT_ERANGE},
        {"{" REVOKE ",\"cert_id\":\"a\",\"signing_cert_id\":\"b\",\"signature\":\"300\"}",
         AGENT_ERANGE},
        {"{" REVOKE ",\"cert_id\":\"0123456789012345678901234\",\"signing_cert_id\":\"b\","
         "\"signature\":\"3006\"}",
         AGENT_ERANGE},
    };
    static const struct agent_command zero;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(&parsed, 0xa5, sizeof parsed);
        cr_expect_eq(parse(rows[i].in), rows[i].expect, "%s", rows[i].in);
        cr_expect_eq(memcmp(&parsed, &zero, sizeof zero), 0, "%s", rows[i].in);
    }
}

Test(command, defer_of_any_length_is_read)
{
    cr_expect_eq(parse("{\"command_id\":\"c\",\"command\":\"defer\",\"defer_s\":4294967295}"),
                 AGENT_OK);
    cr_expect_eq(parsed.defer_s, UINT32_MAX);
    cr_expect_eq(parse("{\"command_id\":\"c\",\"command\":\"defer\",\"defer_s\":0}"), AGENT_OK);
    cr_expect_eq(parsed.defer_s, 0);
}

Test(command, keys_of_another_kind_are_not_looked_at)
{
    cr_expect_eq(
        parse("{\"command_id\":\"c\",\"command\":\"ping\",\"defer_s\":\"soon\",\"cert_id\":[]}"),
        AGENT_OK);
    cr_expect_eq((int)parsed.kind, (int)AGENT_CMD_PING);
}
