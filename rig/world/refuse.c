/* What of a scenario no QEMU board can be made to do, told before anything is started. */
#include "board/factory.h"
#include "world_internal.h"
#include <inttypes.h>
#include <string.h>

static const char FLASH_LINE[] = "flash: {bootloader: 64KiB, boot_config: 2x4KiB, slot: 384KiB, "
                                 "data: 184KiB, sector: 4KiB, page: 256, journal: 64KiB}";

static int refuse_flash(const struct scn *scn, char *message, size_t len)
{
    const struct scn_flash *flash = &scn->flash;
    const struct {
        const char *key;
        uint32_t value, board;
    } row[] = {
        {"bootloader", flash->bootloader_bytes, BOARD_BOOTLOADER_BYTES},
        {"boot_config", flash->config_sector_bytes, BOARD_NOR_SECTOR},
        {"slot", flash->slot_bytes, BOARD_SLOT_BYTES},
        {"data", flash->data_bytes, BOARD_DATA_BYTES},
        {"sector", flash->sector_bytes, BOARD_NOR_SECTOR},
        {"page", flash->page_bytes, BOARD_NOR_PAGE},
        {"journal", flash->journal_bytes, BOARD_JOURNAL_BYTES},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value != row[i].board)
            return sim_stepped_refused(message, len, scn, 0, 0,
                                       "flash.%s: %u bytes, and the board has %u; accepted with "
                                       "--world board: %s",
                                       row[i].key, row[i].value, row[i].board, FLASH_LINE);
    return 0;
}

static int refuse_fault(const struct scn *scn, const struct scn_fault *fault, char *message,
                        size_t len)
{
    if (fault->kind != SCN_FAULT_BOOT_FAILURE)
        return 0;
    return sim_stepped_refused(message, len, scn, fault->line, fault->column,
                               "boot_failure: an image on a board can't be made to fail on some "
                               "boots only; accepted with --world board: %s; and as firmware an "
                               "image that does it (file: ..., behaviour: {hangs: 100%%})",
                               rig_world_body.faults);
}

/* An image does what it does, on every board. */
static int refuse_ratios(const struct scn *scn, const struct scn_firmware *firmware, char *message,
                         size_t len)
{
    const struct scn_behaviour *b = &firmware->behaviour;
    const struct {
        const char *key;
        struct scn_ratio value;
    } row[] = {
        {"boot_fails", b->boot_fails},       {"hangs", b->hangs},
        {"health.mqtt", b->health[0]},       {"health.drivers", b->health[1]},
        {"health.config", b->health[2]},     {"health.telemetry", b->health[3]},
        {"health.hard_fault", b->health[4]},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].value.num && row[i].value.num != row[i].value.den)
            return sim_stepped_refused(message, len, scn, firmware->line, firmware->column,
                                       "firmware %s: behaviour: %s: an image does the same on "
                                       "every board; accepted with --world board: 0%% or 100%%, as "
                                       "the image in `file` does",
                                       firmware->version, row[i].key);
    return 0;
}

static int refuse_behaviour(const struct scn *scn, const struct scn_firmware *firmware,
                            char *message, size_t len)
{
    const char *measured = sim_stepped_measured(&firmware->behaviour);
    if (measured)
        return sim_stepped_refused(message, len, scn, firmware->line, firmware->column,
                                   "firmware %s: behaviour: %s: the image in `file` measures "
                                   "itself and can't be made to; accepted with --world board: "
                                   "boot_fails, hangs, health",
                                   firmware->version, measured);
    return refuse_ratios(scn, firmware, message, len);
}

static int refuse_firmware(const struct scn *scn, const struct scn_firmware *firmware,
                           char *message, size_t len)
{
    if (*firmware->file)
        return refuse_behaviour(scn, firmware, message, len);
    return sim_stepped_refused(message, len, scn, firmware->line, firmware->column,
                               "firmware %s: size: a board runs machine code, and no bytes made by "
                               "the seed; accepted with --world board: file: an image for the "
                               "ast1030 board (build/board/pump-2.4.0.bin)",
                               firmware->version);
}

int rig_world_refuse(const struct scn *scn, char *message, size_t len)
{
    int error = sim_stepped_refuse(scn, &rig_world_body, message, len);
    if (!error)
        error = refuse_flash(scn, message, len);
    if (!error)
        error = rig_factory_refuse_times(scn, message, len);
    for (uint32_t i = 0; i < scn->firmwares && !error; i++)
        error = refuse_firmware(scn, &scn->firmware[i], message, len);
    for (uint32_t i = 0; i < scn->faults && !error; i++)
        error = refuse_fault(scn, &scn->fault[i], message, len);
    return error;
}

/* ---- Once the roster is drawn ---- */

/* What fits a slot fits the memory that it is copied to. */
_Static_assert(BOARD_SLOT_BYTES <= BOARD_APP_BYTES, "no image is too large for the memory alone");

static int refuse_unit(const struct scn *scn, const struct sim_unit *unit, char *message,
                       size_t len)
{
    const struct scn_group *group = &scn->group[unit->group];
    if (strlen(unit->id) >= BOARD_DEVICE_ID_MAX || strlen(unit->zone_posix) >= BOARD_ZONE_MAX ||
        strlen(group->ota_window) >= BOARD_WINDOW_MAX)
        return sim_stepped_refused(message, len, scn, 0, 0,
                                   "%s: its id, zone or window does not fit into the factory "
                                   "block; accepted with --world board: ids of %d characters, the "
                                   "others of %d",
                                   unit->id, BOARD_DEVICE_ID_MAX - 1, BOARD_ZONE_MAX - 1);
    return 0;
}

int rig_world_refuse_built(const struct sim_world *world, char *message, size_t len)
{
    int error = 0;
    for (uint32_t i = 0; i < world->roster.count && !error; i++)
        error = refuse_unit(world->scn, &world->roster.unit[i], message, len);
    return error;
}
