#include "world.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Commands: rollback, deferral, ping, revocation. Approval and retry are in update.c and
 * download.c. */

static struct world world;

static const char rollback[] = "{\"command_id\":\"c7\",\"command\":\"rollback\"}";

static void updated(void)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

Test(agent_orders, a_rollback_returns_to_the_confirmed_fallback)
{
    updated();
    world_order(&world, rollback);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "operator");
    int at = world_find(&world, "rolled_back", 0);
    cr_assert_str_eq(world.log[at].firmware_id, "fw-2.4.0");
    cr_assert_eq(world_count(&world, "rolled_back"), 1);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_eq(world_count(&world, "rolled_back"), 1, "told once");
}

Test(agent_orders, every_rollback_is_answered_also_by_an_image_without_a_campaign)
{
    static const char *const back_to[] = {"2.3.1", "2.4.0", "2.3.1", "2.4.0"};
    updated();
    for (uint32_t i = 0; i < 4; i++) {
        world_order(&world, rollback);
        world_run(&world);
        cr_assert_str_eq(agent_running_version(&world.agent), back_to[i]);
        cr_assert_eq(world_count(&world, "rolled_back"), i + 1, "%s", world_story(&world));
        cr_assert_str_eq(world_reason(&world, "rolled_back"), "operator");
    }
}

Test(agent_orders, a_rollback_survives_a_cut_at_every_flash_operation)
{
    uint32_t ops = 0;
    for (uint32_t at = 0; at <= ops; at++) {
        for (int form = 0; form < TORN_FORMS; form++) {
            updated();
            world.flash.ops = 0;
            world.flash.cut_at = at;
            world.flash.form = (enum world_torn)form;
            world_order(&world, rollback);
            world_run(&world);
            if (at == 0)
                ops = world.flash.ops;
            if (!strcmp(agent_running_version(&world.agent), "2.4.0")) {
                world_order(&world, rollback);
                world_run(&world);
            }
            cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
            cr_assert_eq(world_count(&world, "rolled_back"), 1, "op %u form %d: %s", at, form,
                         world_story(&world));
            cr_assert_str_eq(world_reason(&world, "rolled_back"), "operator", "op %u form %d", at,
                             form);
            boot_openssl_free(&world.openssl);
        }
    }
    cr_assert_gt(ops, 5);
}

Test(agent_orders, a_rollback_without_a_fallback_is_refused)
{
    world_init(&world);
    world_order(&world, rollback);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "operator");
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_eq(world.reboots, 0);
}

Test(agent_orders, a_rollback_abandons_an_update_under_way)
{
    static const enum agent_state when[] = {AGENT_DOWNLOADING, AGENT_DOWNLOAD_FAILED,
                                            AGENT_WAITING_APPLY, AGENT_REBOOTING};
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        world_init(&world);
        world.http = HTTP_BROKEN;
        world.http_times = when[i] == AGENT_DOWNLOAD_FAILED;
        world.config.approval = when[i] == AGENT_WAITING_APPLY;
        world.deaf = when[i] == AGENT_REBOOTING;
        world_update(&world, &world_v2);
        world_run_to(&world, when[i]);
        world_order(&world, rollback);
        cr_assert_eq(agent_state(&world.agent), AGENT_IDLE, "row %zu", i);
        world.deaf = false;
        world_power_on(&world, BOOT_RESET_POWER_ON);
        world_run(&world);
        cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1", "row %zu", i);
        cr_assert_str_eq(world_reason(&world, "refused"), "operator");
        boot_openssl_free(&world.openssl);
    }
}

Test(agent_orders, a_rollback_ends_a_trial)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_HEALTH_CHECK);
    world_order(&world, rollback);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "operator");
}

Test(agent_orders, an_ordered_rollback_waits_for_the_interlock)
{
    updated();
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = true});
    world_order(&world, rollback);
    world_run_for(&world, 3600000);
    cr_assert_eq(world.reboots, 1);
    world_order(&world, rollback); /* a repeated order doesn't withdraw it */
    cr_assert_eq(agent_state(&world.agent), AGENT_REBOOTING);
    world_input(&world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = false});
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
}

Test(agent_orders, a_deferral_holds_the_update_back_across_a_power_cut)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_order(&world, "{\"command_id\":\"d\",\"command\":\"defer\",\"defer_s\":7200}");
    int64_t from_ms = world.now_ms;
    world_run_to(&world, AGENT_WAITING_APPLY);
    world_run_for(&world, 60000);
    cr_assert_str_eq(world_reason(&world, "waiting_apply"), "deferred");
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run_to(&world, AGENT_REBOOTING);
    cr_assert_geq(world.now_ms - from_ms, 7200000 - 1000);
    cr_assert_leq(world.now_ms - from_ms, 7200000 + 1000);
}

Test(agent_orders, a_ping_is_answered_with_its_id)
{
    world_init(&world);
    world_order(&world, "{\"command_id\":\"p-1\",\"command\":\"ping\"}");
    world_order(&world, "{\"command_id\":\"p-2\",\"command\":\"ping\"}");
    cr_assert_eq(world.pongs, 2);
    json_t *root = json_loads(world.pong, JSON_REJECT_DUPLICATES, NULL);
    const char *device, *at, *id;
    int seq;
    cr_assert_eq(json_unpack_ex(root, NULL, JSON_STRICT, "{s:s,s:i,s:s,s:s}", "device_id", &device,
                                "seq", &seq, "at", &at, "pong", &id),
                 0);
    cr_assert_str_eq(device, "dev-0001");
    cr_assert_eq(seq, 2);
    cr_assert_str_eq(id, "p-2");
    json_decref(root);
}

static void revoke(int victim, int signer, const char *claimed)
{
    char text[40], json[400], hex[2 * BOOT_SIGNATURE_MAX + 1];
    uint8_t signature[BOOT_SIGNATURE_MAX];
    uint16_t len;
    snprintf(text, sizeof text, "revoke_key:key-%d", victim);
    world_sign(signer - 1, text, strlen(text), signature, &len);
    world_hex(hex, signature, len);
    snprintf(json, sizeof json,
             "{\"command_id\":\"r\",\"command\":\"revoke_key\",\"cert_id\":\"key-%d\","
             "\"signing_cert_id\":\"%s\",\"signature\":\"%s\"}",
             victim, claimed, hex);
    world_order(&world, json);
}

static bool revoked(const char *cert_id)
{
    struct boot_config config;
    int sector;
    cr_assert_eq(boot_config_read(&world.flash.port, &world.flash.layout, &config, &sector), 0);
    return boot_config_is_revoked(&config, cert_id, false);
}

Test(agent_orders, a_key_is_revoked_by_another_trusted_key_only)
{
    world_init(&world);
    revoke(1, 2, "key-3");
    cr_assert_not(revoked("key-1"), "a wrong signature");
    revoke(1, 1, "key-1");
    cr_assert_not(revoked("key-1"), "by itself");
    revoke(1, 2, "key-9");
    cr_assert_not(revoked("key-1"), "by an unknown key");
    revoke(3, 2, "key-2");
    cr_assert(revoked("key-3"));
    revoke(1, 3, "key-3");
    cr_assert_not(revoked("key-1"), "by a revoked key");
}

Test(agent_orders, firmware_by_a_revoked_key_is_refused)
{
    world_init(&world);
    revoke(1, 2, "key-2");
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "revoked");
    world_update(&world, &world_v3);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.5.0");
}

Test(agent_orders, a_key_revoked_during_the_download_fails_the_verification)
{
    world_init(&world);
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_DOWNLOADING);
    revoke(1, 2, "key-2");
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "verify_failed"), "revoked");
    cr_assert_str_eq(agent_running_version(&world.agent), "2.3.1");
}
