/*
 * NOR flash of one device: erase sectors, program units (pages), typical timings, wear, torn
 * operations, worn, stuck and rotten bits. Copy-on-write in sectors; a sector that was never
 * written is the base's, an erased one is shared, and one that equals a known image's sector is
 * shared with it (after a byte comparison). Stricter than hardware: alignment, bounds, and programs
 * of 0 to 1 are counted as violations.
 *
 * A power cut takes the control flow away: the operation in progress is torn and `power_lost` is
 * called, which does not return (longjmp to the device's power-off). Not thread-safe per flash, but
 * a clone may be used and freed by another thread than its original; base and known images are
 * constant and shared by all threads.
 */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include "boot/flash.h"
#include "scn/scenario.h" /* enum scn_torn: the torn forms have one list */
#include "sim/rng.h"
#include <stdbool.h>

/* Typical times of a W25Q-class part (RIG-FACTS section 3), in microseconds. */
struct sim_flash_timing {
    uint32_t program_us /* a page, 700 */, erase_us /* a sector, 45,000 */,
        read_us_per_4k /* 330 */;
};

/* Content that every device starts with; sectors never set read FF. Constant after it is built. */
struct sim_flash_base {
    uint32_t bytes, sector_bytes, page_bytes;
    uint8_t **sector; /* NULL: erased */
    bool *borrowed;   /* the sector is a known image's, which outlives the base */
};
int sim_flash_base_init(struct sim_flash_base *base, uint32_t bytes, uint32_t sector_bytes,
                        uint32_t page_bytes);
/* Copies bytes in (any address; read-modify-write of FF-filled sectors). 0 or -1. */
int sim_flash_base_put(struct sim_flash_base *base, uint32_t addr, const void *data, uint32_t len);
void sim_flash_base_free(struct sim_flash_base *base);

/* Known images, cut into sectors, padded with FF. Programmed content is compared with image sector
 * (addr - slot start) / sector_bytes of each. */
enum { SIM_FLASH_KNOWN_MAX = 32 };
struct sim_flash_known {
    uint32_t count;
    /* sector[i]: the one pointer that stands for this content: NULL when all FF, an
     * earlier image's when that has the same bytes there, else bytes + i * sector_bytes. */
    struct {
        uint32_t sectors;
        uint8_t *bytes;
        const uint8_t **sector;
    } image[SIM_FLASH_KNOWN_MAX];
    uint32_t slot_addr[BOOT_SLOTS], slot_bytes, sector_bytes;
};
void sim_flash_known_init(struct sim_flash_known *known, const struct boot_layout *layout);
int sim_flash_known_add(struct sim_flash_known *known, const void *image,
                        uint32_t len); /* index, or -1 */
void sim_flash_known_free(struct sim_flash_known *known);

/* Replaces the sectors of the base that equal those of a known image lying at addr by the image's
 * own, so that sim_flash_known_at recognises them without a comparison. No put may follow there;
 * known outlives base. */
void sim_flash_base_share(struct sim_flash_base *base, const struct sim_flash_known *known,
                          int image, uint32_t addr);

enum sim_flash_op_kind { SIM_FLASH_PROGRAM, SIM_FLASH_ERASE };
/* One port call: an erase of a sector, or a program of one or more pages. units = pages, or 1. */
struct sim_flash_call {
    enum sim_flash_op_kind kind;
    uint32_t addr, len, units;
    const uint8_t *data; /* len bytes, the caller's, valid during the call; NULL for an erase */
};
/* What comes after the unit that was torn. The last two are a brown-out: neither `torn` nor
 * `power_lost` is called. */
enum sim_flash_then {
    SIM_FLASH_POWER_GOES = 0,
    SIM_FLASH_CALL_FAILS, /* -1 at the unit's end, and nothing behind it is done */
    SIM_FLASH_CALL_LIES   /* the units behind it are done, and 0 (-1 at a worn sector, as ever) */
};
/* Where in the call something goes wrong: in unit `unit`, torn so. */
struct sim_flash_cut {
    uint32_t unit;
    enum scn_torn form;
    uint32_t tear; /* PREFIX, SUFFIX: bytes from the start of the unit at which it tears, 1 .. bytes
                    * of the unit - 1; 0: drawn */
    enum sim_flash_then then;
};

enum sim_flash_violation {
    SIM_FLASH_V_ALIGN,
    SIM_FLASH_V_BOUNDS,
    SIM_FLASH_V_OVERWRITE /* asked 0 -> 1 */,
    SIM_FLASH_V_PROTECTED,
    SIM_FLASH_V_KINDS
};

struct sim_flash_hooks {
    void *ctx;
    /* Asked before each call: true fills *cut. Called after the device's time was advanced to the
     * call. It may clone the flash, and apply the call to the clone. */
    bool (*before)(void *ctx, const struct sim_flash_call *call, struct sim_flash_cut *cut);
    /* Told after a call which completed, or lies that it did (for the log). May be NULL. */
    void (*after)(void *ctx, const struct sim_flash_call *call);
    void (*violation)(void *ctx, enum sim_flash_violation kind, uint32_t addr);
    /* Told what was torn, just before power_lost. */
    void (*torn)(void *ctx, enum sim_flash_op_kind kind, uint32_t addr, enum scn_torn form);
    void (*power_lost)(void *ctx); /* does not return */
    /* What unstable bits read as, for a caller who tries all answers; NULL: by chance. Asked by a
     * read, once for each sector of it that has unstable bits in the part [addr, addr + len) which
     * is read. out holds the content, with 1 where a mask bit is set: clear bits of it within the
     * mask, and no others. */
    void (*unstable)(void *ctx, uint32_t addr, const uint8_t *mask, uint8_t *out, uint32_t len);
};

struct sim_flash_stats {
    uint64_t programs, erases;
    uint32_t wear_max;
    uint64_t violations;
    uint64_t cuts;
};

struct sim_flash_leaf; /* 16 sectors; shared with clones until one writes there */
struct sim_flash {
    const struct sim_flash_base *base;
    const struct sim_flash_known *known;
    const struct sim_flash_timing *timing;
    struct sim_flash_hooks hooks;
    int64_t *now_us; /* the device's clock, advanced by each operation */
    int64_t
        cut_at_us; /* power goes at this time: hits the operation in progress; INT64_MAX never, and
                    * set to that once this cut, or a later one ordered by `before`, has hit */
    enum scn_torn cut_form; /* form used for cut_at_us; SCN_TORN_ANY draws one */
    uint32_t protect_from,
        protect_to;           /* no program, no erase here (running image); from == to: none */
    uint32_t boot_protect_to; /* nor in [0, here): the bootloader region */
    struct sim_rng torn_rng, read_rng; /* how bits tear; how unstable bits read */
    struct sim_flash_stats stats;
    struct sim_flash_leaf **leaf;
    uint32_t leaves;
    struct boot_flash port; /* ctx = this flash: what bootloader and agent get */
};

/* 0 or -1. The port's functions then work. Reads advance the clock by timing->read_us_per_4k. */
int sim_flash_init(struct sim_flash *flash, const struct sim_flash_base *base,
                   const struct sim_flash_known *known, const struct sim_flash_timing *timing,
                   int64_t *now_us, uint64_t seed, uint32_t device);
void sim_flash_free(struct sim_flash *flash);
/* Copy of content, unstable bits, wear, defects, streams and statistics. Leaves and their sectors
 * are shared by reference count; whoever writes first copies what it writes. The original must rest
 * during the call (several threads may clone it at once); after it, each of the two may be used and
 * freed by a thread of its own. Hooks and now_us are copied; reset them. 0, or -1 with nothing to
 * free. */
int sim_flash_clone(struct sim_flash *out, const struct sim_flash *from);
/* Restarts torn_rng and read_rng as the streams (seed, device, TORN or UNSTABLE, index); init does
 * so with index 0. */
void sim_flash_reseed(struct sim_flash *flash, uint64_t seed, uint32_t device, uint32_t index);

/* Leaves cells, statistics (programs, erases, wear, cuts) and streams as this call, cut so, would
 * leave them; cut NULL: as the whole call would. No hook is asked or told, no time passes, no
 * violation is counted, cut_at_us is not looked at. Stuck sectors ignore it, and a worn one ends
 * the call before the cut. The call must be one that the port would not refuse; form ANY is a
 * misuse. */
void sim_flash_apply(struct sim_flash *flash, const struct sim_flash_call *call,
                     const struct sim_flash_cut *cut);

/* Whole sectors from addr on hold these bytes, and nothing unstable: what a file says. No rule, no
 * time, no count, no hook. Returns how many of them held something else. */
uint32_t sim_flash_load(struct sim_flash *flash, uint32_t addr, const void *bytes, uint32_t len);

/* From outside, without time, hooks or disturbance: what the cells hold. Unstable bits read as
 * `unstable_as` (0 or 1). Used by the oracle and by tests. */
void sim_flash_peek(const struct sim_flash *flash, uint32_t addr, void *out, uint32_t len,
                    int unstable_as);
/* The same without a copy, for comparison; sector counts from address 0. bytes: NULL if and only if
 * all are FF; unstable bits are 1. mask: 1 where a bit is unstable, NULL if and only if none is.
 * Both have sector_bytes bytes and are valid until this flash is written to or freed. Equal sectors
 * may be different pointers. */
const uint8_t *sim_flash_sector_bytes(const struct sim_flash *flash, uint32_t sector);
const uint8_t *sim_flash_sector_mask(const struct sim_flash *flash, uint32_t sector);
bool sim_flash_has_unstable(const struct sim_flash *flash, uint32_t addr, uint32_t len);
/* If all sectors of [addr, addr + len) (addr at a sector) are shared with one known image from its
 * first sector to its last (len covers the whole image): its index, the lowest one; else -1. A
 * sector that is still the base's is compared by bytes. Lets the oracle remember a verdict by
 * content. */
int sim_flash_known_at(const struct sim_flash *flash, uint32_t addr, uint32_t len);

/* Faults. Bits flipped in place; a sector that ignores erases and programs; a sector that fails
 * them (-1). */
void sim_flash_flip(struct sim_flash *flash, uint32_t addr, uint32_t bit);
enum sim_flash_defect { SIM_FLASH_SOUND, SIM_FLASH_STUCK, SIM_FLASH_WORN };
void sim_flash_set_defect(struct sim_flash *flash, uint32_t addr, enum sim_flash_defect defect);
enum sim_flash_defect sim_flash_defect_at(const struct sim_flash *flash, uint32_t addr);

/* Private heap of this device, without the allocator's and the counts' own bytes. What is shared
 * with clones is counted in full in each. */
uint64_t sim_flash_memory_bytes(const struct sim_flash *flash);

#endif
