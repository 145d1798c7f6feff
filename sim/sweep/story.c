/* What the service wants of the device, in which order, and what it has heard. */
#include "internal.h"

static const char *const behaviour_name[BEHAVIOURS] = {
    [BEHAVIOUR_OPEN] = "open",
    [BEHAVIOUR_HEALTHY] = "healthy",
    [BEHAVIOUR_HANG] = "hangs",
    [BEHAVIOUR_HARD_FAULT] = "hard fault at its start",
    [BEHAVIOUR_LATE_FAULT] = "hard fault before the fault-free time is over",
    [BEHAVIOUR_POWER] = "pulls the supply down at its start",
    [BEHAVIOUR_MQTT] = "never connects",
    [BEHAVIOUR_DRIVERS] = "a driver fails",
    [BEHAVIOUR_CONFIG] = "does not load its configuration",
    [BEHAVIOUR_TELEMETRY] = "sends no telemetry",
};

const char *sweep_behaviour_name(int behaviour)
{
    return behaviour >= 0 && behaviour < BEHAVIOURS ? behaviour_name[behaviour] : "?";
}

#define STEP(number_) (1u << (number_))
#define OFFER(image_, expect_)                                                                     \
    {                                                                                              \
        .kind = STEP_OFFER, .image = IMAGE_##image_, .expect = EXPECT_##expect_                    \
    }
#define ORDER                                                                                      \
    {                                                                                              \
        .kind = STEP_ORDER, .image = IMAGE_ORIGIN                                                  \
    }
#define CYCLES(count_)                                                                             \
    {                                                                                              \
        .kind = STEP_CYCLES, .image = IMAGE_NONE, .count = count_                                  \
    }
#define BAD(name_, image_, needs_)                                                                 \
    {                                                                                              \
        .name = name_, .needs = needs_, .base = IMAGE_ORIGIN, .cut_any = STEP(0), .steps = 2,      \
        .step = {                                                                                  \
            OFFER(image_, REFUSED),                                                                \
            OFFER(FURTHER, INSTALLED)                                                              \
        }                                                                                          \
    }

/* Only the scenario's own update has images of the scenario's size: the others cut the same code on
 * small ones. Each ends with a further good update: a device that can't be updated any more is a
 * brick. That one is never cut any number of times, as it would show what the update before it has
 * shown; nor is the first of a succession, which is that of a rollback order. */
static const struct sweep_story story[] = {
    {.name = "update",
     .base = IMAGE_BASE,
     .cut_any = STEP(0) | STEP(1),
     .steps = 3,
     .step = {OFFER(UPDATE, TRIED), OFFER(UPDATE, AGAIN), OFFER(FURTHER, INSTALLED)}},
    {.name = "succession",
     .base = IMAGE_ORIGIN,
     .variants = true,
     .cut_any = STEP(1),
     .steps = 4,
     .step = {OFFER(SMALL, INSTALLED), OFFER(FURTHER, TRIED), OFFER(LATER, INSTALLED),
              OFFER(LAST, INSTALLED)}},
    {.name = "power-cycles",
     .base = IMAGE_ORIGIN,
     .cut_any = STEP(0),
     .steps = 2,
     .step = {CYCLES(12), OFFER(FURTHER, INSTALLED)}},
    {.name = "rollback-order",
     .needs = DUT_ROLLS_BACK,
     .base = IMAGE_ORIGIN,
     .variants = true,
     .cut_any = STEP(0) | STEP(1),
     .steps = 3,
     .step = {OFFER(SMALL, INSTALLED), ORDER, OFFER(FURTHER, INSTALLED)}},
    {.name = "downgrade",
     .needs = DUT_NO_DOWNGRADE,
     .base = IMAGE_ORIGIN,
     .cut_any = STEP(0) | STEP(1),
     .steps = 3,
     .step = {OFFER(SMALL, INSTALLED), OFFER(ORIGIN, REFUSED), OFFER(FURTHER, INSTALLED)}},
    BAD("older", OLDER, DUT_NO_DOWNGRADE),
    BAD("disguised", DISGUISED, DUT_NO_DOWNGRADE | DUT_SIGNED),
    BAD("wrong-key", WRONG_KEY, DUT_SIGNED),
    BAD("wrong-type", WRONG_TYPE, DUT_IDENTITY),
    BAD("wrong-revision", WRONG_REVISION, DUT_IDENTITY),
    BAD("cut-short", SHORT, 0),
    BAD("damaged", DAMAGED, DUT_SIGNED),
};
enum { STORIES = sizeof story / sizeof *story };

uint32_t sweep_stories(const struct sweep_story *out[SWEEP_STORIES_MAX], uint32_t traits)
{
    _Static_assert(STORIES <= (int)SWEEP_STORIES_MAX, "a world has room for all stories");
    uint32_t count = 0;
    for (uint32_t i = 0; i < STORIES; i++)
        if ((story[i].needs & traits) == story[i].needs)
            out[count++] = &story[i];
    return count;
}

static const struct sweep_step extra_step = OFFER(EXTRA, INSTALLED);

const struct sweep_step *sweep_step_of(const struct sweep_world *world, const struct sweep_env *env)
{
    return env->extra ? &extra_step : &world->story[env->story]->step[env->step];
}

/* The image that is to run at the end of the step; IMAGE_NONE when no other is to. */
uint8_t sweep_goal(const struct sweep_world *world, const struct sweep_env *env)
{
    return env->done ? IMAGE_NONE : sweep_step_of(world, env)->image;
}

/* A step begins: what was true of the one before is forgotten. */
void sweep_env_begin(const struct sweep_world *world, struct sweep_env *env)
{
    env->before = env->answer;
    env->answer = 0;
    env->offered = env->may_confirm = env->trials = env->tried = env->cuts = 0;
    env->hurt = env->hurt == 2 ? 2 : 0;
    env->cycles = sweep_step_of(world, env)->count;
}

/*
 * What a blow changes beside the flash. Cuts are counted up to the number of trial boots: with that
 * many, a good update may end rolled back. A watchdog reset or a damage may end it at once.
 */
void sweep_env_cut(const struct sweep_world *world, struct sweep_env *env, uint8_t form)
{
    static const uint8_t reset[SIM_SWEEP_FORMS] = {
        [SIM_SWEEP_PIN] = DUT_RESET_PIN,
        [SIM_SWEEP_WATCHDOG] = DUT_RESET_WATCHDOG,
        [SIM_SWEEP_BROWN_OUT] = DUT_RESET_BROWN_OUT,
    };
    env->reset = reset[form];
    env->trials = 0;
    if (world->any)
        env->cuts = (uint8_t)world->unit.trial_boots; /* there may be so many: told apart no more */
    else if (env->cuts < world->unit.trial_boots)
        env->cuts++;
    if (form >= SIM_SWEEP_WATCHDOG && env->hurt == 0)
        env->hurt = 1;
    if (form == SIM_SWEEP_STUCK || form == SIM_SWEEP_WORN)
        env->hurt = 2;
    if (form > SIM_SWEEP_WATCHDOG)
        env->scarred = 1;
}
