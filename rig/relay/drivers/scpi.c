/*
 * Laboratory supplies by SCPI over raw TCP: lines ended by LF. Each dialect is four texts, from its
 * programming guide; the port is 5025, with Rigol 5555.
 *
 *   connect:      *CLS, *IDN?            an old error in the queue is not this session's
 *   set:          :OUTP CH1,ON           then SYST:ERR? -> 0,"No error"
 *   get:          :OUTP? CH1             -> ON, OFF (DP800); 1, 0 (DP2000)
 *   level:        :SOUR1:VOLT 3.300      then SYST:ERR?
 *
 * SYST:ERR? after each command is how a refusal (range, protection, locked panel) is seen: a supply
 * says nothing to a command by itself. Many take one connection at a time and leave the next one
 * without an answer.
 */
#include "../drivers.h"
#include "../wire.h"
#include "answers.h"
#include "host.h"
#include "tcp.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST, PORT, DIALECT };
enum { LINE_BYTES = 256, ERRORS_MAX = 32 };

static const char *const dialect_names[] = {
    [RIG_SCPI_RIGOL] = "rigol",
    [RIG_SCPI_SIGLENT] = "siglent",
    [RIG_SCPI_KEYSIGHT] = "keysight",
    NULL,
};

/* $C the channel, $S the state, $V volts. */
static const struct dialect {
    uint16_t port;
    uint32_t channels;
    const char *set, *get, *level, *error;
} dialects[] = {
    [RIG_SCPI_RIGOL] = {5555, 3, ":OUTP CH$C,$S", ":OUTP? CH$C", ":SOUR$C:VOLT $V", ":SYST:ERR?"},
    [RIG_SCPI_SIGLENT] = {5025, 2, "OUTPUT CH$C,$S", "SYSTEM:STATUS?", "CH$C:VOLTAGE $V",
                          "SYSTEM:ERROR?"},
    [RIG_SCPI_KEYSIGHT] = {5025, 4, "OUTP $S,(@$C)", "OUTP? (@$C)", "VOLT $V,(@$C)", "SYST:ERR?"},
};

static const struct rig_setting settings[] = {
    [HOST] = RIG_HOST_NAME,
    [PORT] = RIG_HOST_PORT(NULL, "TCP port; without: the dialect's (5025, rigol 5555)"),
    [DIALECT] = {.key = "dialect",
                 .kind = RIG_SETTING_CHOICE,
                 .required = true,
                 .choice = dialect_names,
                 .help = "whose supply it is"},
    {0},
};

struct rig_relay {
    struct rig_tcp tcp;
    enum rig_scpi_dialect is;
    const struct dialect *dialect;
};

static void render(char out[LINE_BYTES], const char *format, uint32_t channel, bool on,
                   uint32_t millivolts)
{
    size_t n = 0;
    for (const char *at = format; *at && n < LINE_BYTES - 24; at++) {
        if (*at != '$') {
            out[n++] = *at;
            continue;
        }
        char kind = *++at;
        n += (size_t)(kind == 'C' ? snprintf(out + n, 24, "%u", channel)
                      : kind == 'S'
                          ? snprintf(out + n, 24, "%s", on ? "ON" : "OFF")
                          : snprintf(out + n, 24, "%u.%03u", millivolts / 1000, millivolts % 1000));
    }
    out[n] = '\0';
}

static int send_line(struct rig_relay *relay, const char *text, char *message, size_t len)
{
    char line[LINE_BYTES + 1];
    int n = snprintf(line, sizeof line, "%s\n", text);
    return rig_tcp_send(&relay->tcp, line, (size_t)n, text, message, len);
}

static int ask(struct rig_relay *relay, char answer[LINE_BYTES], const char *text, char *message,
               size_t len)
{
    int error = send_line(relay, text, message, len);
    return error ? error : rig_tcp_line(&relay->tcp, answer, LINE_BYTES, text, message, len);
}

/* Whether the last command was taken; the whole queue is read, so that none of it is left to be
 * blamed on the next command. The first of them is the reason. */
static int refused(struct rig_relay *relay, const char *text, char *message, size_t len)
{
    int first = RIG_OK;
    for (int i = 0; i < ERRORS_MAX; i++) {
        char answer[LINE_BYTES], said[100], unread[200];
        bool more = first != RIG_OK;
        int error = ask(relay, answer, relay->dialect->error, more ? unread : message,
                        more ? sizeof unread : len);
        if (error)
            return more ? first : error;
        error = rig_scpi_error(answer);
        if (error == RIG_OK)
            return first;
        rig_answer_quote(said, sizeof said, answer, strlen(answer));
        if (error == RIG_EANSWER) {
            if (more) {
                rig_tcp_close(&relay->tcp);
                return first;
            }
            return rig_tcp_wrong(&relay->tcp, relay->dialect->error, said, message, len);
        }
        if (!more)
            first =
                rig_port_say(RIG_EREFUSED, message, len, "%s: %s: %s", relay->tcp.peer, text, said);
    }
    return first;
}

static void close_supply(struct rig_relay *relay)
{
    if (relay)
        rig_tcp_close(&relay->tcp);
    free(relay);
}

/* Manufacturer, model, serial number, version: three commas. */
static int identify(struct rig_relay *relay, char *message, size_t len)
{
    char answer[LINE_BYTES], said[64];
    int commas = 0;
    int error = send_line(relay, "*CLS", message, len);
    if (!error)
        error = ask(relay, answer, "*IDN?", message, len);
    if (error == RIG_ESILENT || error == RIG_EGONE)
        return rig_port_say(error == RIG_EGONE ? RIG_EBUSY : RIG_ESILENT, message, len,
                            "%s: no answer to *IDN?; somebody else may be connected to it",
                            relay->tcp.peer);
    if (error)
        return error;
    for (const char *at = answer; *at; at++)
        commas += *at == ',';
    if (commas >= 3)
        return RIG_OK;
    rig_answer_quote(said, sizeof said, answer, strlen(answer));
    return rig_tcp_wrong(&relay->tcp, "*IDN?", said, message, len);
}

static int open_supply(struct rig_relay **out, const struct rig_setting_value *value,
                       uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    relay->is = (enum rig_scpi_dialect)value[DIALECT].number;
    relay->dialect = &dialects[relay->is];
    uint16_t port = value[PORT].given ? (uint16_t)value[PORT].number : relay->dialect->port;
    int error = rig_tcp_open(&relay->tcp, value[HOST].text, port, timeout_ms, message, len);
    if (!error)
        error = identify(relay, message, len);
    if (error)
        close_supply(relay);
    else
        *out = relay;
    return error;
}

static int command(struct rig_relay *relay, const char *format, uint32_t channel, bool on,
                   uint32_t millivolts, char *message, size_t len)
{
    char text[LINE_BYTES];
    int error = rig_relay_has(channel, 1, relay->dialect->channels, message, len);
    if (error)
        return error;
    render(text, format, channel, on, millivolts);
    error = send_line(relay, text, message, len);
    return error ? error : refused(relay, text, message, len);
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    return command(relay, relay->dialect->set, channel, on, 0, message, len);
}

static int level(struct rig_relay *relay, uint32_t channel, uint32_t millivolts, char *message,
                 size_t len)
{
    return command(relay, relay->dialect->level, channel, false, millivolts, message, len);
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    char text[LINE_BYTES], answer[LINE_BYTES], said[100];
    int error = rig_relay_has(channel, 1, relay->dialect->channels, message, len);
    if (error)
        return error;
    render(text, relay->dialect->get, channel, false, 0);
    error = ask(relay, answer, text, message, len);
    if (error || rig_scpi_state(on, relay->is, channel, answer) == RIG_OK)
        return error;
    rig_answer_quote(said, sizeof said, answer, strlen(answer));
    return rig_tcp_wrong(&relay->tcp, text, said, message, len);
}

const struct rig_relay_driver rig_relay_scpi = {
    .name = "scpi",
    .summary = "laboratory supplies (Rigol, Siglent, Keysight) by SCPI over TCP; also brown-outs",
    .channel_first = 1,
    .channel_last = 4,
    .setting = settings,
    .open = open_supply,
    .close = close_supply,
    .set = set,
    .get = get,
    .level = level,
};
