/* The keys of a firmware version and of its behaviour. */
#include "form.h"
#include "key.h"
#include <string.h>

#define BEHAVIOUR(member) .offset = offsetof(struct scn_behaviour, member)
#define CHANCE(key_name, member, text)                                                             \
    {                                                                                              \
        .name = key_name, .type = SCN_T_RATIO, BEHAVIOUR(member), .max = 100, .fallback = "0%",    \
        .means = text                                                                              \
    }
#define CHANGE(key_name, member, text)                                                             \
    {                                                                                              \
        .name = key_name, .type = SCN_T_RATIO, BEHAVIOUR(member), .min = -100, .max = 1000,        \
        .fallback = "0%", .accepts = "a signed ratio -100%..1000%, as +1% or -0.5%", .means = text \
    }

static const struct scn_key health_keys[] = {
    CHANCE("mqtt", health[0], "MQTT does not connect in time."),
    CHANCE("drivers", health[1], "A required driver does not initialise."),
    CHANCE("config", health[2], "The configuration does not load."),
    CHANCE("telemetry", health[3], "The first telemetry is not published."),
    CHANCE("hard_fault", health[4], "A hard fault within the fault-free time."),
};
static const struct scn_map map_health = {"health", SCN_KEYS(health_keys), NULL};

static const struct scn_key behaviour_keys[] = {
    CHANCE(
        "boot_fails", boot_fails,
        "Chance for a device that the image ends in a hard fault before the application starts."),
    CHANCE("hangs", hangs,
           "Chance for a device that the image never reaches the application, until the watchdog."),
    {.name = "health",
     .type = SCN_T_MAP,
     .map = &map_health,
     .means = "Chance for a device that one of the five health checks fails."},
    CHANCE("crash_per_day", crash_per_day,
           "Crashes after the confirmation, per device and day: hard fault, reset, runs on."),
    {.name = "crash_onset",
     .type = SCN_T_DURATION,
     BEHAVIOUR(crash_onset_us),
     .max = 31536000000000,
     .fallback = "0d",
     .means = "No such crash before this age of the confirmation."},
    CHANCE("telemetry_gap", telemetry_gap, "Share of the telemetry messages that are not sent."),
    CHANGE("energy", energy, "Energy against the version before."),
    CHANGE("memory_growth", memory_growth, "Growth of memory in use, of the base, per day."),
    CHANGE("cpu", cpu, "CPU load against the version before."),
    {.name = "command_ms",
     .type = SCN_T_U32,
     BEHAVIOUR(command_ms),
     .min = 0,
     .max = 600000,
     .fallback = "80",
     .means = "Milliseconds from a command's arrival to its answer."},
    CHANCE("data_migration", migration,
           "Chance that the version before can't read the data any more after a rollback."),
};
static const struct scn_map map_behaviour = {"behaviour", SCN_KEYS(behaviour_keys), NULL};

static int finish_firmware(struct scn_reader *r, const struct scn_path *path,
                           const struct scn_node *node, void *object)
{
    struct scn_firmware *firmware = object;
    const struct scn_node *file = scn_node_get(node, "file");
    firmware->line = file ? file->line : node->line;
    firmware->column = file ? file->column : node->column;
    if (!scn_version_ok(firmware->version))
        return scn_fail_key(r, path, node,
                            "'%s' is not a version; accepted: MAJOR.MINOR.PATCH, as 2.4.0",
                            firmware->version);
    if (!firmware->size_bytes && !firmware->file[0])
        return scn_fail(r, path, node, "'size' is missing; accepted: size, or file");
    if (firmware->size_bytes && firmware->file[0])
        return scn_fail(r, path, node, "both size and file; accepted: one of them");
    return SCN_OK;
}

#define AT(member) .offset = offsetof(struct scn_firmware, member)
static const struct scn_key firmware_keys[] = {
    {.name = "size",
     .type = SCN_T_SIZE,
     AT(size_bytes),
     .min = 256,
     .max = 268435456,
     .computed = "required, unless `file` is given",
     .means = "Bytes of the whole image, which is then made by the seed."},
    {.name = "file",
     .type = SCN_T_TEXT,
     AT(file),
     .max = SCN_TEXT_MAX - 1,
     .means = "A real image, relative to the scenario's folder."},
    {.name = "security_counter",
     .type = SCN_T_U32,
     AT(security_counter),
     .min = 0,
     .max = 4294967295,
     .fallback = "1",
     .means = "The image's counter against downgrades."},
    {.name = "device_type",
     .type = SCN_T_TEXT,
     AT(device_type),
     .max = 31,
     .computed = "that of the fleet's first group",
     .means = "What the image is made for; another one makes an image of the wrong type."},
    {.name = "min_hw_revision",
     .type = SCN_T_NAME,
     AT(min_hw_revision),
     .max = 15,
     .fallback = "Rev-A",
     .means = "The lowest hardware revision that the image runs on."},
    {.name = "signing",
     .type = SCN_T_ENUM,
     AT(signing),
     .names = &scn_names_signing,
     .fallback = "good",
     .means = "How the image is signed."},
    {.name = "behaviour",
     .type = SCN_T_MAP,
     AT(behaviour),
     .map = &map_behaviour,
     .means = "What the image does on a device."},
};
const struct scn_map scn_map_firmware = {"firmware", SCN_KEYS(firmware_keys), finish_firmware};
