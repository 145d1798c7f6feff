/* Every key of the configuration. Defaults of the flash are those of a scenario's `flash:`. */
#include "settings_internal.h"
#include <string.h>

#define AT(member) .at = offsetof(struct agent_settings, member)
#define ROOM(member) AT(member), .max = sizeof(((struct agent_settings *)0)->member)
#define SECTION(path_)                                                                             \
    {                                                                                              \
        .path = path_, .form = SETTING_SECTION, .accepts = "a mapping"                             \
    }
#define FILE_PATH(path_, member, initial_)                                                         \
    {                                                                                              \
        .path = path_, .form = SETTING_FILE, ROOM(member), .initial = initial_,                    \
        .accepts = "a path"                                                                        \
    }
#define TEXT(path_, member, initial_, accepts_)                                                    \
    {                                                                                              \
        .path = path_, .form = SETTING_TEXT, ROOM(member), .initial = initial_,                    \
        .accepts = accepts_                                                                        \
    }
#define DURATION(path_, member, min_, max_, initial_, accepts_)                                    \
    {                                                                                              \
        .path = path_, .form = SETTING_DURATION, AT(member), .min = (min_), .max = (max_),         \
        .initial = initial_, .accepts = accepts_                                                   \
    }
#define SIZE(path_, member, min_, max_, initial_, accepts_)                                        \
    {                                                                                              \
        .path = path_, .form = SETTING_SIZE, AT(flash.layout.member), .min = (min_),               \
        .max = (max_), .initial = initial_, .accepts = accepts_                                    \
    }
#define BEHAVIOUR(name, which)                                                                     \
    {.path = "behaviour." name,                                                                    \
     .form = SETTING_LIST,                                                                         \
     .max = AGENT_BEHAVIOUR_VERSIONS,                                                              \
     .accepts = "a list of at most 8 versions"},                                                   \
    {                                                                                              \
        .path = "behaviour." name "[]", .form = SETTING_TEXT,                                      \
        .at = offsetof(struct agent_settings, behaviour) +                                         \
              (which) * sizeof(((struct agent_settings *)0)->behaviour[0]),                        \
        .stride = BOOT_VERSION_MAX, .max = BOOT_VERSION_MAX, .initial = "", .accepts = "a version" \
    }

enum { MS = 1, SECOND = 1000, MINUTE = 60000, HOUR = 3600000, DAY = 86400000, MIB = 1048576 };

const struct setting settings_table[] = {
    {.path = "device_id",
     .form = SETTING_WORD,
     ROOM(device_id),
     .accepts = "1 to 31 letters, digits, '.', '_' and '-'"},
    {.path = "device_type",
     .form = SETTING_WORD,
     ROOM(device_type),
     .accepts = "1 to 31 letters, digits, '.', '_' and '-'"},
    {.path = "hw_revision",
     .form = SETTING_WORD,
     ROOM(hw_revision),
     .accepts = "1 to 15 letters, digits, '.', '_' and '-'"},
    SECTION("flash"),
    FILE_PATH("flash.file", flash.file, NULL),
    FILE_PATH("flash.records", flash.records, ""),
    {.path = "flash.durable",
     .form = SETTING_SWITCH,
     AT(flash.durable),
     .initial = "yes",
     .accepts = "yes or no"},
    {.path = "flash.stop_at",
     .form = SETTING_NUMBER,
     AT(flash.stop_at),
     .max = UINT32_MAX,
     .initial = "0",
     .accepts = "the number of a flash operation; 0 for never"},
    {.path = "flash.step",
     .form = SETTING_SWITCH,
     AT(flash.step),
     .initial = "no",
     .accepts = "yes or no"},
    SIZE("flash.bootloader", bootloader_bytes, 512, 64 * MIB, "64KiB",
         "a size, a multiple of the sector, 512 to 64MiB"),
    {.path = "flash.boot_config",
     .form = SETTING_CONFIG_SECTORS,
     AT(flash.layout.config_addr),
     .min = 512,
     .max = MIB,
     .initial = "2x4KiB",
     .accepts = "two erase sectors, as in 2x4KiB"},
    SIZE("flash.slot", slot_bytes, 1536, 256 * MIB, "4MiB",
         "a size, a multiple of the sector, 3 sectors to 256MiB"),
    SIZE("flash.data", data_bytes, 2048, 256 * MIB, "8MiB",
         "a size, a multiple of the sector, 4 sectors to 256MiB"),
    SIZE("flash.sector", sector_bytes, 512, MIB, "4KiB", "a power of two, 512 to 1MiB"),
    SIZE("flash.page", page_bytes, 16, 4096, "256", "a power of two, 16 to 4KiB"),
    SIZE("flash.journal", journal_bytes, 2048, 16 * MIB, "64KiB",
         "a size, an even number of sectors, 4 sectors to 16MiB"),
    {.path = "keys",
     .form = SETTING_LIST,
     .max = AGENT_KEYS_MAX,
     .accepts = "a list of 1 to 8 {cert_id, public_key}"},
    {.path = "keys[]", .form = SETTING_SECTION, .accepts = "{cert_id, public_key}"},
    {.path = "keys[].cert_id",
     .form = SETTING_WORD,
     .at = offsetof(struct agent_settings, key) + offsetof(struct boot_key, cert_id),
     .stride = sizeof(struct boot_key),
     .max = BOOT_CERT_ID_MAX,
     .accepts = "1 to 23 letters, digits, '.', '_' and '-'"},
    {.path = "keys[].public_key",
     .form = SETTING_FILE,
     .at = offsetof(struct agent_settings, key_file),
     .stride = AGENT_PATH_MAX,
     .max = AGENT_PATH_MAX,
     .accepts = "the path of a PEM file with an ECDSA P-256 public key"},
    SECTION("mqtt"),
    TEXT("mqtt.host", mqtt.host, NULL, "a name or an address"),
    {.path = "mqtt.port",
     .form = SETTING_NUMBER,
     AT(mqtt.port),
     .min = 1,
     .max = 65535,
     .initial = "8883",
     .accepts = "1 to 65535"},
    FILE_PATH("mqtt.ca", mqtt.ca, NULL),
    TEXT("mqtt.server_name", mqtt.server_name, "", "the name in the broker's certificate"),
    TEXT("mqtt.user", mqtt.user, "", "a name"),
    TEXT("mqtt.secret", mqtt.secret, "", "a text"),
    FILE_PATH("mqtt.secret_file", mqtt.secret_file, ""),
    FILE_PATH("mqtt.certificate", mqtt.certificate, ""),
    FILE_PATH("mqtt.key", mqtt.key, ""),
    DURATION("mqtt.keepalive", mqtt.keepalive_ms, 5 * SECOND, HOUR, "60s", "5s to 1h"),
    TEXT("mqtt.bind", mqtt.bind, "", "an address of this host"),
    SECTION("mqtt.reconnect"),
    DURATION("mqtt.reconnect.first", reconnect_first_ms, 100 * MS, HOUR, "1s", "100ms to 1h"),
    DURATION("mqtt.reconnect.max", reconnect_max_ms, SECOND, DAY, "5m", "1s to 24h"),
    SECTION("http"),
    FILE_PATH("http.ca", http.ca, ""),
    FILE_PATH("http.certificate", http.certificate, ""),
    FILE_PATH("http.key", http.key, ""),
    TEXT("http.connect_to", http.connect_to, "", "\"address:port\" (test aid)"),
    TEXT("http.bind", http.bind, "", "an address of this host"),
    DURATION("http.connect_within", http.connect_within_ms, SECOND, HOUR, "30s", "1s to 1h"),
    DURATION("http.stall", http.stall_ms, SECOND, HOUR, "60s", "1s to 1h"),
    {.path = "ota_window",
     .form = SETTING_WINDOW,
     AT(window),
     .initial = "",
     .accepts = "\"Sun 02:00-06:00 UTC\" or \"daily 01:00-05:00 local\""},
    {.path = "zone",
     .form = SETTING_ZONE,
     AT(zone),
     .initial = "",
     .accepts = "a POSIX TZ string, as in \"CET-1CEST,M3.5.0,M10.5.0/3\""},
    {.path = "approval",
     .form = SETTING_SWITCH,
     AT(approval),
     .initial = "no",
     .accepts = "yes or no"},
    SECTION("health"),
    DURATION("health.mqtt_within", mqtt_within_ms, SECOND, HOUR, "30s", "1s to 1h"),
    DURATION("health.fault_free", fault_free_ms, 100 * MS, HOUR, "60s", "100ms to 1h"),
    DURATION("watchdog", watchdog_ms, SECOND, DAY, "120s", "whole seconds, 1s to 24h"),
    FILE_PATH("watchdog_device", watchdog_device, ""),
    {.path = "exit_to_reboot",
     .form = SETTING_SWITCH,
     AT(exit_to_reboot),
     .initial = "no",
     .accepts = "yes or no"},
    {.path = "trial_boots",
     .form = SETTING_NUMBER,
     AT(trial_boots),
     .min = 1,
     .max = 15,
     .initial = "3",
     .accepts = "1 to 15"},
    SECTION("retry"),
    DURATION("retry.first", retry_first_ms, 100 * MS, DAY, "60s", "100ms to 24h"),
    DURATION("retry.max", retry_max_ms, SECOND, 7 * DAY, "6h", "1s to 7d"),
    DURATION("telemetry_every", telemetry_every_ms, SECOND, 7 * DAY, "5m", "1s to 7d"),
    FILE_PATH("energy_file", energy_file, ""),
    SECTION("log"),
    {.path = "log.level",
     .form = SETTING_LEVEL,
     AT(log_level),
     .initial = "info",
     .accepts = "debug, info, warn or error"},
    SECTION("control"),
    FILE_PATH("control.socket", control_socket, ""),
    {.path = "clock_offset",
     .form = SETTING_OFFSET,
     AT(clock_offset_ms),
     .min = -3650 * (int64_t)DAY,
     .max = 3650 * (int64_t)DAY,
     .initial = "0",
     .accepts = "a duration, also negative, at most 3650d"},
    SECTION("behaviour"),
    BEHAVIOUR("hang", AGENT_BEHAVE_HANG),
    BEHAVIOUR("hard_fault", AGENT_BEHAVE_HARD_FAULT),
    BEHAVIOUR("no_mqtt", AGENT_BEHAVE_NO_MQTT),
    BEHAVIOUR("no_drivers", AGENT_BEHAVE_NO_DRIVERS),
    BEHAVIOUR("no_config", AGENT_BEHAVE_NO_CONFIG),
    BEHAVIOUR("no_telemetry", AGENT_BEHAVE_NO_TELEMETRY),
};
const uint32_t settings_rows = sizeof settings_table / sizeof settings_table[0];

_Static_assert(sizeof settings_table / sizeof settings_table[0] <= (int)SETTINGS_ROWS_MAX,
               "every row has a place");

const struct setting *settings_find(const char *path)
{
    for (uint32_t i = 0; i < settings_rows; i++)
        if (!strcmp(settings_table[i].path, path))
            return &settings_table[i];
    return NULL;
}
