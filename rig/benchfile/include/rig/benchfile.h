/*
 * The bench file: which boards there are, and how each is powered, read, reset, strapped and
 * flashed. YAML in, checked struct out; nothing is opened.
 *
 *   bench: corner-desk
 *   state: corner-desk.state        # folder for odometer, calibration, locks; this is the default
 *   controllers:                    # of corner-desk.yaml
 *     bank-1: {driver: lcus, device: /dev/serial/by-path/..., channels: 8, retries: 2,
 *              timeout: 500ms, rated_cycles: 100000}
 *   boards:
 *     - name: pump-1
 *       device_type: pump_monitor_v2
 *       hw_revision: Rev-C
 *       console: {serial: /dev/serial/by-id/..., baud: 115200}  # or {tcp: host:port}, {unix: PATH}
 *       line: {serial: /dev/serial/by-id/..., baud: 921600}     # OTA line, for the rig's gateway
 *       power: {controller: bank-1, channel: 1, inverted: false, off_at_least: 500ms}
 *       reset: {controller: bank-1, channel: 2, hold: 100ms}
 *       straps:
 *         recovery: {controller: bank-1, channel: 3}
 *       flash: [openocd, -f, board.cfg, -c, "program {image} 0 exit"]   # run in the file's folder
 *       flash_within: 2m
 *       flash_power: on             # while the command runs: a debug probe needs it; default: off
 *       flash_file: pump-1.nor      # only where the flash is a file: what the oracle reads
 *   emulator: {boards: 20, folder: DIR}   # starts brickyard-emulator, which makes what the paths
 *                                         # name; folder: the state folder if it is not given
 *
 * Unknown keys, wrong types, a controller or channel that is not there, one channel used twice, two
 * boards of one name or on one console: message "FILE:LINE:COLUMN: key: what; accepted: ...".
 * Relative paths are relative to the file's folder. Everything is owned by the bench until free.
 * NULL is misuse unless a line allows it.
 */
#ifndef RIG_BENCHFILE_H
#define RIG_BENCHFILE_H

#include "rig/console.h"
#include "rig/relay.h"

enum { RIG_BENCH_CONTROLLERS_MAX = 64, RIG_BENCH_BOARDS_MAX = 256, RIG_BENCH_STRAPS_MAX = 8 };

struct rig_bench_controller {
    const char *name;
    const struct rig_relay_driver *driver;
    struct rig_setting_value *value; /* by driver->setting */
    uint32_t timeout_ms, retries;    /* 500 ms, 2 */
    uint64_t rated_cycles;           /* 100,000; 0: not known */
    int line;                        /* where it stands in the file */
};

/* One contact and what it does for a board. controller: index, -1: the board has none. */
struct rig_bench_contact {
    int32_t controller;
    uint32_t channel;
    bool inverted;            /* the contact is closed when the function is off */
    uint32_t off_at_least_ms; /* power; 500 */
    uint32_t hold_ms;         /* reset; 100 */
};

struct rig_bench_strap {
    const char *name;
    struct rig_bench_contact contact;
};

struct rig_bench_board {
    const char *name, *device_type, *hw_revision; /* the last two: NULL: any */
    struct rig_console_at console, line;          /* path and host NULL: none */
    struct rig_bench_contact power, reset;
    struct rig_bench_strap strap[RIG_BENCH_STRAPS_MAX];
    uint32_t straps;
    const char *const *flash; /* argument vector with {image} and {board}; NULL: can't be flashed */
    const char *folder;       /* of the bench file: where that runs */
    uint32_t flash_within_ms; /* 2 min */
    bool flash_powered;       /* the board has power while the command runs */
    const char *flash_file;   /* NULL: the oracle can't read it */
    int row;                  /* line of the file */
};

struct rig_bench_emulator {
    bool wanted;
    uint32_t boards;
    const char *folder; /* what it makes is in it; default: the state folder */
};

struct rig_bench {
    const char *name, *file, *folder, *state;
    struct rig_bench_controller controller[RIG_BENCH_CONTROLLERS_MAX];
    uint32_t controllers;
    struct rig_bench_board board[RIG_BENCH_BOARDS_MAX];
    uint32_t boards;
    struct rig_bench_emulator emulator;
};

/* 0, or -1 with message (512 or more). The state folder is not made. */
int rig_bench_read(struct rig_bench **out, const char *file, char *message, size_t len);
/* The same of bytes in memory, as if they stood in `file`. For tests and fuzzing. */
int rig_bench_parse(struct rig_bench **out, const char *file, const char *bytes, size_t bytes_len,
                    char *message, size_t len);
void rig_bench_free(struct rig_bench *bench); /* NULL allowed */
const struct rig_bench_board *rig_bench_board(const struct rig_bench *bench,
                                              const char *name); /* NULL: none */
/* Makes the state folder (0700) if it is not there. RIG_OK, RIG_EOPEN with message. */
int rig_bench_make_state(const struct rig_bench *bench, char *message, size_t len);

/* ---- The lock: one board is used by one run at a time ---- */

struct rig_lock;
/* STATE/BOARD.lock, a lock of the file's open description (fcntl, F_OFD_SETLK): it ends with its
 * owner, however that ends, and is asked for without being taken. Inside: pid, since when, user,
 * what for. RIG_OK; RIG_EBUSY, message "pump-1 is in use by alice (pid 123, brickyard rig burnin)
 * since 2 h 3 min"; RIG_EOPEN. The state folder is made. */
int rig_lock_take(struct rig_lock **out, const struct rig_bench *bench,
                  const struct rig_bench_board *board, const char *what_for, char *message,
                  size_t len);
void rig_lock_release(struct rig_lock *lock); /* NULL allowed */
/* Whoever inherits it keeps the board locked until it closes it or ends. Owned by the lock. */
int rig_lock_descriptor(const struct rig_lock *lock);
/* Who holds it now, for people ("alice (pid 123, ...) since 2 h 3 min"); "" when nobody does. Where
 * that can't be told: "somebody, or nobody: ..." with the reason. */
void rig_lock_owner(const struct rig_bench *bench, const struct rig_bench_board *board, char *out,
                    size_t len);

#endif
