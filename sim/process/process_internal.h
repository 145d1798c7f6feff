/* The inside of the process world, shared by the files of this folder. */
#ifndef SIM_PROCESS_INTERNAL_H
#define SIM_PROCESS_INTERNAL_H

#include "flash_file/op.h"
#include "flash_file/reset.h"
#include "sim/desk.h"
#include "sim/host.h"
#include "sim/processes.h"
#include "sim/queue.h"
#include "sim/rough.h"
#include "sim/servers.h"
#include <ev.h>
#include <sys/resource.h>

/* Each device has an address of its own, 127.2.0.0 and up, by which servers and proxies know it. */
static const uint32_t PW_ADDRESS_BASE = 0x7F020000;
enum { PW_DEVICES_MAX = 65000, PW_LINE_MAX = 2048, PW_SAID_MAX = 512, PW_OUTAGES_MAX = 4 };
enum { PW_FOLDER_MAX = 640, PW_PATH_MAX = 700 };

enum pw_timer { PW_TIMER_RESUME, PW_TIMER_POWER, PW_TIMER_FAULT, PW_TIMERS };
enum pw_power { PW_OFF, PW_ON, PW_DEAD };

/* The operation at which the daemon stopped last, or which it is doing. */
struct pw_op {
    bool open, resumed; /* seen, not known to have ended; let go on */
    uint64_t number;
    struct sim_flash_call call; /* data points to bytes */
    int64_t seen_us, takes_us;
    uint8_t bytes[AGENT_OP_DATA_MAX];
};

/* What the oracle saw of a device. */
struct pw_witness {
    struct sim_oracle_slot running;
    int running_slot; /* -1: the bootloader runs, or nothing */
    bool running_confirmed, telemetry_heard, telemetry_owed;
    char version[32]; /* running, or last running */
    uint32_t counter_floor, trial_boots, restless_boots, dead_boots, sudden_ends;
    uint32_t boots, cuts, changes, crashes_after_confirm;
    int64_t changed_us, confirmed_us, app_start_us;
    uint32_t ailments; /* what its configuration makes the running image do wrong, by bit */
    enum rep_brick brick;
    uint64_t broken[REP_PROMISES];
    char broken_what[REP_PROMISES][REP_TEXT_MAX];
};

struct pw_device {
    struct sim_processes *pw;
    uint32_t number;
    const struct sim_unit *unit;
    const struct scn_group *group;
    char folder[PW_FOLDER_MAX], address[16], secret[SIM_SECRET_MAX];
    bool spawned, known; /* started once; connected once: the broker has a session for it */

    pid_t pid; /* 0: none */
    int output;
    ev_io readable;
    char line[PW_LINE_MAX];
    uint32_t line_bytes;
    char said[PW_SAID_MAX];  /* its last lines */
    char alarm[PW_SAID_MAX]; /* the first line of a sanitizer */

    enum pw_power power;
    bool booting, connected;
    bool was_powered, was_connected, was_settled; /* at the end of the run */
    enum agent_state state;                       /* as its log names it */
    int64_t lost_us;

    int flash_fd, record_fd;
    const uint8_t *file; /* the flash file, mapped */
    struct sim_flash flash;
    int64_t clock_us;
    struct pw_op op;

    struct sim_fault_set faults;
    struct sim_fault *doom;    /* it cuts the power once all that was said is read */
    struct sim_fault *failing; /* the boot failure that its configuration holds, NULL: none */
    struct sim_fault *outage[PW_OUTAGES_MAX];
    uint32_t outages;
    int64_t mqtt_down_until_us;
    struct pw_witness seen;
};

struct pw_counts {
    uint64_t kills_at_operation, kills_at_random, kills_at_state, operations;
    uint64_t forms[SCN_TORNS];
    uint64_t starts, power_ons, reboots, sudden_ends, rss_max;
};

struct sim_processes {
    const struct scn *scn;
    const char *program_given;
    char program[PW_PATH_MAX];
    struct sim_ground ground;
    struct ev_loop *loop;
    struct ev_timer wake;
    struct ev_signal stop[2], child;
    bool started, interrupted, heard, children, ended;
    char lost[1024]; /* why the ground gave way, "": it did not */
    struct sim_host_clock clock;
    int64_t clock_offset_ms; /* the daemons' clock against this host's */
    struct sim_servers servers;
    bool servers_run;
    struct agent_tls *tls;
    struct sim_desk *desk;
    char service_secret[SIM_SECRET_MAX]; /* of the user `service`, borrowed by the desk */
    struct sim_rough *rough;
    struct sim_ground_fleet fleet;
    struct sim_world *world;
    struct pw_device *device;
    uint32_t devices, roughs, gathered, spawned;
    uint32_t flash_bytes;
    struct sim_queue due; /* device * PW_TIMERS + timer */
    struct pw_counts counts;
};

/* clock.c */
int64_t pw_now_us(const struct sim_processes *pw); /* of the world */
int64_t pw_utc_ms(void *ctx);
int64_t pw_own_us(const struct sim_processes *pw, int64_t us); /* a device's time, in the world's */
void pw_after(struct pw_device *dev, enum pw_timer timer, int64_t at_us); /* SIM_NEVER: not */

/* factory.c: what a device finds when it is started first, and its configuration. -1: message. */
int pw_factory_keys(struct sim_processes *pw, char *message, size_t len);
int pw_factory_device(struct pw_device *dev, char *message, size_t len);
void pw_factory_free(struct pw_device *dev);
/* Anew: which boot failure the next boot meets has changed. */
int pw_configure(struct pw_device *dev);

/* What this firmware does wrong on this device: bits by pw_behaviour_name. */
uint32_t pw_ailments(const struct pw_device *dev, uint32_t firmware);
uint32_t pw_firmware_of(const struct pw_device *dev, const char *version); /* UINT32_MAX: none */

/* child.c */
int pw_spawn(struct pw_device *dev, char *message, size_t len);
/* SIGKILL, and what it had said; the process is gone afterwards. */
void pw_kill(struct pw_device *dev);
/* Looks whether it has stopped or ended. */
void pw_look(struct pw_device *dev);
void pw_read(struct pw_device *dev); /* what it says */
/* All are told to end (SIGTERM), and are gone afterwards. */
void pw_end_all(struct sim_processes *pw);

/* story.c */
void pw_line(struct pw_device *dev, const char *line);
void pw_note(const struct pw_device *dev, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pw_reboots(struct pw_device *dev); /* from here on the bootloader runs */

/* step.c */
void pw_stopped(struct pw_device *dev);
void pw_resume(struct pw_device *dev);
/* The operation that went on is done in dev->flash, if the record says that it has ended. */
void pw_settle(struct pw_device *dev);
/* The same; and what has begun since is dev->op. Only while the daemon stands still, or is gone:
 * one that runs has not stopped yet where its record says. */
void pw_catch_up(struct pw_device *dev);
/* Takes the file as it is: the operation that was cut was none of ours to tear. */
void pw_take_file(struct pw_device *dev);
/* Whether the file holds what its operations left; a promise is broken if not. */
void pw_compare(struct pw_device *dev);
enum scn_region pw_region(const struct pw_device *dev, uint32_t addr);

/* power.c: fault NULL for the rig's own end. */
void pw_cut(struct pw_device *dev, struct sim_fault *fault, const struct sim_flash_cut *cut);
void pw_power_on(struct pw_device *dev);
void pw_ended_by_itself(struct pw_device *dev, int status);

/* strike.c */
void pw_arm(struct pw_device *dev); /* the timer of the next fault with a time of its own */
void pw_fired(struct pw_device *dev, struct sim_fault *fault);
void pw_strike_due(struct pw_device *dev);
void pw_enter(struct pw_device *dev, enum scn_during state);
/* What was to strike in it does, at the latest now: power goes when all lines are read (doom). */
void pw_leave(struct pw_device *dev, enum scn_during state);
void pw_preempt(struct pw_device *dev);
void pw_plan_network(struct pw_device *dev); /* what its next download meets */
int pw_rough_open(struct sim_processes *pw, char *message, size_t len);
enum scn_during pw_during(const struct pw_device *dev);

/* witness.c */
void pw_break(struct pw_device *dev, enum rep_promise promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void pw_die(struct pw_device *dev, enum rep_brick brick, const char *why);
void pw_witness_call(struct pw_device *dev, const struct sim_flash_call *call);
void pw_witness_done(struct pw_device *dev, const struct sim_flash_call *call);
void pw_witness_boot(struct pw_device *dev);
bool pw_boots_again(struct pw_device *dev);
void pw_witness_end(struct pw_device *dev); /* before the daemons are told to end */
extern const struct sim_ground_devices pw_devices;

/* report.c */
int pw_report(void *ctx, struct rep_result *result);

#endif
