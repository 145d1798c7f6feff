/* The inside of an emulated device, shared by the files of this folder. */
#ifndef SIM_DEVICE_INTERNAL_H
#define SIM_DEVICE_INTERNAL_H

#include "sim/wire.h"
#include <setjmp.h>

/* What may happen next on a device; at most one of each is pending. The order breaks ties. */
enum sim_timer {
    TIMER_POWER_ON,
    TIMER_BOOT,
    TIMER_APP,
    TIMER_FAULT,
    TIMER_LINK_UP,
    TIMER_WATCHDOG,
    TIMER_CRASH,
    TIMER_RESET,
    TIMER_CONFIG,
    TIMER_DRIVERS,
    TIMER_LINK_LOST, /* the agent hears that the connection is gone */
    TIMER_MQTT,
    TIMER_TELEMETRY_ACK,
    TIMER_PUBACK,
    TIMER_PONG,
    TIMER_INBOX,
    TIMER_INTERLOCK,
    TIMER_HTTP,
    TIMER_AGENT,
    TIMER_FLUSH,
    TIMER_BROKER, /* the broker was started anew */
    TIMER_CLOCK,  /* the device's own clock is right again */
    TIMERS
};

enum sim_power { POWER_OFF, POWER_ROM, POWER_APP, POWER_DEAD };

/* What ails the firmware that runs, decided at its start. */
struct sim_ailment {
    bool health[AGENT_HEALTH_CHECKS];
    bool hang, fails, unreachable;
    enum scn_how fault;
};

struct sim_letter {
    struct sim_letter *next;
    int64_t at_us;
    bool command;
    bool late;               /* it may be overtaken */
    struct sim_fault *fault; /* its arrival is this one's effect; NULL: none */
    uint32_t len;
    char payload[];
};

struct sim_http {
    bool active, headed;
    const struct sim_artifact *artifact; /* what is served */
    uint32_t offset, end;                /* next byte and end of what is served */
    uint32_t total;                      /* length that the server declares */
    uint16_t status;
    struct sim_fault *spoiled; /* NULL: honest */
    uint32_t spoil_at;         /* offset at which the spoiling takes effect */
    bool tasted;               /* spoiled bytes were delivered, more follow */
    bool sent;                 /* on a wire: the store has sent what is spoiled, */
    uint32_t sent_at;          /* from this byte on (bodies); the device has still to see it */
    struct sim_fault *drop;    /* NULL: no network drop in this transfer */
    uint32_t drop_at;          /* offset at which the network drops */
    int64_t stalled_us;        /* since when no byte came, 0: flowing */
    bool holed;                /* no byte will come on this connection any more */
};

enum { OUTAGES_MAX = 8, PONG_BYTES_MAX = 320 };

/* Flash operations of one region in a row, for one line of the trace. */
struct sim_fold {
    uint32_t calls, erases, pages, from, to;
    enum scn_region region;
    int64_t since_us;
};

struct sim_device {
    const struct sim_world *world;
    const struct sim_unit *unit;
    const struct scn_group *group;
    const struct sim_link *link;
    struct sim_shard *shard; /* of the thread that runs it now */
    struct sim_log log;
    struct sim_fold fold;
    int64_t now_us;
    int64_t timer[TIMERS];
    enum sim_power power;
    jmp_buf off;   /* where a power cut continues */
    bool in_rom;   /* boot_run is running */
    bool cut_told; /* the cut under way was counted */

    struct sim_flash flash;
    struct boot_env env;
    struct agent_config agent_config;
    struct agent *agent; /* RAM: filled with A5 at a cut */
    enum boot_reset reset;
    struct boot_outcome outcome;
    enum agent_state state;

    struct sim_fault_set faults;
    struct sim_fault *cutting; /* the instance whose cut is being carried out */
    struct sim_rng agent_rng, link_rng;

    struct sim_ailment ailment;
    uint32_t firmware; /* index of the running artifact, UINT32_MAX none */
    int64_t app_start_us,
        confirmed_us; /* confirmed_us: when the running version was confirmed; -1 never */
    bool connected, drivers_ok, config_ok, telemetry_ok, data_migrated, interlock, interlock_told;
    int64_t connected_us, connected_at_first_us, lost_us;
    int64_t mqtt_down_until_us, http_down_until_us;
    int64_t skew_us; /* its own clock is so far ahead */
    bool forgotten;  /* the broker has no session for it: what is sent to it is lost */
    bool holed;      /* connected, but nothing passes any more, and nobody has noticed yet */
    int64_t slow_until_us;
    int64_t distrust_until_us[SCN_SERVERS]; /* its certificate is bad */
    uint32_t puback_id;

    const struct sim_wire *wire; /* NULL: the modelled network */
    void *wire_ctx;
    struct sim_fault *outage[OUTAGES_MAX]; /* told to the wire, not seen to take effect yet */
    uint32_t outages;
    /* The message under way that a fault spoils: it must come so often. */
    struct sim_fault *letter_fault;
    uint64_t letter_hash;
    uint32_t letter_copies;
    uint32_t news_seq, news_resets;  /* news of resets on its way: its number, and how many */
    uint32_t telemetry_seq, retries; /* retries: connections that failed in a row */
    char pong[PONG_BYTES_MAX];       /* an answer that is being worked out */
    uint32_t pong_bytes;

    uint32_t up_sequence;
    struct sim_letter *inbox;
    struct sim_http http;

    int64_t telemetry_from_us;             /* messages before this were accounted for */
    uint32_t resets;                       /* unplanned ones of a confirmed image, not told yet */
    int64_t first_reset_us, last_reset_us; /* of those */
    char reset_version[BOOT_VERSION_MAX];  /* that image */

    /* What the oracle saw. */
    struct sim_oracle_slot running;
    int running_slot; /* -1 */
    bool running_confirmed;
    uint32_t counter_floor, trial_boots_seen, restless_boots, dead_boots;
    bool flash_damaged, hardware_damage,
        data_damage; /* by faults: any, not survivable, of the data partition */
    char truth_version[BOOT_VERSION_MAX];
    uint32_t boots, cuts, changes, crashes_after_confirm;
    int64_t changed_us;
    enum rep_brick brick;
    uint64_t broken[REP_PROMISES];
    const char *broken_what[REP_PROMISES];
};

/* device.c */
void dev_log(struct sim_device *dev, enum sim_event_kind kind, uint64_t a, uint64_t b,
             const char *format, ...) __attribute__((format(printf, 5, 6)));
void dev_agent_input(struct sim_device *dev, const struct agent_event *event);
void dev_agent_drain(struct sim_device *dev);
int64_t dev_delay_us(struct sim_device *dev, uint32_t bytes);
int64_t dev_own_us(const struct sim_device *dev,
                   int64_t us); /* the device's own time, in the world's */

/* trace.c */
void dev_fold(struct sim_device *dev, const struct sim_flash_call *call);
void dev_unfold(struct sim_device *dev); /* tells what was folded */

/* power.c */
void dev_flash_hooks(struct sim_device *dev);
void dev_power_on(struct sim_device *dev);
void dev_power_was_cut(struct sim_device *dev); /* after the longjmp */
_Noreturn void dev_cut_now(struct sim_device *dev, struct sim_fault *fault);
void dev_stop_app(struct sim_device *dev); /* timers and connections of the application end */

/* boot.c */
void dev_reset(struct sim_device *dev, enum boot_reset reset, int64_t after_us);
void dev_boot(struct sim_device *dev);
bool dev_bootloader_intact(const struct sim_device *dev);

/* app.c */
void dev_app_start(struct sim_device *dev);
void dev_crash(struct sim_device *dev);
void dev_confirmed(struct sim_device *dev);
void dev_config_loaded(struct sim_device *dev);
void dev_drivers_ready(struct sim_device *dev);
void dev_telemetry_acknowledged(struct sim_device *dev);
void dev_interlock(struct sim_device *dev);
void dev_state(void *ctx, enum agent_state from, enum agent_state to);

/* faultwork.c */
void dev_strike(struct sim_device *dev, struct sim_fault *fault);
void dev_fired(struct sim_device *dev, struct sim_fault *fault);
void dev_arm_timer(struct sim_device *dev);
void dev_state_ends(struct sim_device *dev, enum scn_during state);
void dev_preempt(struct sim_device *dev);

/* link.c */
void dev_mqtt_connect(struct sim_device *dev);
void dev_connected(struct sim_device *dev);
void dev_mqtt_down(struct sim_device *dev);
void dev_link_drop(struct sim_device *dev, uint8_t what, struct sim_fault *fault);
void dev_link_up(struct sim_device *dev);
void dev_link_lost(struct sim_device *dev);
void dev_publish(struct sim_device *dev, const struct agent_action *action);
void dev_send_up(struct sim_device *dev, enum sim_up_kind kind, int64_t at_us, const void *bytes,
                 uint32_t len);

/* post.c: messages of the service on their way */
void dev_post_free(struct sim_device *dev);
void dev_inbox(struct sim_device *dev);
void dev_post_arrived(struct sim_device *dev, const char *payload, uint32_t len); /* by a wire */

/* trouble.c: what spoils a link and lasts, in the modelled network */
void dev_begin_slow(struct sim_device *dev, struct sim_fault *fault);
void dev_begin_bad_certificate(struct sim_device *dev, struct sim_fault *fault);
void dev_trouble_ends(struct sim_device *dev, struct sim_fault *fault);   /* its time is over */
int64_t dev_slow_us(struct sim_device *dev, uint32_t bytes, bool passes); /* more than else */
int64_t dev_slow_piece_us(struct sim_device *dev, uint32_t bytes);
uint32_t dev_slice_bytes(const struct sim_device *dev); /* UINT32_MAX: no limit */
bool dev_refuses_certificate(struct sim_device *dev, enum scn_server server);
void dev_black_hole(struct sim_device *dev, uint32_t chance);
void dev_hole_noticed(struct sim_device *dev);
void dev_broker_restarted(struct sim_device *dev);

/* skew.c: the device's own clock */
int64_t dev_clock_ms(const struct sim_device *dev);
void dev_begin_skew(struct sim_device *dev, struct sim_fault *fault);
void dev_clock_used(struct sim_device *dev); /* the agent was told the time */
void dev_clock_set(struct sim_device *dev);  /* by a fault's beginning or end */
/* By this clock no certificate is valid. */
bool dev_clock_refuses(const struct sim_device *dev);

/* http.c */
void dev_http_get(struct sim_device *dev, const char *url, uint32_t offset);
void dev_http_answered(struct sim_device *dev); /* the answer's head: what befalls it is certain */
void dev_http_spoiled(struct sim_device *dev);  /* the effect was seen */
void dev_http_drop(struct sim_device *dev);     /* the network drops in this transfer, now */
void dev_http_step(struct sim_device *dev);
void dev_http_lost(struct sim_device *dev); /* the transfer, if any, ends here */

/* wire.c */
void dev_wire_publish(struct sim_device *dev, const struct agent_action *action);
void dev_wire_pong(struct sim_device *dev);
void dev_wire_telemetry(struct sim_device *dev, const struct sim_telemetry *run);
void dev_wire_outage(struct sim_device *dev, uint32_t what, int64_t until_us,
                     struct sim_fault *fault);

/* telemetry.c */
void dev_telemetry_first(
    struct sim_device *dev); /* since this start; its acknowledgement is a health check */
void dev_telemetry_message(struct sim_device *dev); /* one of many, on a wire */
void dev_telemetry_flush(struct sim_device *dev);
void dev_telemetry_reset(struct sim_device *dev);     /* unplanned, of what ran until now */
void dev_telemetry_connected(struct sim_device *dev); /* tells the resets since the last one */

/* witness.c */
void dev_break(struct sim_device *dev, enum rep_promise promise, const char *what);
void dev_witness_boot(struct sim_device *dev);
void dev_witness_call(struct sim_device *dev, const struct sim_flash_call *call);
enum scn_region dev_region(const struct sim_device *dev, uint32_t addr);

#endif
