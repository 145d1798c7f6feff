/* What an agent calls: stage, request, confirm, revert, revoke. */
#include "device.h"
#include <criterion/criterion.h>
#include <string.h>

enum { A = BOOT_SLOT_A, B = BOOT_SLOT_B };

static struct device device;
static struct firmware old, new, newer;

static void setup(void)
{
    device_init(&device, 1);
    firmware_make(&old, &device, "1.0.0", 1, 300, 0);
    firmware_make(&new, &device, "2.0.0", 2, 400, 1);
    firmware_make(&newer, &device, "3.0.0", 3, 350, 1);
    device_install(&device, A, &old, 1);
    device_config(&device, A, 1);
}

static void teardown(void)
{
    cr_assert_null(device.nor.violation, "%s", device.nor.violation);
}

TestSuite(boot_update, .init = setup, .fini = teardown);

static struct boot_outcome boot(enum boot_reset reset)
{
    struct boot_outcome outcome;
    cr_assert_eq(boot_run(&device.env, reset, &outcome), BOOT_OK);
    return outcome;
}

static struct boot_trailer trailer_of(int slot)
{
    struct boot_trailer trailer;
    cr_assert_eq(boot_trailer_read(&device.flash, &device.layout, slot, &trailer), BOOT_OK);
    return trailer;
}

/* Stages, requests, boots. */
static void try_out(int running, const struct firmware *firmware)
{
    cr_assert_eq(device_stage(&device, running, firmware), BOOT_OK);
    cr_assert_eq(boot_request_trial(&device.env, running), BOOT_OK);
    struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
    cr_assert_eq(outcome.slot, !running);
    cr_assert(outcome.trial);
}

static void update(int running, const struct firmware *firmware)
{
    try_out(running, firmware);
    cr_assert_eq(boot_confirm(&device.env, !running), BOOT_OK);
}

Test(boot_update, a_confirmed_update_is_permanent_and_numbered)
{
    update(A, &new);
    cr_expect_eq(trailer_of(B).confirmed, 2);
    struct boot_config config = device_read_config(&device);
    cr_expect_eq(config.active, B);
    cr_expect_eq(config.next, B);
    cr_expect_eq(config.cause, BOOT_CAUSE_CONFIRMED);
    uint64_t ops = device.nor.ops;
    cr_expect_eq(boot_confirm(&device.env, B), BOOT_OK);
    struct boot_outcome outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect_eq(outcome.slot, B);
    cr_expect_not(outcome.trial);
    cr_expect_eq(device.nor.ops, ops);
}

Test(boot_update, the_counter_follows_the_lower_of_image_and_fallback)
{
    update(A, &new);
    cr_expect_eq(device_read_config(&device).security_counter, 1);
    update(B, &newer);
    cr_expect_eq(device_read_config(&device).security_counter, 2);
    /* Now the first image is too old to be tried, and the fallback is not. */
    cr_assert_eq(device_stage(&device, A, &old), BOOT_OK);
    cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
    struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.verdict[B], BOOT_VERDICT_COUNTER);
}

Test(boot_update, an_image_on_trial_may_not_stage_request_or_be_overwritten)
{
    try_out(A, &new);
    uint64_t ops = device.nor.ops;
    cr_expect_eq(boot_stage_begin(&device.env, B), BOOT_ESTATE);
    cr_expect_eq(boot_stage_finish(&device.env, B, &newer.trailer), BOOT_ESTATE);
    cr_expect_eq(boot_request_trial(&device.env, B), BOOT_ESTATE);
    cr_expect_eq(boot_stage_begin(&device.env, 2), BOOT_ERANGE);
    cr_expect_eq(boot_confirm(&device.env, BOOT_SLOT_NONE), BOOT_ERANGE);
    cr_expect_eq(device.nor.ops, ops);
}

Test(boot_update, a_slot_that_was_not_booted_can_not_be_confirmed)
{
    cr_assert_eq(device_stage(&device, A, &new), BOOT_OK);
    cr_expect_eq(boot_confirm(&device.env, B), BOOT_ESTATE);
    cr_expect_eq(trailer_of(B).confirmed, 0);
    /* Asked for, but erased since: nothing there to be confirmed. */
    device_install(&device, A, &old, 1);
    cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
    cr_assert_eq(device.flash.erase(device.flash.ctx, boot_layout_trailer(&device.layout, B)), 0);
    cr_expect_eq(boot_confirm(&device.env, B), BOOT_ESTATE);
}

Test(boot_update, staging_withdraws_a_pending_trial_and_the_old_proof)
{
    update(A, &new);
    cr_assert_eq(boot_request_trial(&device.env, B), BOOT_OK);
    cr_assert_eq(boot_stage_begin(&device.env, B), BOOT_OK);
    struct boot_config config = device_read_config(&device);
    cr_expect_eq(config.next, B);
    cr_expect_eq(config.cause, BOOT_CAUSE_CANCELLED);
    struct boot_trailer trailer = trailer_of(A);
    cr_expect_not(trailer.signed_image);
    cr_expect_eq(trailer.marks, 0);
    cr_expect_eq(trailer_of(B).marks, 1, "the same mark, programmed again in place");
    cr_expect_eq(boot(BOOT_RESET_SOFTWARE).slot, B);
}

/* A mark never outlives its image: no operation of staging leaves the old mark beside new bytes. */
Test(boot_update, the_fallbacks_mark_is_gone_before_its_image_is_touched)
{
    update(A, &new);
    cr_assert_eq(boot_stage_begin(&device.env, B), BOOT_OK);
    cr_expect(device_holds(&device, A, &old));
    cr_expect_eq(trailer_of(A).confirmed, 0);
    cr_assert_eq(device_program(&device, A, &newer), BOOT_OK);
    cr_expect_eq(trailer_of(A).confirmed, 0);
    cr_assert_eq(boot_stage_finish(&device.env, B, &newer.trailer), BOOT_OK);
    cr_expect_eq(trailer_of(A).confirmed, 0);
}

Test(boot_update, the_agent_ends_its_own_trial)
{
    try_out(A, &new);
    cr_assert_eq(boot_revert(&device.env, B), BOOT_OK);
    struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
    cr_expect_eq(outcome.slot, A);
    cr_expect_not(outcome.trial);
    cr_expect_eq(device_read_config(&device).cause, BOOT_CAUSE_REQUESTED);
    cr_expect_eq(boot_revert(&device.env, A), BOOT_ESTATE);
}

Test(boot_update, an_ordered_rollback_holds_even_when_the_config_is_lost)
{
    update(A, &new);
    cr_assert_eq(boot_revert(&device.env, B), BOOT_OK);
    cr_expect_eq(boot(BOOT_RESET_SOFTWARE).slot, A);
    cr_expect_eq(trailer_of(A).confirmed, 3);
    memset(device.nor.cell + device.layout.config_addr, 0xFF, 1024);
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
}

Test(boot_update, updates_and_rollbacks_go_on_for_ever)
{
    int running = A;
    firmware_make(&newer, &device, "3.0.0", 2, 350, 1);
    for (int i = 0; i < 60; i++) {
        update(running, i % 2 ? &newer : &new);
        running = !running;
        if (i % 3 == 0) {
            cr_assert_eq(boot_revert(&device.env, running), BOOT_OK);
            running = !running;
        }
        cr_assert_eq(boot(BOOT_RESET_POWER_ON).slot, running);
    }
}

Test(boot_update, rollbacks_to_and_fro_do_not_need_a_free_mark_page)
{
    update(A, &new);
    int running = B;
    for (int i = 0; i < 60; i++) {
        cr_assert_eq(boot_revert(&device.env, running), BOOT_OK);
        running = !running;
        cr_assert_eq(boot(BOOT_RESET_SOFTWARE).slot, running);
    }
}

Test(boot_update, a_revoked_key_signs_no_new_image_but_the_running_one_still_boots)
{
    cr_assert_eq(boot_revoke(&device.env, "key-0"), BOOT_OK);
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
    struct firmware by_revoked;
    firmware_make(&by_revoked, &device, "1.1.0", 1, 300, 0);
    cr_assert_eq(device_stage(&device, A, &by_revoked), BOOT_OK);
    cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
    struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.verdict[B], BOOT_VERDICT_REVOKED);
}

Test(boot_update, revocation_takes_effect_at_boot_with_the_next_good_confirmation)
{
    cr_assert_eq(boot_revoke(&device.env, "key-0"), BOOT_OK);
    update(A, &new);
    struct boot_config config = device_read_config(&device);
    cr_expect(boot_config_is_revoked(&config, "key-0", true));
    /* The fallback may not boot any more, so it holds the counter no longer. */
    cr_expect_eq(config.security_counter, 2);
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, BOOT_SLOT_NONE);
}

Test(boot_update, an_image_whose_own_key_is_revoked_puts_no_revocation_into_effect)
{
    try_out(A, &new);
    cr_assert_eq(boot_revoke(&device.env, "key-1"), BOOT_OK);
    cr_assert_eq(boot_confirm(&device.env, B), BOOT_OK);
    cr_expect_eq(device_read_config(&device).revoked_at_boot, 0);
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, B);
}

Test(boot_update, revoking_stops_before_the_last_key)
{
    cr_expect_eq(boot_revoke(&device.env, "key-7"), BOOT_ENOTFOUND);
    cr_expect_eq(boot_revoke(&device.env, "key-0"), BOOT_OK);
    cr_expect_eq(boot_revoke(&device.env, "key-0"), BOOT_OK);
    cr_expect_eq(boot_revoke(&device.env, "key-1"), BOOT_OK);
    cr_expect_eq(boot_revoke(&device.env, "key-2"), BOOT_ESTATE);
    cr_expect_eq(device_read_config(&device).revoked_count, 2);
}

Test(boot_update, a_full_table_of_revoked_keys_is_reported)
{
    struct boot_key many[6] = {0};
    for (int i = 0; i < 6; i++) {
        many[i].cert_id[0] = (char)('a' + i);
        cr_assert_eq(many[i].cert_id[1], 0);
    }
    device.keys = (struct boot_keys){.key = many, .count = 6};
    for (int i = 0; i < BOOT_REVOKED_MAX; i++)
        cr_expect_eq(boot_revoke(&device.env, many[i].cert_id), BOOT_OK);
    cr_expect_eq(boot_revoke(&device.env, "e"), BOOT_ERANGE);
}

/* Each call, with each flash operation failing for good from there on: reported, and the device
 * still boots. */
Test(boot_update, flash_errors_are_reported_and_leave_a_bootable_device)
{
    for (int step = 0; step < 4; step++) {
        for (int op = 0;; op++) {
            setup();
            if (step > 0)
                cr_assert_eq(device_stage(&device, A, &new), BOOT_OK);
            if (step > 1)
                cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
            if (step > 1)
                boot(BOOT_RESET_SOFTWARE);
            device.nor.fail_from = (int)device.nor.ops + op;
            int error = step == 0   ? device_stage(&device, A, &new)
                        : step == 1 ? boot_request_trial(&device.env, A)
                        : step == 2 ? boot_confirm(&device.env, B)
                                    : boot_revert(&device.env, B);
            cr_expect(error == BOOT_OK || error == BOOT_EFLASH);
            cr_assert_neq(boot(BOOT_RESET_POWER_ON).slot, BOOT_SLOT_NONE, "step %d op %d", step,
                          op);
            device.nor.fail_from = -1;
            cr_assert_neq(boot(BOOT_RESET_POWER_ON).slot, BOOT_SLOT_NONE, "step %d op %d", step,
                          op);
            if (error == BOOT_OK)
                break;
            cr_assert_lt(op, 200);
        }
    }
}
