/*
 * Numato USB relay boards of 1 to 64 channels (CDC-ACM: the rate is ignored). Source: the vendor's
 * documents. A command is a line that ends with CR; the board echoes it, answers and prompts:
 *
 *   relay on 3 CR      ->  "relay on 3" LF CR ">"
 *   relay read 3 CR    ->  "relay read 3" LF CR "on" LF CR ">"
 *
 * Numbers begin at 0, as on the board: one hexadecimal digit up to 16 channels, 0-9 then A-V up to
 * 32, two decimal digits above. A bare CR at opening ends what somebody before left half written.
 * Anything between echo and prompt that is not the value asked for is the board's own complaint.
 */
#include "drivers.h"
#include "wire.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DEVICE, CHANNELS };
enum { ONE_DIGIT_MAX = 32, CHANNELS_MAX = 64, RATE = 9600, ANSWER_ROOM = 160 };

static const struct rig_setting settings[] = {
    RIG_WIRE_DEVICE,
    {"channels", RIG_SETTING_NUMBER, true, NULL, 1, CHANNELS_MAX, NULL,
     "relays on the board; how they are named on the wire depends on it"},
    {0},
};

struct rig_relay {
    struct rig_wire wire; /* first: rig_wire_open */
    uint32_t channels;
};

/* "relay on 3"; text of 16 bytes or more. */
static void put_command(char *text, size_t room, const struct rig_relay *relay, const char *verb,
                        uint32_t channel)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    if (relay->channels <= ONE_DIGIT_MAX)
        snprintf(text, room, "relay %s %c", verb, digits[channel]);
    else
        snprintf(text, room, "relay %s %02u", verb, channel);
}

/* The next line that is not empty, cut off at its end; NULL: none. */
static char *next_line(char **at)
{
    char *line;
    do
        line = strsep(at, "\r\n");
    while (line && !*line);
    return line;
}

/* The board's own bytes go into a message: without control characters. */
static const char *printable(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return text;
}

/* Up to the prompt, within the deadline of the whole exchange. */
static int read_answer(struct rig_relay *relay, char *answer, size_t room, const char *command,
                       int64_t since_us, char *message, size_t len)
{
    int64_t left_ms = relay->wire.timeout_ms - (rig_port_now_us() - since_us) / 1000;
    int error =
        rig_port_read_until(relay->wire.fd, answer, room, '>', left_ms > 0 ? (uint32_t)left_ms : 0);
    if (error == RIG_EANSWER)
        return rig_port_say(error, message, len, "%s: no end of the answer to \"%s\"",
                            relay->wire.name, command);
    if (!error && strlen(answer) && answer[strlen(answer) - 1] == '>')
        answer[strlen(answer) - 1] = '\0';
    return rig_wire_say(&relay->wire, error, command, message, len);
}

/* *said: the line after the echo, in answer; NULL: none. */
static int ask(struct rig_relay *relay, char *answer, size_t room, char **said, const char *command,
               char *message, size_t len)
{
    char line[24];
    int64_t since_us = rig_port_now_us();
    int n = snprintf(line, sizeof line, "%s\r", command);
    int error = rig_wire_send(&relay->wire, (const uint8_t *)line, (size_t)n, message, len);
    if (!error)
        error = read_answer(relay, answer, room, command, since_us, message, len);
    if (error)
        return error;
    char *at = answer, *echo = next_line(&at);
    if (!echo || strcmp(echo, command))
        return rig_port_say(RIG_EANSWER, message, len, "%s: \"%s\" came back as \"%s\"",
                            relay->wire.name, command, echo ? printable(echo) : "");
    *said = next_line(&at);
    return RIG_OK;
}

/* A bare CR, then whatever comes up to a prompt. */
static int resync(struct rig_relay *relay, char *message, size_t len)
{
    char answer[ANSWER_ROOM];
    int64_t since_us = rig_port_now_us();
    int error = rig_wire_send(&relay->wire, (const uint8_t *)"\r", 1, message, len);
    return error ? error
                 : read_answer(relay, answer, sizeof answer, "a bare CR", since_us, message, len);
}

static int open_numato(struct rig_relay **out, const struct rig_setting_value *value,
                       uint32_t timeout_ms, char *message, size_t len)
{
    int error =
        rig_wire_open(out, sizeof **out, value[DEVICE].text, RATE, timeout_ms, message, len);
    if (error)
        return error;
    (*out)->channels = (uint32_t)value[CHANNELS].number;
    error = resync(*out, message, len);
    if (error) {
        rig_wire_close(*out);
        *out = NULL;
    }
    return error;
}

static int complains(const struct rig_relay *relay, const char *command, char *said, char *message,
                     size_t len)
{
    return rig_port_say(RIG_EREFUSED, message, len, "%s: \"%s\": the board says \"%s\"",
                        relay->wire.name, command, printable(said));
}

static int set_numato(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    char command[24], answer[ANSWER_ROOM], *said;
    int error = rig_relay_has(channel, 0, relay->channels - 1, message, len);
    if (error)
        return error;
    put_command(command, sizeof command, relay, on ? "on" : "off", channel);
    error = ask(relay, answer, sizeof answer, &said, command, message, len);
    return !error && said ? complains(relay, command, said, message, len) : error;
}

static int get_numato(struct rig_relay *relay, bool *on, uint32_t channel, char *message,
                      size_t len)
{
    char command[24], answer[ANSWER_ROOM], *said;
    int error = rig_relay_has(channel, 0, relay->channels - 1, message, len);
    if (error)
        return error;
    put_command(command, sizeof command, relay, "read", channel);
    error = ask(relay, answer, sizeof answer, &said, command, message, len);
    if (error)
        return error;
    if (!said)
        return rig_port_say(RIG_EANSWER, message, len, "%s: \"%s\": no value came",
                            relay->wire.name, command);
    bool is_on = !strcasecmp(said, "on");
    if (!is_on && strcasecmp(said, "off"))
        return complains(relay, command, said, message, len);
    *on = is_on;
    return RIG_OK;
}

const struct rig_relay_driver rig_relay_numato = {
    .name = "numato",
    .summary = "Numato USB relay boards of 1 to 64 channels",
    .channel_first = 0,
    .channel_last = CHANNELS_MAX - 1,
    .setting = settings,
    .open = open_numato,
    .close = rig_wire_close,
    .set = set_numato,
    .get = get_numato,
};
