/*
 * The cells of one device's flash, sector by sector. Inside sim/flash only.
 *
 * A sector's content is a pointer: NULL is erased, else it is the base's, a known image's, or (with
 * the `owned` bit set) a block of private heap. Unstable bits are a mask beside it; where a mask
 * bit is set, the content bit is 1 and a read may return 0. A leaf exists for 16 sectors as soon as
 * one of them differs from the base.
 *
 * Leaves and blocks are counted in references, because clones share them: a change begins with an
 * `own` or `private` function, which copies what somebody else holds too. A flash holds its leaves,
 * a leaf its blocks, once each.
 */
#ifndef SIM_FLASH_CELLS_H
#define SIM_FLASH_CELLS_H

#include "sim/flash.h"

#include <stdatomic.h>
#include <stddef.h>

enum { SIM_FLASH_LEAF_SECTORS = 16 };

struct sim_flash_leaf {
    atomic_uint refs; /* flashes that hold it */
    const uint8_t *content[SIM_FLASH_LEAF_SECTORS];
    uint8_t *unstable[SIM_FLASH_LEAF_SECTORS]; /* blocks; NULL: none */
    uint32_t wear[SIM_FLASH_LEAF_SECTORS];     /* erases begun */
    uint8_t defect[SIM_FLASH_LEAF_SECTORS];    /* enum sim_flash_defect */
    uint16_t owned;                            /* bit i: content[i] is a block */
};

/* Heap that a run can't go on without. Running out ends the process: a failed flash operation would
 * be a result of the simulation, and a wrong one. */
void *sim_flash_alloc(size_t bytes);

/* A count of holders, made 1 by atomic_init. drop: true for the last one, which frees. */
bool sim_flash_ref_alone(const atomic_uint *refs);
void sim_flash_ref_keep(atomic_uint *refs);
bool sim_flash_ref_drop(atomic_uint *refs);

/* A block of bytes with such a count: new (one holder, bytes not set), one holder more, one less
 * (NULL: nothing), and made the caller's alone: itself, or a copy instead of it. */
uint8_t *sim_flash_block_new(uint32_t len);
void sim_flash_block_keep(const uint8_t *bytes);
void sim_flash_block_drop(const uint8_t *bytes);
uint8_t *sim_flash_block_own(const uint8_t *bytes, uint32_t len);

bool sim_flash_all_ff(const uint8_t *bytes, uint32_t len);

/* The sector with address `addr`, and how many of `len` bytes from there on are in it. */
uint32_t sim_flash_sector_of(const struct sim_flash *flash, uint32_t addr);
uint32_t sim_flash_sector_rest(const struct sim_flash *flash, uint32_t addr, uint32_t len);

/* The leaf of a sector, made from the base when it is not there, and copied when it is shared. */
struct sim_flash_leaf *sim_flash_leaf_own(struct sim_flash *flash, uint32_t sector);
/* One holder less. NULL: nothing. */
void sim_flash_leaf_drop(struct sim_flash_leaf *leaf);

/* Makes a sector's content this shared pointer (or NULL), and drops what it owned. */
void sim_flash_share(struct sim_flash *flash, uint32_t sector, const uint8_t *content);
/* A sector's private bytes, made from what it holds; nobody else holds them. */
uint8_t *sim_flash_private(struct sim_flash *flash, uint32_t sector);
/* A sector's mask of unstable bits, made empty, held by nobody else; and its end. */
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

/* Where a call is hit by a cut, and when that is. cut.unit == SIM_FLASH_NO_CUT: it is not. The form
 * is not ANY any more. */
#define SIM_FLASH_NO_CUT UINT32_MAX
struct sim_flash_hit {
    struct sim_flash_cut cut;
    int64_t at_us;
};
struct sim_flash_hit sim_flash_hit_find(struct sim_flash *flash, const struct sim_flash_call *call,
                                        uint32_t unit_us);
/* Sets the clock to the cut and hands over to power_lost. Never returns. */
_Noreturn void sim_flash_power_lost(struct sim_flash *flash, int64_t at_us);

void sim_flash_violated(struct sim_flash *flash, enum sim_flash_violation kind, uint32_t addr);

/* Bytes of one unit of a call: a page, or a sector. */
uint32_t sim_flash_unit_bytes(const struct sim_flash *flash, const struct sim_flash_call *call);

/* What a call does to the cells and to the counts of programs, erases and wear, with a cut (form
 * not ANY) or without (NULL). No time, no hook but, with `watch`, violations for overwrites.
 * *begun: the units that were begun, unless it was CUT. */
enum sim_flash_end {
    SIM_FLASH_END_DONE,
    SIM_FLASH_END_FAILED, /* at a worn sector, or by the cut */
    SIM_FLASH_END_CUT     /* the power goes now */
};
enum sim_flash_end sim_flash_carry_out(struct sim_flash *flash, const struct sim_flash_call *call,
                                       const struct sim_flash_cut *cut, bool watch,
                                       uint32_t *begun);

/* The torn result of one page program or one sector erase, in a sound sector. */
void sim_flash_tear_program(struct sim_flash *flash, uint32_t addr, const uint8_t *data,
                            const struct sim_flash_cut *cut);
void sim_flash_tear_erase(struct sim_flash *flash, uint32_t sector,
                          const struct sim_flash_cut *cut);
/* A finished erase: all FF, no unstable bit. */
void sim_flash_erase_cells(struct sim_flash *flash, uint32_t sector);

/* The port's three functions, see struct boot_flash. */
int sim_flash_port_read(void *ctx, uint32_t addr, void *out, uint32_t len);
int sim_flash_port_program(void *ctx, uint32_t addr, const void *data, uint32_t len);
int sim_flash_port_erase(void *ctx, uint32_t addr);

#endif
