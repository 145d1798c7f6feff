/*
 * A TCP connection to a device that answers each command. The first error closes it, so that a late
 * answer is never taken for the next one's; every call after that is EGONE until it is opened anew.
 * `what` names the exchange in messages ("20 01 00") and never holds a secret.
 */
#ifndef RIG_RELAY_TCP_H
#define RIG_RELAY_TCP_H

#include "rig/port.h"

struct rig_tcp {
    int fd;              /* -1: closed */
    uint32_t timeout_ms; /* of an exchange: sending and what is received after it */
    int64_t end_us;      /* of this exchange */
    char peer[96];
};

int rig_tcp_open(struct rig_tcp *tcp, const char *host, uint16_t port, uint32_t timeout_ms,
                 char *message, size_t len);
void rig_tcp_close(struct rig_tcp *tcp);
/* Throws away what came unasked, then sends all of it as one segment. */
int rig_tcp_send(struct rig_tcp *tcp, const void *bytes, size_t bytes_len, const char *what,
                 char *message, size_t len);
/* Exactly so many bytes. */
int rig_tcp_receive(struct rig_tcp *tcp, void *bytes, size_t bytes_len, const char *what,
                    char *message, size_t len);
/* A line; CR and LF at its end are cut off. EANSWER: longer than room. */
int rig_tcp_line(struct rig_tcp *tcp, char *text, size_t room, const char *what, char *message,
                 size_t len);
/* Closes it and says so: an answer that is none of the protocol. Returns RIG_EANSWER. */
int rig_tcp_wrong(struct rig_tcp *tcp, const char *what, const char *answer, char *message,
                  size_t len);

#endif
