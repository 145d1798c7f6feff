/*
 * The daemon's configuration: YAML text in, checked struct out. Every key is a row of
 * settings_keys.c, with its form, range and default. What is wrong is one message of the form
 * "file:line:column: key: what; accepted: ...". Paths are relative to the file's folder. Nothing is
 * started or written here, but the files of public keys are read. NULL is misuse.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "agent/agent.h"
#include "daemon_kit/log.h"

enum {
    AGENT_PATH_MAX = 512,
    AGENT_NAME_MAX = 256, /* of a host */
    AGENT_DEVICE_ID_MAX = 32,
    AGENT_KEYS_MAX = 8,
    AGENT_BEHAVIOUR_VERSIONS = 8,
    AGENT_MESSAGE_MAX = 900
};

/* What a version is made to do wrong (test aid). */
enum agent_behaviour {
    AGENT_BEHAVE_HANG,       /* nothing happens any more: the watchdog ends it */
    AGENT_BEHAVE_HARD_FAULT, /* crashes within fault_free */
    AGENT_BEHAVE_NO_MQTT,    /* never connects */
    AGENT_BEHAVE_NO_DRIVERS, /* a driver fails */
    AGENT_BEHAVE_NO_CONFIG,  /* its configuration fails */
    AGENT_BEHAVE_NO_TELEMETRY,
    AGENT_BEHAVIOURS
};

struct agent_settings {
    char device_id[AGENT_DEVICE_ID_MAX];
    char device_type[BOOT_DEVICE_TYPE_MAX];
    char hw_revision[BOOT_HW_REVISION_MAX];
    struct {
        char file[AGENT_PATH_MAX];
        char records[AGENT_PATH_MAX]; /* "": beside the file */
        bool durable;
        uint32_t stop_at;
        bool step;
        struct boot_layout layout;
    } flash;
    struct boot_key key[AGENT_KEYS_MAX];
    char key_file[AGENT_KEYS_MAX][AGENT_PATH_MAX];
    uint32_t keys;
    struct {
        char host[AGENT_NAME_MAX], server_name[AGENT_NAME_MAX], bind[AGENT_NAME_MAX];
        char user[AGENT_NAME_MAX], secret[AGENT_NAME_MAX];
        char ca[AGENT_PATH_MAX], secret_file[AGENT_PATH_MAX];
        char certificate[AGENT_PATH_MAX], key[AGENT_PATH_MAX];
        uint32_t port, keepalive_ms;
    } mqtt;
    struct {
        char ca[AGENT_PATH_MAX], certificate[AGENT_PATH_MAX], key[AGENT_PATH_MAX];
        char connect_to[AGENT_NAME_MAX], bind[AGENT_NAME_MAX];
        uint32_t connect_within_ms, stall_ms;
    } http;
    struct agent_window window;
    struct agent_zone zone;
    bool approval;
    uint32_t mqtt_within_ms, fault_free_ms;
    uint32_t watchdog_ms, trial_boots;
    char watchdog_device[AGENT_PATH_MAX];
    bool exit_to_reboot;
    uint32_t retry_first_ms, retry_max_ms, reconnect_first_ms, reconnect_max_ms;
    uint32_t telemetry_every_ms;
    char energy_file[AGENT_PATH_MAX];
    uint32_t log_level; /* enum agent_log_level */
    char control_socket[AGENT_PATH_MAX];
    int64_t clock_offset_ms;
    char behaviour[AGENT_BEHAVIOURS][AGENT_BEHAVIOUR_VERSIONS][BOOT_VERSION_MAX];
};

/* 0, or -1 with message. */
int agent_settings_read(struct agent_settings *out, const char *path,
                        char message[AGENT_MESSAGE_MAX]);

/* True when this version is listed under this behaviour. */
bool agent_settings_behaves(const struct agent_settings *settings, enum agent_behaviour behaviour,
                            const char *version);

#endif
