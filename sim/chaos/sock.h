/* Sockets and timers as both parts of the room use them. Loopback, IPv4, non-blocking. */
#ifndef CHAOS_SOCK_H
#define CHAOS_SOCK_H

#include "sim/chaos.h"
#include <ev.h>
#include <netinet/in.h>
#include <stdbool.h>

/* A listener on 127.0.0.1 with the longest backlog there is; *out gets its address. -1: none. */
int chaos_sock_listen(struct sockaddr_in *out);
/* The next connection, with TCP_NODELAY; -1 with errno. */
int chaos_sock_accept(int listener, struct sockaddr_in *source);
/* True for an errno of accept or socket that says: no descriptor or no memory left for one. */
bool chaos_sock_exhausted(int error);
/* Begins a connection to `to`, from the address (not the port) of `from` where both are loopback.
 * -1 with errno. */
int chaos_sock_connect(const struct sockaddr_in *to, const struct sockaddr_in *from);
/* Closes by RST. */
void chaos_sock_reset(int fd);

/* (Re)starts a timer that fires once, after so long. */
void chaos_timer_start(struct ev_loop *loop, ev_timer *timer, int64_t after_us);

#endif
