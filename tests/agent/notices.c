#include "world.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Notifications: what is refused and why, duplicates, replacements, hostile bytes. */

static struct world world;
static struct world_image odd;

static void wrong_type(struct world_notice *n)
{
    strcpy(n->device_type, "valve_v1");
}
static void needs_newer_board(struct world_notice *n)
{
    strcpy(n->min_hw_revision, "Rev-D");
}
static void older(struct world_notice *n)
{
    strcpy(n->version, "2.3.0");
}
static void no_version(struct world_notice *n)
{
    strcpy(n->version, "two");
}
static void too_large(struct world_notice *n)
{
    n->size = 5 * WORLD_SECTOR + 1;
}
static void too_small(struct world_notice *n)
{
    n->size = BOOT_IMAGE_HEADER_BYTES;
}
static void unknown_key(struct world_notice *n)
{
    strcpy(n->cert_id, "key-9");
}
static void expired(struct world_notice *n)
{
    strcpy(n->deadline, "2026-03-20T11:59:59Z");
}
static void older_unnamed(struct world_notice *n)
{
    strcpy(n->version, "2.3.0");
    n->force = true;
}

struct refusal {
    void (*bend)(struct world_notice *notice);
    const char *reason;
};

static const struct refusal refusals[] = {
    {wrong_type, "device_type"}, {needs_newer_board, "hw_revision"},
    {older, "version"},          {no_version, "manifest"},
    {too_large, "too_large"},    {too_small, "size"},
    {unknown_key, "key"},        {expired, "deadline"},
    {older_unnamed, "version"},
};

Test(agent_notices, what_can_not_be_installed_is_refused_before_any_download)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct world_notice notice;
        world_init(&world);
        world_notice(&notice, &world_v2);
        refusals[i].bend(&notice);
        world_notify(&world, &notice);
        world_run(&world);
        cr_assert_str_eq(world_story(&world), "notified refused", "row %zu: %s", i,
                         world_story(&world));
        cr_assert_str_eq(world_reason(&world, "refused"), refusals[i].reason, "row %zu: %s", i,
                         world_reason(&world, "refused"));
        cr_assert_eq(world.gets, 0);
        cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
        boot_openssl_free(&world.openssl);
    }
}

static void unsigned_image(struct world_image *image, struct world_notice *n)
{
    (void)n;
    memset(image->signature + 8, 1, 20);
}
static void signed_by_another(struct world_image *image, struct world_notice *n)
{
    image->key = 1;
    world_image_seal(image);
    strcpy(n->cert_id, "key-1");
}
static void other_version(struct world_image *image, struct world_notice *n)
{
    (void)image;
    strcpy(n->version, "2.9.0"); /* an old signed image under a new number */
}
static void other_type(struct world_image *image, struct world_notice *n)
{
    (void)n;
    strcpy(image->header.device_type, "valve_v1");
    world_image_seal(image);
}
static void newer_board(struct world_image *image, struct world_notice *n)
{
    (void)n;
    strcpy(image->header.min_hw_revision, "Rev-D");
    world_image_seal(image);
}
static void hidden_revision(struct world_image *image, struct world_notice *n)
{
    (void)image;
    strcpy(n->min_hw_revision, "Rev-A");
}
static void below_counter(struct world_image *image, struct world_notice *n)
{
    (void)n;
    image->header.security_counter = 0;
    world_image_seal(image);
}
static void no_header(struct world_image *image, struct world_notice *n)
{
    (void)n;
    image->bytes[0] = 'X';
}
static void flipped(struct world_image *image, struct world_notice *n)
{
    (void)n;
    image->bytes[5000] ^= 1;
}

struct bad_image {
    void (*bend)(struct world_image *image, struct world_notice *notice);
    const char *reason;
};

static const struct bad_image bad_images[] = {
    {unsigned_image, "signature"},
    {signed_by_another, "signature"},
    {other_version, "contradiction"},
    {other_type, "device_type"},
    {newer_board, "hw_revision"},
    {hidden_revision, "contradiction"},
    {below_counter, "counter"},
    {no_header, "header"},
    {flipped, "checksum"},
};

/* Raises the counter in the boot config, as the confirmation of a pair of images would. */
static void raise_counter(uint32_t counter)
{
    struct boot_config config;
    int sector;
    cr_assert_eq(boot_config_read(&world.flash.port, &world.flash.layout, &config, &sector), 0);
    config.security_counter = counter;
    cr_assert_eq(boot_config_write(&world.flash.port, &world.flash.layout, &config), 0);
}

Test(agent_notices, an_image_that_does_not_hold_what_was_said_never_runs)
{
    for (size_t i = 0; i < sizeof bad_images / sizeof bad_images[0]; i++) {
        struct world_notice notice;
        world_init(&world);
        raise_counter(1);
        odd = world_v2;
        world_notice(&notice, &odd);
        bad_images[i].bend(&odd, &notice);
        world_notify(&world, &notice);
        world_run(&world);
        cr_assert_str_eq(world_reason(&world, "verify_failed"), bad_images[i].reason,
                         "row %zu: %s, %s", i, world_reason(&world, "verify_failed"),
                         world_story(&world));
        cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
        cr_assert_eq(world.reboots, 0);
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_notices, a_duplicate_under_way_changes_nothing)
{
    world_init(&world);
    world_update(&world, &world_v2);
    for (int i = 0; i < 200; i++) {
        uint32_t pages = world.flash.journal_pages;
        enum agent_state before = agent_state(&world.agent);
        if (!world.boot_pending && before != AGENT_IDLE) {
            world_update(&world, &world_v2);
            cr_assert_eq(agent_state(&world.agent), before);
            cr_assert_eq(world.flash.journal_pages, pages);
        }
        world_step(&world);
        if (world.confirms)
            break;
    }
    world_run(&world);
    cr_assert_eq(world.gets, 1);
    cr_assert_eq(world_count(&world, "notified"), 1);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_notices, a_duplicate_after_the_end_is_confirmed_again)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_eq(world_count(&world, "confirmed"), 2);
    cr_assert_eq(world.gets, 1);
    cr_assert_eq(world.reboots, 1);
}

Test(agent_notices, another_firmware_replaces_one_that_is_not_yet_applied)
{
    static const enum agent_state when[] = {AGENT_DOWNLOAD_SCHEDULED, AGENT_DOWNLOADING,
                                            AGENT_DOWNLOAD_FAILED, AGENT_WAITING_APPLY};
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        world_init(&world);
        world.config.approval = true;
        world.http = HTTP_BROKEN;
        world.http_times = when[i] == AGENT_DOWNLOAD_FAILED;
        if (when[i] == AGENT_DOWNLOAD_SCHEDULED) {
            world.config.window.start_min = 60;
            world.config.window.end_min = 300;
        }
        world_update(&world, &world_v2);
        world_run_to(&world, when[i]);
        world.config.window.start_min = 0;
        world.config.window.end_min = 1439;
        world_update(&world, &world_v3);
        world_run(&world);
        world_order(&world, "{\"command_id\":\"c\",\"command\":\"apply\"}");
        world_run(&world);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.5.0", "row %zu", i);
        cr_assert_eq(world.flash.violations, 0);
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_notices, one_that_would_be_refused_does_not_stop_the_other)
{
    struct world_notice notice;
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_DOWNLOADING);
    world_notice(&notice, &world_v3);
    strcpy(notice.device_type, "valve_v1");
    world_notify(&world, &notice);
    world.served = &world_v2;
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    int at = world_find(&world, "refused", 0);
    cr_assert_geq(at, 0);
    cr_assert_str_eq(world.log[at].firmware_id, "fw-2.5.0");
}

Test(agent_notices, nothing_replaces_an_update_from_applying_on)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_REBOOTING);
    world_update(&world, &world_v3);
    cr_assert_eq(agent_state(&world.agent), AGENT_REBOOTING);
    world_run_to(&world, AGENT_HEALTH_CHECK);
    world_update(&world, &world_v3);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_notices, an_older_version_runs_as_the_forced_rollback_version)
{
    struct world_notice notice;
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    world_image(&odd, "2.2.0", WORLD_SECTOR + 5, 0);
    world_notice(&notice, &odd);
    strcpy(notice.rollback_version, "2.2.0");
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "version");
    notice.force = true;
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.2.0");
}

Test(agent_notices, an_older_version_runs_when_the_installed_campaign_named_it)
{
    struct world_notice notice;
    world_init(&world);
    world_update(&world, &world_v2); /* names 2.3.1 */
    world_run(&world);
    world_notice(&notice, &world_v1);
    strcpy(notice.rollback_version, "2.0.0");
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_eq(world_count(&world, "confirmed"), 2);
}

Test(agent_notices, a_deadline_that_passes_ends_the_waiting)
{
    static const bool downloaded[] = {false, true};
    for (int i = 0; i < 2; i++) {
        struct world_notice notice;
        world_init(&world);
        world.config.approval = true;
        if (!downloaded[i])
            world.broker_down = true;
        world_notice(&notice, &world_v2);
        strcpy(notice.deadline, "2026-03-21T09:00:00Z");
        if (!downloaded[i]) {
            world.config.window.start_min = 60;
            world.config.window.end_min = 61;
        }
        world_notify(&world, &notice);
        world.now_ms += downloaded[i] ? 0 : 20LL * 3600000;
        world_run(&world);
        cr_assert_eq(agent_state(&world.agent), AGENT_IDLE, "row %d", i);
        cr_assert_str_eq(world_reason(&world, "refused"), "deadline");
        cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_notices, hostile_bytes_are_refused_once_and_wear_no_flash)
{
    static const char *const junk[] = {"",
                                       "{",
                                       "null",
                                       "[[[[[[[[",
                                       "{\"manifest\":{}}",
                                       "\xff\xfe",
                                       "{\"campaign_id\":1}",
                                       "\"\\ud800\""};
    world_init(&world);
    world.deaf = true;
    for (int round = 0; round < 50; round++)
        for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
            world_input(&world, &(struct agent_event){.kind = AGENT_EV_NOTIFICATION,
                                                      .bytes = junk[i],
                                                      .len = (uint32_t)strlen(junk[i])});
    cr_assert_eq(world.logged, 1);
    cr_assert_str_eq(world_reason(&world, "refused"), "manifest");
    cr_assert_leq(world.flash.journal_pages, 6);
}

Test(agent_notices, every_truncation_and_every_flipped_byte_is_survived)
{
    struct world_notice notice;
    char json[4096];
    world_init(&world);
    world_notice(&notice, &world_v2);
    uint32_t len = world_notice_json(json, sizeof json, &notice);
    for (uint32_t i = 0; i < len; i++) {
        world_input(&world,
                    &(struct agent_event){.kind = AGENT_EV_NOTIFICATION, .bytes = json, .len = i});
        cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
    }
    world.config.approval = true;
    world.served = &world_v2;
    for (uint32_t i = 0; i < len; i++) {
        json[i] ^= 1;
        world_input(&world, &(struct agent_event){
                                .kind = AGENT_EV_NOTIFICATION, .bytes = json, .len = len});
        json[i] ^= 1;
    }
    world_run_for(&world, 1000);
    cr_assert_eq(world.reboots, 0);
    cr_assert_eq(world.flash.violations, 0);
}

Test(agent_notices, ids_with_quotes_make_json_that_still_parses)
{
    struct world_notice notice;
    world_init(&world);
    world_notice(&notice, &world_v2);
    strcpy(notice.campaign_id, "c\\\"\\\\ \\u00e9");
    world_notify(&world, &notice);
    world_run(&world);
    cr_assert_str_eq(world.log[0].campaign_id, "c\"\\ \xc3\xa9");
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}
