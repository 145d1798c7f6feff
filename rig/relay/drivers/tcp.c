/* A TCP connection whose first error is its last. */
#include "tcp.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int rig_tcp_open(struct rig_tcp *tcp, const char *host, uint16_t port, uint32_t timeout_ms,
                 char *message, size_t len)
{
    assert(tcp && host);
    *tcp = (struct rig_tcp){.fd = -1, .timeout_ms = timeout_ms};
    snprintf(tcp->peer, sizeof tcp->peer, "%s:%u", host, port);
    return rig_port_tcp(&tcp->fd, host, port, timeout_ms, message, len);
}

void rig_tcp_close(struct rig_tcp *tcp)
{
    if (tcp->fd >= 0)
        close(tcp->fd);
    tcp->fd = -1;
}

static int failed(struct rig_tcp *tcp, int error, const char *what, char *message, size_t len)
{
    rig_tcp_close(tcp);
    switch (error) {
    case RIG_ESILENT:
        return rig_port_say(error, message, len, "%s: no answer to %s within %u ms", tcp->peer,
                            what, tcp->timeout_ms);
    case RIG_EANSWER:
        return rig_port_say(error, message, len, "%s: an answer without an end to %s", tcp->peer,
                            what);
    default:
        return rig_port_say(error, message, len, "%s: closed the connection at %s", tcp->peer,
                            what);
    }
}

int rig_tcp_send(struct rig_tcp *tcp, const void *bytes, size_t bytes_len, const char *what,
                 char *message, size_t len)
{
    if (tcp->fd < 0)
        return rig_port_say(RIG_EGONE, message, len, "%s: closed after an error; open it anew",
                            tcp->peer);
    tcp->end_us = rig_port_now_us() + (int64_t)tcp->timeout_ms * 1000;
    int error = rig_port_drain(tcp->fd);
    if (!error)
        error = rig_port_write(tcp->fd, bytes, bytes_len, tcp->timeout_ms);
    return error ? failed(tcp, error, what, message, len) : RIG_OK;
}

static uint32_t left_ms(const struct rig_tcp *tcp)
{
    int64_t left_us = tcp->end_us - rig_port_now_us();
    return left_us > 0 ? (uint32_t)((left_us + 999) / 1000) : 0;
}

int rig_tcp_receive(struct rig_tcp *tcp, void *bytes, size_t bytes_len, const char *what,
                    char *message, size_t len)
{
    size_t got;
    int error = rig_port_read(tcp->fd, bytes, bytes_len, &got, left_ms(tcp));
    return error ? failed(tcp, error, what, message, len) : RIG_OK;
}

int rig_tcp_line(struct rig_tcp *tcp, char *text, size_t room, const char *what, char *message,
                 size_t len)
{
    int error = rig_port_read_until(tcp->fd, text, room, '\n', left_ms(tcp));
    if (error)
        return failed(tcp, error, what, message, len);
    text[strcspn(text, "\r\n")] = '\0';
    return RIG_OK;
}

int rig_tcp_wrong(struct rig_tcp *tcp, const char *what, const char *answer, char *message,
                  size_t len)
{
    rig_tcp_close(tcp);
    return rig_port_say(RIG_EANSWER, message, len, "%s: \"%.60s\" is no answer to %s", tcp->peer,
                        answer, what);
}
