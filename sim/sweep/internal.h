/* The inside of the sweep, shared by the files of this folder. README.md draws how they work
 * together. */
#ifndef SIM_SWEEP_INTERNAL_H
#define SIM_SWEEP_INTERNAL_H

#include "boot/openssl.h"
#include "rep/result.h"
#include "sim/dut.h"
#include "sim/flash.h"
#include "sim/stand.h"
#include "sim/sweep.h"
#include "sim/world.h"

#include <pthread.h>
#include <setjmp.h>
#include <xxhash.h>

/* world.c: images, offers, factory flash; constant while the search runs. */
enum sweep_image_id {
    IMAGE_BASE,    /* what the factory installed, in the story of the scenario's update */
    IMAGE_UPDATE,  /* the update of the scenario */
    IMAGE_SMALL,   /* a good update of few sectors, for the other stories */
    IMAGE_ORIGIN,  /* what it installed in the others: the base's version, few sectors */
    IMAGE_FURTHER, /* good ones after it */
    IMAGE_LATER,
    IMAGE_LAST,
    IMAGE_OLDER,          /* older than the base, properly signed */
    IMAGE_DISGUISED,      /* the same bytes, announced as a new version */
    IMAGE_WRONG_KEY,      /* signed by another key under the trusted key's id */
    IMAGE_WRONG_TYPE,     /* for another device type */
    IMAGE_WRONG_REVISION, /* needs newer hardware */
    IMAGE_SHORT,          /* good, but only 5.75 % of it is served */
    IMAGE_DAMAGED,        /* good, but a bit flips on the way */
    IMAGE_EXTRA,          /* a good one, offered where the last of a story had reason to fail */
    SWEEP_IMAGES,
    IMAGE_NONE = 0xFF
};

struct sweep_image {
    struct dut_image dut;
    uint8_t *bytes;
    bool good;        /* may run on this device */
    uint32_t served;  /* bytes that the server gives */
    uint32_t flip_at; /* byte whose bit 0 flips on the way; UINT32_MAX: none */
    char version[32], firmware_id[48];
    char *message; /* notification, JSON */
};

enum sweep_step_kind { STEP_OFFER, STEP_ORDER, STEP_CYCLES };
enum sweep_expect {
    EXPECT_INSTALLED, /* a good update */
    EXPECT_TRIED,     /* a good update whose behaviour is chosen */
    EXPECT_REFUSED,   /* must never run */
    EXPECT_AGAIN,     /* offered again: confirmed again, or refused after a rollback */
};
struct sweep_step {
    enum sweep_step_kind kind;
    uint8_t image, expect, count;
};
enum { SWEEP_STEPS_MAX = 6 };
struct sweep_story {
    const char *name;
    uint32_t needs;  /* traits of the device without which it is not told */
    uint8_t base;    /* image that the factory installed */
    bool variants;   /* told of every variant of the factory, not of the first alone */
    uint8_t cut_any; /* steps that any number of cuts is tried in, as bits; the others run clean */
    uint32_t steps;
    struct sweep_step step[SWEEP_STEPS_MAX];
};
enum { SWEEP_STORIES_MAX = 16 };
/* story.c. The stories that a device with these traits can be told; the number of them. */
uint32_t sweep_stories(const struct sweep_story *out[SWEEP_STORIES_MAX], uint32_t traits);

struct sweep_world {
    const struct scn *scn;
    struct sim_world base; /* layout, keys, the scenario's images */
    struct dut_unit unit;
    struct dut_key key[2];
    struct sweep_image image[SWEEP_IMAGES];
    char *order; /* rollback command, JSON */
    struct sim_flash_known known;
    struct sim_flash_base flash; /* bootloader and application data; else erased */
    const struct dut *dut;
    const struct sweep_story *story[SWEEP_STORIES_MAX];
    uint32_t stories;
    struct dut_range range[16]; /* that dut->canonical stands for */
    uint32_t ranges, parts;     /* parts: one more than the highest */
    uint8_t *part_of;           /* by sector: part + 1 where it is in a range, else 0 */
    uint32_t sectors;
    uint32_t forms; /* mask */
    bool any;
    bool deep; /* more than one cut in a history: scratch counts as blank or not */
};
int sweep_world_build(struct sweep_world *out, const struct sim_sweep_options *options,
                      const struct dut *dut, char *message, size_t len);
void sweep_world_free(struct sweep_world *world);
/* The image whose bytes are at addr, without an unstable bit; IMAGE_NONE. */
uint8_t sweep_image_at(const struct sweep_world *world, const struct sim_flash *flash,
                       uint32_t addr);

/* plugin.c: one loaded copy of a device for each worker. */
struct sweep_plugin {
    const struct dut *dut;
    void *handle;
    int file;
    struct {
        uint8_t *at, *initial;
        size_t len;
    } segment[8];
    uint32_t segments;
    bool has_thread_locals;
};
int sweep_plugin_load(struct sweep_plugin *out, const char *path, char *message, size_t len);
/* Every static variable back to what it was after loading. */
void sweep_plugin_reset(const struct sweep_plugin *plugin);
void sweep_plugin_free(struct sweep_plugin *plugin);

/* story.c: what the service knows, and what the oracle saw; part of the state, hashed as bytes. */
enum sweep_behaviour {
    BEHAVIOUR_OPEN, /* not decided yet */
    BEHAVIOUR_HEALTHY,
    BEHAVIOUR_HANG,
    BEHAVIOUR_HARD_FAULT,
    BEHAVIOUR_LATE_FAULT, /* the fifth check: a hard fault within the fault-free time */
    BEHAVIOUR_POWER,      /* pulls the supply down as it starts */
    BEHAVIOUR_MQTT,
    BEHAVIOUR_DRIVERS,
    BEHAVIOUR_CONFIG,
    BEHAVIOUR_TELEMETRY,
    BEHAVIOURS
};
const char *sweep_behaviour_name(int behaviour);

struct sweep_env {
    uint8_t variant, story, step, reset;
    uint8_t permanent;   /* image that runs for good, as far as the oracle knows */
    uint8_t earlier;     /* permanent before it; IMAGE_NONE */
    uint8_t offered;     /* the step's offer was delivered */
    uint8_t may_confirm; /* the goal passed all checks in some session */
    uint8_t answer;      /* outcome told in this step, enum dut_status; 0 none */
    uint8_t before;      /* the outcome of the step before */
    uint8_t trials;      /* boots of the unconfirmed goal since the last cut */
    uint8_t tried;       /* the goal was booted in this step */
    uint8_t cuts;        /* in this step, up to trial_boots */
    uint8_t hurt;        /* 1: reset by a fault, or damaged, in this step; 2: damaged for good */
    uint8_t lost;        /* the slot of the permanent image was damaged: no fallback is left */
    uint8_t scarred;     /* the flash was damaged, or written in a brown-out, at some time */
    uint8_t cycles;      /* power cycles that are left in this step */
    uint8_t extra;       /* one more good update is offered behind the story's last step */
    uint8_t done;        /* the story is over */
    uint8_t behaviour[16];
};

/* Bits that read unstably since one torn operation. */
struct sweep_unit {
    uint32_t addr, len;
    uint32_t erase; /* 1: of an erase, done is 1; 0: of a program, done is 0 */
};
enum { SWEEP_UNITS_MAX = 6, SWEEP_UNSTABLE_AT_ONCE = 1 };

enum { SWEEP_SCRATCH_MAX = 4 };

/* state.c: all that lives on when the power is off, or (booted) between bootloader and image. */
struct sweep_state {
    struct sim_flash flash;
    int64_t now_us;
    struct sweep_env env;
    struct sweep_unit unit[SWEEP_UNITS_MAX];
    uint32_t units;
    bool crowded; /* more units than fit */
    /* A sector does not erase, or, where further cuts follow, bits have rotted: nothing but equal
     * bytes is equal then. */
    bool defects;
    bool booted;
    struct dut_boot boot; /* when booted */
    uint8_t running;      /* image, when booted */
    XXH128_hash_t plain;  /* sum over the sectors outside the canonical ranges */
    struct {
        XXH128_hash_t hash; /* of the canonical form */
        bool known;
        bool viewed;   /* the device understood it, in every view */
        uint32_t live; /* units in it that make a difference */
    } part[DUT_PARTS];
    bool scratch_known;
    struct dut_range scratch[SWEEP_SCRATCH_MAX];
    uint32_t scratches;
};
void sweep_state_clone(struct sweep_state *out, const struct sweep_state *from);
void sweep_state_free(struct sweep_state *state);
/* The hash of one sector as it is part of `plain`; zero inside a range. */
XXH128_hash_t sweep_sector_hash(const struct sweep_world *world, const struct sim_flash *flash,
                                uint32_t sector);
/* Moves `plain` from what `before` held in these sectors to what state holds. */
void sweep_state_rehash(const struct sweep_world *world, struct sweep_state *state,
                        const struct sim_flash *before, const uint32_t *sector, uint32_t sectors);
/* An operation was torn so: bits that became unstable are noted as a unit of their own. */
void sweep_state_torn(struct sweep_state *state, enum sim_flash_op_kind kind, uint32_t addr,
                      enum scn_torn form);
/* Units whose bits are all stable again are forgotten. */
void sweep_state_settle(struct sweep_state *state);

/* session.c: one boot or one run, by one worker. */
enum { SWEEP_CHOICES_MAX = 16 };
struct sweep_choices {
    uint8_t pick[SWEEP_CHOICES_MAX]; /* 0 when beyond count */
    uint8_t arity[SWEEP_CHOICES_MAX];
    uint32_t op[SWEEP_CHOICES_MAX]; /* operations done when the choice came up */
    uint32_t count;                 /* that came up */
    bool crowded;                   /* more came up than fit */
};
uint64_t sweep_choices_pack(const struct sweep_choices *choices);
void sweep_choices_unpack(struct sweep_choices *out, uint64_t packed);
/* The next vector in order; false when all were run. */
bool sweep_choices_next(struct sweep_choices *choices);

/* What the sweep does to a session. */
struct sweep_blow {
    uint8_t form; /* enum sim_sweep_form; SIM_SWEEP_FORMS: nothing */
    uint32_t op;  /* operation (page or sector) of the session that it hits */
    uint32_t at;  /* PREFIX, SUFFIX: bytes at which it tears; BROWN_OUT: calls that suffer * 2,
                     + 1: they lie; ROT, STUCK, WORN: address, op is the bit */
};

enum sweep_end {
    END_RUNNING, /* not ended */
    END_BOOTED,  /* the bootloader jumped */
    END_RESET,   /* the next boot follows */
    END_CUT,     /* by the blow */
    END_REST,    /* the story is over and the device is at rest */
    END_BROKEN   /* a promise was broken */
};

struct sweep_failure {
    enum rep_promise promise;
    bool endless;        /* it goes on for ever: exit code 4, not 3 */
    bool infrastructure; /* the stand failed, the device did not: exit code 8 */
    char what[128];
};

struct sweep_worker;
/* Asked before each operation unit of a session that is expanded. */
typedef void sweep_at_op(struct sweep_worker *worker, const struct sim_flash_call *call,
                         uint32_t unit, uint32_t op);

struct sweep_worker {
    const struct sweep_world *world;
    struct sweep_plugin plugin;
    const struct dut *dut;
    void *ram;
    uint8_t *wall; /* page behind it, which may not be touched */
    size_t ram_mapped, wall_bytes;
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct dut_unit unit; /* world's, with the variant of the story that runs */
    struct dut_port port, view;
    const struct sim_stand *stand; /* where the device runs; NULL: in this process */
    struct sim_stand_session stand_session;
    bool stand_returned; /* the device gave the control flow back by itself */
    uint32_t session;    /* number of the one that runs, where a history is told */
    uint8_t *canon;      /* scratch of dut->canonical */
    uint8_t *page;       /* scratch */

    /* Of the session that runs. */
    struct sweep_state *state;
    struct sweep_choices choices;
    struct sweep_blow blow;
    bool blow_fired;
    uint32_t ops;
    uint64_t calls;
    jmp_buf end;
    enum sweep_end ended;
    struct sweep_failure failure;
    bool booting;
    bool asked;        /* the offer was told in this session */
    uint32_t suffered; /* calls that a brown-out hit so far */
    uint8_t checks;    /* bit per check that held in this session */
    int64_t started_ms, watchdog_ms;
    struct {
        bool known, flips;
        uint8_t mode;
    } reading[SWEEP_UNITS_MAX];
    uint8_t *dirty; /* by sector */
    uint32_t *dirty_sector, dirties;
    sweep_at_op *at_op;
    uint32_t at_from, at_to;
    void *at_ctx;
    FILE *story;           /* NULL: nothing is told */
    int64_t story_from_us; /* zero of its clock */
    struct sweep_fold {
        uint32_t programs, erases, from, to, region;
    } fold; /* operations not told yet */

    /* Of the view that canonical() reads. */
    const struct sweep_state *viewed;
    uint32_t view_done; /* bit per unit: reads as done */

    /* Counts. */
    uint64_t boots, cuts, merged, histories, form[SIM_SWEEP_FORMS], operations, unfired;
    uint64_t sampled, unequal;
    struct sweep_search *search;
    uint32_t number;
};
int sweep_worker_init(struct sweep_worker *worker, const struct sweep_world *world,
                      const char *dut_path, char *message, size_t len);
void sweep_worker_free(struct sweep_worker *worker);
/* The root of a story: what the factory leaves, not cut. 0, or -1 with a message. */
int sweep_root(struct sweep_worker *worker, struct sweep_state *out, uint32_t variant,
               uint32_t story, char *message, size_t len);
/* Runs the bootloader, or the booted image, on state in place. choices: picks given, the rest is
 * filled in. */
enum sweep_end sweep_session(struct sweep_worker *worker, struct sweep_state *state,
                             const struct sweep_choices *picks, const struct sweep_blow *blow);
_Noreturn void sweep_end_session(struct sweep_worker *worker, enum sweep_end end);
/* It never comes to rest. */
_Noreturn void sweep_endless(struct sweep_worker *worker, const char *what);
_Noreturn void sweep_break(struct sweep_worker *worker, enum rep_promise promise,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A choice among arity; returns the pick. */
uint8_t sweep_choose(struct sweep_worker *worker, uint8_t arity);
void sweep_tell(struct sweep_worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* map.c: what the story tells of the flash; nothing without a story. */
void sweep_tell_call(struct sweep_worker *worker, const struct sim_flash_call *call);
void sweep_tell_torn(struct sweep_worker *worker, enum sim_flash_op_kind kind, uint32_t addr,
                     enum scn_torn form);
void sweep_tell_flash(struct sweep_worker *worker); /* operations that were folded together */
const char *sweep_reset_name(int reset);
void sweep_tell_map(struct sweep_worker *worker, const struct sweep_state *state);

/* The blow falls now: facts are changed, the session ends. */
_Noreturn void sweep_blow_falls(struct sweep_worker *worker);
/* The cut of a unit that a blow of a torn form, or a reset before an operation, makes. */
struct sim_flash_cut sweep_cut_of(const struct sweep_blow *blow, uint32_t unit);
/* port.c: fills the worker's port and the flash hooks of the state that runs. */
void sweep_port_init(struct sweep_worker *worker);
void sweep_port_hooks(struct sweep_worker *worker, struct sweep_state *state);

/* stand.c: the device's three functions, wherever it runs, and the stand's look at each session. */
int sweep_device_factory(struct sweep_worker *worker, const struct dut_image *image);
void sweep_device_boot(struct sweep_worker *worker);
enum dut_run sweep_device_run(struct sweep_worker *worker);
void sweep_stand_begin(struct sweep_worker *worker, const struct sweep_state *state);
void sweep_stand_end(struct sweep_worker *worker);

/* story.c, judge.c: the service and the oracle. */
const struct sweep_step *sweep_step_of(const struct sweep_world *world,
                                       const struct sweep_env *env);
uint8_t sweep_goal(const struct sweep_world *world, const struct sweep_env *env);
void sweep_env_begin(const struct sweep_world *world, struct sweep_env *env);
/* The power went, or another blow fell, in a session. */
void sweep_env_cut(const struct sweep_world *world, struct sweep_env *env, uint8_t form);
void sweep_judge_boot(struct sweep_worker *worker);
void sweep_judge_report(struct sweep_worker *worker, const struct dut_report *report);
void sweep_judge_checked(struct sweep_worker *worker);
/* The device came to rest: the step ends, the next begins; END_RESET (a power cycle) or END_REST.
 */
enum sweep_end sweep_judge_rest(struct sweep_worker *worker);

/* canon.c: the state's key. */
XXH128_hash_t sweep_state_key(struct sweep_worker *worker, struct sweep_state *state);
/* Units that are told by the key: equal states have as many. */
uint32_t sweep_live_units(struct sweep_worker *worker, struct sweep_state *state);
void sweep_view_init(struct sweep_worker *worker);
uint32_t sweep_canon_max(void);

#endif
