/*
 * The oracle of the sweep. It goes by the bytes that are booted, by what the device was told, and
 * by what it says; never by what its functions return. Each rule names the promise of DESIGN
 * section 2 that it guards.
 */
#include "internal.h"

#include <string.h>

/* A cut may make a device try once more what it had tried: twice its trial boots are borne. */
enum { TRIAL_ROUNDS = 2 };

static const char *version_of(const struct sweep_world *world, uint8_t image)
{
    return image < SWEEP_IMAGES ? world->image[image].version : "nothing known";
}

static bool has(const struct sweep_worker *worker, enum dut_trait trait)
{
    return (worker->dut->traits & trait) != 0;
}

/* Bits that read by chance in the image that is booted: a verification saw one of many images. */
static bool is_unstable(const struct sweep_worker *worker, uint32_t addr)
{
    uint32_t len = worker->world->unit.layout.sector_bytes * 2;
    uint32_t end = worker->world->unit.layout.flash_bytes;
    return sim_flash_has_unstable(&worker->state->flash, addr, len < end - addr ? len : end - addr);
}

static bool is_refused(const struct sweep_world *world, const struct sweep_env *env, uint8_t image)
{
    const struct sweep_step *step = sweep_step_of(world, env);
    return !world->image[image].good || (!env->done && step->expect == EXPECT_REFUSED &&
                                         step->image == image && image != env->permanent);
}

static void check_known(struct sweep_worker *worker, uint8_t image)
{
    const struct sweep_world *world = worker->world;
    const struct sweep_env *env = &worker->state->env;
    if (image == IMAGE_NONE)
        sweep_break(worker, REP_PROMISE_VERIFIED_CODE, "what runs at 0x%x is no whole image%s",
                    worker->state->boot.image_addr,
                    is_unstable(worker, worker->state->boot.image_addr)
                        ? ": some of its bits read differently each time"
                        : "");
    bool asks = has(worker, DUT_SIGNED) || world->image[image].good || image != IMAGE_WRONG_KEY;
    if (asks && is_refused(world, env, image) &&
        !(image == env->earlier && (env->hurt || sweep_goal(world, env) == image)))
        sweep_break(worker, REP_PROMISE_VERIFIED_CODE, "%s runs, which has to be refused",
                    version_of(world, image));
}

/* A goal that was not confirmed yet: it may run on trial, so many times. */
static void check_trial(struct sweep_worker *worker, uint8_t image)
{
    struct sweep_env *env = &worker->state->env;
    const struct sweep_world *world = worker->world;
    env->tried = 1;
    if (!has(worker, DUT_TRIES)) {
        env->earlier = env->permanent;
        env->permanent = image;
        return;
    }
    if (env->may_confirm)
        return;
    if (env->answer == DUT_SAYS_ROLLED_BACK && has(worker, DUT_REMEMBERS) && !env->scarred)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "%s runs again after it was rolled back",
                    version_of(world, image));
    if (!worker->state->boot.trial)
        sweep_break(worker, REP_PROMISE_CONFIRM_HEALTHY, "%s runs for good, never confirmed",
                    version_of(world, image));
    if (++env->trials > TRIAL_ROUNDS * world->unit.trial_boots)
        sweep_break(worker, REP_PROMISE_CONFIRM_HEALTHY, "%s runs beyond its trial boots",
                    version_of(world, image));
}

/* Which image may run now? */
static void check_version(struct sweep_worker *worker, uint8_t image)
{
    const struct sweep_world *world = worker->world;
    struct sweep_env *env = &worker->state->env;
    const struct sweep_step *step = sweep_step_of(world, env);
    uint8_t goal = sweep_goal(world, env);
    if (image == env->permanent)
        return;
    bool offered = !env->done && step->kind == STEP_OFFER && env->offered && goal == image;
    bool again = step->kind == STEP_OFFER && step->expect == EXPECT_AGAIN && goal == image;
    /* Where flash forgot, the device may have too. */
    if (again && has(worker, DUT_REMEMBERS) && env->before == DUT_SAYS_ROLLED_BACK && !env->scarred)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "%s is installed again after its rollback",
                    version_of(world, image));
    if (offered && step->expect != EXPECT_REFUSED) {
        check_trial(worker, image);
    } else if (env->scarred && world->image[image].good &&
               (env->lost || worker->state->boot.trial)) {
        /* The permanent image was hit, or the record that said how a trial had ended. */
        sweep_tell(worker, "a good image, after damage");
        if (!worker->state->boot.trial)
            env->permanent = image;
    } else if (image == env->earlier && (env->hurt || (step->kind == STEP_ORDER && env->offered))) {
        env->earlier = env->permanent;
        env->permanent = image;
        env->tried = 1;
    } else {
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "%s runs, and %s is the confirmed one",
                    version_of(world, image), version_of(world, env->permanent));
    }
}

/* Is the image whole in one of the slots? */
static bool is_there(const struct sweep_worker *worker, uint8_t image)
{
    const struct sweep_world *world = worker->world;
    bool there = false;
    for (uint32_t slot = 0; slot < DUT_SLOTS; slot++)
        there |= sweep_image_at(world, &worker->state->flash, world->unit.layout.slot_addr[slot]) ==
                 image;
    return there && image != IMAGE_NONE;
}

void sweep_judge_boot(struct sweep_worker *worker)
{
    struct sweep_state *state = worker->state;
    const struct dut_boot *boot = &state->boot;
    if (!boot->boots) {
        /* Damage may take the only image that there is: that is no fault of the device. */
        if (state->env.lost && !is_there(worker, state->env.earlier)) {
            sweep_tell(worker, "no image is left after the damage: a hardware brick");
            state->env.done = 1;
            sweep_end_session(worker, END_REST);
        }
        sweep_break(worker, REP_PROMISE_NO_BRICK, "nothing boots");
    }
    if (boot->image_addr >= worker->world->unit.layout.flash_bytes)
        sweep_break(worker, REP_PROMISE_VERIFIED_CODE, "the jump goes out of the flash");
    state->running = sweep_image_at(worker->world, &state->flash, boot->image_addr);
    sweep_tell(worker, "boots %s at 0x%x, slot %c%s%s%s", version_of(worker->world, state->running),
               boot->image_addr, 'A' + (int)boot->slot, boot->trial ? ", on trial" : "",
               *boot->why ? ": " : "", boot->why);
    check_known(worker, state->running);
    check_version(worker, state->running);
}

/* All five hold: the device may confirm from here on, at any moment. */
void sweep_judge_checked(struct sweep_worker *worker)
{
    struct sweep_env *env = &worker->state->env;
    if (worker->checks == (1 << DUT_CHECKS) - 1 &&
        worker->state->running == sweep_goal(worker->world, env) &&
        worker->state->running != env->permanent)
        env->may_confirm = 1;
}

static void judge_confirmed(struct sweep_worker *worker)
{
    struct sweep_state *state = worker->state;
    struct sweep_env *env = &state->env;
    uint8_t goal = sweep_goal(worker->world, env);
    if (state->running != goal)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "says %s is confirmed while %s runs",
                    version_of(worker->world, goal), version_of(worker->world, state->running));
    if (goal == env->permanent)
        return;
    if (has(worker, DUT_TRIES) && !env->may_confirm)
        sweep_break(worker, REP_PROMISE_CONFIRM_HEALTHY,
                    "%s is confirmed before its health checks passed",
                    version_of(worker->world, goal));
    env->earlier = env->permanent;
    env->permanent = goal;
}

static void judge_rolled_back(struct sweep_worker *worker)
{
    const struct sweep_state *state = worker->state;
    const struct sweep_step *step = sweep_step_of(worker->world, &state->env);
    if (step->kind == STEP_OFFER && state->running == step->image &&
        state->running != state->env.permanent)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "says it rolled back while %s runs",
                    version_of(worker->world, state->running));
}

/* Is it the answer to this step? What is told late, or once more, of an earlier one is none: a
 * device that was ordered to roll back has not done so because it says again what it confirmed. */
static bool answers(const struct sweep_worker *worker, const struct dut_report *report)
{
    const struct sweep_env *env = &worker->state->env;
    const struct sweep_step *step = sweep_step_of(worker->world, env);
    if (!env->offered)
        return false;
    if (step->kind == STEP_ORDER)
        return report->status == DUT_SAYS_ROLLED_BACK || report->status == DUT_SAYS_REFUSED;
    return step->kind == STEP_OFFER &&
           !strcmp(report->firmware_id, worker->world->image[step->image].firmware_id);
}

void sweep_judge_report(struct sweep_worker *worker, const struct dut_report *report)
{
    struct sweep_state *state = worker->state;
    struct sweep_env *env = &state->env;
    const char *runs = version_of(worker->world, state->running);
    sweep_tell(worker, "tells the service: %s%s%s", report->text,
               *report->firmware_id ? " of " : "", report->firmware_id);
    if (report->status == DUT_SAYS_PROGRESS || env->done || !answers(worker, report))
        return;
    if (report->status == DUT_SAYS_CONFIRMED && *report->version && strcmp(report->version, runs))
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "says that %s runs while %s does",
                    report->version, runs);
    if (report->status == DUT_SAYS_CONFIRMED)
        judge_confirmed(worker);
    if (report->status == DUT_SAYS_ROLLED_BACK)
        judge_rolled_back(worker);
    env->answer = (uint8_t)report->status;
}

/* Devices that tell nothing are judged by what runs. */
static uint8_t answer_of(struct sweep_worker *worker)
{
    const struct sweep_env *env = &worker->state->env;
    if (has(worker, DUT_REPORTS))
        return env->answer;
    if (worker->state->running == sweep_goal(worker->world, env))
        return DUT_SAYS_CONFIRMED;
    return env->tried ? DUT_SAYS_ROLLED_BACK : DUT_SAYS_REFUSED;
}

static bool may_fail(const struct sweep_worker *worker)
{
    const struct sweep_env *env = &worker->state->env;
    return env->hurt || env->lost || env->cuts >= worker->world->unit.trial_boots;
}

/* A device that was promised an update and is healthy has to have it. */
static void expect_installed(struct sweep_worker *worker, uint8_t answer, bool further)
{
    const struct sweep_env *env = &worker->state->env;
    if (answer == DUT_SAYS_CONFIRMED || may_fail(worker))
        return;
    sweep_break(worker, further ? REP_PROMISE_NO_BRICK : REP_PROMISE_CONVERGENCE,
                further ? "a further good update (%s) does not succeed: the device can't be updated"
                        : "the good update %s does not succeed",
                version_of(worker->world, sweep_goal(worker->world, env)));
}

static void expect_outcome(struct sweep_worker *worker, uint8_t answer)
{
    const struct sweep_world *world = worker->world;
    const struct sweep_env *env = &worker->state->env;
    const struct sweep_step *step = sweep_step_of(world, env);
    uint8_t behaviour = env->behaviour[step->image];
    bool healthy = behaviour <= BEHAVIOUR_HEALTHY;
    if (step->expect == EXPECT_REFUSED && answer == DUT_SAYS_CONFIRMED &&
        step->image != env->permanent)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "says %s is installed, which is to be refused",
                    version_of(world, step->image));
    if (step->expect == EXPECT_INSTALLED || (step->expect == EXPECT_TRIED && healthy))
        expect_installed(worker, answer, env->step > 0);
    if (step->expect == EXPECT_TRIED && !healthy && answer != DUT_SAYS_ROLLED_BACK &&
        !may_fail(worker))
        sweep_break(worker, REP_PROMISE_CONVERGENCE,
                    "a bad update (%s) ends as something else "
                    "than rolled back",
                    sweep_behaviour_name(behaviour));
    if (answer == DUT_SAYS_CONFIRMED && worker->state->running != step->image)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "the service believes that %s runs",
                    version_of(world, step->image));
    if (step->kind == STEP_OFFER && answer != DUT_SAYS_CONFIRMED && env->permanent != step->image &&
        worker->state->running == step->image)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "%s stays without being confirmed",
                    version_of(world, step->image));
}

static void end_step(struct sweep_worker *worker)
{
    struct sweep_env *env = &worker->state->env;
    const struct sweep_story *story = worker->world->story[env->story];
    const struct sweep_step *step = sweep_step_of(worker->world, env);
    if (step->kind == STEP_OFFER)
        expect_outcome(worker, answer_of(worker));
    if (step->kind == STEP_ORDER && worker->state->running != step->image && !may_fail(worker))
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "the ordered rollback does not happen");
    if (!has(worker, DUT_REPORTS))
        env->answer = answer_of(worker);
    /* A firmware that was bad is not told apart by how: it never runs again. */
    if (step->kind == STEP_OFFER && env->behaviour[step->image] > BEHAVIOUR_HEALTHY)
        env->behaviour[step->image] = BEHAVIOUR_DRIVERS;
    /* Nobody orders a rollback from an update that was not installed. */
    if (env->answer != DUT_SAYS_CONFIRMED && env->step + 1u < story->steps &&
        story->step[env->step + 1].kind == STEP_ORDER)
        env->step++;
    bool last = env->step + 1u == story->steps;
    bool failed = env->answer != DUT_SAYS_CONFIRMED && env->hurt != 2;
    if (last && (env->extra || !failed)) {
        env->done = 1;
        return;
    }
    if (last)
        env->extra = 1;
    else
        env->step++;
    sweep_env_begin(worker->world, env);
}

/*
 * At rest: nothing left to do without the service. A step that has its answer ends; after it the
 * power is cycled, which costs nothing and lets equal states meet.
 */
enum sweep_end sweep_judge_rest(struct sweep_worker *worker)
{
    struct sweep_env *env = &worker->state->env;
    const struct sweep_step *step = sweep_step_of(worker->world, env);
    env->reset = DUT_RESET_POWER_ON;
    if (step->kind == STEP_CYCLES && env->cycles > 0) {
        env->cycles--;
        return END_RESET;
    }
    if (step->kind != STEP_CYCLES && !env->offered)
        sweep_break(worker, REP_PROMISE_NO_BRICK, "came to rest without asking for its update");
    if (step->kind != STEP_CYCLES && has(worker, DUT_REPORTS) && !env->answer && !env->hurt)
        sweep_break(worker, REP_PROMISE_CONVERGENCE, "came to rest without telling an outcome");
    end_step(worker);
    sweep_tell(worker, env->done ? "at rest, the story is over" : "at rest, the step is over");
    return env->done ? END_REST : END_RESET;
}
