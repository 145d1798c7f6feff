/* One line to simple hardware. */
#include "wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEX_ROOM = 64 };

int rig_wire_open(struct rig_relay **out, size_t bytes, const char *device, int64_t baud,
                  uint32_t timeout_ms, char *message, size_t len)
{
    /* Some boards reset, and open their contacts, when DTR falls or rises: it stays as it is. */
    struct rig_serial serial = {.path = device, .baud = (uint32_t)baud, .no_hangup = true};
    struct rig_wire *wire = calloc(1, bytes);
    *out = NULL;
    if (!wire)
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    wire->timeout_ms = timeout_ms;
    snprintf(wire->name, sizeof wire->name, "%s", device);
    int error = rig_port_serial(&wire->fd, &serial, message, len);
    if (error)
        free(wire);
    else
        *out = (struct rig_relay *)wire;
    return error;
}

void rig_wire_close(struct rig_relay *relay)
{
    struct rig_wire *wire = (struct rig_wire *)relay;
    if (wire)
        close(wire->fd);
    free(wire);
}

int rig_wire_say(const struct rig_wire *wire, int error, const char *request, char *message,
                 size_t len)
{
    switch (error) {
    case RIG_OK:
        return RIG_OK;
    case RIG_ESILENT:
        return rig_port_say(error, message, len, "%s: no answer to %s within %u ms", wire->name,
                            request, wire->timeout_ms);
    case RIG_EGONE:
        return rig_port_say(error, message, len, "%s: gone while asked for %s: unplugged?",
                            wire->name, request);
    default:
        return rig_port_say(error, message, len, "%s: %s: %s", wire->name, request,
                            rig_error_name(error));
    }
}

int rig_wire_send(struct rig_wire *wire, const uint8_t *bytes, size_t n, char *message, size_t len)
{
    char hex[HEX_ROOM];
    int error = rig_port_drain(wire->fd);
    if (!error)
        error = rig_port_write(wire->fd, bytes, n, wire->timeout_ms);
    if (error == RIG_ESILENT)
        return rig_port_say(error, message, len, "%s: did not take %s within %u ms", wire->name,
                            rig_relay_hex(hex, sizeof hex, bytes, n), wire->timeout_ms);
    return rig_wire_say(wire, error, rig_relay_hex(hex, sizeof hex, bytes, n), message, len);
}

int rig_wire_ask(struct rig_wire *wire, const uint8_t *request, size_t n, uint8_t *answer,
                 size_t room, char *message, size_t len)
{
    char hex[HEX_ROOM];
    size_t got;
    int64_t since_us = rig_port_now_us();
    int error = rig_wire_send(wire, request, n, message, len);
    if (error)
        return error;
    int64_t left_ms = wire->timeout_ms - (rig_port_now_us() - since_us) / 1000;
    error = rig_port_read(wire->fd, answer, room, &got, left_ms > 0 ? (uint32_t)left_ms : 0);
    if (error == RIG_ESILENT && got)
        return rig_port_say(
            error, message, len, "%s: only %zu of %zu bytes in answer to %s within %u ms",
            wire->name, got, room, rig_relay_hex(hex, sizeof hex, request, n), wire->timeout_ms);
    return rig_wire_say(wire, error, rig_relay_hex(hex, sizeof hex, request, n), message, len);
}

int rig_relay_has(uint32_t channel, uint32_t first, uint32_t last, char *message, size_t len)
{
    if (channel >= first && channel <= last)
        return RIG_OK;
    return rig_port_say(RIG_EUNSUPPORTED, message, len, "channel %u: this one has %u to %u",
                        channel, first, last);
}

const char *rig_relay_hex(char *text, size_t room, const uint8_t *bytes, size_t n)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, i ? " %02X" : "%02X", bytes[i]);
    return text;
}
