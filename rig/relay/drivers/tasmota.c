/*
 * Plugs and relays with Tasmota: commands as HTTP requests (docs, "Commands", "With web requests").
 *
 *   set:  GET /cm?cmnd=Power1%20Off  -> {"POWER1":"OFF"}; with one relay {"POWER":"OFF"}
 *   get:  GET /cm?cmnd=Status%2011   -> {"StatusSTS":{...,"POWER1":"OFF",...}}
 *   with a login: /cm?user=U&password=P&cmnd=...
 *
 * The JSON is what counts: a missing login and an unknown command come with status 200. Status 11
 * and not Status, whose "Power" became a string of bits in version 14. A command for a relay that
 * is not there switches relay 1 (CmndPower takes any index too high for 1), so every relay's state
 * is read before it is switched for the first time.
 */
#include "../drivers.h"
#include "../http.h"
#include "../wire.h"
#include "answers.h"
#include "host.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST, PORT, USER, PASSWORD };
enum { RELAYS_MAX = 32, LOGIN_MAX = 512 };

static const struct rig_setting settings[] = {
    [HOST] = RIG_HOST_NAME,
    [PORT] = RIG_HOST_PORT("80", "TCP port"),
    [USER] = {.key = "user",
              .kind = RIG_SETTING_TEXT,
              .fallback = "admin",
              .help = "of the web interface"},
    [PASSWORD] = {.key = "password",
                  .kind = RIG_SETTING_SECRET,
                  .help = "file with the web password; without: none is set"},
    {0},
};

struct rig_relay {
    struct rig_http *http; /* first: rig_http_relay_open */
    uint32_t seen;         /* a bit for each relay that is known to be there */
    char login[LOGIN_MAX];
};

static void close_plug(struct rig_relay *relay)
{
    if (relay)
        explicit_bzero(relay->login, sizeof relay->login);
    rig_http_relay_close(relay);
}

static bool make_login(char login[LOGIN_MAX], const struct rig_setting_value *value)
{
    char user[LOGIN_MAX / 2 - 32], password[LOGIN_MAX / 2];
    if (!value[PASSWORD].text)
        return true;
    bool ok = rig_http_escape(user, sizeof user, value[USER].text ? value[USER].text : "") &&
              rig_http_escape(password, sizeof password, value[PASSWORD].text);
    if (ok)
        snprintf(login, LOGIN_MAX, "user=%s&password=%s&", user, password);
    explicit_bzero(password, sizeof password);
    return ok;
}

static int open_plug(struct rig_relay **out, const struct rig_setting_value *value,
                     uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    const struct rig_http_config config = {
        .host = value[HOST].text,
        .port = (uint16_t)value[PORT].number,
        .timeout_ms = timeout_ms,
    };
    char login[LOGIN_MAX] = "";
    if (!make_login(login, value))
        return rig_port_say(RIG_EOPEN, message, len, "user or password: too long");
    int error = rig_http_relay_open(out, sizeof **out, &config, message, len);
    if (!error)
        memcpy((*out)->login, login, sizeof login);
    explicit_bzero(login, sizeof login);
    return error;
}

typedef int read_state(bool *on, uint32_t channel, const char *text, size_t len, char *said,
                       size_t room);

/* command: escaped; what: for people. */
static int ask(struct rig_relay *relay, bool *on, uint32_t channel, read_state *read,
               const char *command, const char *what, char *message, size_t len)
{
    char path[LOGIN_MAX + 64], said[100];
    struct rig_http_answer answer;
    snprintf(path, sizeof path, "/cm?%scmnd=%s", relay->login, command);
    int error = rig_http_ask(relay->http, &answer, path, NULL, what, message, len);
    explicit_bzero(path, sizeof path);
    if (error)
        return error;
    const char *peer = rig_http_peer(relay->http);
    if (answer.status != 200)
        return rig_port_say(RIG_EANSWER, message, len, "%s: HTTP %ld to %s", peer, answer.status,
                            what);
    error = read(on, channel, answer.body, answer.len, said, sizeof said);
    if (error == RIG_EREFUSED)
        return rig_port_say(error, message, len, "%s: refused %s: %s", peer, what, said);
    rig_answer_quote(said, sizeof said, answer.body, answer.len);
    return error ? rig_port_say(error, message, len, "%s: no relay %u in the answer to %s: %s",
                                peer, channel, what, said)
                 : RIG_OK;
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    int error = rig_relay_has(channel, 1, RELAYS_MAX, message, len);
    if (!error)
        error =
            ask(relay, on, channel, rig_tasmota_status, "Status%2011", "Status 11", message, len);
    if (!error)
        relay->seen |= UINT32_C(1) << (channel - 1);
    return error;
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    char command[32], what[32];
    bool is;
    int error = rig_relay_has(channel, 1, RELAYS_MAX, message, len);
    if (!error && !(relay->seen >> (channel - 1) & 1))
        error = get(relay, &is, channel, message, len);
    if (error)
        return error;
    snprintf(command, sizeof command, "Power%u%%20%s", channel, on ? "On" : "Off");
    snprintf(what, sizeof what, "Power%u %s", channel, on ? "On" : "Off");
    error = ask(relay, &is, channel, rig_tasmota_power, command, what, message, len);
    if (!error && is != on)
        return rig_port_say(RIG_EREADBACK, message, len, "%s: says %s after %s",
                            rig_http_peer(relay->http), is ? "ON" : "OFF", what);
    return error;
}

const struct rig_relay_driver rig_relay_tasmota = {
    .name = "tasmota",
    .summary = "plugs and relays with Tasmota firmware, by HTTP",
    .channel_first = 1,
    .channel_last = RELAYS_MAX,
    .setting = settings,
    .open = open_plug,
    .close = close_plug,
    .set = set,
    .get = get,
};
