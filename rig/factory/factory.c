/* The factory: who a board is and whom it trusts, in its bootloader region. */
#include "rig/factory.h"
#include "board/factory.h"
#include "board/map.h"
#include <stdio.h>
#include <string.h>

enum { FAULTY_BOOTS = 5 }; /* as in every other world */

static uint32_t ms_of(int64_t us)
{
    return (uint32_t)(us / 1000);
}

static void put_times(struct board_factory *out, const struct sim_body_device *given)
{
    const struct scn_device *times = &given->run->world->scn->device;
    out->trial_boots = (uint8_t)times->trial_boots;
    out->faulty_boots = FAULTY_BOOTS;
    out->watchdog_s = (uint32_t)(times->watchdog_us / 1000000);
    out->mqtt_within_ms = ms_of(times->mqtt_within_us);
    out->fault_free_ms = ms_of(times->fault_free_us);
    out->retry_first_ms = ms_of(times->retry_first_us);
    out->retry_max_ms = ms_of(times->retry_max_us);
    out->telemetry_every_ms = ms_of(given->group->telemetry_every_us);
}

static void put_identity(struct board_factory *out, const struct sim_body_device *given)
{
    const struct sim_world *world = given->run->world;
    snprintf(out->device_id, sizeof out->device_id, "%s", given->unit->id);
    snprintf(out->device_type, sizeof out->device_type, "%s", given->group->device_type);
    snprintf(out->hw_revision, sizeof out->hw_revision, "%s", given->unit->hw_revision);
    snprintf(out->ota_window, sizeof out->ota_window, "%s", given->group->ota_window);
    snprintf(out->zone, sizeof out->zone, "%s", given->unit->zone_posix);
    out->approval = world->scn->campaign.approval;
    out->keys = 2;
    memcpy(out->key, world->key, sizeof world->key);
}

int rig_factory_make(const struct sim_body_device *given, uint8_t *bootloader, uint32_t len,
                     char *message, size_t message_len)
{
    struct board_factory factory = {0};
    if (rig_factory_refuse_times(given->run->world->scn, message, message_len))
        return -1;
    put_identity(&factory, given);
    put_times(&factory, given);
    /* The whole sector is the factory's. */
    if (len >= BOARD_FACTORY_ADDR + BOARD_NOR_SECTOR) {
        memset(bootloader + BOARD_FACTORY_ADDR, 0xFF, BOARD_NOR_SECTOR);
        if (board_factory_encode(bootloader + BOARD_FACTORY_ADDR, &factory) == BOOT_OK)
            return 0;
    }
    snprintf(message, message_len, "%s: its factory block can't be written", given->unit->id);
    return -1;
}
