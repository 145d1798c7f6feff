#include "state.h"
#include "boot/error.h"
#include "bytes.h"

int boot_state_read(const struct boot_env *env, int running, struct boot_state *out)
{
    int sector;
    if (running != BOOT_SLOT_A && running != BOOT_SLOT_B)
        return BOOT_ERANGE;
    int error = boot_config_read(env->flash, env->layout, &out->config, &sector);
    for (int slot = 0; slot < BOOT_SLOTS && !error; slot++)
        error = boot_trailer_read(env->flash, env->layout, slot, &out->trailer[slot]);
    return error;
}

bool boot_state_is_trial(const struct boot_state *state, int running)
{
    uint32_t own = state->trailer[running].confirmed;
    bool tried = state->config.next == running && state->config.active != running;
    return own == 0 || (tried && own <= state->trailer[!running].confirmed);
}

int boot_state_mark(const struct boot_env *env, const struct boot_state *state, int slot)
{
    uint32_t own = state->trailer[slot].confirmed;
    uint32_t other = state->trailer[!slot].confirmed;
    if (own <= other && other == UINT32_MAX)
        return BOOT_ERANGE;
    return boot_trailer_mark(env->flash, env->layout, slot, own > other ? own : other + 1);
}

/* The header by itself, unverified: good enough for a floor, never for what boots. */
static bool read_counter(const struct boot_env *env, const struct boot_trailer *trailer, int slot,
                         uint32_t *counter)
{
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    const struct boot_flash *flash = env->flash;
    uint32_t addr = env->layout->slot_addr[slot];
    if (!trailer->signed_image || flash->read(flash->ctx, addr, header, sizeof header) < 0 ||
        boot_image_decode(&image, header) != BOOT_OK || image.image_bytes != trailer->image_bytes)
        return false;
    *counter = image.security_counter;
    return true;
}

void boot_state_raise_limits(const struct boot_env *env, const struct boot_state *state, int slot,
                             struct boot_config *config)
{
    const struct boot_trailer *own = &state->trailer[slot];
    const struct boot_trailer *other = &state->trailer[!slot];
    uint32_t floor, fallback;
    if (!boot_config_is_revoked(config, own->cert_id, false))
        config->revoked_at_boot = (uint8_t)((1u << config->revoked_count) - 1);
    if (!read_counter(env, own, slot, &floor))
        return;
    if (other->confirmed && !boot_config_is_revoked(config, other->cert_id, true) &&
        read_counter(env, other, !slot, &fallback) && fallback < floor &&
        fallback >= config->security_counter)
        floor = fallback;
    if (floor > config->security_counter)
        config->security_counter = floor;
}
