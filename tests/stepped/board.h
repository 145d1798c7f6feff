/*
 * One body on the ground, a free one or one that stands still, which is on and boots: the body is a
 * fake; world, oracle and flash are the simulator's own. One for each test.
 */
#ifndef TESTS_STEPPED_BOARD_H
#define TESTS_STEPPED_BOARD_H

#include "stepped_internal.h"

extern struct sim_world world;
extern struct sim_shard shard;
extern struct sim_stepped st;
extern struct st_device dev;
extern uint8_t *part;              /* what the board's flash holds */
extern bool legible, dark_at_once; /* it can be read; "off" is dark before it returns */
/* What the body was asked for. */
extern unsigned cuts, offs, ons, looks, watches;
extern int64_t watched_open_ms;
extern bool watched_at_end;

/* For TestSuite: without the scenario's faults, and with them. */
void board_open(void);
void board_open_cuts(void);
void board_open_still(void); /* one that stands still before each operation */
void board_close(void);

void boot(const char *slot, const char *trial, const char *version); /* its lines */
/* One that stands still stands before this operation, and does it. page: what is programmed. */
void operates(enum sim_flash_op_kind kind, uint32_t addr, const uint8_t *page);
void wipe_running(void);     /* everything in slot A is erased */
void spoil_bootloader(void); /* one byte of what the factory wrote */
uint64_t broken(void);       /* promises, all together */

#endif
