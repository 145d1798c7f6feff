/*
 * Where a fault strikes, and what happens to one that another fault came before: armed means that
 * it came, or would have come.
 */
#include "../soak/soak.h"
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *traced(const struct fleet_plan *plan, struct fleet_run *run)
{
    char *text = NULL;
    size_t len = 0;
    FILE *trace = open_memstream(&text, &len);
    cr_assert_not_null(trace);
    fleet_run_plan(run, plan,
                   &(struct sim_fleet_options){.jobs = 1, .trace_device = "0", .trace = trace});
    fclose(trace);
    return text;
}

/* The state in which the device was at this place of its trace: the last one entered, or "Boot"
 * from a reset to the application's start. */
static void state_at(const char *text, const char *place, char out[32])
{
    snprintf(out, 32, "Idle");
    for (const char *line = text; line && line < place; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *end = strchr(line, '\n'), *to = strstr(line, " -> ");
        if (!end)
            return;
        const char *event = line + strcspn(line, ".");
        event += strspn(event, ".0123456789 ");
        if (!strncmp(event, "state ", 6) && to && to < end)
            snprintf(out, 32, "%.*s", (int)(end - to - 4), to + 4);
        else if (!strncmp(event, "reset ", 6))
            snprintf(out, 32, "Boot");
        else if (!strncmp(event, "app_start ", 10))
            snprintf(out, 32, "Start");
    }
}

static const struct {
    const char *during, *state, *with;
} drop[] = {
    {"notified", "Notified", ""},
    {"checking", "Checking", ""},
    {"download_scheduled", "DownloadScheduled", ""},
    {"downloading", "Downloading", ""},
    {"download_failed", "DownloadFailed", ", {kind: corrupt_download, how: http_500}"},
    {"verifying", "Verifying", ""},
    {"verify_failed", "VerifyFailed", ", {kind: corrupt_download, how: garbage}"},
    {"verified", "Verified", ""},
    {"waiting_apply", "WaitingApply", ""},
    {"applying", "Applying", ""},
    {"rebooting", "Rebooting", ""},
    {"boot", "Boot", ""},
    {"health_check", "HealthCheck", ""},
    {"confirmed", "Confirmed", ""},
    {"rolled_back", "RolledBack", ", {kind: boot_failure, how: health_config}"},
    {"idle", "Idle", ""},
};

/* Most of these states last no time at all on a fast link. */
Test(strikes, a_network_drop_strikes_in_the_state_that_it_names)
{
    for (size_t i = 0; i < sizeof drop / sizeof *drop; i++) {
        for (uint64_t seed = 1; seed <= sanitized(1, 3); seed++) {
            struct fleet_run run;
            char faults[160], state[32];
            snprintf(faults, sizeof faults, "{kind: network_drop, during: %s, for: 20m}%s",
                     drop[i].during, drop[i].with);
            char *text = traced(
                &(struct fleet_plan){
                    .count = 1, .seed = seed, .link = "ethernet", .faults = faults},
                &run);
            const char *armed = strstr(text, "network drop"),
                       *fired = strstr(text, "network_drop (fault 1");
            fleet_assert_sound(&run, drop[i].during);
            cr_assert(armed && fired && armed < fired, "%s: %s", drop[i].during, text);
            state_at(text, fired, state);
            cr_expect_str_eq(state, drop[i].state, "%s, seed %u", drop[i].during, (unsigned)seed);
            free(text);
            fleet_run_free(&run);
        }
    }
}

/* However fast the link is: there was a first part, and the rest was asked for later. */
Test(strikes, a_network_drop_in_a_download_really_interrupts_it)
{
    for (uint64_t seed = 1; seed <= sanitized(3, 8); seed++) {
        struct fleet_run run;
        char *text = traced(
            &(struct fleet_plan){.count = 1,
                                 .seed = seed,
                                 .link = "ethernet",
                                 .faults = "{kind: network_drop, during: downloading, for: 20m}"},
            &run);
        const char *head = strstr(text, "http_head"), *down = strstr(text, "link_down"),
                   *error = strstr(text, "http_error"), *end = strstr(text, "http_end");
        cr_assert(head && down && error && end, "%s", text);
        cr_expect(head < down && down < error && error < end, "%s", text);
        cr_expect_geq(fleet_device(&run, 0)->outcome_s, 1200);
        cr_expect_eq(fleet_device(&run, 0)->outcome, REP_OUT_CONFIRMED);
        free(text);
        fleet_run_free(&run);
    }
}

/* Each of these fights with the others for the same moment. */
static const char *const rivals[] = {
    "{kind: power_loss, during: any, times: 3}, {kind: power_loss, during: rebooting, times: 3}",
    "{kind: power_loss, during: downloading, times: 3},"
    "{kind: power_loss, during: flash_write, times: 3},"
    "{kind: network_drop, during: downloading, times: 3, for: 5m}",
    "{kind: power_loss, during: health_check, times: 2},"
    "{kind: boot_failure, how: any, times: 3}, {kind: network_drop, during: health_check}",
    "{kind: corrupt_download, how: http_500, times: 2},"
    "{kind: corrupt_download, how: endless, times: 2}, {kind: cdn_down, at: 9s, for: 1h},"
    "{kind: network_drop, during: any, times: 5}",
    "{kind: corrupt_download, how: any, times: 5},"
    "{kind: network_drop, during: downloading, times: 5, for: 1m},"
    "{kind: power_loss, during: downloading, times: 5}",
    "{kind: network_drop, during: any, times: 5}, {kind: power_loss, during: any, times: 5}",
    "{kind: clock_skew, by: +2d, at: 11s, for: 1m}, {kind: clock_skew, by: -9d, at: 15s, for: 2s},"
    "{kind: power_loss, during: any, times: 2, off_for: 40s}, {kind: power_loss, at: 11s}",
    "{kind: message, how: any, delay: 3s, times: 3}, {kind: broker_restart, at: 30s, how: forget},"
    "{kind: power_loss, during: any, times: 2}, {kind: network_drop, at: 13s, for: 1m, how: any}",
    "{kind: network_drop, how: any, during: downloading, times: 3, for: 5m},"
    "{kind: bad_certificate, server: store, at: 11s, for: 5m},"
    "{kind: bad_certificate, server: broker, at: 12s, for: 5m},"
    "{kind: slow_link, latency: 2s, jitter: 3s, bandwidth: 2KiB, at: 8s, for: 3m},"
    "{kind: power_loss, during: any, times: 2}, {kind: network_drop, how: any, at: 40s, for: 9m}",
};

Test(strikes, a_fault_that_another_one_came_before_is_not_armed_any_more)
{
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        for (uint64_t seed = 1; seed <= sanitized(1, soak(3, 10)); seed++) {
            struct fleet_run run;
            fleet_run_plan(
                &run, &(struct fleet_plan){.count = 24, .seed = seed, .faults = rivals[i]}, NULL);
            fleet_assert_sound(&run, rivals[i]);
            cr_expect_gt(fleet_fault(&run, 0)->fired, 0, "%s", rivals[i]);
            fleet_run_free(&run);
        }
    }
}
