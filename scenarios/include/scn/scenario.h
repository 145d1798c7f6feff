/*
 * A scenario: what a YAML file says, checked, with every default filled in. Bytes in, struct out;
 * no file is opened but the one named (and `file:` images are only named, not read). Depends on
 * nothing else here.
 *
 * Times are microseconds, sizes bytes, ratios exact fractions. Everything in struct scn is owned by
 * it and freed by scn_free. The parser is deterministic and thread-safe (no globals).
 */
#ifndef SCN_SCENARIO_H
#define SCN_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SCN_NAME_MAX = 64,
    SCN_TEXT_MAX = 256,
    SCN_SHARES_MAX = 16,
    SCN_ZONES_MAX = 32,
    SCN_GROUPS_MAX = 32,
    SCN_FIRMWARE_MAX = 32,
    SCN_PHASES_MAX = 16,
    SCN_GATES_MAX = 12,
    SCN_FAULTS_MAX = 64,
    SCN_ORDERS_MAX = 16,
    SCN_DEVICES_MAX = 1000000
};

/* num / den, den > 0, as exact as it was written: 2% = 2/100, 0.05% = 5/10000, 1/5000. May exceed 1
 * or be negative only where a key says so (energy: +1%). */
struct scn_ratio {
    int64_t num, den;
};

/* A named share of a fleet; the shares of one list add up to 1. */
struct scn_share {
    char name[SCN_NAME_MAX];
    struct scn_ratio share;
};
struct scn_shares {
    uint32_t count;
    struct scn_share share[SCN_SHARES_MAX];
};

struct scn_group {
    char name[SCN_NAME_MAX];
    bool lab;
    uint32_t count;
    char device_type[32];
    struct scn_shares hw_revision;          /* default {Rev-A: 100%} */
    char firmware[32];                      /* a key of firmware: */
    uint32_t sites;                         /* 1 or more; named site-01..; lab groups: site "lab" */
    uint32_t zones;                         /* number of entries in zone */
    char zone[SCN_ZONES_MAX][SCN_NAME_MAX]; /* IANA names, checked against the table in zones.h */
    struct scn_shares link; /* ethernet wifi lte-m nb-iot lorawan satellite; default ethernet */
    struct scn_shares criticality; /* low medium high; default low */
    char ota_window[SCN_NAME_MAX]; /* "" = none */
    struct scn_ratio
        active_process;         /* share of the time in which the device may not be interrupted */
    int64_t telemetry_every_us; /* 5 min */
};

/* How a device proves to the broker who it is. */
enum scn_credentials { SCN_BY_SECRET, SCN_BY_CERTIFICATE };

struct scn_device {
    int64_t mqtt_within_us, fault_free_us, watchdog_us;
    int64_t retry_first_us, retry_max_us; /* of downloads: 60 s, doubling up to 6 h */
    enum scn_credentials credentials;
    int64_t keepalive_us, stall_us; /* MQTT's, 60 s; of a download without a byte, 30 s */
    uint32_t trial_boots;
};

struct scn_flash {
    uint32_t bootloader_bytes, config_sectors /* 2 */, config_sector_bytes, slot_bytes, data_bytes;
    uint32_t sector_bytes, page_bytes;
    uint32_t journal_bytes; /* default 64 KiB or what the data partition allows; key `journal` */
};

/* Probabilities per update or boot (boot_fails, hangs, health, migration) and rates. */
struct scn_behaviour {
    struct scn_ratio
        boot_fails; /* hard fault before the application starts, at each boot of a device it hits */
    struct scn_ratio hangs;     /* never reaches the application; the watchdog resets */
    struct scn_ratio health[5]; /* mqtt drivers config telemetry hard_fault */
    struct scn_ratio
        crash_per_day; /* after confirmation, per device and day (hard fault, reset, runs on) */
    int64_t crash_onset_us;         /* no crash before this age of the confirmation */
    struct scn_ratio telemetry_gap; /* share of telemetry messages that are not sent */
    struct scn_ratio energy;        /* relative to the old version, signed */
    struct scn_ratio memory_growth; /* of the base, per day, signed */
    struct scn_ratio cpu;           /* relative, signed */
    uint32_t command_ms;            /* time from a command's arrival to its answer */
    struct scn_ratio migration; /* devices whose data the old version can't read after a rollback
                                   (soft brick); key data_migration */
};

enum scn_signing { SCN_SIGN_GOOD, SCN_SIGN_NONE, SCN_SIGN_WRONG_KEY, SCN_SIGN_REVOKED };

struct scn_firmware {
    char version[32];          /* the key */
    uint32_t size_bytes;       /* whole image, made by seed; 0 when file is given */
    char file[SCN_TEXT_MAX];   /* a real image, relative to the scenario file; "" = none */
    uint32_t security_counter; /* default 1 */
    char device_type[32];     /* default: that of the fleet; another one makes a wrong-type image */
    char min_hw_revision[16]; /* default "Rev-A" */
    enum scn_signing signing; /* key `signing`: good | none | wrong_key | revoked */
    struct scn_behaviour behaviour;
    int line, column; /* of the value of `file`, else of the whole entry; 0: from an override */
};

enum scn_metric {
    SCN_METRIC_SUCCESS,
    SCN_METRIC_CRASH,
    SCN_METRIC_TELEMETRY_GAP,
    SCN_METRIC_BRICK,
    SCN_METRIC_ROLLBACK,
    SCN_METRIC_COMMAND_MS,
    SCN_METRIC_MEMORY,
    SCN_METRIC_CPU,
    SCN_METRICS
};
/* names: success crash telemetry_gap brick rollback command_ms memory cpu
 * success = confirmed/cohort; crash = devices with an unplanned reset within 48 h of confirming /
 * confirmed; command_ms = answers at or over the limit / answers (limit_value is in ms, any one is
 * red: "> 0"); memory, cpu = growth of the cohort's mean against before, as a ratio. */

enum scn_compare {
    SCN_LESS,
    SCN_MORE,
    SCN_LESS_EQUAL,
    SCN_MORE_EQUAL
}; /* "<" ">" "<=" ">=": stop if value OP limit */

struct scn_gate {
    enum scn_metric metric;
    enum scn_compare compare;
    struct scn_ratio limit;
    uint32_t limit_value;    /* milliseconds, for command_ms */
    char text[SCN_NAME_MAX]; /* stop_if as written: "< 95%" */
    bool of_cohort;          /* of: cohort (silent count as failures at once) | reported */
    uint32_t min_sample;     /* fewer than this many: hold, never green; default 1 */
};

enum scn_size_kind { SCN_SIZE_SHARE, SCN_SIZE_COUNT, SCN_SIZE_DEVICES, SCN_SIZE_LAB };
struct scn_phase {
    char name[SCN_NAME_MAX];
    enum scn_size_kind size;
    struct scn_ratio share; /* cumulative share of the fleet without labs, rounded up */
    uint32_t count;         /* cumulative count */
    char devices[8][SCN_NAME_MAX];
    uint32_t devices_count; /* device ids */
    char where_site[SCN_NAME_MAX], where_group[SCN_NAME_MAX],
        where_criticality[SCN_NAME_MAX]; /* "" = any */
    int64_t hold_us;                     /* counts from when 95 % of the cohort has an outcome */
    uint32_t rate_per_hour;              /* 0 = unlimited */
    bool stagger;                        /* site after site, following the sun */
    uint32_t gates;
    struct scn_gate gate[SCN_GATES_MAX];
    int line, column; /* 0: a standard phase */
};

enum scn_delta { SCN_DELTA_AUTO, SCN_DELTA_NEVER }; /* `always` is refused until deltas are built */
enum scn_trigger { SCN_TRIGGER_PAUSE, SCN_TRIGGER_ROLLBACK };

/* What a person at the service's desk orders; key `operator`. */
enum scn_order_action { SCN_ORDER_PAUSE, SCN_ORDER_RESUME, SCN_ORDER_ROLLBACK, SCN_ORDER_ACTIONS };
struct scn_order {
    int64_t at_us;
    enum scn_order_action action;
}; /* from start, in the order of their times; key `do` */

struct scn_campaign {
    char to[32];
    char rollback_version[32]; /* default: the fleet's firmware */
    enum scn_delta delta;
    bool force, approval;
    enum scn_trigger on_trigger;
    uint32_t time_scale; /* 1; wall-clock worlds only */
    bool standard_phases;
    uint32_t phases;
    struct scn_phase phase[SCN_PHASES_MAX]; /* filled also for `standard` (scn_standard_phases) */
    int64_t observe_us;                     /* post-rollout observation, 7 d; key `observe` */
    int64_t silent_after_us; /* a device without outcome this long after its notification is silent,
                                48 h; key `silent_after` */
    int64_t presumed_brick_us; /* no message this long after `rebooting`, 12 h; key
                                  `presumed_brick_after` */
    uint32_t orders;
    struct scn_order order[SCN_ORDERS_MAX];
};

enum scn_fault_kind {
    SCN_FAULT_POWER_LOSS,       /* during, torn, off_for, times | at */
    SCN_FAULT_CORRUPT_DOWNLOAD, /* how, times */
    SCN_FAULT_NETWORK_DROP,     /* where, how, at, for | during */
    SCN_FAULT_BOOT_FAILURE,     /* how, times */
    SCN_FAULT_FLASH_DAMAGE, /* region, at | during: bootloader damage, bit rot, stuck or worn sector
                               (how) */
    SCN_FAULT_BROKER_DOWN,  /* at, for: everybody's MQTT */
    SCN_FAULT_CDN_DOWN,     /* at, for: everybody's HTTP */
    SCN_FAULT_SERVICE_RESTART, /* at: the campaign service is killed and restarted from its database
                                */
    SCN_FAULT_BAD_CERTIFICATE, /* server, how, at, for */
    SCN_FAULT_SLOW_LINK,       /* latency, jitter, bandwidth, slice, at, for | the whole run */
    SCN_FAULT_BROKER_RESTART,  /* at, how: everybody's connection is lost; forget: and all that the
                                  broker held */
    SCN_FAULT_MESSAGE,         /* how, delay, at: of the service to a device, twice or late */
    SCN_FAULT_CLOCK_SKEW,      /* by, at, for: the device's own clock is wrong */
    SCN_FAULT_KINDS
};

/* When in the life of a device: an event in flash, or a state of the agent or the boot. */
enum scn_during {
    SCN_DURING_NONE, /* at: is used */
    SCN_DURING_ANY,  /* a flash operation chosen over all cells of state x region x form */
    SCN_DURING_FLASH_WRITE,
    SCN_DURING_FLASH_ERASE, /* of the staging slot */
    SCN_DURING_BOOT,        /* while the bootloader writes or verifies */
    SCN_DURING_IDLE,
    SCN_DURING_NOTIFIED,
    SCN_DURING_CHECKING,
    SCN_DURING_DOWNLOAD_SCHEDULED,
    SCN_DURING_DOWNLOADING,
    SCN_DURING_DOWNLOAD_FAILED,
    SCN_DURING_VERIFYING,
    SCN_DURING_VERIFIED,
    SCN_DURING_VERIFY_FAILED,
    SCN_DURING_WAITING_APPLY,
    SCN_DURING_APPLYING,
    SCN_DURING_REBOOTING,
    SCN_DURING_HEALTH_CHECK,
    SCN_DURING_CONFIRMED,
    SCN_DURING_ROLLED_BACK, /* the agent's 15, in its order */
    SCN_DURINGS
}; /* names in snake_case: flash_write, flash_erase, boot, download_scheduled, ... */

/* Order: programs nothing prefix suffix random unstable; erases nothing first last random unstable
 */
enum scn_torn {
    SCN_TORN_ANY,
    SCN_TORN_BEFORE,
    SCN_TORN_NOTHING,
    SCN_TORN_PREFIX,
    SCN_TORN_SUFFIX,
    SCN_TORN_RANDOM,
    SCN_TORN_UNSTABLE,
    SCN_TORN_AFTER,
    SCN_TORNS
};
/* prefix = erase's first part, suffix = erase's last part: names `first` and `last` are accepted as
 * aliases */

enum scn_how {
    SCN_HOW_ANY,
    /* corrupt_download */
    SCN_HOW_BIT_FLIP,
    SCN_HOW_TRUNCATED,
    SCN_HOW_WRONG_FILE,
    SCN_HOW_STALE_FILE,
    SCN_HOW_WRONG_LENGTH,
    SCN_HOW_GARBAGE,
    SCN_HOW_HTTP_403,
    SCN_HOW_HTTP_404,
    SCN_HOW_HTTP_500,
    SCN_HOW_ENDLESS,
    SCN_HOW_DISCONNECT,
    /* boot_failure */
    SCN_HOW_HANG,
    SCN_HOW_HARD_FAULT,
    SCN_HOW_RESET_LOOP,
    SCN_HOW_BROWN_OUT,
    SCN_HOW_HEALTH_MQTT,
    SCN_HOW_HEALTH_DRIVERS,
    SCN_HOW_HEALTH_CONFIG,
    SCN_HOW_HEALTH_TELEMETRY,
    SCN_HOW_HEALTH_HARD_FAULT,
    /* flash_damage */
    SCN_HOW_BIT_ROT,
    SCN_HOW_STUCK,
    SCN_HOW_WORN,
    /* Newer ones stand behind: a run's digest holds their numbers. corrupt_download; `any` is none
     * of these: */
    SCN_HOW_HTTP_416,
    SCN_HOW_REDIRECT_LOOP,
    SCN_HOW_HUGE_HEADERS,
    /* network_drop */
    SCN_HOW_RESET,
    SCN_HOW_BLACK_HOLE,
    SCN_HOW_CLOSE,
    SCN_HOW_SLOW_CLOSE,
    /* bad_certificate */
    SCN_HOW_EXPIRED,
    SCN_HOW_NOT_YET_VALID,
    SCN_HOW_WRONG_NAME,
    SCN_HOW_UNKNOWN_CA,
    /* broker_restart */
    SCN_HOW_KEEP,
    SCN_HOW_FORGET,
    /* message */
    SCN_HOW_DUPLICATE,
    SCN_HOW_LATE,
    SCN_HOWS
}; /* names in snake_case */

enum scn_region {
    SCN_REGION_BOOTLOADER,
    SCN_REGION_CONFIG,
    SCN_REGION_RUNNING_SLOT,
    SCN_REGION_STAGING_SLOT,
    SCN_REGION_JOURNAL,
    SCN_REGION_DATA,
    SCN_REGIONS
};

struct scn_where { /* all given members must match; none given: the whole fleet */
    char site[SCN_NAME_MAX], link[SCN_NAME_MAX], group[SCN_NAME_MAX], criticality[SCN_NAME_MAX];
    char device[SCN_NAME_MAX]; /* a device id or index */
};

enum scn_server { SCN_SERVER_BROKER, SCN_SERVER_STORE, SCN_SERVERS };

struct scn_fault {
    enum scn_fault_kind kind;
    enum scn_during during;
    enum scn_torn torn;
    enum scn_how how;
    enum scn_region region;
    struct scn_where where;
    struct scn_ratio devices; /* share of the devices that match where; default all */
    bool has_at;
    int64_t at_us;      /* from start */
    int64_t for_us;     /* network faults; default 1 h */
    int64_t off_for_us; /* power stays away, default 30 s */
    uint32_t times;     /* how often on one device, default 1 */
    enum scn_server server;
    int64_t latency_us, jitter_us;           /* slow_link, one way */
    uint32_t bandwidth_bytes_s, slice_bytes; /* 0: no limit */
    int line, column;
    int64_t delay_us; /* message */
    int64_t by_us;    /* clock_skew, signed */
};

enum scn_verdict {
    SCN_VERDICT_ANY,
    SCN_VERDICT_PASS,
    SCN_VERDICT_GATE_STOPPED,
    SCN_VERDICT_UNSAFE,
    SCN_VERDICT_DIVERGED,
    SCN_VERDICT_UNFINISHED
};
/* Each expectation is a range; given false: nothing said. YAML: a number (0), or text "> 5", ">=
 * 1", "1..20". */
struct scn_expect_range {
    bool given;
    int64_t min, max;
};
struct scn_expect {
    bool given;
    enum scn_verdict verdict;
    char stopped_phase[SCN_NAME_MAX];  /* key `stopped_in` */
    char stopped_metric[SCN_NAME_MAX]; /* key `stopped_by` */
    char alert[SCN_NAME_MAX]; /* operations | on_call | engineering_lead must have been raised */
    struct scn_expect_range bricked, confirmed, rolled_back, enrolled, download_failed,
        verify_failed, refused, silent, pending;
};

struct scn {
    char name[SCN_NAME_MAX];
    char summary[SCN_TEXT_MAX];
    char path[1024]; /* as given */
    uint8_t
        content_hash[32]; /* SHA-256 is not available here: XXH3-128 of the bytes, zero padded */
    uint64_t seed;
    int64_t start_us; /* UTC since 1970 */
    uint32_t groups;
    struct scn_group group[SCN_GROUPS_MAX];
    struct scn_device device;
    struct scn_flash flash;
    uint32_t firmwares;
    struct scn_firmware firmware[SCN_FIRMWARE_MAX];
    struct scn_campaign campaign;
    uint32_t faults;
    struct scn_fault fault[SCN_FAULTS_MAX];
    struct scn_expect expect;
};

struct scn_message {
    bool warning;
    char text[1024];
}; /* "file:line:column: key: what; what is accepted" */
struct scn_messages {
    uint32_t count;
    struct scn_message message[32];
}; /* errors stop at the first; warnings go on */

/* Overrides from the command line, applied before the checks. */
struct scn_overrides {
    bool has_seed;
    uint64_t seed;
    uint32_t devices; /* 0 = as written; else the groups outside lab are scaled to this total */
    uint32_t sets;
    const char *const *set; /* "campaign.on_trigger=rollback" */
};

enum scn_error {
    SCN_OK = 0,
    SCN_EFILE = -1,
    SCN_ESYNTAX = -2,
    SCN_EVALUE = -3,
    SCN_ETOO_LARGE = -4,
    SCN_EMEMORY = -5
};
const char *scn_error_name(int error);

/* Parses a file (at most 1 MiB) or bytes. On an error *out is NULL and the last message says why.
 */
int scn_load(struct scn **out, const char *path, const struct scn_overrides *overrides,
             struct scn_messages *messages);
int scn_parse(struct scn **out, const char *name, const char *bytes, size_t len,
              const struct scn_overrides *overrides, struct scn_messages *messages);
void scn_free(struct scn *scn);

/* The firmware with this version, or NULL. */
const struct scn_firmware *scn_firmware_find(const struct scn *scn, const char *version);

/* Phases and gates of DESIGN section 6. */
void scn_standard_phases(struct scn_campaign *campaign, bool has_lab);

/* The name in YAML of an enum's value, and back (-1: none). */
const char *scn_fault_kind_name(int v);
const char *scn_during_name(int v);
const char *scn_torn_name(int v);
const char *scn_how_name(int v);
const char *scn_region_name(int v);
const char *scn_server_name(int v);
const char *scn_metric_name(int v);
const char *scn_order_name(int v);
const char *scn_compare_name(int v);
const char *scn_verdict_name(int v);

/* POSIX TZ string of an IANA zone (a table of the world's zones), NULL when unknown. */
const char *scn_zone_posix(const char *iana_name);

/* ceil(share * n), exact; share of [0, 1]. */
uint32_t scn_ratio_ceil(struct scn_ratio share, uint32_t n);

/* Exact counts for the shares of n things by largest remainder (ties: earlier share first); sum is
 * n. */
void scn_shares_apportion(const struct scn_shares *shares, uint32_t n, uint32_t *out_count);

/* Writes the reference of every key (type, unit, default, what is accepted) as Markdown, from the
 * tables that the parser itself reads by. SCN_OK, or SCN_EFILE when the stream has an error. */
int scn_reference_write(FILE *out);

#endif
