/* Settings that every device on a network has. port NULL: no port if none is given. */
#ifndef RIG_RELAY_HOST_H
#define RIG_RELAY_HOST_H

#include "rig/relay.h"

#define RIG_HOST_NAME                                                                              \
    {                                                                                              \
        "host", RIG_SETTING_TEXT, true, NULL, 0, 0, NULL, "name or address"                        \
    }
#define RIG_HOST_PORT(port, help)                                                                  \
    {                                                                                              \
        "port", RIG_SETTING_NUMBER, false, port, 1, 65535, NULL, help                              \
    }

#endif
