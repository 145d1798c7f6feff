/* The configuration of `ota-gateway`: YAML in, checked struct out. NULL is misuse. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "daemon_kit/log.h"
#include "daemon_kit/settings.h"

enum { GATEWAY_NAME_MAX = 256, GATEWAY_MESSAGE_MAX = 900 };

struct gateway_settings {
    char device_id[48];
    char line[AGENT_KIT_PATH_MAX];
    uint32_t baud;
    struct {
        char host[GATEWAY_NAME_MAX], server_name[GATEWAY_NAME_MAX], bind[GATEWAY_NAME_MAX];
        char user[GATEWAY_NAME_MAX], secret[GATEWAY_NAME_MAX];
        char ca[AGENT_KIT_PATH_MAX], secret_file[AGENT_KIT_PATH_MAX];
        char certificate[AGENT_KIT_PATH_MAX], key[AGENT_KIT_PATH_MAX];
        uint32_t port, keepalive_ms, first_ms, max_ms;
    } mqtt;
    struct {
        char ca[AGENT_KIT_PATH_MAX], certificate[AGENT_KIT_PATH_MAX], key[AGENT_KIT_PATH_MAX];
        char connect_to[GATEWAY_NAME_MAX], bind[GATEWAY_NAME_MAX];
        uint32_t connect_within_ms, stall_ms;
    } http;
    uint32_t log_level; /* enum agent_log_level */
};

/* 0, or -1 with message: "file:line:column: key: what; accepted: ...". */
int gateway_settings_read(struct gateway_settings *out, const char *path,
                          char message[GATEWAY_MESSAGE_MAX]);

#endif
