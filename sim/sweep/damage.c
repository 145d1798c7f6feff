/*
 * What happens to the flash while the device is off: a bit flips in a slot, in a copy of the boot
 * config, in the journal; a sector comes to ignore erasing and programming, or to refuse them.
 */
#include "search.h"

#include <string.h>

/* Bits tried in each region: in images a sample, elsewhere one in each page that holds something.
 */
enum { IMAGE_FLIPS = 16, PAGE_FLIPS = 3 };

/* Is the address in a slot that holds the permanent image? */
static bool is_fallback(const struct sweep_world *world, const struct sweep_state *state,
                        uint32_t addr)
{
    const struct dut_layout *layout = &world->unit.layout;
    for (uint32_t slot = 0; slot < DUT_SLOTS; slot++)
        if (addr - layout->slot_addr[slot] < layout->slot_bytes)
            return sweep_image_at(world, &state->flash, layout->slot_addr[slot]) ==
                   state->env.permanent;
    return false;
}

/* Is one of the images in the slots known to be a bad one? */
static bool has_bad_one(const struct sweep_world *world, const struct sweep_state *state)
{
    for (uint32_t slot = 0; slot < DUT_SLOTS; slot++) {
        uint8_t image = sweep_image_at(world, &state->flash, world->unit.layout.slot_addr[slot]);
        if (image != IMAGE_NONE && state->env.behaviour[image] > BEHAVIOUR_HEALTHY)
            return true;
    }
    return false;
}

/*
 * False when the damage would leave nothing to survive on: the image to go back to is hit while the
 * other is known to be a bad one.
 */
bool sweep_damage(const struct sweep_world *world, struct sweep_state *state,
                  const struct sweep_blow *blow)
{
    if (blow->at >= state->flash.base->bytes)
        return false;
    if (is_fallback(world, state, blow->at)) {
        if (has_bad_one(world, state))
            return false;
        state->env.lost = 1;
    }
    sweep_env_cut(world, &state->env, blow->form);
    state->defects |= blow->form != SIM_SWEEP_ROT || world->deep;
    for (uint32_t i = 0; i < DUT_PARTS; i++)
        state->part[i].known = false;
    if (blow->form == SIM_SWEEP_ROT)
        sim_flash_flip(&state->flash, blow->at, blow->op % 8);
    else
        sim_flash_set_defect(&state->flash, blow->at,
                             blow->form == SIM_SWEEP_STUCK ? SIM_FLASH_STUCK : SIM_FLASH_WORN);
    return true;
}

static void damage(struct sweep_thread *thread, const struct sweep_item *item, uint8_t form,
                   uint32_t addr, uint32_t bit)
{
    const struct sweep_world *world = thread->search->world;
    struct sweep_blow blow = {.form = form, .op = bit, .at = addr};
    struct sweep_state state;
    uint32_t sector = addr / world->unit.layout.sector_bytes;
    if (!(world->forms >> form & 1))
        return;
    sweep_state_clone(&state, &item->state);
    if (!sweep_damage(world, &state, &blow)) {
        sweep_state_free(&state);
        return;
    }
    sweep_state_rehash(world, &state, &item->state.flash, &sector, 1);
    struct sweep_origin origin = {
        .parent = item->node, .layer = thread->search->layer + 1, .blow = blow};
    atomic_fetch_add(&thread->search->cuts_shown, 1);
    sweep_hand_over(thread, &state, &origin);
}

static bool is_blank(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != 0xFF)
            return false;
    return true;
}

/* Bits of each page of a sector that holds something: at its start, in the middle, near its end. */
static void rot_sector(struct sweep_thread *thread, const struct sweep_item *item, uint32_t sector)
{
    const struct dut_layout *layout = &thread->search->world->unit.layout;
    uint32_t page = layout->page_bytes;
    const uint8_t *bytes = sim_flash_sector_bytes(&item->state.flash, sector);
    for (uint32_t at = 0; bytes && at < layout->sector_bytes; at += page) {
        if (is_blank(bytes + at, page))
            continue;
        for (uint32_t i = 0; i < PAGE_FLIPS; i++)
            damage(thread, item, SIM_SWEEP_ROT,
                   sector * layout->sector_bytes + at + page * (2 * i + 1) / (2 * PAGE_FLIPS),
                   (at / page + 3 * i) % 8);
    }
}

static void region(struct sweep_thread *thread, const struct sweep_item *item, uint32_t addr,
                   uint32_t len)
{
    uint32_t size = thread->search->world->unit.layout.sector_bytes;
    for (uint32_t s = addr / size; s < (addr + len) / size; s++) {
        rot_sector(thread, item, s);
        damage(thread, item, SIM_SWEEP_STUCK, s * size, 0);
        damage(thread, item, SIM_SWEEP_WORN, s * size, 0);
    }
}

/* The image in a slot, its first byte and its last among the places; sectors: first, middle, last
 * of an image, and the trailer's. */
static void slot(struct sweep_thread *thread, const struct sweep_item *item, uint32_t addr)
{
    const struct sweep_world *world = thread->search->world;
    const struct dut_layout *layout = &world->unit.layout;
    uint32_t size = layout->sector_bytes, len = world->image[IMAGE_UPDATE].dut.len;
    uint32_t last = (len - 1) / size * size;
    for (uint32_t i = 0; i < IMAGE_FLIPS; i++)
        damage(thread, item, SIM_SWEEP_ROT,
               addr + (uint32_t)((uint64_t)(len - 1) * i / (IMAGE_FLIPS - 1)), i % 8);
    uint32_t sector[] = {0, last / 2 / size * size, last};
    for (uint32_t i = 0; i < 3; i++) {
        damage(thread, item, SIM_SWEEP_STUCK, addr + sector[i], 0);
        damage(thread, item, SIM_SWEEP_WORN, addr + sector[i], 0);
    }
    region(thread, item, addr + layout->slot_bytes - size, size);
}

void sweep_expand_damage(struct sweep_thread *thread, const struct sweep_item *item)
{
    const struct sweep_world *world = thread->search->world;
    const struct dut_layout *layout = &world->unit.layout;
    if (!(world->dut->traits & DUT_SURVIVES_DAMAGE) || item->state.booted)
        return;
    region(thread, item, layout->config_addr, layout->config_bytes);
    slot(thread, item, layout->slot_addr[0]);
    slot(thread, item, layout->slot_addr[1]);
    region(thread, item, layout->data_addr, layout->journal_bytes);
}
