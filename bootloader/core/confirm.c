/*
 * Confirm, revert, revoke. The slot's mark always comes before the config: a cut between them
 * leaves a slot that proves itself and a config which the next boot completes.
 */
#include "boot/boot.h"
#include "bytes.h"
#include "mem.h"
#include "state.h"

static void settle_on(struct boot_config *config, int slot, enum boot_cause cause)
{
    config->active = (uint8_t)slot;
    config->next = (uint8_t)slot;
    config->rollback_on_fail = 1;
    config->trial_left = 0;
    config->trial_total = 0;
    config->faulty_boots = 0;
    config->cause = (uint8_t)cause;
}

int boot_confirm(const struct boot_env *env, int running)
{
    struct boot_state state;
    int error = boot_state_read(env, running, &state);
    if (error)
        return error;
    struct boot_config *config = &state.config;
    if (config->active == running && state.trailer[running].confirmed) {
        if (config->faulty_boots == 0)
            return BOOT_OK;
        config->faulty_boots = 0;
        return boot_config_write(env->flash, env->layout, config);
    }
    bool booted = config->active == running || config->next == running;
    if (!state.trailer[running].signed_image || (!booted && boot_state_is_trial(&state, running)))
        return BOOT_ESTATE;
    error = boot_state_mark(env, &state, running);
    if (error)
        return error;
    settle_on(config, running, BOOT_CAUSE_CONFIRMED);
    boot_state_raise_limits(env, &state, running, config);
    return boot_config_write(env->flash, env->layout, config);
}

int boot_revert(const struct boot_env *env, int running)
{
    struct boot_state state;
    int error = boot_state_read(env, running, &state);
    if (error)
        return error;
    int other = !running;
    if (!state.trailer[other].signed_image ||
        (!state.trailer[other].confirmed && state.config.active != other))
        return BOOT_ESTATE;
    /*
     * The slot to go back to becomes the highest confirmed one, so that it also boots when the
     * config is lost; if it reads so already, that may be by luck. It is confirmed as it is: the
     * revert does not fail for want of a mark page.
     */
    error = boot_state_mark(env, &state, other);
    if (error && error != BOOT_ESTATE)
        return error;
    settle_on(&state.config, other, BOOT_CAUSE_REQUESTED);
    return boot_config_write(env->flash, env->layout, &state.config);
}

/* Keys which may still sign new images once cert_id is revoked too. */
static uint32_t keys_left(const struct boot_env *env, const struct boot_config *config,
                          const char *cert_id)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < env->keys->count; i++) {
        const char *id = env->keys->key[i].cert_id;
        left += !boot_text_equal(id, cert_id, BOOT_CERT_ID_MAX) &&
                !boot_config_is_revoked(config, id, false);
    }
    return left;
}

int boot_revoke(const struct boot_env *env, const char *cert_id)
{
    struct boot_config config;
    int sector;
    if (!boot_keys_find(env->keys, cert_id))
        return BOOT_ENOTFOUND;
    int error = boot_config_read(env->flash, env->layout, &config, &sector);
    if (error || boot_config_is_revoked(&config, cert_id, false))
        return error;
    if (config.revoked_count == BOOT_REVOKED_MAX)
        return BOOT_ERANGE;
    if (keys_left(env, &config, cert_id) == 0)
        return BOOT_ESTATE;
    memset(config.revoked[config.revoked_count], 0, BOOT_CERT_ID_MAX);
    memcpy(config.revoked[config.revoked_count], cert_id,
           boot_text_length(cert_id, BOOT_CERT_ID_MAX));
    config.revoked_count++;
    return boot_config_write(env->flash, env->layout, &config);
}
