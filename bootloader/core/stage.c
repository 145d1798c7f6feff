/*
 * Staging and the request of a trial. Order is all that matters here: the running slot's proof is
 * refreshed, the other stops being a possible boot (config), its trailer is erased, and only then
 * may the agent touch the image. The new signature comes last.
 */
#include "boot/boot.h"
#include "state.h"

static void make_next(struct boot_config *config, int active, int next, uint8_t trials)
{
    config->active = (uint8_t)active;
    config->next = (uint8_t)next;
    config->rollback_on_fail = 1;
    config->trial_left = trials;
    config->trial_total = trials;
}

/* Reads the state and refuses everything to an image which is itself on trial. */
static int read_as_confirmed(const struct boot_env *env, int running, struct boot_state *out)
{
    int error = boot_state_read(env, running, out);
    if (error)
        return error;
    return boot_state_is_trial(out, running) ? BOOT_ESTATE : BOOT_OK;
}

int boot_stage_begin(const struct boot_env *env, int running)
{
    struct boot_state state;
    int error = read_as_confirmed(env, running, &state);
    if (!error)
        error = boot_state_mark(env, &state, running);
    if (error)
        return error;
    /*
     * Written even if no trial is pending: a request that was cut at its mark reads as none now and
     * may read as one later, when the slot holds an image that nobody asked to try. Writing wipes
     * it out.
     */
    if (state.config.next != running)
        state.config.cause = BOOT_CAUSE_CANCELLED;
    make_next(&state.config, running, running, 0);
    error = boot_config_write(env->flash, env->layout, &state.config);
    if (error)
        return error;
    uint32_t trailer = boot_layout_trailer(env->layout, !running);
    return env->flash->erase(env->flash->ctx, trailer) < 0 ? BOOT_EFLASH : BOOT_OK;
}

/*
 * Erases again, although boot_stage_begin did: an earlier call may have been cut while it
 * programmed a body, and its remains need not read as anything.
 */
int boot_stage_finish(const struct boot_env *env, int running, const struct boot_trailer *trailer)
{
    struct boot_state state;
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    int error = read_as_confirmed(env, running, &state);
    if (!error)
        error = boot_trailer_encode(body, trailer);
    if (error)
        return error;
    uint32_t addr = boot_layout_trailer(env->layout, !running);
    if (env->flash->erase(env->flash->ctx, addr) < 0)
        return BOOT_EFLASH;
    return boot_trailer_write(env->flash, env->layout, !running, trailer);
}

int boot_request_trial(const struct boot_env *env, int running)
{
    struct boot_state state;
    int error = read_as_confirmed(env, running, &state);
    if (error)
        return error;
    if (env->trial_boots == 0)
        return BOOT_ERANGE;
    /* Confirmed by its mark alone, because an earlier config could not be written: refresh that
     * mark. */
    if (state.config.active != running)
        error = boot_state_mark(env, &state, running);
    if (error)
        return error;
    make_next(&state.config, running, !running, env->trial_boots);
    state.config.cause = BOOT_CAUSE_NONE;
    return boot_config_write(env->flash, env->layout, &state.config);
}
