/* All that lives on without power, its copies, and the hash of its plain sectors. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void sweep_state_clone(struct sweep_state *out, const struct sweep_state *from)
{
    *out = *from;
    if (sim_flash_clone(&out->flash, &from->flash)) {
        fprintf(stderr, "sweep: no memory for another state\n");
        abort();
    }
    out->flash.now_us = &out->now_us;
}

void sweep_state_free(struct sweep_state *state)
{
    sim_flash_free(&state->flash);
}

static XXH128_hash_t add(XXH128_hash_t a, XXH128_hash_t b)
{
    return (XXH128_hash_t){.low64 = a.low64 + b.low64, .high64 = a.high64 + b.high64};
}

static XXH128_hash_t subtract(XXH128_hash_t a, XXH128_hash_t b)
{
    return (XXH128_hash_t){.low64 = a.low64 - b.low64, .high64 = a.high64 - b.high64};
}

XXH128_hash_t sweep_sector_hash(const struct sweep_world *world, const struct sim_flash *flash,
                                uint32_t sector)
{
    uint32_t size = world->unit.layout.sector_bytes;
    XXH128_hash_t sum = {0, 0};
    enum sim_flash_defect defect = sim_flash_defect_at(flash, sector * size);
    if (defect != SIM_FLASH_SOUND) {
        uint32_t mark[2] = {sector, (uint32_t)defect};
        sum = XXH3_128bits(mark, sizeof mark);
    }
    if (world->part_of[sector])
        return sum;
    const uint8_t *bytes = sim_flash_sector_bytes(flash, sector);
    const uint8_t *mask = sim_flash_sector_mask(flash, sector);
    if (bytes)
        sum = add(sum, XXH3_128bits_withSeed(bytes, size, 2 * (uint64_t)sector));
    if (mask)
        sum = add(sum, XXH3_128bits_withSeed(mask, size, 2 * (uint64_t)sector + 1));
    return sum;
}

void sweep_state_rehash(const struct sweep_world *world, struct sweep_state *state,
                        const struct sim_flash *before, const uint32_t *sector, uint32_t sectors)
{
    for (uint32_t i = 0; i < sectors; i++) {
        if (world->part_of[sector[i]]) {
            state->part[world->part_of[sector[i]] - 1].known = false;
            state->scratch_known = false;
        }
        state->plain = subtract(state->plain, sweep_sector_hash(world, before, sector[i]));
        state->plain = add(state->plain, sweep_sector_hash(world, &state->flash, sector[i]));
    }
}

void sweep_state_settle(struct sweep_state *state)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->units; i++)
        if (sim_flash_has_unstable(&state->flash, state->unit[i].addr, state->unit[i].len))
            state->unit[kept++] = state->unit[i];
    state->units = kept;
}

void sweep_state_torn(struct sweep_state *state, enum sim_flash_op_kind kind, uint32_t addr,
                      enum scn_torn form)
{
    bool erase = kind == SIM_FLASH_ERASE;
    uint32_t len = erase ? state->flash.base->sector_bytes : state->flash.base->page_bytes;
    sweep_state_settle(state);
    if (form != SCN_TORN_UNSTABLE || !sim_flash_has_unstable(&state->flash, addr, len))
        return;
    if (state->units == SWEEP_UNITS_MAX) {
        state->crowded = true;
        return;
    }
    struct sweep_unit *unit = &state->unit[state->units++];
    memset(unit, 0, sizeof *unit);
    unit->addr = addr;
    unit->len = len;
    unit->erase = erase;
}
