/*
 * The cells of one device's flash, sector by sector. Inside sim/flash only.
 *
 * A sector's content is a pointer: NULL is erased, else it is the base's, a known image's, or (with
 * the `owned` bit set) private heap. Unstable bits are a mask beside it; where a mask bit is set,
 * the content bit is 1 and a read may return 0. A leaf exists for 16 sectors as soon as one of them
 * differs from the base.
 */
#ifndef SIM_FLASH_CELLS_H
#define SIM_FLASH_CELLS_H

#include "sim/flash.h"

#include <stddef.h>

enum { SIM_FLASH_LEAF_SECTORS = 16 };

struct sim_flash_leaf {
    const uint8_t *content[SIM_FLASH_LEAF_SECTORS];
    uint8_t *unstable[SIM_FLASH_LEAF_SECTORS]; /* NULL: none */
    uint32_t wear[SIM_FLASH_LEAF_SECTORS];     /* erases begun */
    uint8_t defect[SIM_FLASH_LEAF_SECTORS];    /* enum sim_flash_defect */
    uint16_t owned;                            /* bit i: content[i] is this device's own heap */
};

/* Heap that a run can't go on without. Running out ends the process: a failed flash operation would
 * be a result of the simulation, and a wrong one. */
void *sim_flash_alloc(size_t bytes);

bool sim_flash_all_ff(const uint8_t *bytes, uint32_t len);

/* The sector with address `addr`, and how many of `len` bytes from there on are in it. */
uint32_t sim_flash_sector_of(const struct sim_flash *flash, uint32_t addr);
uint32_t sim_flash_sector_rest(const struct sim_flash *flash, uint32_t addr, uint32_t len);

/* What a sector holds now; NULL: erased, no unstable bit. */
const uint8_t *sim_flash_content(const struct sim_flash *flash, uint32_t sector);
const uint8_t *sim_flash_unstable(const struct sim_flash *flash, uint32_t sector);
enum sim_flash_defect sim_flash_defect_of(const struct sim_flash *flash, uint32_t sector);

/* The leaf of a sector, made from the base when it is not there. */
struct sim_flash_leaf *sim_flash_leaf_own(struct sim_flash *flash, uint32_t sector);

/* Makes a sector's content this shared pointer (or NULL), and frees what it owned. */
void sim_flash_share(struct sim_flash *flash, uint32_t sector, const uint8_t *content);
/* A sector's private bytes, made from what it holds. */
uint8_t *sim_flash_private(struct sim_flash *flash, uint32_t sector);
/* A sector's mask of unstable bits, made empty; and its end. */
uint8_t *sim_flash_unstable_own(struct sim_flash *flash, uint32_t sector);
void sim_flash_unstable_drop(struct sim_flash *flash, uint32_t sector);

/* Clears the bits that are 0 in data, in one sector, as silicon does: whatever the cells held. */
void sim_flash_clear_bits(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                          uint32_t len);
/* After a change of [from, to) in a sector: empty masks go, and content that is a known image's or
 * all FF is shared again. */
void sim_flash_settle(struct sim_flash *flash, uint32_t sector, uint32_t from, uint32_t to);

/* The known image sector with these bytes at this sector's place in a slot, or NULL. Bytes outside
 * [from, to) are compared first: while an image is being programmed page by page they differ at
 * once. */
const uint8_t *sim_flash_known_find(const struct sim_flash *flash, uint32_t sector,
                                    const uint8_t *bytes, uint32_t from, uint32_t to);

/* Random bytes from a stream, four to a draw, in an order that does not depend on the machine. */
struct sim_flash_noise {
    struct sim_rng *rng;
    uint32_t word, left;
};
uint8_t sim_flash_noise_byte(struct sim_flash_noise *noise);

/* Where a call is hit by a power cut, and when that is. unit == SIM_FLASH_NO_CUT: it is not. */
#define SIM_FLASH_NO_CUT UINT32_MAX
struct sim_flash_hit {
    uint32_t unit;
    enum scn_torn form;
    int64_t at_us;
};
struct sim_flash_hit sim_flash_hit_find(struct sim_flash *flash, const struct sim_flash_call *call,
                                        uint32_t unit_us);
/* Sets the clock to the cut and hands over to power_lost. Never returns. */
_Noreturn void sim_flash_power_lost(struct sim_flash *flash, int64_t at_us);

/* The torn result of one page program or one sector erase. */
void sim_flash_tear_program(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                            enum scn_torn form);
void sim_flash_tear_erase(struct sim_flash *flash, uint32_t sector, enum scn_torn form);
/* A finished erase: all FF, no unstable bit. */
void sim_flash_erase_cells(struct sim_flash *flash, uint32_t sector);

/* The port's three functions, see struct boot_flash. */
int sim_flash_port_read(void *ctx, uint32_t addr, void *out, uint32_t len);
int sim_flash_port_program(void *ctx, uint32_t addr, const void *data, uint32_t len);
int sim_flash_port_erase(void *ctx, uint32_t addr);

#endif
