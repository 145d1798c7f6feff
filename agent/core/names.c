#include "core.h"

/* The names of every enum that people or other programs read, in the order of the enums. */

static const char *const state_names[] = {
    "Idle",           "Notified",  "Checking",    "DownloadScheduled", "Downloading",
    "DownloadFailed", "Verifying", "Verified",    "VerifyFailed",      "WaitingApply",
    "Applying",       "Rebooting", "HealthCheck", "Confirmed",         "RolledBack",
};
_Static_assert(sizeof state_names / sizeof state_names[0] == AGENT_STATES, "one name per state");

static const char *const status_names[] = {
    "notified",      "scheduled",     "downloading", "download_failed", "verified",
    "verify_failed", "waiting_apply", "applying",    "rebooting",       "health_check",
    "confirmed",     "rolled_back",   "refused",
};
_Static_assert(sizeof status_names / sizeof status_names[0] == AGENT_STATUSES,
               "one name per status");

static const char *const reason_names[] = {
    "",
    "network",
    "http_status",
    "size",
    "checksum",
    "signature",
    "key",
    "revoked",
    "header",
    "device_type",
    "hw_revision",
    "counter",
    "version",
    "contradiction",
    "manifest",
    "too_large",
    "flash",
    "rolled_back_before",
    "deferred",
    "deadline",
    "health_mqtt",
    "health_drivers",
    "health_config",
    "health_telemetry",
    "health_hard_fault",
    "watchdog",
    "trials_used",
    "boot_verify",
    "operator",
    "config_lost",
    "faulty_boots",
};
_Static_assert(sizeof reason_names / sizeof reason_names[0] == AGENT_WHYS, "one name per reason");

static const char *const error_names[] = {
    "AGENT_OK", "AGENT_EFLASH", "AGENT_EFORMAT", "AGENT_EMISSING", "AGENT_ERANGE", "AGENT_EFULL",
};

const char *agent_state_name(int state)
{
    return state >= 0 && state < AGENT_STATES ? state_names[state] : "State?";
}

const char *agent_status_name(int status)
{
    return status >= 0 && status < AGENT_STATUSES ? status_names[status] : "status?";
}

const char *agent_reason_name(int reason)
{
    return reason >= 0 && reason < AGENT_WHYS ? reason_names[reason] : "reason?";
}

const char *agent_error_name(int error)
{
    int count = (int)(sizeof error_names / sizeof error_names[0]);
    return error <= 0 && -error < count ? error_names[-error] : "AGENT_?";
}
