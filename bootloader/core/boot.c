/* One boot: read, decide, record, answer. */
#include "boot/boot.h"
#include "config_store.h"
#include "mem.h"
#include "state.h"

struct boot_pass {
    const struct boot_env *env;
    struct boot_state state;
    struct boot_inputs in;
    struct boot_decision decision;
    uint8_t sha256[BOOT_SLOTS][BOOT_SHA256_BYTES];
    bool settled;    /* no interrupted write could make the config read otherwise later */
    bool unreadable; /* the config could not be read at all: nothing may be written over it */
};

static enum boot_verdict verdict_of(void *ctx, int slot, const struct boot_config *config)
{
    struct boot_pass *pass = ctx;
    const struct boot_trailer *trailer = &pass->state.trailer[slot];
    /* A key revoked for new images only still boots what was confirmed. */
    struct boot_limits limits = {.security_counter = config->security_counter,
                                 .config = config,
                                 .at_boot = trailer->confirmed || slot == config->active};
    return boot_verify(pass->env, slot, trailer, &limits, NULL, pass->sha256[slot]);
}

static void gather(struct boot_pass *pass, enum boot_reset reset)
{
    const struct boot_env *env = pass->env;
    struct boot_inputs *in = &pass->in;
    int sector;
    int error = boot_config_read_settled(env->flash, env->layout, &pass->state.config, &sector,
                                         &pass->settled);
    pass->unreadable = error == BOOT_EFLASH;
    in->config_valid = error == BOOT_OK;
    in->config = pass->state.config;
    in->reset = reset;
    in->faulty_boots = env->faulty_boots;
    in->trial_boots = env->trial_boots;
    in->verdict = verdict_of;
    in->ctx = pass;
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        struct boot_trailer *trailer = &pass->state.trailer[slot];
        if (boot_trailer_read(env->flash, env->layout, slot, trailer) != BOOT_OK)
            memset(trailer, 0, sizeof *trailer);
        in->confirmed[slot] = trailer->confirmed;
    }
}

/*
 * Writes what the decision asks for. A slot that becomes active gets its mark first, as in
 * boot_confirm: the one which was read may be torn and have read right by luck. That mark is worth
 * trying, not worth failing.
 */
static int record(struct boot_pass *pass)
{
    const struct boot_env *env = pass->env;
    struct boot_decision *decision = &pass->decision;
    struct boot_config *config = &decision->config;
    if (pass->unreadable)
        return BOOT_EFLASH;
    if (!pass->in.config_valid || config->active != pass->in.config.active)
        (void)boot_state_mark(env, &pass->state, config->active);
    enum boot_verdict other = decision->verdict[!config->active];
    if (other != BOOT_VERDICT_KINDS && other != BOOT_VERDICT_VALID)
        pass->state.trailer[!config->active].confirmed = 0; /* no fallback, sets no floor */
    if (!pass->in.config_valid || decision->cause == BOOT_CAUSE_CONFIRMED)
        boot_state_raise_limits(env, &pass->state, config->active, config);
    config->last_reset = (uint8_t)pass->in.reset;
    return boot_config_write(env->flash, env->layout, config);
}

/* A trial that can't be recorded must not begin: the active image boots, if it verifies. */
static void refuse_trial(struct boot_pass *pass)
{
    struct boot_decision *decision = &pass->decision;
    int active = pass->in.config.active;
    if (decision->verdict[active] == BOOT_VERDICT_KINDS)
        decision->verdict[active] = verdict_of(pass, active, &pass->in.config);
    decision->slot = decision->verdict[active] == BOOT_VERDICT_VALID ? active : BOOT_SLOT_NONE;
    decision->trial = false;
}

int boot_run(const struct boot_env *env, enum boot_reset reset, struct boot_outcome *out)
{
    struct boot_pass pass = {.env = env};
    memset(out, 0, sizeof *out);
    out->slot = BOOT_SLOT_NONE;
    int error = boot_layout_check(env->layout);
    if (error)
        return error;
    gather(&pass, reset);
    boot_decide(&pass.in, &pass.decision);
    /* What this boot goes by must not read otherwise in the session that follows. */
    if (pass.in.config_valid && !pass.settled && pass.decision.slot != BOOT_SLOT_NONE)
        pass.decision.write = true;
    bool written = pass.decision.write && record(&pass) == BOOT_OK;
    if (pass.decision.trial && !written)
        refuse_trial(&pass);
    out->slot = pass.decision.slot;
    out->trial = pass.decision.trial;
    out->trial_left = out->trial ? pass.decision.config.trial_left : 0;
    out->cause = pass.decision.cause;
    out->config_rebuilt = written && !pass.in.config_valid;
    out->watchdog_s = env->watchdog_s;
    memcpy(out->verdict, pass.decision.verdict, sizeof out->verdict);
    if (out->slot != BOOT_SLOT_NONE)
        memcpy(out->sha256, pass.sha256[out->slot], sizeof out->sha256);
    return BOOT_OK;
}
