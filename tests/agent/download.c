#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/* The download's failures, its retries, and what it never writes. */

static struct world world;

struct row {
    enum world_http how;
    const char *reason;
};

static const struct row failures[] = {
    {HTTP_REFUSED, "network"}, {HTTP_500, "http_status"}, {HTTP_404, "http_status"},
    {HTTP_SHORT, "size"},      {HTTP_BROKEN, "network"},  {HTTP_SIZE, "size"},
};

static void begin(enum world_http how, uint32_t times)
{
    world_init(&world);
    world.http = how;
    world.http_times = times;
    world_update(&world, &world_v2);
}

Test(agent_download, fails_twice_silently_and_then_succeeds)
{
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        begin(failures[i].how, 2);
        world_run(&world);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0", "row %zu", i);
        cr_assert_eq(world_count(&world, "download_failed"), 0, "row %zu", i);
        cr_assert_eq(world.gets, 3);
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_download, reports_the_third_failure_and_the_last_with_their_reason)
{
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        begin(failures[i].how, 100);
        world_run(&world);
        cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
        cr_assert_eq(world_count(&world, "download_failed"), 2, "row %zu", i);
        cr_assert_str_eq(world_reason(&world, "download_failed"), failures[i].reason);
        cr_assert_eq(world.gets, 10);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_download, may_be_tried_again_after_it_was_given_up)
{
    begin(HTTP_500, 10);
    world_run(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_download, a_broken_transfer_resumes_at_its_last_whole_sector)
{
    begin(HTTP_BROKEN, 1);
    world.config.progress_sectors = 100;
    world_run(&world);
    cr_assert_eq(world.gets, 2);
    cr_assert_eq(world.get_offset[0], 0);
    cr_assert_eq(world.get_offset[1], 3 * WORLD_SECTOR);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_download, a_server_that_ignores_the_range_is_skipped_to_the_place)
{
    begin(HTTP_BROKEN, 1);
    world_run_to(&world, AGENT_DOWNLOAD_FAILED);
    world.http = HTTP_WHOLE;
    world.http_times = 1;
    uint32_t erases = world.flash.wear[world.flash.layout.slot_addr[1] / WORLD_SECTOR];
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world.flash.wear[world.flash.layout.slot_addr[1] / WORLD_SECTOR], erases);
}

Test(agent_download, an_endless_body_is_cut_off_at_the_size)
{
    begin(HTTP_ENDLESS, 1);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    uint32_t behind = world.flash.layout.slot_addr[1] + 4 * WORLD_SECTOR + 300;
    for (uint32_t i = 0; i < 500; i++)
        cr_assert_eq(world.flash.cell[behind + i], 0xff);
}

static int64_t backoff(void)
{
    return agent_deadline(&world.agent) - world.now_ms;
}

Test(agent_download, backs_off_between_half_a_step_and_a_step_that_doubles)
{
    begin(HTTP_500, 1000);
    world.config.retry_give_up = 40;
    int64_t step_ms = 60000, least_ms = INT64_MAX, most_ms = 0;
    for (uint32_t attempts = 1; attempts < 40; attempts++) {
        world_run_to(&world, AGENT_DOWNLOADING);
        world_run_to(&world, AGENT_DOWNLOAD_FAILED);
        int64_t wait_ms = backoff();
        cr_assert_geq(wait_ms, step_ms / 2, "attempt %u: %lld ms", attempts, (long long)wait_ms);
        cr_assert_leq(wait_ms, step_ms, "attempt %u: %lld ms", attempts, (long long)wait_ms);
        step_ms = step_ms * 2 < 6 * 3600000 ? step_ms * 2 : 6 * 3600000;
        if (attempts > 10) {
            least_ms = wait_ms < least_ms ? wait_ms : least_ms;
            most_ms = wait_ms > most_ms ? wait_ms : most_ms;
        }
    }
    cr_assert_lt(least_ms + 3600000, most_ms, "there is jitter");
}

Test(agent_download, failures_are_counted_across_power_cuts)
{
    begin(HTTP_500, 1000);
    for (uint32_t attempts = 1; attempts <= 3; attempts++) {
        world_run_to(&world, AGENT_DOWNLOADING);
        world_run_to(&world, AGENT_DOWNLOAD_FAILED);
        world_power_on(&world, BOOT_RESET_POWER_ON);
        world_run_for(&world, 10000);
        cr_assert_eq(world.agent.journal.attempts, attempts);
        cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOAD_FAILED);
    }
    cr_assert_eq(world_count(&world, "download_failed"), 1);
}

Test(agent_download, a_retry_order_ends_the_waiting)
{
    begin(HTTP_500, 1);
    world_run_to(&world, AGENT_DOWNLOAD_FAILED);
    int64_t from_ms = world.now_ms;
    world_order(&world, "{\"command_id\":\"c\",\"command\":\"retry\"}");
    cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOADING);
    cr_assert_lt(world.now_ms - from_ms, 1000);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_download, a_new_address_replaces_the_old_one_under_way)
{
    struct world_notice notice;
    begin(HTTP_GOOD, 0);
    world_run_to(&world, AGENT_DOWNLOADING);
    while (world.agent.received_bytes < 2 * WORLD_SECTOR)
        world_step(&world);
    world_notice(&notice, &world_v2);
    strcpy(notice.url, "https://cdn.example/other");
    world_notify(&world, &notice);
    cr_assert_eq(world.cancels, 1);
    cr_assert_str_eq(world.get_url, "https://cdn.example/other");
    cr_assert_eq(world.get_offset[1], 2 * WORLD_SECTOR);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world_count(&world, "notified"), 1);
}

Test(agent_download, a_new_address_ends_the_waiting_after_a_failure)
{
    struct world_notice notice;
    begin(HTTP_404, 1);
    world_run_to(&world, AGENT_DOWNLOAD_FAILED);
    world_notice(&notice, &world_v2);
    strcpy(notice.url, "https://cdn.example/other");
    world_notify(&world, &notice);
    cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOADING);
}

Test(agent_download, late_events_of_a_closed_transfer_mean_nothing)
{
    static const enum agent_event_kind kinds[] = {AGENT_EV_HTTP_HEAD, AGENT_EV_HTTP_DATA,
                                                  AGENT_EV_HTTP_END, AGENT_EV_HTTP_ERROR};
    begin(HTTP_500, 1);
    world_run_to(&world, AGENT_DOWNLOAD_FAILED);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        world_input(&world, &(struct agent_event){
                                .kind = kinds[i], .bytes = "xyz", .len = 3, .http_status = 200});
    cr_assert_eq(agent_state(&world.agent), AGENT_DOWNLOAD_FAILED);
    cr_assert_eq(world.agent.journal.attempts, 1);
}

Test(agent_download, a_sector_that_fails_is_a_failure_of_the_download)
{
    world_init(&world);
    world.flash.fail_from = world.flash.layout.slot_addr[1] + WORLD_SECTOR;
    world.flash.fail_to = world.flash.fail_from + WORLD_SECTOR;
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    cr_assert_str_eq(world_reason(&world, "download_failed"), "flash");
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
}

Test(agent_download, damaged_bytes_fail_verification_and_are_erased)
{
    begin(HTTP_FLIP, 1);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "verify_failed"), "checksum");
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    uint32_t slot = world.flash.layout.slot_addr[1];
    for (uint32_t i = 0; i < WORLD_SLOT; i++)
        cr_assert_eq(world.flash.cell[slot + i], 0xff);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}
