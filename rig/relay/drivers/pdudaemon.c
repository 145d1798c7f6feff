/*
 * A contact that pdudaemon switches, or another brickyard's rig as a server:
 *
 *   GET /power/control/on?hostname=NAME&port=N   -> 200 "OK - accepted request"
 *   GET /power/control/off?hostname=NAME&port=N     500 "Invalid request": no such name or port
 *
 * A brickyard rig also says 409: a run of its own has the board, nothing was switched.
 *
 * The answer comes when pdudaemon's own driver has done it, so the controller's timeout must cover
 * that. There is no way to read back.
 */
#include "../drivers.h"
#include "../http.h"
#include "answers.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST, PORT, PDU, TOKEN };
enum { NAME_BYTES = 400, OUTLET_LAST = 255 };

static const struct rig_setting settings[] = {
    [HOST] = {.key = "host",
              .kind = RIG_SETTING_TEXT,
              .fallback = "127.0.0.1",
              .help = "where pdudaemon listens"},
    [PORT] = {.key = "port",
              .kind = RIG_SETTING_NUMBER,
              .fallback = "16421",
              .min = 1,
              .max = 65535,
              .help = "its HTTP port"},
    [PDU] = {.key = "pdu",
             .kind = RIG_SETTING_TEXT,
             .required = true,
             .help = "the PDU's name in pdudaemon's configuration"},
    [TOKEN] = {.key = "token",
               .kind = RIG_SETTING_SECRET,
               .help = "file with a bearer token; for a brickyard rig, pdudaemon wants none"},
    {0},
};

struct rig_relay {
    struct rig_http *http; /* first: rig_http_relay_open */
    char pdu[NAME_BYTES];  /* escaped */
};

static int open_client(struct rig_relay **out, const struct rig_setting_value *value,
                       uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    const struct rig_http_config config = {
        .host = value[HOST].text,
        .port = (uint16_t)value[PORT].number,
        .timeout_ms = timeout_ms,
        .bearer = value[TOKEN].text,
    };
    char pdu[NAME_BYTES];
    if (!rig_http_escape(pdu, sizeof pdu, value[PDU].text))
        return rig_port_say(RIG_EOPEN, message, len, "pdu: too long");
    int error = rig_http_relay_open(out, sizeof **out, &config, message, len);
    if (!error)
        memcpy((*out)->pdu, pdu, sizeof pdu);
    return error;
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    char path[NAME_BYTES + 80], what[NAME_BYTES + 40], said[80];
    struct rig_http_answer answer;
    const char *word = on ? "on" : "off", *peer = rig_http_peer(relay->http);
    snprintf(path, sizeof path, "/power/control/%s?hostname=%s&port=%u", word, relay->pdu, channel);
    snprintf(what, sizeof what, "%s of %s port %u", word, relay->pdu, channel);
    int error = rig_http_ask(relay->http, &answer, path, NULL, what, message, len);
    if (error)
        return error;
    bool accepted = answer.len >= 2 && !memcmp(answer.body, "OK", 2);
    if (answer.status == 200 && accepted)
        return RIG_OK;
    rig_answer_quote(said, sizeof said, answer.body, answer.len);
    error = answer.status == 409 ? RIG_EBUSY : answer.status >= 500 ? RIG_EREFUSED : RIG_EANSWER;
    return rig_port_say(error, message, len, "%s: %s: HTTP %ld: %s", peer, what, answer.status,
                        said);
}

const struct rig_relay_driver rig_relay_pdudaemon = {
    .name = "pdudaemon",
    .summary = "what pdudaemon (or another rig) switches, by its HTTP interface",
    .channel_first = 0,
    .channel_last = OUTLET_LAST,
    .setting = settings,
    .open = open_client,
    .close = rig_http_relay_close,
    .set = set,
};
