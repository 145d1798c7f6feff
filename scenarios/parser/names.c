#include "names.h"
#include <string.h>

#define NAMES(table, ...)                                                                          \
    static const char *const table##_list[] = {__VA_ARGS__};                                       \
    const struct scn_names table = {sizeof table##_list / sizeof table##_list[0], table##_list}

NAMES(scn_names_fault_kind, "power_loss", "corrupt_download", "network_drop", "boot_failure",
      "flash_damage", "broker_down", "cdn_down", "service_restart", "bad_certificate", "slow_link",
      "broker_restart", "message", "clock_skew");
/* SCN_DURING_NONE means that `at` is used: it has no name. */
NAMES(scn_names_during, NULL, "any", "flash_write", "flash_erase", "boot", "idle", "notified",
      "checking", "download_scheduled", "downloading", "download_failed", "verifying", "verified",
      "verify_failed", "waiting_apply", "applying", "rebooting", "health_check", "confirmed",
      "rolled_back");
NAMES(scn_names_torn, "any", "before", "nothing", "prefix", "suffix", "random", "unstable",
      "after");
NAMES(scn_names_how, "any", "bit_flip", "truncated", "wrong_file", "stale_file", "wrong_length",
      "garbage", "http_403", "http_404", "http_500", "endless", "disconnect", "hang", "hard_fault",
      "reset_loop", "brown_out", "health_mqtt", "health_drivers", "health_config",
      "health_telemetry", "health_hard_fault", "bit_rot", "stuck", "worn", "http_416",
      "redirect_loop", "huge_headers", "reset", "black_hole", "close", "slow_close", "expired",
      "not_yet_valid", "wrong_name", "unknown_ca", "keep", "forget", "duplicate", "late");
NAMES(scn_names_server, "broker", "store");
NAMES(scn_names_region, "bootloader", "config", "running_slot", "staging_slot", "journal", "data");
NAMES(scn_names_metric, "success", "crash", "telemetry_gap", "brick", "rollback", "command_ms",
      "memory", "cpu");
NAMES(scn_names_compare, "<", ">", "<=", ">=");
NAMES(scn_names_verdict, "any", "pass", "gate_stopped", "unsafe", "diverged", "unfinished");
NAMES(scn_names_signing, "good", "none", "wrong_key", "revoked");
NAMES(scn_names_delta, "auto", "never");
NAMES(scn_names_trigger, "pause", "rollback");
NAMES(scn_names_credentials, "secret", "certificate");
NAMES(scn_names_order, "pause", "resume", "rollback");
NAMES(scn_names_approval, "none", "operator");
NAMES(scn_names_of, "reported", "cohort");
NAMES(scn_names_link, "ethernet", "wifi", "lte-m", "nb-iot", "lorawan", "satellite");
NAMES(scn_names_criticality, "low", "medium", "high");
NAMES(scn_names_alert, "operations", "on_call", "engineering_lead");
NAMES(scn_names_health, "mqtt", "drivers", "config", "telemetry", "hard_fault");

_Static_assert(sizeof scn_names_fault_kind_list / sizeof(char *) == SCN_FAULT_KINDS, "fault kinds");
_Static_assert(sizeof scn_names_during_list / sizeof(char *) == SCN_DURINGS, "durings");
_Static_assert(sizeof scn_names_torn_list / sizeof(char *) == SCN_TORNS, "torn forms");
_Static_assert(sizeof scn_names_how_list / sizeof(char *) == SCN_HOWS, "hows");
_Static_assert(sizeof scn_names_server_list / sizeof(char *) == SCN_SERVERS, "servers");
_Static_assert(sizeof scn_names_region_list / sizeof(char *) == SCN_REGIONS, "regions");
_Static_assert(sizeof scn_names_metric_list / sizeof(char *) == SCN_METRICS, "metrics");
_Static_assert(sizeof scn_names_order_list / sizeof(char *) == SCN_ORDER_ACTIONS, "orders");

const char *scn_names_get(const struct scn_names *names, int value)
{
    return value >= 0 && (uint32_t)value < names->count ? names->name[value] : NULL;
}

int scn_names_find(const struct scn_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->name[i] && !strcmp(names->name[i], name))
            return (int)i;
    return -1;
}

void scn_names_list(const struct scn_names *names, int from, int to, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = from; i <= to && len + 1 < size; i++) {
        const char *name = scn_names_get(names, i);
        if (name)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", name);
    }
}

enum { WORD_MAX = 32 };

/* Letters to change, add or take away (Levenshtein's distance) between words of at most WORD_MAX.
 */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t one_more = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < one_more ? change : one_more;
        }
    }
    return row[b_len];
}

const char *scn_nearest(const char *word, const char *const *candidate, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 3, len = strlen(word);
    for (size_t i = 0; i < count && len <= WORD_MAX; i++) {
        size_t other = candidate[i] ? strlen(candidate[i]) : WORD_MAX + 1;
        if (other > WORD_MAX)
            continue;
        size_t d = distance(word, len, candidate[i], other);
        if (d < best_distance && 2 * d < other) {
            best = candidate[i];
            best_distance = d;
        }
    }
    return best;
}

/* Callers print these, so that a value out of range must not be NULL. */
static const char *or_unknown(const char *name)
{
    return name ? name : "?";
}

const char *scn_fault_kind_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_fault_kind, v));
}

const char *scn_during_name(int v)
{
    return v == SCN_DURING_NONE ? "none" : or_unknown(scn_names_get(&scn_names_during, v));
}

const char *scn_torn_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_torn, v));
}

const char *scn_how_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_how, v));
}

const char *scn_region_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_region, v));
}

const char *scn_server_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_server, v));
}

const char *scn_metric_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_metric, v));
}

const char *scn_order_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_order, v));
}

const char *scn_compare_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_compare, v));
}

const char *scn_verdict_name(int v)
{
    return or_unknown(scn_names_get(&scn_names_verdict, v));
}
