/* What a firmware does wrong on a device: as the scenario declares it, or a boot failure demands.
 */
#include "stepped_internal.h"
#include <errno.h>
#include <string.h>

static uint32_t ail_of_check(uint32_t check)
{
    static const enum sim_ail of[AGENT_HEALTH_CHECKS] = {
        [AGENT_HEALTH_MQTT] = SIM_AIL_NO_MQTT,
        [AGENT_HEALTH_DRIVERS] = SIM_AIL_NO_DRIVERS,
        [AGENT_HEALTH_CONFIG] = SIM_AIL_NO_CONFIG,
        [AGENT_HEALTH_TELEMETRY] = SIM_AIL_NO_TELEMETRY,
        [AGENT_HEALTH_HARD_FAULT] = SIM_AIL_HARD_FAULT};
    return 1u << of[check];
}

static uint32_t ail_of_fault(const struct sim_fault *fault)
{
    if (fault->how == SCN_HOW_HANG)
        return 1u << SIM_AIL_HANG;
    if (fault->how == SCN_HOW_HARD_FAULT)
        return 1u << SIM_AIL_HARD_FAULT;
    return ail_of_check((uint32_t)(fault->how - SCN_HOW_HEALTH_MQTT));
}

uint32_t st_firmware_of(const struct st_device *dev, const char *version)
{
    for (uint32_t i = 0; i < dev->st->scn->firmwares; i++)
        if (!strcmp(dev->st->yard.world->artifact[i].header.version, version))
            return i;
    return UINT32_MAX;
}

uint32_t st_ailments(const struct st_device *dev, uint32_t firmware)
{
    const struct sim_world *world = dev->st->yard.world;
    const struct scn_behaviour *b = &world->artifact[firmware].from->behaviour;
    uint32_t ails = 0;
    if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_BOOT_FAILS, b->boot_fails))
        ails |= 1u << SIM_AIL_HARD_FAULT;
    if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_HANGS, b->hangs))
        ails |= 1u << SIM_AIL_HANG;
    for (uint32_t h = 0; h < AGENT_HEALTH_CHECKS; h++)
        if (sim_afflicted(world, dev->number, firmware, SIM_AFFLICT_HEALTH + h, b->health[h]))
            ails |= ail_of_check(h);
    if (dev->failing && firmware == world->candidate)
        ails |= ail_of_fault(dev->failing);
    return ails;
}

/* A boot failure is for the candidate's trials; once that is confirmed it has come too late. */
void st_ail(struct st_device *dev)
{
    struct sim_stepped *st = dev->st;
    const struct st_witness *seen = &dev->seen;
    uint32_t ails[SCN_FIRMWARE_MAX];
    bool done =
        seen->running_confirmed && st_firmware_of(dev, seen->version) == st->yard.world->candidate;
    dev->failing = done || !st->started ? NULL : sim_fault_boot(&dev->faults);
    if (!st->kind->ail)
        return;
    for (uint32_t i = 0; i < st->scn->firmwares; i++)
        ails[i] = st_ailments(dev, i);
    if (st->kind->ail(dev->body, ails))
        snprintf(st->lost, sizeof st->lost, "%s: its configuration can't be written: %s",
                 dev->folder, strerror(errno));
}
