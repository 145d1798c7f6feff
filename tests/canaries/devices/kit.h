/*
 * What the sound devices of this folder share: a device's RAM, and its flash by the page. No
 * decision is made here; copy.c and swap.c make them.
 *
 * Every function that returns int returns 0, or -1 when a flash operation failed or did not do what
 * was asked: what it was about is in an unknown state then, and is to be done again from its start.
 */
#ifndef DEVICES_KIT_H
#define DEVICES_KIT_H

#include "sim/dut.h"

enum { KIT_PAGE_MAX = 4096 };
/* Flash operations that fail may be a supply that is about to go: so often all is done again. */
enum { KIT_ATTEMPTS = 100 };

/* All that lives in RAM. The host fills it with A5 before boot and before run. */
struct kit {
    const struct dut_port *port;
    const struct dut_layout *layout;
    uint8_t page[KIT_PAGE_MAX], other[KIT_PAGE_MAX], back[KIT_PAGE_MAX];
};
struct kit *kit_init(void *ram, const struct dut_port *port);

void kit_put32(uint8_t at[4], uint32_t value);
uint32_t kit_get32(const uint8_t at[4]);
/* CRC-32 of IEEE 802.3. */
uint32_t kit_crc32(const void *bytes, uint32_t len);
bool kit_all_are(const uint8_t *bytes, uint32_t len, uint8_t value);
uint32_t kit_round_up(uint32_t value, uint32_t unit);
/* As texts, but runs of digits compare as numbers: 1.9.0 is before 1.10.0, Rev-C2 before Rev-C10.
 */
int kit_compare(const char *a, const char *b);

int kit_read(const struct kit *kit, uint32_t addr, void *out, uint32_t len);
/* Whole pages from addr on, filled up with FF, each read back: an operation that says it was done
 * may not have been when the supply is low. */
int kit_program(struct kit *kit, uint32_t addr, const void *bytes, uint32_t len);
/* Erases one sector and reads it back. */
int kit_erase(struct kit *kit, uint32_t addr);
/* Makes sector `to` what sector `from` is. */
int kit_copy_sector(struct kit *kit, uint32_t to, uint32_t from);

#endif
