/* The bootloader's parts. Inside of rom, but for copy.h. */
#ifndef BOARD_ROM_ROM_H
#define BOARD_ROM_ROM_H

#include "board/factory.h"
#include "boot/bearssl.h"
#include "boot/boot.h"

/* ---- wake.c: why the board was reset, by the mailbox and the straps ---- */
enum boot_reset rom_wake(uint32_t straps); /* takes the note, counts the boot */
const char *rom_last_end(enum boot_reset reset); /* as ota-agent names it */

/* ---- crypto.c: the BearSSL port with a clock around the work ---- */
struct rom_crypto {
    struct boot_bearssl bearssl;
    struct boot_crypto inner;
    uint64_t begun_us;
    uint32_t last_us; /* from the begin of the last hash to the end of its verification */
};
void rom_crypto_start(struct rom_crypto *crypto, struct boot_crypto *out);

/* ---- report.c: the console's lines ---- */
void rom_report_start(enum boot_reset reset, uint32_t straps);
void rom_report_boot(const struct boot_outcome *outcome, enum boot_reset reset);
void rom_report_no_boot(int error, const struct boot_outcome *outcome);
void rom_report_stay(const char *why);
void rom_report_refused(int slot, const char *why);

#endif
