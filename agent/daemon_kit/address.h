/* Inside of the control socket's two ends. */
#ifndef DAEMON_KIT_ADDRESS_H
#define DAEMON_KIT_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

/* 0, or -1 with errno ENAMETOOLONG. */
int agent_kit_address(struct sockaddr_un *out, const char *path);

#endif
