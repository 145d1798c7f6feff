/* systemd's notification protocol (sd_notify(3)), without its library: datagrams to
 * $NOTIFY_SOCKET. Nothing happens when that is not set. One thread; NULL is misuse. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

void agent_notify(const char *state); /* "READY=1", "STATUS=..." */
/* Half of the interval in which systemd wants WATCHDOG=1, 0: it does not. */
uint32_t agent_notify_watchdog_ms(void);

#endif
