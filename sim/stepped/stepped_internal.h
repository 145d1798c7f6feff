/* The inside of the stepped ground, shared by the files of this folder. */
#ifndef SIM_STEPPED_INTERNAL_H
#define SIM_STEPPED_INTERNAL_H

#include "sim/queue.h"
#include "sim/rough.h"
#include "sim/stepped.h"
#include "sim/yard.h"

/* Each device has an address of its own, 127.2.0.0 and up, by which servers and proxies know it. */
static const uint32_t ST_ADDRESS_BASE = 0x7F020000;
enum { ST_DEVICES_MAX = 65000, ST_SAID_MAX = 512, ST_OUTAGES_MAX = 4 };
/* The largest program that a body may name as one operation. */
enum { ST_OP_DATA_MAX = 4096 };
enum { ST_FOLDER_MAX = 640, ST_PATH_MAX = 700 };
enum { ST_RESTLESS_BOOTS_MAX = 40, ST_DEFAULT_OFF_US = 30000000 };

enum st_timer { ST_TIMER_RESUME, ST_TIMER_POWER, ST_TIMER_FAULT, ST_TIMER_MOMENT, ST_TIMERS };
enum st_power { ST_OFF, ST_ON, ST_DEAD };

/* The operation before which the body stood last, or which it is doing. */
struct st_op {
    bool open, resumed; /* seen, not known to have ended; let go on */
    uint64_t number;
    struct sim_flash_call call; /* data points to bytes */
    int64_t seen_us, takes_us;
    uint8_t bytes[ST_OP_DATA_MAX];
};

/* What the oracle saw of a device. */
struct st_witness {
    struct sim_oracle_slot running;
    int running_slot; /* -1: the bootloader runs, or nothing */
    bool running_confirmed, telemetry_heard, telemetry_owed;
    char version[32]; /* running, or last running */
    uint32_t counter_floor, trial_boots, restless_boots, dead_boots, sudden_ends;
    uint32_t boots, cuts, changes, crashes_after_confirm;
    int64_t changed_us, confirmed_us, app_start_us;
    uint32_t ailments; /* what the running image does wrong here: bits of enum sim_ail */
    enum rep_brick brick;
    uint64_t broken[REP_PROMISES];
    char broken_what[REP_PROMISES][REP_TEXT_MAX];
};

struct st_device {
    struct sim_stepped *st;
    uint32_t number;
    const struct sim_unit *unit;
    const struct scn_group *group;
    char folder[ST_FOLDER_MAX], flash_path[ST_PATH_MAX];
    char address[SIM_YARD_ADDRESS_MAX], secret[SIM_SECRET_MAX];
    struct sim_body_device given;
    struct sim_body *body;
    bool spawned, known;     /* started once; connected once: the broker has a session for it */
    char said[ST_SAID_MAX];  /* its last lines */
    char alarm[ST_SAID_MAX]; /* the first line of a sanitizer */

    enum st_power power;
    bool booting, connected;
    bool was_powered, was_connected, was_settled, was_booting; /* at the end of the run */
    enum agent_state state;                                    /* as its log names it */
    int64_t lost_us;

    int flash_fd;
    const uint8_t *file; /* the flash file, mapped */
    struct sim_flash flash;
    uint8_t *bootloader; /* its bootloader region as it left the factory */
    int64_t clock_us;
    bool compare_owed;
    struct st_op op;

    /* Free bodies. */
    bool dark;                       /* its power is known to be off */
    bool flash_known, looked;        /* its flash was read once; and already for this end */
    bool version_heard;              /* since it booted */
    bool version_said, confirm_said; /* since it booted, and not held against the flash yet */
    struct sim_fault *moment;        /* a power cut that waits for its moment in this state */
    struct sim_fault *cutting;       /* the power cut that was asked for */
    int64_t entered_us;              /* this state */

    struct sim_fault_set faults;
    struct sim_fault *doom;    /* it cuts the power once all that was said is read */
    struct sim_fault *failing; /* the boot failure that the body is made to show, NULL: none */
    struct sim_fault *outage[ST_OUTAGES_MAX];
    uint32_t outages;
    int64_t mqtt_down_until_us;
    struct st_witness seen;
};

struct st_counts {
    uint64_t kills_at_operation, kills_at_random, kills_at_state, kills_of_its_own, kills_late,
        operations; /* late: free bodies, the state that was asked for had ended */
    uint64_t forms[SCN_TORNS];
    uint64_t starts, power_ons, reboots, sudden_ends;
};

struct sim_stepped {
    const struct scn *scn;
    const struct sim_body_kind *kind;
    void *kind_ctx;
    struct sim_ground ground;
    struct sim_yard yard;
    struct ev_signal child;
    bool started, heard, children, ended;
    char lost[1024];   /* why the ground gave way, "": it did not */
    double watched_at; /* ev_time: what carries the bodies was looked at */
    struct sim_body_run run;
    char folder[ST_FOLDER_MAX], ca[SIM_PKI_PATH_MAX];
    struct sim_rough *rough;
    struct sim_ground_fleet fleet;
    struct st_device *device;
    uint32_t devices, roughs, gathered, spawned;
    uint32_t flash_bytes;
    struct sim_queue due;          /* device * ST_TIMERS + timer */
    int64_t lasts_us[SCN_DURINGS]; /* free bodies: how long a state lasts, of the wall's time */
    struct st_counts counts;
};

/* clock.c */
int64_t st_now_us(const struct sim_stepped *st);             /* of the world */
int64_t st_own_us(const struct sim_stepped *st, int64_t us); /* a device's time, in the world's */
void st_after(struct st_device *dev, enum st_timer timer, int64_t at_us); /* SIM_NEVER: not */

/* device.c: what a device finds when it is started first; its body. -1: message. */
int st_device_open(struct st_device *dev, uint32_t number, char *message, size_t len);
void st_device_close(struct st_device *dev);
int st_folder_make(struct sim_stepped *st, char *message, size_t len);

/* ailments.c: what this firmware does wrong on this device, bits of enum sim_ail. */
uint32_t st_ailments(const struct st_device *dev, uint32_t firmware);
uint32_t st_firmware_of(const struct st_device *dev, const char *version); /* UINT32_MAX: none */
/* The body is told anew: which boot failure the next boot meets may have changed. */
void st_ail(struct st_device *dev);

/* story.c */
void st_said(void *ctx, const char *line); /* of the device */
void st_note(const struct st_device *dev, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void st_reboots(struct st_device *dev); /* from here on the bootloader runs */

/* watch.c: what carries the bodies, while the run goes on and for one that the end finds away. */
void st_watch(struct sim_stepped *st);
void st_watch_end(struct st_device *dev);

/* step.c */
void st_stands(void *ctx); /* of the device */
void st_resume(struct st_device *dev);
/* The operation that went on is done in dev->flash, if the record says that it has ended. */
void st_settle(struct st_device *dev);
/* The same; and what has begun since is dev->op. Only while the body stands still, or is off. */
void st_catch_up(struct st_device *dev);
/* Takes the operation's sectors as the file has them: it was cut, and none of ours to tear. What is
 * elsewhere in the file is still to be compared. */
void st_take_file(struct st_device *dev);
/* Whether the file holds what its operations left; a promise is broken if not. Only while the body
 * stands still, or is off. Where something was lost that carries the bodies: nothing. */
void st_compare(struct st_device *dev);
enum scn_region st_region(const struct st_device *dev, uint32_t addr);

/* power.c: fault NULL for the rig's own end. */
void st_cut(struct st_device *dev, struct sim_fault *fault, const struct sim_flash_cut *cut);
void st_count_cut(struct st_device *dev, const struct sim_fault *fault, bool aimed);
void st_power_on(struct st_device *dev);
void st_off(struct st_device *dev);                                  /* without a word on why */
void st_ended(void *ctx, const char *how, bool clean, bool no_boot); /* of the device */
void st_heard(void *ctx);
/* All are told to end, or lose their power, and are off afterwards. */
void st_end_all(struct sim_stepped *st);

/* free.c: bodies that do not stand still. */
void st_free_enter(struct st_device *dev, enum scn_during state);
void st_free_leave(struct st_device *dev, enum scn_during state);
void st_free_moment(struct st_device *dev);
void st_free_cut(struct st_device *dev, struct sim_fault *fault);
void st_dark(void *ctx); /* of the device */
void st_lost(void *ctx, const char *why);
void st_mute(void *ctx, const char *why);
void st_free_absent(struct sim_stepped *st); /* the time to gather is over */
void st_free_end_all(struct sim_stepped *st);
uint32_t st_free_dark_within_ms(const struct sim_stepped *st); /* that it waits for that */
void st_free_look(struct st_device *dev);
void st_free_boot(struct st_device *dev, int slot, bool trial);
/* A line of the firmware, which runs then: where that of the bootloader was lost. */
void st_free_jumped(struct st_device *dev);
void st_free_version(struct st_device *dev, const char *version);
void st_free_confirmed(struct st_device *dev);

/* strike.c */
void st_arm(struct st_device *dev); /* the timer of the next fault with a time of its own */
void st_fired(struct st_device *dev, struct sim_fault *fault);
void st_strike_due(struct st_device *dev);
void st_enter(struct st_device *dev, enum scn_during state);
/* What was to strike in it does, at the latest now: power goes when all lines are read (doom). */
void st_leave(struct st_device *dev, enum scn_during state);
void st_preempt(struct st_device *dev);
void st_plan_network(struct st_device *dev); /* what its next download meets */
int st_rough_open(struct sim_stepped *st, char *message, size_t len);
enum scn_during st_during(const struct st_device *dev);

/* witness.c */
void st_break(struct st_device *dev, enum rep_promise promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void st_die(struct st_device *dev, enum rep_brick brick, const char *why);
/* Why the ground gave way, and the first promise that had been broken by then: exit code 8 goes
 * before 3, and must not hide it. */
void st_say_lost(const struct sim_stepped *st, char *message, size_t len);
void st_witness_call(struct st_device *dev, const struct sim_flash_call *call);
void st_witness_done(struct st_device *dev, const struct sim_flash_call *call);
void st_witness_boot(struct st_device *dev);
void st_witness_said(struct st_device *dev, int slot); /* where its bootloader says it jumps */
int st_slot_that_runs(const struct st_device *dev);    /* by the config in its flash */
void st_witness_floor(struct st_device *dev);          /* seen.running, which is confirmed */
bool st_boots_again(struct st_device *dev);
/* As it left the factory, as far as its flash was seen. */
bool st_bootloader_is_whole(struct st_device *dev);
bool st_healthy(const struct st_device *dev); /* may the running image be confirmed by now? */
/* It runs this version now. False: it did before. */
bool st_witness_version(struct st_device *dev, const char *version, bool confirmed);
void st_witness_trials(struct st_device *dev, bool changed);
void st_witness_end(struct st_device *dev); /* before the bodies are told to end */
extern const struct sim_ground_devices st_devices;

/* report.c */
int st_report(void *ctx, struct rep_result *result);

#endif
