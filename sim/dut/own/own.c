/* The device under test: boot by the bootloader's core, run by the agent's. */
#include "own.h"
#include <stdio.h>
#include <string.h>

enum { HANDOFF_SLOT, HANDOFF_TRIAL, HANDOFF_CAUSE, HANDOFF_WATCHDOG };

_Static_assert((int)DUT_RESET_POWER_ON == (int)BOOT_RESET_POWER_ON &&
                   (int)DUT_RESET_PIN == (int)BOOT_RESET_PIN &&
                   (int)DUT_RESET_SOFTWARE == (int)BOOT_RESET_SOFTWARE &&
                   (int)DUT_RESET_WATCHDOG == (int)BOOT_RESET_WATCHDOG &&
                   (int)DUT_RESET_HARD_FAULT == (int)BOOT_RESET_HARD_FAULT &&
                   (int)DUT_RESET_BROWN_OUT == (int)BOOT_RESET_BROWN_OUT,
               "the reasons of a reset have the bootloader's numbers");
_Static_assert((int)DUT_ID_MAX == (int)BOOT_CERT_ID_MAX &&
                   (int)DUT_SIGNATURE_MAX == (int)BOOT_SIGNATURE_MAX,
               "ids and signatures have the bootloader's sizes");

static int factory(void *ram, const struct dut_port *port, const struct dut_image *image)
{
    struct own *own = ram;
    own_env(&own->env, port);
    return own_factory(&own->env, port, image);
}

static void say_why(struct dut_boot *out, const struct boot_outcome *outcome)
{
    if (!out->boots)
        snprintf(out->why, sizeof out->why, "A: %.19s, B: %.19s",
                 boot_verdict_name((int)outcome->verdict[BOOT_SLOT_A]),
                 boot_verdict_name((int)outcome->verdict[BOOT_SLOT_B]));
    else if (outcome->cause != BOOT_CAUSE_NONE)
        snprintf(out->why, sizeof out->why, "%s%s", boot_cause_name((int)outcome->cause),
                 outcome->trial ? ", trial" : "");
    else if (outcome->trial)
        snprintf(out->why, sizeof out->why, "trial, %u left", outcome->trial_left);
    else
        snprintf(out->why, sizeof out->why, "confirmed");
}

static void boot(void *ram, const struct dut_port *port, enum dut_reset reset, struct dut_boot *out)
{
    struct own *own = ram;
    struct boot_outcome outcome;
    own_env(&own->env, port);
    memset(out, 0, sizeof *out);
    int error = boot_run(&own->env.boot, (enum boot_reset)reset, &outcome);
    out->boots = !error && outcome.slot != BOOT_SLOT_NONE;
    say_why(out, &outcome);
    if (!out->boots)
        return;
    out->slot = (uint32_t)outcome.slot;
    out->image_addr = own->env.layout.slot_addr[outcome.slot];
    out->trial = outcome.trial;
    out->watchdog_s = outcome.watchdog_s;
    out->handoff[HANDOFF_SLOT] = out->slot;
    out->handoff[HANDOFF_TRIAL] = out->trial;
    out->handoff[HANDOFF_CAUSE] = (uint32_t)outcome.cause;
    out->handoff[HANDOFF_WATCHDOG] = out->watchdog_s;
}

static enum dut_run run(void *ram, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *from)
{
    struct own *own = ram;
    const struct agent_boot how = {
        .slot = (int)from->handoff[HANDOFF_SLOT],
        .trial = from->handoff[HANDOFF_TRIAL] != 0,
        .reset = (enum boot_reset)reset,
        .cause = (enum boot_cause)from->handoff[HANDOFF_CAUSE],
    };
    own_env(&own->env, port);
    return own_app_run(&own->app, port, &own->env.boot, &how, from->handoff[HANDOFF_WATCHDOG]);
}

static uint32_t canonical(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max)
{
    return own_canonical(ram, view, part, out, max);
}

static uint32_t scratch(void *ram, const struct dut_port *view, struct dut_range *out, uint32_t max)
{
    return own_scratch(ram, view, out, max);
}

static const char *const variant[OWN_VARIANTS] = {"factory", "sequences about to wrap"};

static const struct dut device = {
    .abi = DUT_ABI,
    .name = "brickyard",
    .about = "Brickyard's own bootloader and agent",
    .traits = DUT_IN_PLACE | DUT_SIGNED | DUT_IDENTITY | DUT_NO_DOWNGRADE | DUT_TRIES |
              DUT_REPORTS | DUT_REMEMBERS | DUT_ROLLS_BACK | DUT_SURVIVES_DAMAGE,
    .ram_bytes = sizeof(struct own),
    .variants = OWN_VARIANTS,
    .variant = variant,
    .refuses = own_refuses,
    .factory = factory,
    .boot = boot,
    .run = run,
    .ranges = own_ranges,
    .canonical = canonical,
    .scratch = scratch,
};

const struct dut *dut_own_device(void)
{
    return &device;
}
