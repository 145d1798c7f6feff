/*
 * The OTA agent, sans I/O: events and the time go in, actions come out. The core has no clock,
 * socket, thread, heap or random source. Flash is written through the bootloader's flash port,
 * during a call.
 *
 *     agent_start(...);
 *     agent_input(agent, &event, now_ms);  while (agent_next(agent, &action)) perform(action);
 *     wait for the next event, or until agent_deadline(agent), then input AGENT_EV_TIME
 *
 * Ownership: the caller owns struct agent (no pointer of its own into it survives a call but those
 * in an action, valid until the next agent_input or agent_next). Times are UTC milliseconds since
 * 1970. What survives a power cut: the journal (journal.h) and the boot config; struct agent does
 * not.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/journal.h"
#include "agent/manifest.h"
#include "agent/window.h"
#include "boot/boot.h"

enum agent_state {
    AGENT_IDLE,
    AGENT_NOTIFIED,
    AGENT_CHECKING,
    AGENT_DOWNLOAD_SCHEDULED,
    AGENT_DOWNLOADING,
    AGENT_DOWNLOAD_FAILED,
    AGENT_VERIFYING,
    AGENT_VERIFIED,
    AGENT_VERIFY_FAILED,
    AGENT_WAITING_APPLY,
    AGENT_APPLYING,
    AGENT_REBOOTING,
    AGENT_HEALTH_CHECK,
    AGENT_CONFIRMED,
    AGENT_ROLLED_BACK,
    AGENT_STATES
};
const char *agent_state_name(int state); /* "DownloadScheduled"; never NULL */

/* The five health checks, in the order in which a report names the first that failed. */
enum agent_health {
    AGENT_HEALTH_MQTT,
    AGENT_HEALTH_DRIVERS,
    AGENT_HEALTH_CONFIG,
    AGENT_HEALTH_TELEMETRY,
    AGENT_HEALTH_HARD_FAULT,
    AGENT_HEALTH_CHECKS
};

/* What is true of this device and its site. Owned by the caller, constant while in use. */
struct agent_config {
    const char *device_id;       /* 1..31 characters */
    const struct boot_env *boot; /* flash, layout, crypto, keys, device type, hardware revision */
    struct agent_window window;  /* maintenance window, none: kind AGENT_WINDOW_PREFER_NIGHT */
    struct agent_zone zone;      /* local time */
    bool approval;               /* apply needs an operator's command */
    uint32_t mqtt_within_ms;     /* health: 30,000 */
    uint32_t fault_free_ms;      /* health: 60,000 */
    uint32_t retry_first_ms;     /* first download retry, 60,000; doubles, with jitter up to half */
    uint32_t retry_max_ms;       /* 6 h */
    uint32_t retry_alert;        /* failures after which download_failed is reported, 3 */
    uint32_t retry_give_up;      /* failures after which the update is abandoned, 10 */
    uint32_t progress_sectors;   /* sectors between durable progress records, 16 */
    uint32_t (*random)(void *ctx); /* 32 random bits, for jitter only */
    /* Told of each transition as it happens, may be NULL. Must not call back into the agent. */
    void (*on_state)(void *ctx, enum agent_state from, enum agent_state to);
    void *ctx;
};

enum agent_event_kind {
    AGENT_EV_TIME,    /* the deadline came, or the clock was set */
    AGENT_EV_MQTT_UP, /* connected, subscriptions acknowledged */
    AGENT_EV_MQTT_DOWN,
    AGENT_EV_NOTIFICATION, /* bytes, len: payload of ota/notification/<device> */
    AGENT_EV_COMMAND,      /* bytes, len: payload of ota/command/<device> */
    AGENT_EV_PUBLISHED,    /* id: the broker acknowledged the status with this seq */
    AGENT_EV_HTTP_HEAD,    /* http_status, total_bytes (of the whole object, 0 unknown), offset */
    AGENT_EV_HTTP_DATA,    /* bytes, len: the next bytes of the body, in order */
    AGENT_EV_HTTP_END,     /* the body is complete as the server declared it */
    AGENT_EV_HTTP_ERROR,   /* connection refused, lost, timed out, TLS failure */
    AGENT_EV_DRIVERS,      /* ok: every required driver initialised, or one failed */
    AGENT_EV_CONFIG,       /* ok: the application's configuration was loaded */
    AGENT_EV_TELEMETRY,    /* the first telemetry since start was acknowledged */
    AGENT_EV_INTERLOCK, /* ok: true = an active process runs, the device must not be interrupted */
    AGENT_EV_KINDS
};

struct agent_event {
    enum agent_event_kind kind;
    bool ok;
    uint16_t http_status;
    uint32_t id;
    uint32_t offset;
    uint32_t total_bytes;
    const void *bytes; /* owned by the caller, read during the call only */
    uint32_t len;
};

enum agent_action_kind {
    AGENT_ACT_PUBLISH_STATUS, /* payload to ota/status/<device>, QoS 1; answer with PUBLISHED(id) */
    AGENT_ACT_PUBLISH_PONG,   /* payload to telemetry/<device>: answer to a ping, QoS 0 */
    AGENT_ACT_HTTP_GET,       /* url, bytes from offset to the end (Range: bytes=offset-) */
    AGENT_ACT_HTTP_CANCEL,    /* close the transfer; no HTTP event of it may follow */
    AGENT_ACT_CONFIRMED, /* the confirmation is durable: the watchdog may be kicked from now on */
    AGENT_ACT_REBOOT,    /* software reset now; no input may follow */
    AGENT_ACT_KINDS
};

struct agent_action {
    enum agent_action_kind kind;
    uint32_t id;
    uint32_t offset;
    const char *url;     /* NUL-terminated */
    const char *payload; /* JSON, not NUL-terminated */
    uint32_t len;
};

/* How this boot came about, from boot_run. */
struct agent_boot {
    int slot;
    bool trial;
    enum boot_reset reset;
    enum boot_cause cause;
};

enum { AGENT_ACTIONS_MAX = 8, AGENT_PAYLOAD_MAX = 1280, AGENT_INPUT_MAX = 8192 };

enum agent_error {
    AGENT_OK = 0,
    AGENT_EFLASH = -1,   /* the journal or the boot config can't be read or written */
    AGENT_EFORMAT = -2,  /* not the JSON that is expected */
    AGENT_EMISSING = -3, /* a required key is absent */
    AGENT_ERANGE = -4,   /* a value too long, too large, or not of its form */
    AGENT_EFULL = -5,    /* the journal or the outbox has no room */
};
const char *agent_error_name(int error);

/* Everything the agent knows in RAM. Members are private to agent/core; read them by functions. */
struct agent {
    const struct agent_config *config;
    struct agent_boot boot;
    struct agent_journal
        journal; /* image in RAM of what is durable: current update, outbox, sequence */
    enum agent_state state;
    int64_t now_ms;
    int64_t deadline_ms; /* of the state, INT64_MAX: none */
    int64_t started_ms;
    bool mqtt_up, interlock, approved, http_open, alerted;
    bool health_seen[AGENT_HEALTH_CHECKS];
    bool health_failed[AGENT_HEALTH_CHECKS];
    uint32_t received_bytes; /* bytes of the image that reached flash, in RAM's view */
    uint32_t sending_seq;    /* status in flight, 0 = none */
    uint32_t buffered;       /* bytes in sector_part */
    uint8_t part[4096]; /* bytes which do not fill a program page yet (a decoder's window later) */
    struct agent_action action[AGENT_ACTIONS_MAX];
    uint32_t actions, action_taken;
    char payload[AGENT_PAYLOAD_MAX];
    char running_version[BOOT_VERSION_MAX];
    bool running_known;  /* the running image's header could be read */
    bool online;         /* MQTT was up once since the start: a download may be asked for */
    bool stage_open;     /* boot_stage_begin was done for this update in this session */
    bool http_head;      /* the transfer's head was accepted */
    bool reboot_sent;    /* AGENT_ACT_REBOOT was handed out: nothing more is done */
    bool reverting;      /* Rebooting into the fallback, by order */
    bool waiting_told;   /* waiting_apply was reported for this update in this session */
    bool clear_faults;   /* faulty boots are counted: cleared once this boot is seen healthy */
    uint32_t skip_bytes; /* bytes of the body before the offset that was asked for */
    uint32_t pong_seq;
    char pong_id[AGENT_COMMAND_ID_MAX];
};

/*
 * Starts the agent after a boot: reads the journal and the running image's header, and finds its
 * place (Idle, a download to be resumed, a trial to be judged, a rollback to be reported).
 * AGENT_OK; AGENT_EFLASH leaves an agent which still runs and reports, without persistence.
 * Actions may be waiting afterwards. It begins in the state that the journal names (silently) and
 * takes drawn edges from there, each told to on_state.
 */
int agent_start(struct agent *agent, const struct agent_config *config,
                const struct agent_boot *boot, int64_t now_ms);

/* Feeds one event. Hostile bytes are refused inside; nothing is returned, the state tells. */
void agent_input(struct agent *agent, const struct agent_event *event, int64_t now_ms);

/*
 * The clock was set from from_ms to to_ms, its time at this moment before and after: what is timed
 * (health checks, retries) goes on as if it had not been. An AGENT_EV_TIME at the new time has to
 * follow. A clock that was set back is noticed by agent_input without this call.
 */
void agent_clock_set(struct agent *agent, int64_t from_ms, int64_t to_ms);

/* The next action; false when there is none. The action's pointers live until the next call. */
bool agent_next(struct agent *agent, struct agent_action *out);

/* When AGENT_EV_TIME is due, INT64_MAX when never. */
int64_t agent_deadline(const struct agent *agent);

enum agent_state agent_state(const struct agent *agent);
const char *agent_running_version(const struct agent *agent);
/* The update under way, NULL when there is none; valid until the next call. */
const struct agent_notification *agent_pending(const struct agent *agent);
uint32_t agent_received_bytes(const struct agent *agent); /* of the image, in this session's view */

/* The transition table: true when the drawing allows from -> to. The agent asserts it at each step.
 */
bool agent_transition_allowed(enum agent_state from, enum agent_state to);

#endif
