/*
 * What the agent publishes, as the service and the story see it. The report is read from the
 * payload, not from the agent's memory: it is what crosses the wire that counts.
 */
#include "own.h"
#include <stdio.h>
#include <string.h>

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a JSON string as agent/core/text.c writes it: a quotation mark, a backslash or a
 * control character is escaped. Returns the bytes read. */
static uint32_t read_char(char *out, const char *at, uint32_t left)
{
    *out = *at;
    if (*at != '\\' || left < 2)
        return 1;
    *out = at[1];
    if (at[1] != 'u' || left < 6)
        return 2;
    *out = (char)(hex(at[4]) << 4 | hex(at[5]));
    return 6;
}

/* The value of a key, as far as it fits. `"key":"` is nowhere in a value: its quotation marks would
 * be escaped. */
static void find(char *out, uint32_t max, const char *json, uint32_t len, const char *key)
{
    uint32_t key_len = (uint32_t)strlen(key), n = 0, at = 0;
    while (at + key_len < len && memcmp(json + at, key, key_len))
        at++;
    for (at += key_len; at < len && json[at] != '"' && n + 1 < max; n++)
        at += read_char(&out[n], json + at, len - at);
    out[n] = '\0';
}

static enum dut_status status_of(const char *name)
{
    static const struct {
        const char *name;
        enum dut_status status;
    } outcome[] = {
        {"confirmed", DUT_SAYS_CONFIRMED},
        {"rolled_back", DUT_SAYS_ROLLED_BACK},
        {"refused", DUT_SAYS_REFUSED},
        {"verify_failed", DUT_SAYS_VERIFY_FAILED},
        {"download_failed", DUT_SAYS_DOWNLOAD_FAILED},
    };
    for (uint32_t i = 0; i < sizeof outcome / sizeof outcome[0]; i++)
        if (!strcmp(name, outcome[i].name))
            return outcome[i].status;
    return DUT_SAYS_PROGRESS;
}

void own_tell_status(const struct dut_port *port, const char *json, uint32_t len)
{
    char status[32], reason[32], firmware_id[AGENT_ID_MAX], version[BOOT_VERSION_MAX], text[72];
    find(status, sizeof status, json, len, "\"status\":\"");
    find(reason, sizeof reason, json, len, "\"reason\":\"");
    find(firmware_id, sizeof firmware_id, json, len, "\"firmware_id\":\"");
    find(version, sizeof version, json, len, "\"version\":\"");
    snprintf(text, sizeof text, "%s%s%s", status, *reason ? " " : "", reason);
    const struct dut_report report = {status_of(status), firmware_id, version, text};
    port->report(port->ctx, &report);
}

void own_tell_state(const struct dut_port *port, enum agent_state from, enum agent_state to)
{
    char text[72];
    snprintf(text, sizeof text, "agent: %s -> %s", agent_state_name((int)from),
             agent_state_name((int)to));
    port->note(port->ctx, text);
}
