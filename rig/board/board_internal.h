/* The inside of a QEMU board, shared by the files of this folder. */
#ifndef RIG_BOARD_INTERNAL_H
#define RIG_BOARD_INTERNAL_H

#include "board/mailbox.h"
#include "gdb.h"
#include "lines.h"
#include "rig/board.h"
#include "rig/child.h"
#include "rig/qmp.h"
#include "spi.h"

/* Typical times of the part, as sim/flash.h has them: what an operation needs after chip select. */
enum { BB_PROGRAM_US = 700, BB_ERASE_US = 45000 };
enum { BB_LINK_MAX = 1024 * 1024, BB_SAID_MAX = 512, BB_STATUS_MAX = 32 };

/* A stream of lines out of QEMU. */
struct bb_stream {
    int fd; /* -1: closed */
    ev_io readable;
    struct rig_lines lines;
    void (*line)(struct rig_board *board, const char *line);
};

struct bb_link {
    int fd;
    ev_io readable, writable;
    bool held;    /* its reader has no room */
    uint8_t *out; /* BB_LINK_MAX */
    size_t at, have;
};

/* RUNS -> LOOKS (hit, the probe is read) -> STANDS -> STEPS (over the store) -> RUNS */
enum bb_step { BB_RUNS, BB_LOOKS, BB_STANDS, BB_STEPS };

struct rig_board {
    struct rig_board_config config;
    struct ev_loop *loop;
    struct rig_child child;
    ev_io ends;
    unsigned life; /* counts power on and off: callbacks look whether it is still the same */
    bool started;  /* the guest was let go */
    bool going;    /* its power is going off */
    bool dying;    /* and its end is waited for: a connection of QEMU's ended before it */
    bool given_up; /* ended by the rig, because of lost_why */
    ev_timer dies;
    char lost_why[BB_SAID_MAX];
    bool fails;     /* `stop` was sent, its power goes off soon */
    bool stop_sent; /* by us: its STOP is no news */
    struct rig_qmp *qmp;
    struct rig_gdb *gdb;
    struct bb_stream console, trace, said;
    struct bb_link link;
    ev_timer trace_rest;
    struct rig_spi spi;

    uint32_t straps;
    bool pin;      /* the latch of the reset line is up */
    bool reviving; /* it stands still between two lives of the guest */
    enum rig_reset revive_as;
    bool reset_wanted; /* as soon as the step is over */
    bool as_watchdog;  /* its mailbox is to say that before it runs */

    enum bb_step step;
    bool watched; /* the watchpoint is set; a watchdog may come when it is not, over the store */
    struct board_probe probe; /* at the last stop, or at power off */
    bool probe_known;
    bool begins;         /* from its stand on, until the step over the store is known to be done */
    uint32_t begun_then; /* the probe's `begun` as it stood: it counts on as the operation begins */
    uint64_t number, traced_number; /* operations begun, and seen on the bus */
    uint64_t base;                  /* number at power on */
    bool any;                       /* an operation since power on */
    bool last_ended;
    struct rig_op last;
    uint8_t last_data[BOARD_NOR_PAGE];
    int64_t last_at_us, stopped_at_us; /* QEMU's wall clock; 0: not known */

    int64_t asked_ms; /* the question that waits for its answer; 0: none */
    char halted[BB_STATUS_MAX];
    uint64_t halted_at; /* stops and resets until then */

    char last_said[BB_SAID_MAX];
    struct rig_board_facts facts;
};

/* wires.c */
void bb_wires_open(struct rig_board *board, int console, int link, int trace, int said);
void bb_wires_work(struct rig_board *board); /* all that is there; events are called */
void bb_wires_close(struct rig_board *board);

/* reset.c */
void bb_begin(struct rig_board *board); /* straps, then the guest runs */
void bb_revive(struct rig_board *board, enum rig_reset as);
void bb_pull(struct rig_board *board); /* the reset line, now */
void bb_qmp_event(void *ctx, const char *name, const json_t *data, int64_t at_us);
void bb_pin_down(struct rig_board *board);

/* step.c */
void bb_step_begin(
    struct rig_board *board); /* the watchpoint is set, if it is not; the guest runs */
void bb_step_begin_as_watchdog(struct rig_board *board);
void bb_step_stopped(void *ctx, const struct rig_gdb_stop *stop);
void bb_remember(struct rig_board *board, const struct rig_op *op);

/* ask.c */
int64_t bb_now_ms(void); /* of the monotonic clock */
/* The probe, by way of QMP: it can be read while the board runs, too. */
void bb_probe_ask(struct rig_board *board, rig_qmp_reply *reply, void *ctx);
bool bb_probe_parse(struct board_probe *probe, const json_t *result); /* false: it is none */

/* power.c */
void bb_ended(struct rig_board *board, int status);   /* by itself */
void bb_lost(void *ctx, const char *why, bool ended); /* QMP or gdb */
void bb_release(struct rig_board *board);             /* every descriptor and watcher */

#endif
