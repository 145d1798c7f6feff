/*
 * Shelly of the second generation and later (Plus, Pro, Gen3): JSON-RPC by POST to /rpc. Switches
 * are numbered from 0, as in the device's own words.
 *
 *   {"id":7,"method":"Switch.Set","params":{"id":0,"on":false}}        -> "result":{"was_on":true}
 *   {"id":7,...,"params":{"id":0,"on":false,"toggle_after":2}}         back after 2 s
 *   {"id":8,"method":"Switch.GetStatus","params":{"id":0}} -> "result":{"id":0,"output":false,...}
 *   an error -> "error":{"code":-105,"message":"Argument 'id', value 5 not found!"}
 *
 * A login is HTTP digest with SHA-256 (RFC 7616), user "admin" always.
 */
#include "../drivers.h"
#include "../http.h"
#include "../wire.h"
#include "answers.h"
#include "host.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOST, PORT, PASSWORD };
enum { SWITCH_LAST = 3, GRAIN_MS = 1000, SECONDS_MAX = 86400 };

static const struct rig_setting settings[] = {
    [HOST] = RIG_HOST_NAME,
    [PORT] = RIG_HOST_PORT("80", "TCP port"),
    [PASSWORD] = {.key = "password",
                  .kind = RIG_SETTING_SECRET,
                  .help = "file with the password of user admin; without: none is set"},
    {0},
};

struct rig_relay {
    struct rig_http *http; /* first: rig_http_relay_open */
    uint32_t id;           /* of the last request */
};

static int open_switch(struct rig_relay **out, const struct rig_setting_value *value,
                       uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    const struct rig_http_config config = {
        .host = value[HOST].text,
        .port = (uint16_t)value[PORT].number,
        .timeout_ms = timeout_ms,
        .digest_user = "admin",
        .digest_password = value[PASSWORD].text,
    };
    return rig_http_relay_open(out, sizeof **out, &config, message, len);
}

/* on NULL: Switch.Set; else Switch.GetStatus. An error's frame comes with any status. */
static int ask(struct rig_relay *relay, bool *on, uint32_t channel, const char *json,
               const char *what, char *message, size_t len)
{
    char said[120];
    struct rig_http_answer answer;
    const char *peer = rig_http_peer(relay->http);
    int error = rig_http_ask(relay->http, &answer, "/rpc", json, what, message, len);
    if (error)
        return error;
    error =
        on ? rig_shelly_output(on, channel, relay->id, answer.body, answer.len, said, sizeof said)
           : rig_shelly_was_on(relay->id, answer.body, answer.len, said, sizeof said);
    if (error == RIG_EREFUSED)
        return rig_port_say(error, message, len, "%s: refused %s: %s", peer, what, said);
    if (!error && answer.status == 200)
        return RIG_OK;
    rig_answer_quote(said, sizeof said, answer.body, answer.len);
    return rig_port_say(RIG_EANSWER, message, len, "%s: no answer to %s: HTTP %ld: %s", peer, what,
                        answer.status, said);
}

/* seconds 0: for good. */
static int command(struct rig_relay *relay, uint32_t channel, bool on, uint32_t seconds,
                   char *message, size_t len)
{
    char json[160], after[32] = "", what[64];
    int error = rig_relay_has(channel, 0, SWITCH_LAST, message, len);
    if (error)
        return error;
    if (seconds)
        snprintf(after, sizeof after, ",\"toggle_after\":%u", seconds);
    snprintf(json, sizeof json,
             "{\"id\":%u,\"method\":\"Switch.Set\",\"params\":{\"id\":%u,\"on\":%s%s}}",
             ++relay->id, channel, on ? "true" : "false", after);
    snprintf(what, sizeof what, "Switch.Set id %u %s", channel, on ? "on" : "off");
    return ask(relay, NULL, channel, json, what, message, len);
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    return command(relay, channel, on, 0, message, len);
}

static int pulse(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms, char *message,
                 size_t len)
{
    uint32_t seconds = ms / GRAIN_MS + (ms % GRAIN_MS || !ms);
    if (seconds > SECONDS_MAX)
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "times up to %d s, not %u ms",
                            SECONDS_MAX, ms);
    return command(relay, channel, on, seconds, message, len);
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    char json[120], what[64];
    int error = rig_relay_has(channel, 0, SWITCH_LAST, message, len);
    if (error)
        return error;
    snprintf(json, sizeof json,
             "{\"id\":%u,\"method\":\"Switch.GetStatus\",\"params\":{\"id\":%u}}", ++relay->id,
             channel);
    snprintf(what, sizeof what, "Switch.GetStatus id %u", channel);
    return ask(relay, on, channel, json, what, message, len);
}

const struct rig_relay_driver rig_relay_shelly = {
    .name = "shelly",
    .summary = "Shelly Plus, Pro, Gen3 switches, by HTTP (JSON-RPC)",
    .channel_first = 0,
    .channel_last = SWITCH_LAST,
    .setting = settings,
    .open = open_switch,
    .close = rig_http_relay_close,
    .set = set,
    .get = get,
    .pulse = pulse,
};
