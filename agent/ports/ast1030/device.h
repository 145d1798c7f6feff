/*
 * Inside of the port: one board, its agent and its line. The agent's rules are those of
 * agent/daemon/device.c: telemetry at each connection, nothing fed in after REBOOT, no kick of the
 * watchdog in a trial before its confirmation is durable. Times named mono are milliseconds since
 * the reset; the agent's are UTC.
 */
#ifndef FW_DEVICE_H
#define FW_DEVICE_H

#include "agent/agent.h"
#include "board/factory.h"
#include "board/hal.h"
#include "board/layout.h"
#include "fw/app.h"
#include "link/channel_state.h"
#include "link/message.h"

enum { FW_POST_BYTES = 1600 };

/* Messages that wait for room in the channel, in the order in which they leave. */
enum fw_post_slot {
    FW_POST_HELLO,
    FW_POST_CANCEL,
    FW_POST_GET,
    FW_POST_STATUS,
    FW_POST_TELEMETRY,
    FW_POST_PONG,
    FW_POSTS
};
struct fw_post {
    uint32_t len; /* 0: none waits */
    uint8_t kind;
    uint8_t bytes[FW_POST_BYTES];
};

struct fw_device {
    const struct fw_app *app;
    struct board_factory factory;
    struct boot_keys keys;
    struct boot_env env;
    struct fw_site site;
    struct agent_config agent_config;
    struct agent_boot boot;
    struct agent agent;
    bool running; /* the core may be fed */
    bool trial;   /* the watchdog may not be kicked */
    uint64_t started_mono, settled_mono;

    int64_t utc_minus_mono;
    bool time_known; /* by the line; else it is the best guess of clock.c */
    uint32_t chance; /* state of the jitter's generator */

    struct link_channel channel;
    struct fw_post post[FW_POSTS];
    bool mqtt_up, mqtt_waits; /* waits: it is up, the time is not known yet */
    uint32_t token, status_token, status_id;
    uint32_t telemetry_token; /* of the first telemetry under way, 0: none is */
    uint32_t transfer_id;
    bool transfer_open, transfer_failed;

    uint32_t telemetry_seq, faults;
    uint32_t faults_sent; /* of faults, those that the telemetry of telemetry_token tells */
    bool telemetry_acked;
    uint64_t telemetry_mono; /* when the next one is due; 0: not */
    uint64_t keep_mono, told_mono;
    uint64_t idle_us, cpu_since_us, cpu_idle_us;
};

/* Log lines as ota-agent's: agent/daemon_kit/log.h. */
struct fw_field {
    const char *key, *text;
    int64_t number; /* when text is NULL */
};
#define FW_TEXT(key_, text_) ((struct fw_field){.key = (key_), .text = (text_)})
#define FW_NUMBER(key_, number_) ((struct fw_field){.key = (key_), .number = (int64_t)(number_)})
#define FW_LOG(device, level, event, ...)                                                          \
    fw_log((device), (level), (event), (const struct fw_field[]){__VA_ARGS__, {.key = NULL}})
void fw_log(const struct fw_device *device, const char *level, const char *event,
            const struct fw_field *fields);
void fw_tell(struct fw_device *device); /* the application's own line */

/* settings.c: the factory's block. False: it is not there, and nothing can be done here. */
bool fw_settings(struct fw_device *device);
/* Also called for jitter: 32 bits of a generator that was sown from device, boots and timer. */
uint32_t fw_random(void *ctx);

/* clock.c */
uint64_t fw_mono_ms(void);
int64_t fw_utc_ms(const struct fw_device *device);
/* Before agent_start: the newest time that this board can know of by itself. */
void fw_clock_guess(struct fw_device *device);
void fw_clock_set(struct fw_device *device, int64_t utc_ms);

/* keep.c: what outlives a reset, not a power cut. */
struct fw_keep {
    int64_t utc_ms;  /* 0: not known */
    uint32_t faults; /* watchdog resets and hard faults that no telemetry has told */
    uint32_t session;
    uint32_t told; /* those that telemetry has told */
};
void fw_keep_read(struct fw_keep *out); /* zeroed when there is nothing whole */
void fw_keep_write(const struct fw_keep *keep);
/* told.c */
void fw_keep_now(const struct fw_device *device); /* its time and its faults */
/* The same, when so many of its faults were told and are not its any more. */
void fw_keep_told(const struct fw_device *device, uint32_t faults);
uint32_t fw_keep_faults(const struct fw_device *device); /* all since the last power cut */

/* core.c: the core's driver. */
void fw_core_start(struct fw_device *device);
void fw_core_input(struct fw_device *device, const struct agent_event *event);
void fw_core_time(struct fw_device *device); /* its deadline, when it has come */
uint32_t fw_core_wait_ms(const struct fw_device *device);
_Noreturn void fw_core_reset(struct fw_device *device);

/* line.c: the OTA line. */
void fw_line_start(struct fw_device *device);
/* What came and what has to leave, as much of it as one turn may take: after at most 4 messages or
 * 20 ms it begins no other. True: more may be there, which nothing else tells. */
bool fw_line_serve(struct fw_device *device);
uint32_t fw_line_wait_ms(const struct fw_device *device);
/* Replaces what waits there. False: the message can't be encoded. */
bool fw_post(struct fw_device *device, enum fw_post_slot slot, const struct link_message *message);

/* mqtt.c, http.c: what the messages say. */
void fw_mqtt_message(struct fw_device *device, const struct link_message *message);
void fw_mqtt_time_known(struct fw_device *device);
void fw_mqtt_lost(struct fw_device *device, const char *why);
void fw_mqtt_status(struct fw_device *device, const struct agent_action *action);
void fw_mqtt_pong(struct fw_device *device, const struct agent_action *action);
void fw_http_get(struct fw_device *device, const struct agent_action *action);
void fw_http_cancel(struct fw_device *device);
void fw_http_message(struct fw_device *device, const struct link_message *message);
void fw_http_lost(struct fw_device *device, const char *why);
void fw_http_due(struct fw_device *device); /* a transfer that could not be begun */

/* telemetry.c */
void fw_telemetry_send(struct fw_device *device);
void fw_telemetry_due(struct fw_device *device);
void fw_telemetry_acked(struct fw_device *device);
uint32_t fw_telemetry_wait_ms(const struct fw_device *device);

/* memory.c: the stack's high-water mark and the static data. */
void fw_memory_paint(void); /* from fw_run, once */
uint32_t fw_memory_bytes(void);

#endif
