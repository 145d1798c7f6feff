/*
 * A QEMU board (ast1030-evb): its process, power, reset, straps, console, OTA line and flash file,
 * on the caller's libev loop. One thread; several boards in a process. After SIGKILL of the caller
 * no QEMU is left (PR_SET_PDEATHSIG). NULL is misuse unless a line allows it. Functions that return
 * int: 0, or -1 with the reason in message.
 *
 * Power off is QMP `stop`, SIGKILL, wait: a plain SIGKILL loses pages that the board had already
 * seen as written, which no real NOR does (RIG-FACTS 5.3). What the operation in progress leaves is
 * the caller's (rig/cut.h, or the ground's): the flash file then holds all of it or nothing, and of
 * a page whose sector's erase QEMU was still writing back, now and then a part. A stepped board
 * that stands has no such doubt: all before is in the file, and nothing of the operation.
 *
 * QEMU's reset takes the straps away, so resets pass through the rig (rig/board/README.md): the
 * guest sees one reset, with the same straps.
 */
#ifndef RIG_BOARD_H
#define RIG_BOARD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rig_board;

/* One program of a page, or one erase of a sector. */
struct rig_op {
    uint64_t number; /* 1, 2, ... since the board was created, over power cycles */
    bool erase;
    uint32_t addr, len;
    const uint8_t *data; /* len bytes, valid during the call; NULL: an erase, or not known */
    int64_t at_us;       /* `spi` only: when the part began, QEMU's CLOCK_REALTIME; else 0 */
};

enum rig_reset { RIG_RESET_WATCHDOG, RIG_RESET_GUEST /* the firmware's own */, RIG_RESET_PIN };

/* Called from the loop, or from rig_board_power_off for what was said before. May call every
 * function but rig_board_free. */
struct rig_board_events {
    void (*console)(void *ctx,
                    const char *line); /* without its end, NUL-terminated, at most 1,023 */
    void (*link)(void *ctx, const void *bytes, size_t len); /* from the OTA line */
    /* Stepped boards: it stands still before this operation, nothing of it is done yet, everything
     * before is in the flash file. Until rig_board_go_on. */
    void (*stands)(void *ctx, const struct rig_op *op);
    /* Traced boards: what went over the SPI bus, as the flash chip saw it. */
    void (*spi)(void *ctx, const struct rig_op *op);
    void (*reset)(void *ctx, enum rig_reset reset);
    /* QEMU ended by itself, or was given up (see there): wait status. It is off then. */
    void (*ended)(void *ctx, int status);
    /* What came from the console, as it came and before its lines are told: ends, control
     * characters, halves of lines. */
    void (*console_bytes)(void *ctx, const void *bytes, size_t len);
};

struct rig_board_config { /* borrowed until rig_board_free */
    struct ev_loop *loop;
    const char *qemu;   /* NULL: qemu-system-arm, by PATH */
    const char *rom;    /* ELF of the bootloader */
    const char *flash;  /* file of exactly 1 MiB */
    const char *folder; /* not needed: its sockets have no names; NULL allowed */
    bool stepped, traced;
    /* So long QEMU has at power off to stand still and to write what it owes the file; it is killed
     * then. 0: RIG_BOARD_STOP_WITHIN_MS, which a busy host keeps too. At most 2 s for one that is
     * held from outside (SIGSTOP), and less for one that owes an answer already. */
    uint32_t stop_within_ms;
    struct rig_board_events events;
    void *ctx;
};

enum { RIG_BOARD_STOP_WITHIN_MS = 20000 };

int rig_board_create(struct rig_board **out, const struct rig_board_config *config, char *message,
                     size_t len);
void rig_board_free(struct rig_board *board); /* powers off, no event is called; NULL allowed */

/* Counted since it was created. */
struct rig_board_facts {
    uint64_t power_ons, resets, stops;
    uint64_t unclean;      /* power offs at which QEMU did not stop in time: pages may be lost */
    uint64_t answers;      /* to rig_board_ask */
    uint64_t bad_probes;   /* stores to the probe that were no operation */
    uint64_t link_dropped; /* bytes to the board, more than 1 MiB of them unread */
    uint64_t console_shortened; /* lines of more than 1,023 bytes */
    /* Traced boards, against the data sheet: without write enable (had no effect); programs over a
     * page's end; bytes that ask for a 1 where a 0 is. */
    uint64_t bus_refused, bus_crossings, bus_zero_to_one;
    int64_t power_off_us; /* the last stop, kill and wait */
};
void rig_board_facts(const struct rig_board *board, struct rig_board_facts *facts);
/* QEMU's own last line, or its fatal error; "": none. */
const char *rig_board_said(const struct rig_board *board);
/* Why the rig itself ended QEMU, which no power off had asked for: it said what is no QMP and no
 * gdb, or it closed a connection and did not end. Until the next power on; "": it did not. */
const char *rig_board_given_up(const struct rig_board *board);

int rig_board_power_on(struct rig_board *board, char *message, size_t len);
/* Stepped boards, after `ended`: power was not gone, only QEMU was. Another one goes on with the
 * flash file as from a watchdog reset: the mailbox says so, the rest of SRAM is lost. */
int rig_board_restart(struct rig_board *board, char *message, size_t len);
/* Abrupt. Everything that it said before is delivered by the events before this returns. */
void rig_board_power_off(struct rig_board *board);
/* Says `stop` already, without waiting: several boards stop at once, each power off takes less
 * then. Must be followed by it. Off: nothing. */
void rig_board_power_fails(struct rig_board *board);
bool rig_board_is_on(const struct rig_board *board); /* or its QEMU is about to end by itself */
/* After power off, and while it stands: the last operation that was begun; *ended: its busy time
 * was over. While a stepped board runs: whether it had ended when it was asked last. False: none
 * since power on. */
bool rig_board_last_op(const struct rig_board *board, struct rig_op *op, bool *ended);
/* Asks QEMU how it is, and the probe for its operation. What they say is known once the loop has
 * turned (`answers`). One question at a time; not while it is off, or not let go yet: nothing. */
void rig_board_ask(struct rig_board *board);
/* What QEMU said of itself, if it did not run then ("paused", "io-error") and nothing has come of
 * the board since; "": it ran, or stands before an operation. */
const char *rig_board_halted(const struct rig_board *board);

void rig_board_go_on(struct rig_board *board); /* after `stands` */
int rig_board_reset(struct rig_board *board);  /* the reset line: strap latch, system_reset */
int rig_board_strap(struct rig_board *board, unsigned bit, bool high); /* gpioA0 .. A7; kept over
                                                                          power cycles */
/* Up to 1 MiB waits until the board reads it; what is more is lost, as on a line. */
void rig_board_link_write(struct rig_board *board, const void *bytes, size_t len);
size_t rig_board_link_pending(const struct rig_board *board); /* bytes that wait */
/* Whoever takes the line's bytes has no room now (true), or has again: nothing is read meanwhile,
 * so that QEMU's UART waits in the end. Power off delivers what is there all the same, and ends it.
 */
void rig_board_link_hold(struct rig_board *board, bool hold);
bool rig_board_is_stopped(const struct rig_board *board); /* QEMU, by SIGSTOP from outside */
pid_t rig_board_pid(const struct rig_board *board);       /* 0: off */

#endif
