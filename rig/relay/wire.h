/*
 * What drivers of simple boards share: one line to the hardware, a request and an answer of known
 * length within one deadline, and messages that name the device and the bytes ("/dev/ttyUSB0: no
 * answer to FF 09 00 within 500 ms"). Owned by the driver's struct; one thread at a time.
 */
#ifndef RIG_RELAY_WIRE_H
#define RIG_RELAY_WIRE_H

#include "rig/relay.h"

struct rig_wire {
    int fd;
    uint32_t timeout_ms; /* of one exchange */
    char name[128];      /* of the device, for messages */
};

/* Settings that every serial board has. device: first of a table, by RIG_WIRE_DEVICE's place. */
#define RIG_WIRE_DEVICE                                                                            \
    {                                                                                              \
        "device", RIG_SETTING_PATH, true, NULL, 0, 0, NULL,                                        \
            "serial port, best by /dev/serial/by-path or by-id"                                    \
    }
#define RIG_WIRE_BAUD(rate)                                                                        \
    {                                                                                              \
        "baud", RIG_SETTING_NUMBER, false, rate, 1200, 921600, NULL, "rate of the line"            \
    }

/* A driver's struct of `bytes`, zeroed, whose first member is its wire, with the line opened (8N1).
 * What rig_port_serial returns, or EMEMORY; *out NULL then. */
int rig_wire_open(struct rig_relay **out, size_t bytes, const char *device, int64_t baud,
                  uint32_t timeout_ms, char *message, size_t len);
/* A driver's close: the line and the struct. NULL allowed. */
void rig_wire_close(struct rig_relay *relay);

/* What came unasked is thrown away; then the bytes go. ESILENT (not taken), EGONE. */
int rig_wire_send(struct rig_wire *wire, const uint8_t *bytes, size_t n, char *message, size_t len);
/* As send, then exactly `room` bytes of answer. */
int rig_wire_ask(struct rig_wire *wire, const uint8_t *request, size_t n, uint8_t *answer,
                 size_t room, char *message, size_t len);
/* Says of an error of rig_port what it means here; `request` as a person reads it. */
int rig_wire_say(const struct rig_wire *wire, int error, const char *request, char *message,
                 size_t len);

/* RIG_OK, or EUNSUPPORTED with a message: the channel is not first to last. */
int rig_relay_has(uint32_t channel, uint32_t first, uint32_t last, char *message, size_t len);
/* "FF 09 00", cut to room. Returns text. */
const char *rig_relay_hex(char *text, size_t room, const uint8_t *bytes, size_t n);

#endif
