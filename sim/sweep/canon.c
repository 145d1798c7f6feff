/*
 * The key of a state: what is hashed to know it again. Sectors outside the device's canonical
 * ranges count byte by byte, with their unstable bits and defects. The ranges count as the device
 * says (dut->canonical), once for each way in which their unstable units may read: with n units,
 * 2^n times; so a unit there needs no place of its own in the key. Not part of the key: time, wear,
 * the number of cuts so far.
 */
#include "guard.h"
#include "internal.h"

#include <string.h>

enum { CANON_MAX = 1 << 16, VIEWED_UNITS_MAX = 3 };

/* Plain bytes, unstable units as this view shows them. */
static int view_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    const struct sweep_worker *worker = ctx;
    const struct sweep_state *state = worker->viewed;
    uint8_t *bytes = out;
    if (addr > state->flash.base->bytes || len > state->flash.base->bytes - addr)
        return -1;
    sim_flash_peek(&state->flash, addr, out, len, 1);
    for (uint32_t u = 0; u < state->units; u++) {
        const struct sweep_unit *unit = &state->unit[u];
        bool done = worker->view_done & 1u << u;
        bool as_zero = unit->erase ? !done : done;
        uint32_t from = unit->addr > addr ? unit->addr : addr;
        uint32_t to = unit->addr + unit->len < addr + len ? unit->addr + unit->len : addr + len;
        for (uint32_t at = from; as_zero && at < to; at++) {
            uint32_t size = state->flash.base->sector_bytes;
            const uint8_t *mask = sim_flash_sector_mask(&state->flash, at / size);
            if (mask)
                bytes[at - addr] &= (uint8_t)~mask[at % size];
        }
    }
    return 0;
}

void sweep_view_init(struct sweep_worker *worker)
{
    worker->view =
        (struct dut_port){.ctx = worker, .unit = &worker->world->unit, .read = view_read};
}

static bool in_part(const struct sweep_world *world, const struct sweep_unit *unit, uint32_t part)
{
    return world->part_of[unit->addr / world->unit.layout.sector_bytes] == part + 1;
}

/* A part's ranges as they are: where the device has nothing to say of them. */
static XXH128_hash_t raw_part(const struct sweep_worker *worker, const struct sweep_state *state,
                              uint32_t part)
{
    const struct sweep_world *world = worker->world;
    uint32_t size = world->unit.layout.sector_bytes;
    XXH128_hash_t hash = {1, 1};
    for (uint32_t s = 0; s < world->sectors; s++) {
        if (world->part_of[s] != part + 1)
            continue;
        const uint8_t *bytes = sim_flash_sector_bytes(&state->flash, s);
        const uint8_t *mask = sim_flash_sector_mask(&state->flash, s);
        XXH128_hash_t piece[3] = {hash, {s, 0}, {s, 0}};
        if (bytes)
            piece[1] = XXH3_128bits(bytes, size);
        if (mask)
            piece[2] = XXH3_128bits(mask, size);
        hash = XXH3_128bits(piece, sizeof piece);
    }
    return hash;
}

/* Shows the flash with these units as done, and the device with nothing in its RAM. */
static void look(struct sweep_worker *worker, const struct sweep_state *state, uint32_t done)
{
    worker->viewed = state;
    worker->view_done = done;
    memset(worker->ram, 0xA5, worker->dut->ram_bytes);
    sweep_plugin_reset(&worker->plugin);
}

/* One view of a part. False where the device has nothing to say. */
static bool view_of(struct sweep_worker *worker, const struct sweep_state *state, uint32_t part,
                    uint32_t done, XXH128_hash_t *out)
{
    look(worker, state, done);
    struct sweep_call host = sweep_guard_enter(NULL, "canonical()");
    uint32_t len =
        worker->dut->canonical(worker->ram, &worker->view, part, worker->canon, CANON_MAX);
    sweep_guard_leave(host);
    if (len == 0 || len > CANON_MAX)
        return false;
    *out = XXH3_128bits(worker->canon, len);
    return true;
}

/* Does it make no difference, in any view, how this unit reads? */
static bool is_idle(const XXH128_hash_t *view, uint32_t count, uint32_t unit)
{
    for (uint32_t v = 0; v < 1u << count; v++)
        if (!XXH128_isEqual(view[v], view[v ^ 1u << unit]))
            return false;
    return true;
}

/* The views in their order, without those of idle units; *live: units that are not idle. */
static XXH128_hash_t hash_views(const XXH128_hash_t *view, uint32_t count, uint32_t *live)
{
    uint32_t idle = 0;
    *live = 0;
    XXH128_hash_t hash = {0, 0};
    for (uint32_t unit = 0; unit < count; unit++)
        if (is_idle(view, count, unit))
            idle |= 1u << unit;
        else
            ++*live;
    for (uint32_t v = 0; v < 1u << count; v++) {
        if (v & idle)
            continue;
        XXH128_hash_t piece[2] = {hash, view[v]};
        hash = XXH3_128bits(piece, sizeof piece);
    }
    return hash;
}

/* The units of mine that are as done in view v, as bits by their place in the state. */
static uint32_t spread(uint32_t v, const uint32_t *mine, uint32_t count)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < count; i++)
        done |= (v >> i & 1) << mine[i];
    return done;
}

static void tell_part(struct sweep_worker *worker, struct sweep_state *state, uint32_t part)
{
    uint32_t mine[SWEEP_UNITS_MAX], count = 0;
    XXH128_hash_t view[1 << VIEWED_UNITS_MAX];
    for (uint32_t u = 0; u < state->units; u++)
        if (in_part(worker->world, &state->unit[u], part))
            mine[count++] = u;
    bool viewed = count <= VIEWED_UNITS_MAX && !state->crowded && !state->defects;
    for (uint32_t v = 0; viewed && v < 1u << count; v++)
        viewed = view_of(worker, state, part, spread(v, mine, count), &view[v]);
    state->part[part].known = true;
    state->part[part].viewed = viewed;
    state->part[part].live = count;
    state->part[part].hash =
        viewed ? hash_views(view, count, &state->part[part].live) : raw_part(worker, state, part);
}

/* What all views agree on as never read again; nothing, where they differ. */
static void tell_scratch(struct sweep_worker *worker, struct sweep_state *state)
{
    uint32_t mine[SWEEP_UNITS_MAX], count = 0;
    state->scratch_known = true;
    state->scratches = 0;
    for (uint32_t u = 0; u < state->units; u++)
        if (worker->world->part_of[state->unit[u].addr / worker->world->unit.layout.sector_bytes])
            mine[count++] = u;
    if (!worker->dut->scratch || !worker->world->deep || count > VIEWED_UNITS_MAX ||
        state->crowded || state->defects)
        return;
    for (uint32_t v = 0; v < 1u << count; v++) {
        struct dut_range range[SWEEP_SCRATCH_MAX];
        memset(range, 0, sizeof range);
        look(worker, state, spread(v, mine, count));
        struct sweep_call host = sweep_guard_enter(NULL, "scratch()");
        uint32_t found = worker->dut->scratch(worker->ram, &worker->view, range, SWEEP_SCRATCH_MAX);
        sweep_guard_leave(host);
        found = found > SWEEP_SCRATCH_MAX ? 0 : found;
        if (v > 0 && (found != state->scratches || memcmp(range, state->scratch, sizeof range))) {
            state->scratches = 0;
            return;
        }
        memcpy(state->scratch, range, sizeof range);
        state->scratches = found;
    }
}

static bool is_scratch(const struct sweep_state *state, uint32_t addr)
{
    for (uint32_t i = 0; i < state->scratches; i++)
        if (addr - state->scratch[i].addr < state->scratch[i].len)
            return true;
    return false;
}

/* Is the unit told by how its part reads with and without it? */
static bool is_viewed(const struct sweep_world *world, const struct sweep_state *state, uint32_t u)
{
    uint8_t part = world->part_of[state->unit[u].addr / world->unit.layout.sector_bytes];
    return part && state->part[part - 1].viewed;
}

/* The sum over plain sectors, those in scratch ranges as blank or not. */
static XXH128_hash_t plain_of(const struct sweep_world *world, const struct sweep_state *state)
{
    uint32_t size = world->unit.layout.sector_bytes;
    XXH128_hash_t sum = state->plain;
    for (uint32_t i = 0; i < state->scratches; i++) {
        const struct dut_range *range = &state->scratch[i];
        uint32_t end = (range->addr + range->len) / size;
        for (uint32_t s = (range->addr + size - 1) / size; s < end && s < world->sectors; s++) {
            if (world->part_of[s] || (!sim_flash_sector_bytes(&state->flash, s) &&
                                      !sim_flash_sector_mask(&state->flash, s)))
                continue;
            XXH128_hash_t was = sweep_sector_hash(world, &state->flash, s);
            uint32_t dirty[2] = {s, 1};
            XXH128_hash_t is = XXH3_128bits_withSeed(dirty, sizeof dirty, UINT64_MAX);
            sum.low64 += is.low64 - was.low64;
            sum.high64 += is.high64 - was.high64;
        }
    }
    return sum;
}

static void tell_all(struct sweep_worker *worker, struct sweep_state *state)
{
    for (uint32_t part = 0; part < worker->world->parts; part++)
        if (!state->part[part].known)
            tell_part(worker, state, part);
    if (worker->world->parts && !state->scratch_known)
        tell_scratch(worker, state);
}

uint32_t sweep_live_units(struct sweep_worker *worker, struct sweep_state *state)
{
    uint32_t live = 0;
    tell_all(worker, state);
    for (uint32_t part = 0; part < worker->world->parts; part++)
        live += state->part[part].live;
    for (uint32_t u = 0; u < state->units; u++)
        live += !worker->world
                     ->part_of[state->unit[u].addr / worker->world->unit.layout.sector_bytes] &&
                !is_scratch(state, state->unit[u].addr);
    return live;
}

uint32_t sweep_canon_max(void)
{
    return CANON_MAX;
}

XXH128_hash_t sweep_state_key(struct sweep_worker *worker, struct sweep_state *state)
{
    struct {
        XXH128_hash_t plain, part[DUT_PARTS];
        struct sweep_env env;
        struct sweep_unit unit[SWEEP_UNITS_MAX];
        uint32_t units;
        uint32_t booted, image_addr, slot, trial, watchdog_s, handoff[8];
    } key;
    memset(&key, 0, sizeof key);
    tell_all(worker, state);
    for (uint32_t part = 0; part < worker->world->parts; part++)
        key.part[part] = state->part[part].hash;
    key.plain = plain_of(worker->world, state);
    key.env = state->env;
    for (uint32_t u = 0; u < state->units; u++)
        if (!is_scratch(state, state->unit[u].addr) && !is_viewed(worker->world, state, u))
            key.unit[key.units++] = state->unit[u];
    key.units |= state->crowded ? 0x100 : 0;
    if (state->booted) {
        key.booted = 1u + state->running;
        key.image_addr = state->boot.image_addr;
        key.slot = state->boot.slot;
        key.trial = state->boot.trial;
        key.watchdog_s = state->boot.watchdog_s;
        memcpy(key.handoff, state->boot.handoff, sizeof key.handoff);
    }
    return XXH3_128bits(&key, sizeof key);
}
