/* The keys of a scenario itself, and of its `device:` and `flash:`. */
#include "key.h"
#include "number.h"
#include <string.h>

static const struct scn_key device_keys[] = {
    {.name = "mqtt_within",
     .type = SCN_T_DURATION,
     .offset = offsetof(struct scn_device, mqtt_within_us),
     .min = 1000000,
     .max = 600000000,
     .fallback = "30s",
     .means = "MQTT must be connected this long after a boot, else the health check fails."},
    {.name = "fault_free",
     .type = SCN_T_DURATION,
     .offset = offsetof(struct scn_device, fault_free_us),
     .min = 1000000,
     .max = 3600000000,
     .fallback = "60s",
     .means = "No hard fault may happen this long after a boot before an image is confirmed."},
    {.name = "watchdog",
     .type = SCN_T_DURATION,
     .offset = offsetof(struct scn_device, watchdog_us),
     .min = 2000000,
     .max = 7200000000,
     .fallback = "120s",
     .means =
         "The watchdog's time; longer than both times above, because a trial does not kick it."},
    {.name = "trial_boots",
     .type = SCN_T_U32,
     .offset = offsetof(struct scn_device, trial_boots),
     .min = 1,
     .max = 16,
     .fallback = "3",
     .means = "Boots that a new image may begin before it is given up."},
    {.name = "retry_first",
     .type = SCN_T_DURATION,
     .offset = offsetof(struct scn_device, retry_first_us),
     .min = 1000000,
     .max = 21600000000,
     .fallback = "60s",
     .means =
         "A download that failed is tried again after this long, then after twice as long, and "
         "so on, with jitter."},
    {.name = "retry_max",
     .type = SCN_T_DURATION,
     .offset = offsetof(struct scn_device, retry_max_us),
     .min = 1000000,
     .max = 21600000000,
     .fallback = "6h",
     .means = "But never later than after this long."},
    {.name = "credentials",
     .type = SCN_T_ENUM,
     .offset = offsetof(struct scn_device, credentials),
     .names = &scn_names_credentials,
     .fallback = "secret",
     .means = "How a device proves to the broker who it is: user and secret, or a client "
              "certificate of its own (mutual TLS); worlds with real sockets only."},
};
const struct scn_map scn_map_device = {"device", SCN_KEYS(device_keys), NULL};

static const char config_accepts[] = "2xSIZE, two erase sectors, as 2x4KiB";

/* "2x4KiB": the boot config is two sectors written in turn, so that no other count works. */
static int read_config(struct scn_reader *r, const struct scn_path *path,
                       const struct scn_node *node, void *member)
{
    struct scn_flash *flash = member;
    int64_t bytes;
    int error = scn_need_scalar(r, path, node, config_accepts);
    if (error)
        return error;
    if (strncmp(node->text, "2x", 2) || !scn_size_parse(node->text + 2, &bytes) || bytes < 512 ||
        bytes > 1048576)
        return scn_refuse_value(r, path, node, "is not two sectors", config_accepts);
    flash->config_sectors = 2;
    flash->config_sector_bytes = (uint32_t)bytes;
    return SCN_OK;
}

#define FLASH(member) .offset = offsetof(struct scn_flash, member)
static const struct scn_key flash_keys[] = {
    {.name = "bootloader",
     .type = SCN_T_SIZE,
     FLASH(bootloader_bytes),
     .min = 512,
     .max = 16777216,
     .fallback = "64KiB",
     .means = "The bootloader's region, which is never written."},
    {.name = "boot_config",
     .type = SCN_T_CUSTOM,
     .read = read_config,
     .accepts = config_accepts,
     .computed = "2 x `sector`",
     .means = "The two sectors of the boot config."},
    {.name = "slot",
     .type = SCN_T_SIZE,
     FLASH(slot_bytes),
     .min = 1536,
     .max = 268435456,
     .fallback = "4MiB",
     .means = "Each of the two slots; its last sector is the trailer."},
    {.name = "data",
     .type = SCN_T_SIZE,
     FLASH(data_bytes),
     .min = 2048,
     .max = 268435456,
     .fallback = "8MiB",
     .means = "The data partition, which survives updates."},
    {.name = "sector",
     .type = SCN_T_SIZE,
     FLASH(sector_bytes),
     .min = 512,
     .max = 1048576,
     .fallback = "4KiB",
     .means = "The erase sector, a power of two."},
    {.name = "page",
     .type = SCN_T_SIZE,
     FLASH(page_bytes),
     .min = 16,
     .max = 4096,
     .fallback = "256",
     .means = "The program unit, a power of two; a sector holds four of them or more."},
    {.name = "journal",
     .type = SCN_T_SIZE,
     FLASH(journal_bytes),
     .min = 2048,
     .max = 16777216,
     .computed = "64KiB, or what the data partition allows",
     .means = "The agent's journal at the start of the data partition, an even number of sectors, "
              "four or more."},
};
const struct scn_map scn_map_flash = {"flash", SCN_KEYS(flash_keys), NULL};

#define AT(member) .offset = offsetof(struct scn, member)
static const struct scn_key scenario_keys[] = {
    {.name = "scenario",
     .type = SCN_T_NAME,
     AT(name),
     .max = SCN_NAME_MAX - 1,
     .required = true,
     .means = "The name of the scenario."},
    {.name = "summary",
     .type = SCN_T_TEXT,
     AT(summary),
     .max = SCN_TEXT_MAX - 1,
     .means = "One line for the catalogue."},
    {.name = "seed",
     .type = SCN_T_U64,
     AT(seed),
     .fallback = "1",
     .means = "All chance of a run comes from it; `--seed` goes before it."},
    {.name = "start",
     .type = SCN_T_TIME,
     AT(start_us),
     .fallback = "2026-03-19T10:00:00Z",
     .means = "The virtual date at which the run begins; every `at` counts from it."},
    {.name = "fleet",
     .type = SCN_T_LIST,
     AT(group),
     .max = SCN_GROUPS_MAX,
     .required = true,
     .map = &scn_map_group,
     .stride = sizeof(struct scn_group),
     .count_offset = offsetof(struct scn, groups),
     .means = "The groups of devices."},
    {.name = "device",
     .type = SCN_T_MAP,
     AT(device),
     .map = &scn_map_device,
     .means = "Times of the device's own checks."},
    {.name = "flash",
     .type = SCN_T_MAP,
     AT(flash),
     .map = &scn_map_flash,
     .means = "The geometry of each device's flash."},
    {.name = "firmware",
     .type = SCN_T_NAMED,
     AT(firmware),
     .max = SCN_FIRMWARE_MAX,
     .required = true,
     .map = &scn_map_firmware,
     .stride = sizeof(struct scn_firmware),
     .count_offset = offsetof(struct scn, firmwares),
     .means = "The firmware versions: MAJOR.MINOR.PATCH to what each is."},
    {.name = "campaign",
     .type = SCN_T_MAP,
     AT(campaign),
     .required = true,
     .map = &scn_map_campaign,
     .means = "What is rolled out, and how."},
    {.name = "faults",
     .type = SCN_T_LIST,
     AT(fault),
     .max = SCN_FAULTS_MAX,
     .map = &scn_map_fault,
     .stride = sizeof(struct scn_fault),
     .count_offset = offsetof(struct scn, faults),
     .means = "What goes wrong."},
    {.name = "expect",
     .type = SCN_T_MAP,
     AT(expect),
     .map = &scn_map_expect,
     .means = "What should come of it; a run that meets it exits with 0."},
};
const struct scn_map scn_map_scenario = {"a scenario", SCN_KEYS(scenario_keys), NULL};
