#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/*
 * Count, then cut: the flash operations of a clean update are counted, then each is cut in each
 * form, and the device has to end in Idle on the new image with its statuses in order.
 */

static struct world world;

static void start(void (*prepare)(struct world *))
{
    world_init(&world);
    if (prepare)
        prepare(&world);
    world.flash.ops = 0;
}

/* The service sends again what nobody answered: the cut may have come before the journal's record.
 */
static void finish(struct world_image *image, const struct world_notice *notice)
{
    world_run(&world);
    for (int again = 0; again < 2; again++) {
        if (!strcmp(agent_running_version(&world.agent), image->header.version))
            break;
        world_notify(&world, notice);
        world_run(&world);
    }
}

static void check_outcome(uint32_t at, int form, const char *version)
{
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE, "op %u form %d: %s", at, form,
                 agent_state_name((int)agent_state(&world.agent)));
    cr_assert_str_eq(agent_running_version(&world.agent), version, "op %u form %d: %s", at, form,
                     world_story(&world));
    cr_assert_eq(world.flash.violations, 0, "op %u form %d: %u violations", at, form,
                 world.flash.violations);
    world_story(&world); /* asserts that no seq says two things */
    cr_assert_eq(world.agent.journal.outbox_count, 0, "op %u form %d: not all was told", at, form);
}

static void update_with_cut(uint32_t at, enum world_torn form)
{
    struct world_notice notice;
    start(NULL);
    world_notice(&notice, &world_v2);
    world.flash.cut_at = at;
    world.flash.form = form;
    world.flash.chance = at * 31 + form;
    world.flash.luck = 0x9e3779b9u * (at + 1);
    world_notify(&world, &notice);
    finish(&world_v2, &notice);
    boot_openssl_free(&world.openssl);
}

Test(agent_cuts, an_update_survives_a_cut_at_every_flash_operation)
{
    update_with_cut(0, TORN_BEFORE);
    uint32_t ops = world.flash.ops;
    cr_assert_gt(ops, 40);
    for (uint32_t at = 1; at <= ops; at++) {
        for (int form = 0; form < TORN_FORMS; form++) {
            update_with_cut(at, (enum world_torn)form);
            cr_assert_eq(world.cuts, 1, "op %u of %u was not cut", at, ops);
            check_outcome(at, form, "2.4.0");
            cr_assert_eq(world_count(&world, "rolled_back"), 0);
            cr_assert_geq(world_count(&world, "confirmed"), 1, "op %u form %d: %s", at, form,
                          world_story(&world));
        }
    }
}

/* Each later operation is cut too, counted from the first cut on: the recovery is cut as well. */
Test(agent_cuts, an_update_survives_a_second_cut_in_the_recovery)
{
    update_with_cut(0, TORN_BEFORE);
    uint32_t ops = world.flash.ops;
    struct world_notice notice;
    for (uint32_t at = 1; at <= ops; at += 2) {
        for (uint32_t then = 1; then <= 24; then += 3) {
            enum world_torn form = (enum world_torn)((at + then) % TORN_FORMS);
            start(NULL);
            world_notice(&notice, &world_v2);
            world.flash.chance = at * 977 + then;
            world.flash.luck = 0x9e3779b9u * (at + then);
            world.flash.cut_at = at;
            world.flash.form = form;
            world_notify(&world, &notice);
            world.until_ms = INT64_MAX;
            while (!world.cuts && world_step(&world)) {
            }
            world.flash.cut_at = world.flash.ops + then;
            world.flash.form = (enum world_torn)((at + then / 3) % TORN_FORMS);
            finish(&world_v2, &notice);
            check_outcome(at, (int)then, "2.4.0");
            boot_openssl_free(&world.openssl);
        }
    }
}

static void fail_health(struct world *w)
{
    w->health.drivers = false;
}

/* A firmware that fails its checks never stays, wherever the power goes. */
Test(agent_cuts, a_rollback_survives_a_cut_at_every_flash_operation)
{
    uint32_t ops = 0;
    for (uint32_t at = 0; at <= ops; at++) {
        for (int form = 0; form < TORN_FORMS; form++) {
            start(fail_health);
            world.flash.cut_at = at;
            world.flash.form = (enum world_torn)form;
            world.flash.luck = 0x9e3779b9u * (at + 3);
            world_update(&world, &world_v2);
            world_run(&world);
            if (at == 0)
                ops = world.flash.ops;
            check_outcome(at, form, "2.3.1");
            cr_assert_eq(world_count(&world, "confirmed"), 0);
            if (world_count(&world, "notified"))
                cr_assert_eq(world_count(&world, "rolled_back"), 1, "op %u form %d: %s", at, form,
                             world_story(&world));
            boot_openssl_free(&world.openssl);
        }
    }
}

static void flip_download(struct world *w)
{
    w->http = HTTP_FLIP;
    w->http_times = 1;
}

Test(agent_cuts, a_failed_verification_is_erased_in_spite_of_cuts)
{
    uint32_t ops = 0;
    for (uint32_t at = 0; at <= ops; at++) {
        for (int form = 0; form < TORN_FORMS; form++) {
            start(flip_download);
            world.flash.cut_at = at;
            world.flash.form = (enum world_torn)form;
            world.flash.luck = 0x9e3779b9u * (at + 3);
            world_update(&world, &world_v2);
            world_run(&world);
            if (at == 0)
                ops = world.flash.ops;
            cr_assert_eq(agent_state(&world.agent), AGENT_IDLE);
            cr_assert_eq(world.flash.violations, 0);
            /* The cut may have ended the damaged transfer, the next one was good then. */
            const char *now = agent_running_version(&world.agent);
            if (world_count(&world, "verify_failed")) {
                uint32_t slot = world.flash.layout.slot_addr[BOOT_SLOT_B];
                cr_assert_str_eq(now, "2.3.1");
                cr_assert_str_eq(world_reason(&world, "verify_failed"), "checksum");
                for (uint32_t i = 0; i < 5 * WORLD_SECTOR; i++)
                    cr_assert_eq(world.flash.cell[slot + i], 0xff, "op %u form %d byte %u", at,
                                 form, i);
            }
            boot_openssl_free(&world.openssl);
        }
    }
}

static void downloading(struct world *w)
{
    world_update(w, &world_v2);
    world_run_to(w, AGENT_DOWNLOADING);
}

Test(agent_cuts, a_resumed_download_begins_at_the_last_durable_sector)
{
    start(downloading);
    while (world.agent.received_bytes < 3 * WORLD_SECTOR)
        world_step(&world);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_eq(world.gets, 2);
    cr_assert_eq(world.get_offset[1], 3 * WORLD_SECTOR);
    check_outcome(0, 0, "2.4.0");
    cr_assert_eq(world_count(&world, "downloading"), 1);
}
