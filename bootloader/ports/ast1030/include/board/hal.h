/*
 * The board's hardware, for the bootloader and for the firmware: time, NOR flash, UARTs, watchdog,
 * straps, reset. Each is a file of its own in ports/ast1030/hal. One thread; interrupts are the
 * alarm that ends a wait and the OTA line's receiver alone. NULL is misuse. A program is
 * `int main(void)`: start-up and vector table are hal/start.c.
 */
#ifndef BOARD_HAL_H
#define BOARD_HAL_H

#include "board/layout.h"
#include "board/mailbox.h"
#include "boot/flash.h"
#include <stdbool.h>
#include <stddef.h>

/* ---- Time: since the reset ---- */
void board_time_start(void); /* first of all calls; interrupts are on from here */
uint64_t board_us(void);     /* 1 us, never goes back */
uint32_t board_ms(void);
/* WFI until the OTA line has received or until_ms is reached, whichever is first; returns at once
 * when it received since the last call returned. Never spins. */
void board_idle(uint32_t until_ms);
void board_wait_us(uint32_t us); /* interrupts are served meanwhile */

/* ---- NOR: W25Q80 on the FMC, one page or sector an operation, JEDEC commands ----
 * Each call waits for the part: 0.7 ms for a page, 45 ms for a sector by the data sheet (the
 * emulation is never busy), then WIP. -1: not possible (alignment, bounds), or the part did not
 * become ready. Notes each operation in the probe. */
void board_nor_start(void);
int board_nor_read(void *ctx, uint32_t addr, void *out, uint32_t len);
int board_nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len);
int board_nor_erase(void *ctx, uint32_t addr);
extern const struct boot_flash board_flash; /* the three above */

/* ---- Console: UART5, polled, out only; LF is sent as CR LF. What a console that stands still does
 * not take within 20 ms is lost ---- */
void board_console_start(void);
void board_console_put(const char *text);
/* %s %c %d %u %x %% and a width with 0; at most 255 characters. */
void board_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line as ota-agent's log writes it, without the time: begin, members, end. Values with blanks or
 * quotation marks are quoted, as there. `id` is kept, not copied; NULL: no device member. */
void board_log_device(const char *id);
void board_log_begin(const char *level, const char *event); /* level: "info", "warn", "error" */
void board_log_text(const char *key, const char *text);
void board_log_number(const char *key, uint32_t number);
void board_log_end(void);

/* ---- OTA line: UART1, received by interrupt into a ring of 8 KiB ---- */
void board_link_start(void);
size_t board_link_read(void *out, size_t max); /* what has come, 0: nothing */
/* Waits while the FIFO is full, 20 ms at most: how much got out. The rest is lost, as by a cut. */
size_t board_link_write(const void *bytes, size_t len);
uint32_t board_link_overruns(void); /* bytes lost since the start */

/* ---- Watchdog: WDT1, up to 4,294,967 ms. Started once, it can't be stopped; a reset is noted as
 * BOOT_RESET_WATCHDOG at the next boot ---- */
void board_watchdog_start(uint32_t ms);
void board_watchdog_kick(void);

/* ---- Straps and reset ---- */
uint32_t board_straps(void); /* BOARD_STRAP_.. bits */
_Noreturn void board_reset(enum board_note note);
/* Both vector tables lead faults here: notes HARD_FAULT, pc and status, and resets. */

#endif
