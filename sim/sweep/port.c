/* What the device under test gets of the world: flash, crypto, time, the service, the firmware's
 * behaviour. Each function may take the control flow away. */
#include "guard.h"
#include "internal.h"

#include <string.h>

/* Port calls of one session: far above what a download of megabytes needs. */
enum { CALLS_MAX = 2000000 };

static void count(struct sweep_worker *worker)
{
    if (++worker->calls > CALLS_MAX)
        sweep_endless(worker, "a session never ends");
}

static int64_t now_ms(const struct sweep_worker *worker)
{
    return worker->state->now_us / 1000;
}

/* --- flash --- */

static int port_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    return worker->state->flash.port.read(&worker->state->flash, addr, out, len);
}

static int port_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    return worker->state->flash.port.program(&worker->state->flash, addr, data, len);
}

static int port_erase(void *ctx, uint32_t addr)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    return worker->state->flash.port.erase(&worker->state->flash, addr);
}

static void mark_dirty(struct sweep_worker *worker, uint32_t addr, uint32_t len)
{
    uint32_t size = worker->world->unit.layout.sector_bytes;
    for (uint32_t s = addr / size; s <= (addr + len - 1) / size; s++) {
        if (worker->dirty[s])
            continue;
        worker->dirty[s] = 1;
        worker->dirty_sector[worker->dirties++] = s;
    }
}

void sweep_blow_falls(struct sweep_worker *worker)
{
    static const char *const words[SIM_SWEEP_FORMS] = {
        [SIM_SWEEP_PIN] = "the reset button is pressed",
        [SIM_SWEEP_WATCHDOG] = "the watchdog resets",
        [SIM_SWEEP_BROWN_OUT] = "the supply is gone after the brown-out",
    };
    uint8_t form = worker->blow.form;
    sweep_tell_flash(worker);
    sweep_tell(worker, "--- %s", words[form] ? words[form] : "the power goes");
    worker->blow_fired = true;
    sweep_env_cut(worker->world, &worker->state->env, form);
    sweep_end_session(worker, END_CUT);
}

static uint32_t unit_bytes(const struct sweep_worker *worker, const struct sim_flash_call *call)
{
    const struct dut_layout *layout = &worker->world->unit.layout;
    return call->kind == SIM_FLASH_ERASE ? layout->sector_bytes : layout->page_bytes;
}

/* A brown-out: so many calls fail, or lie, then the power goes before the next. */
static bool brown_out(struct sweep_worker *worker, const struct sim_flash_call *call,
                      struct sim_flash_cut *cut)
{
    const struct sweep_blow *blow = &worker->blow;
    if (!worker->suffered && worker->ops + call->units <= blow->op)
        return false;
    if (worker->suffered == blow->at / 2)
        sweep_blow_falls(worker);
    cut->unit = worker->suffered ? 0 : blow->op - worker->ops;
    cut->form = SCN_TORN_PREFIX;
    cut->tear = unit_bytes(worker, call) / 2;
    cut->then = blow->at & 1 ? SIM_FLASH_CALL_LIES : SIM_FLASH_CALL_FAILS;
    worker->suffered++;
    sweep_tell(worker, "brown-out: an operation at 0x%x %s", call->addr,
               blow->at & 1 ? "is torn, and nobody notices" : "fails half done");
    return true;
}

static bool aim(struct sweep_worker *worker, const struct sim_flash_call *call,
                struct sim_flash_cut *cut)
{
    const struct sweep_blow *blow = &worker->blow;
    if (blow->form == SIM_SWEEP_BROWN_OUT)
        return brown_out(worker, call, cut);
    if (blow->form > SIM_SWEEP_WATCHDOG || worker->blow_fired || blow->op < worker->ops ||
        blow->op >= worker->ops + call->units || blow->at >= unit_bytes(worker, call))
        return false;
    *cut = sweep_cut_of(blow, blow->op - worker->ops);
    sim_flash_reseed(&worker->state->flash, worker->world->scn->seed, blow->op, blow->form);
    return true;
}

struct sim_flash_cut sweep_cut_of(const struct sweep_blow *blow, uint32_t unit)
{
    _Static_assert(SIM_SWEEP_BEFORE + SCN_TORN_BEFORE == SCN_TORN_BEFORE &&
                       SIM_SWEEP_AFTER + SCN_TORN_BEFORE == SCN_TORN_AFTER,
                   "the torn forms have one order");
    int form = blow->form <= SIM_SWEEP_AFTER ? blow->form : SIM_SWEEP_BEFORE;
    return (struct sim_flash_cut){
        .unit = unit, .form = (enum scn_torn)(SCN_TORN_BEFORE + form), .tear = blow->at};
}

static bool hook_before(void *ctx, const struct sim_flash_call *call, struct sim_flash_cut *cut)
{
    struct sweep_worker *worker = ctx;
    struct sweep_call device = sweep_guard_enter(NULL, NULL); /* the host itself is busy here */
    for (uint32_t unit = 0; worker->at_op && unit < call->units; unit++)
        if (worker->ops + unit >= worker->at_from && worker->ops + unit < worker->at_to)
            worker->at_op(worker, call, unit, worker->ops + unit);
    sweep_guard_leave(device);
    mark_dirty(worker, call->addr, call->len);
    bool hit = aim(worker, call, cut);
    worker->ops += call->units;
    sweep_tell_call(worker, call);
    return hit;
}

static void hook_after(void *ctx, const struct sim_flash_call *call)
{
    struct sweep_worker *worker = ctx;
    (void)call;
    if (worker->state->units)
        sweep_state_settle(worker->state);
}

static void hook_torn(void *ctx, enum sim_flash_op_kind kind, uint32_t addr, enum scn_torn form)
{
    struct sweep_worker *worker = ctx;
    sweep_state_torn(worker->state, kind, addr, form);
    sweep_tell_torn(worker, kind, addr, form);
}

static void hook_power_lost(void *ctx)
{
    sweep_blow_falls(ctx);
}

static void hook_violation(void *ctx, enum sim_flash_violation kind, uint32_t addr)
{
    struct sweep_worker *worker = ctx;
    static const char *const what[SIM_FLASH_V_KINDS] = {
        [SIM_FLASH_V_ALIGN] = "misaligned operation",
        [SIM_FLASH_V_BOUNDS] = "operation out of the flash",
        [SIM_FLASH_V_OVERWRITE] = "bits programmed from 0 to 1",
        [SIM_FLASH_V_PROTECTED] = "write to the running image or the bootloader",
    };
    /* Bits that an earlier damage cleared, or a brown-out did not erase, can't rise by a program.
     */
    if (kind == SIM_FLASH_V_OVERWRITE && (worker->state->env.scarred || worker->suffered))
        return;
    sweep_break(worker,
                kind == SIM_FLASH_V_PROTECTED ? REP_PROMISE_RUNNING_IMAGE
                                              : REP_PROMISE_FLASH_DISCIPLINE,
                "%s at 0x%x", what[kind], addr);
}

enum reading { READS_DONE, READS_BEFORE, READS_DONE_FIRST, READS_BEFORE_FIRST, READINGS };
static const char *const reading_name[READINGS] = {
    "as done", "as before", "in turns, as done first", "in turns, as before first"};

/* Does the unit read as done in this read call? */
static bool reads_done(struct sweep_worker *worker, uint32_t u)
{
    if (!worker->reading[u].known) {
        worker->reading[u].known = true;
        worker->reading[u].mode = sweep_choose(worker, READINGS);
        sweep_tell(worker, "unstable bits at 0x%x read %s", worker->state->unit[u].addr,
                   reading_name[worker->reading[u].mode]);
    }
    uint8_t mode = worker->reading[u].mode;
    bool first = mode == READS_DONE || mode == READS_DONE_FIRST;
    bool turned = mode >= READS_DONE_FIRST && worker->reading[u].flips;
    worker->reading[u].flips = !worker->reading[u].flips;
    return first != turned;
}

/* The newest unit that a byte is in decides. */
static void hook_unstable(void *ctx, uint32_t addr, const uint8_t *mask, uint8_t *out, uint32_t len)
{
    struct sweep_worker *worker = ctx;
    const struct sweep_state *state = worker->state;
    int8_t zero[SWEEP_UNITS_MAX];
    memset(zero, -1, sizeof zero);
    for (uint32_t i = 0; i < len; i++) {
        if (!mask[i])
            continue;
        uint32_t u = state->units;
        while (u-- > 0)
            if (addr + i - state->unit[u].addr < state->unit[u].len)
                break;
        if (u >= state->units)
            continue;
        if (zero[u] < 0)
            zero[u] = reads_done(worker, u) != (state->unit[u].erase != 0);
        if (zero[u])
            out[i] &= (uint8_t)~mask[i];
    }
}

void sweep_port_hooks(struct sweep_worker *worker, struct sweep_state *state)
{
    state->flash.now_us = &state->now_us;
    state->flash.hooks = (struct sim_flash_hooks){.ctx = worker,
                                                  .before = hook_before,
                                                  .after = hook_after,
                                                  .violation = hook_violation,
                                                  .torn = hook_torn,
                                                  .power_lost = hook_power_lost,
                                                  .unstable = hook_unstable};
}

/* --- crypto --- */

static void port_sha_begin(void *ctx)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    worker->crypto.sha256_begin(worker->crypto.ctx);
}

static void port_sha_update(void *ctx, const void *data, size_t len)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    worker->crypto.sha256_update(worker->crypto.ctx, data, len);
}

static void port_sha_final(void *ctx, uint8_t out[32])
{
    struct sweep_worker *worker = ctx;
    count(worker);
    worker->crypto.sha256_final(worker->crypto.ctx, out);
}

static int port_ecdsa(void *ctx, const uint8_t key[65], const uint8_t hash[32], const uint8_t *sig,
                      size_t len)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    return worker->crypto.ecdsa_verify(worker->crypto.ctx, key, hash, sig, len);
}

/* --- time and the firmware's behaviour --- */

static _Noreturn void reset_by(struct sweep_worker *worker, enum dut_reset reset, const char *what)
{
    sweep_tell(worker, "--- %s", what);
    worker->state->env.reset = (uint8_t)reset;
    sweep_end_session(worker, END_RESET);
}

/* What the running firmware does, decided when it first matters. */
static uint8_t behaviour(struct sweep_worker *worker)
{
    struct sweep_env *env = &worker->state->env;
    uint8_t image = worker->state->running;
    const struct sweep_step *step = sweep_step_of(worker->world, env);
    if (worker->booting || image >= sizeof env->behaviour)
        return BEHAVIOUR_HEALTHY;
    bool open = step->expect == EXPECT_TRIED && step->image == image && image != env->permanent &&
                (worker->dut->traits & DUT_TRIES) && !env->may_confirm && !env->lost;
    if (env->behaviour[image] == BEHAVIOUR_OPEN && open) {
        env->behaviour[image] =
            (uint8_t)(BEHAVIOUR_HEALTHY + sweep_choose(worker, BEHAVIOURS - BEHAVIOUR_HEALTHY));
        sweep_tell(worker, "the firmware %s: %s", worker->world->image[image].version,
                   sweep_behaviour_name(env->behaviour[image]));
    }
    return env->behaviour[image] == BEHAVIOUR_OPEN ? BEHAVIOUR_HEALTHY : env->behaviour[image];
}

static _Noreturn void hang(struct sweep_worker *worker)
{
    if (worker->watchdog_ms == INT64_MAX)
        sweep_break(worker, REP_PROMISE_NO_BRICK, "%s hangs, and no watchdog resets it",
                    worker->world->image[worker->state->running].version);
    if (worker->state->now_us < worker->watchdog_ms * 1000)
        worker->state->now_us = worker->watchdog_ms * 1000;
    reset_by(worker, DUT_RESET_WATCHDOG, "it hangs until the watchdog resets");
}

static bool port_check(void *ctx, enum dut_check check)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    static const uint8_t fails[DUT_CHECKS] = {[DUT_CHECK_MQTT] = BEHAVIOUR_MQTT,
                                              [DUT_CHECK_DRIVERS] = BEHAVIOUR_DRIVERS,
                                              [DUT_CHECK_CONFIG] = BEHAVIOUR_CONFIG,
                                              [DUT_CHECK_TELEMETRY] = BEHAVIOUR_TELEMETRY,
                                              [DUT_CHECK_NO_FAULT] = BEHAVIOUR_LATE_FAULT};
    uint8_t how = behaviour(worker);
    if ((uint32_t)check >= DUT_CHECKS)
        return false;
    if (how == BEHAVIOUR_HANG)
        hang(worker);
    if (how == BEHAVIOUR_HARD_FAULT || (how == BEHAVIOUR_LATE_FAULT && check == DUT_CHECK_NO_FAULT))
        reset_by(worker, DUT_RESET_HARD_FAULT, "a hard fault resets");
    if (how == BEHAVIOUR_POWER)
        reset_by(worker, DUT_RESET_POWER_ON, "its inrush current takes the power away");
    if (how == fails[check]) {
        sweep_tell(worker, "a check of the firmware fails");
        return false;
    }
    worker->checks |= (uint8_t)(1u << check);
    sweep_judge_checked(worker);
    return true;
}

static int64_t port_now(void *ctx)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    return now_ms(worker);
}

static void port_sleep(void *ctx, int64_t until_ms)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    int64_t fault_ms = INT64_MAX;
    if (behaviour(worker) == BEHAVIOUR_LATE_FAULT)
        fault_ms = worker->started_ms + worker->world->unit.fault_free_ms / 2;
    int64_t first_ms = fault_ms < worker->watchdog_ms ? fault_ms : worker->watchdog_ms;
    int64_t to_ms = until_ms < first_ms ? until_ms : first_ms;
    if (worker->state->now_us < to_ms * 1000)
        worker->state->now_us = to_ms * 1000;
    if (until_ms < first_ms)
        return;
    if (fault_ms <= worker->watchdog_ms)
        reset_by(worker, DUT_RESET_HARD_FAULT, "a hard fault resets");
    reset_by(worker, DUT_RESET_WATCHDOG, "the watchdog, which nobody kicked, resets");
}

static void port_kick(void *ctx, uint32_t seconds)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    uint32_t for_s = seconds ? seconds : worker->state->boot.watchdog_s;
    if (for_s)
        worker->watchdog_ms = now_ms(worker) + (int64_t)for_s * 1000;
}

/* --- the service --- */

static bool port_offer(void *ctx, struct dut_offer *out)
{
    struct sweep_worker *worker = ctx;
    struct sweep_env *env = &worker->state->env;
    const struct sweep_world *world = worker->world;
    const struct sweep_step *step = sweep_step_of(world, env);
    count(worker);
    memset(out, 0, sizeof *out);
    if (env->done || env->answer || step->kind == STEP_CYCLES)
        return false;
    if (!worker->asked && step->kind == STEP_ORDER)
        sweep_tell(worker, "the service orders a rollback");
    else if (!worker->asked)
        sweep_tell(worker, "the service offers %s", world->image[step->image].version);
    worker->asked = true;
    env->offered = 1;
    out->kind = step->kind == STEP_ORDER ? DUT_OFFER_ROLLBACK : DUT_OFFER_UPDATE;
    out->message = step->kind == STEP_ORDER ? world->order : world->image[step->image].message;
    out->message_len = (uint32_t)strlen(out->message);
    if (step->kind == STEP_OFFER) {
        out->image = world->image[step->image].dut;
        out->image.bytes = NULL;
    }
    return true;
}

static int32_t port_fetch(void *ctx, uint32_t offset, void *out, uint32_t len)
{
    struct sweep_worker *worker = ctx;
    const struct sweep_env *env = &worker->state->env;
    const struct sweep_step *step = sweep_step_of(worker->world, env);
    count(worker);
    if (env->done || step->kind != STEP_OFFER)
        return -1;
    const struct sweep_image *image = &worker->world->image[step->image];
    if (offset >= image->served)
        return 0;
    uint32_t got = len < image->served - offset ? len : image->served - offset;
    memcpy(out, image->bytes + offset, got);
    if (image->flip_at - offset < got)
        ((uint8_t *)out)[image->flip_at - offset] ^= 1;
    return (int32_t)got;
}

static void port_report(void *ctx, const struct dut_report *report)
{
    struct sweep_worker *worker = ctx;
    count(worker);
    sweep_judge_report(worker, report);
}

static void port_note(void *ctx, const char *text)
{
    count(ctx);
    sweep_tell(ctx, "%s", text);
}

void sweep_port_init(struct sweep_worker *worker)
{
    worker->unit = worker->world->unit;
    worker->port = (struct dut_port){.ctx = worker,
                                     .unit = &worker->unit,
                                     .read = port_read,
                                     .program = port_program,
                                     .erase = port_erase,
                                     .sha256_begin = port_sha_begin,
                                     .sha256_update = port_sha_update,
                                     .sha256_final = port_sha_final,
                                     .ecdsa_verify = port_ecdsa,
                                     .now_ms = port_now,
                                     .sleep_until = port_sleep,
                                     .kick = port_kick,
                                     .offer = port_offer,
                                     .fetch = port_fetch,
                                     .check = port_check,
                                     .report = port_report,
                                     .note = port_note};
}
