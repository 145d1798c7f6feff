/*
 * What no code reads before it has erased it: the rest of a slot which is staged. A slot whose
 * trailer has no body never boots (bootloader/core/verify.c: EMPTY); agent/core/stage.c erases each
 * sector right before its first program, and believes only the durable bytes that the journal
 * names. So behind those, in a slot without a trailer, only blank or not is left to tell.
 */
#include "canon.h"

static bool is_empty(const struct own_env *env, int slot)
{
    struct boot_trailer trailer;
    return !boot_trailer_read(&env->flash, &env->layout, slot, &trailer) && !trailer.signed_image;
}

uint32_t own_scratch(struct own_canon *canon, const struct dut_port *view, struct dut_range *out,
                     uint32_t max)
{
    struct boot_config config;
    int sector;
    own_env(&canon->env, view);
    const struct own_env *env = &canon->env;
    const struct boot_layout *layout = &env->layout;
    if (max == 0 || boot_config_read(&env->flash, layout, &config, &sector) ||
        config.next != config.active)
        return 0;
    int slot = !config.active;
    if (!is_empty(env, slot) || is_empty(env, config.active) ||
        agent_journal_open(&canon->journal, &env->flash, layout))
        return 0;
    uint32_t size = layout->sector_bytes, end = layout->slot_bytes - size;
    uint32_t durable = (canon->journal.durable_bytes + size - 1) / size * size;
    if (durable >= end)
        return 0;
    *out = (struct dut_range){layout->slot_addr[slot] + durable, end - durable, 0};
    return 1;
}
