/*
 * What a stepped device is made of: a daemon process, or a board. A body runs the real cores on a
 * flash file of its own, says what it does line by line, and stands still before each flash
 * operation, so that every operation is seen before it is done. The ground (sim/stepped) aims
 * faults at it, tears, judges by the flash file, and never asks the body how it is.
 *
 * A *free* body does not stand still: a real board behind a relay. Its power takes time, a cut goes
 * where it goes and tears by itself, and its flash can be read while it is off, or not at all.
 *
 * One thread. Events are called from the loop or from `off`, `look` and `read`; they may call every
 * function of the body but `close`. Functions that return int: 0, or -1 with the reason in message.
 * NULL is misuse unless a line allows it.
 */
#ifndef SIM_BODY_H
#define SIM_BODY_H

#include "drivers/tls.h"
#include "rep/result.h"
#include "sim/flash.h"
#include "sim/world.h"
#include <ev.h>

struct sim_body; /* one device's, the kind's own struct */

/* An operation. number grows for each device, over power cycles. Whether a flash could do it is the
 * ground's to say, and call.units too. */
struct sim_body_op {
    uint64_t number;
    bool in_progress;           /* begun, and not known to have ended */
    struct sim_flash_call call; /* data: until the next operation, or `on` */
};

struct sim_body_events {
    void (*said)(void *ctx, const char *line); /* one line of its log, as ota-agent writes them */
    void (*heard)(void *ctx);                  /* all that it had said was delivered */
    /* Before the operation that last_op names. The file holds all that was done before. */
    void (*stands)(void *ctx);
    /* By itself, nobody asked for it; it is off. clean: in order. no_boot: it found nothing to
     * boot. how: "with exit code 1". */
    void (*ended)(void *ctx, const char *how, bool clean, bool no_boot);
    /* Free bodies. Power is gone, as `off` asked, or by a cut of the body's own (an aim of
     * the rig's); all that it had said was delivered. */
    void (*dark)(void *ctx);
    /* What it is driven by failed (relay, console): nothing is known of the device itself. */
    void (*lost)(void *ctx, const char *why);
    /* Free bodies. Several times in a row it had power and not a word of its boot came. It is off,
     * dark was told; why: as lost would say it. Its flash tells whether it is the device. */
    void (*mute)(void *ctx, const char *why);
    void *ctx;
};

/* What all bodies of a run are given. Borrowed until `end`. */
struct sim_body_run {
    struct ev_loop *loop;
    const struct sim_world *world;
    const char *folder; /* there; the devices' folders are in it */
    const char *ca;     /* PEM file */
    const struct agent_tls *tls;
    int64_t clock_offset_ms; /* the devices' clocks against this host's */
};

/* What one device is given. Borrowed until close. */
struct sim_body_device {
    const struct sim_body_run *run;
    uint32_t number;
    const struct sim_unit *unit;
    const struct scn_group *group;
    const char *folder;               /* its own, there; absolute */
    const char *flash;                /* path of its flash file, with the factory's content */
    const char *address, *secret;     /* 127.2.x.y; MQTT user is unit->id */
    uint16_t broker_port, store_port; /* on 127.0.0.1 */
    struct sim_body_events events;
};

/* What a device needs of the machine, and 0 for what it does not. */
struct sim_body_needs {
    uint64_t memory_bytes;
    uint32_t descriptors; /* in this process, beside its flash file */
    uint32_t processes;
    uint32_t per_core; /* so many can share a core while all of them work; 0: any number */
};

/* What a firmware may be made to do wrong. */
enum sim_ail {
    SIM_AIL_HANG,
    SIM_AIL_HARD_FAULT,
    SIM_AIL_NO_MQTT,
    SIM_AIL_NO_DRIVERS,
    SIM_AIL_NO_CONFIG,
    SIM_AIL_NO_TELEMETRY,
    SIM_AILS
};

/* One kind of body; a table of the world. ctx: the kind's own. */
struct sim_body_kind {
    const char *name;    /* of the world: "process", "board" */
    const char *what;    /* "ota-agent", "QEMU board": in messages and facts */
    const char *devices; /* name of the fact that counts them: "processes" */
    const char *cuts;    /* ... that counts the power cuts: "SIGKILLs" */
    const char *faults;  /* the kinds of fault that it can be made to bear, for messages */
    /* Its firmware waits as long as the part takes. False: the ground holds it so long. */
    bool waits;
    bool free; /* see the top: `off` only asks, `dark` answers; last_op and go_on are not called */
    uint32_t starting_max; /* so many are on their way to the broker at once, each second more */
    struct sim_body_needs needs;
    /* Before anything is started: is the program there, can the scenario be done? */
    int (*check)(void *ctx, const struct sim_world *world, char *message, size_t len);
    int (*begin)(void *ctx, const struct sim_body_run *run, char *message, size_t len);
    /* Whether things that outlive the run were touched since (boards switched off, or flashed), so
     * that a start that fails is not "nothing was run". NULL: there are none. */
    bool (*touched)(void *ctx);
    void (*end)(void *ctx); /* after the last close; also when begin failed or was not called */
    int (*open)(void *ctx, struct sim_body **out, const struct sim_body_device *device,
                char *message, size_t len);
    void (*close)(struct sim_body *body); /* off, and gone; NULL allowed */
    /* Its factory data may be put into the bootloader region (len bytes, as the file has them)
     * before it is on first. NULL: it has none there. */
    int (*make)(struct sim_body *body, uint8_t *bootloader, uint32_t len, char *message,
                size_t message_len);
    /* The flash file is whole: its content goes into the part. NULL: the file is the part. */
    int (*made)(struct sim_body *body, char *message, size_t len);
    /* Free bodies that are off: the whole flash, len bytes. False: it can't be read. */
    bool (*flash)(struct sim_body *body, uint8_t *out, uint32_t len);
    /* What the images are made to do wrong from the next boot on: bits of enum sim_ail, for each
     * firmware of the scenario. -1 with errno. NULL: its images are as they are. */
    int (*ail)(struct sim_body *body, const uint32_t *ails);
    int (*on)(struct sim_body *body, char *message, size_t len);
    void (*off)(struct sim_body *body); /* power is gone; what it had said was delivered */
    /* Free bodies: after so long at the most one that was asked to go off is dark, or lost, once
     * its relay has answered. NULL: at once. */
    uint32_t (*dark_within_ms)(void *ctx);
    void (*go_on)(struct sim_body *body);
    void (*look)(struct sim_body *body); /* SIGCHLD came: has it stopped or ended? May be NULL */
    void (*read)(struct sim_body *body); /* deliver what it has said. May be NULL */
    /* A clean end, as by its owner. NULL: nobody can ask for one, its power is taken. */
    void (*ask_to_end)(struct sim_body *body);
    /* About once a second while it is on, and when the run is over (at_end): does what carries it
     * (a gateway, an emulator's process) hold out? Calls lost if not, where that fails without an
     * error of its own and the device would be blamed for its silence. open_ms: for so long
     * nothing that the scenario does has kept it from the broker. NULL: nothing carries it. */
    void (*watch)(struct sim_body *body, int64_t open_ms, bool at_end);
    bool (*last_op)(struct sim_body *body, struct sim_body_op *out); /* false: none yet */
    /* Facts of this kind. May be NULL. */
    int (*report)(void *ctx, struct rep_result *result);
};

#endif
