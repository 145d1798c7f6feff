/* boot_run on a whole device: what it writes, what it refuses, and how it comes back from losses.
 */
#include "device.h"
#include <criterion/criterion.h>
#include <string.h>

enum { A = BOOT_SLOT_A, B = BOOT_SLOT_B };

static struct device device;
static struct firmware old, new;

/* A runs, confirmed; B holds a newer image, not confirmed. */
static void setup(void)
{
    device_init(&device, 1);
    firmware_make(&old, &device, "1.0.0", 1, 300, 0);
    firmware_make(&new, &device, "2.0.0", 2, 400, 1);
    device_install(&device, A, &old, 1);
    device_install(&device, B, &new, 0);
    device_config(&device, A, 1);
}

TestSuite(boot_run, .init = setup);

static struct boot_outcome boot(enum boot_reset reset)
{
    struct boot_outcome outcome;
    cr_assert_eq(boot_run(&device.env, reset, &outcome), BOOT_OK);
    cr_assert_null(device.nor.violation, "%s", device.nor.violation);
    return outcome;
}

static void lose_config(void)
{
    memset(device.nor.cell + device.layout.config_addr, 0xFF, 1024);
}

Test(boot_run, an_ordinary_boot_verifies_one_slot_and_writes_nothing)
{
    static const enum boot_reset plain[] = {BOOT_RESET_POWER_ON, BOOT_RESET_PIN,
                                            BOOT_RESET_SOFTWARE, BOOT_RESET_BROWN_OUT};
    uint64_t ops = device.nor.ops;
    for (uint32_t i = 0; i < 40; i++) {
        struct boot_outcome outcome = boot(plain[i % 4]);
        cr_expect_eq(outcome.slot, A);
        cr_expect_not(outcome.trial);
        cr_expect_eq(outcome.cause, BOOT_CAUSE_NONE);
        cr_expect_eq(outcome.watchdog_s, 120);
        cr_expect_eq(outcome.verdict[A], BOOT_VERDICT_VALID);
        cr_expect_eq(outcome.verdict[B], BOOT_VERDICT_KINDS);
        cr_expect_eq(device.verifies, i + 1);
    }
    cr_expect_eq(device.nor.ops, ops);
}

/* Who copies the image holds the copy against it. */
static bool has_hash_of(const struct boot_outcome *outcome, const struct firmware *firmware)
{
    uint8_t hash[BOOT_SHA256_BYTES];
    device.crypto.sha256_begin(device.crypto.ctx);
    device.crypto.sha256_update(device.crypto.ctx, firmware->bytes, firmware->len);
    device.crypto.sha256_final(device.crypto.ctx, hash);
    return !memcmp(outcome->sha256, hash, sizeof hash);
}

Test(boot_run, the_outcome_has_the_hash_of_the_image_that_boots)
{
    static const uint8_t none[BOOT_SHA256_BYTES];
    struct boot_outcome outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect(has_hash_of(&outcome, &old));
    cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
    outcome = boot(BOOT_RESET_SOFTWARE);
    cr_expect(has_hash_of(&outcome, &new));
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    outcome = boot(BOOT_RESET_POWER_ON); /* B is verified and refused, then A */
    cr_expect_eq(outcome.slot, A);
    cr_expect(has_hash_of(&outcome, &old));
    device.nor.cell[device.layout.slot_addr[A] + 200] ^= 1;
    outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect_eq(outcome.slot, BOOT_SLOT_NONE);
    cr_expect(!memcmp(outcome.sha256, none, sizeof none));
}

Test(boot_run, a_broken_layout_is_reported)
{
    struct boot_outcome outcome;
    device.layout.page_bytes = 24;
    cr_expect_eq(boot_run(&device.env, BOOT_RESET_POWER_ON, &outcome), BOOT_ELAYOUT);
    cr_expect_eq(outcome.slot, BOOT_SLOT_NONE);
}

Test(boot_run, a_trial_gets_its_boots_and_no_more)
{
    cr_assert_eq(boot_request_trial(&device.env, A), BOOT_OK);
    for (uint8_t left = 3; left-- > 0;) {
        struct boot_outcome outcome = boot(left == 2 ? BOOT_RESET_SOFTWARE : BOOT_RESET_POWER_ON);
        cr_expect_eq(outcome.slot, B);
        cr_expect(outcome.trial);
        cr_expect_eq(outcome.trial_left, left);
    }
    struct boot_outcome outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_TRIALS_USED);
    cr_expect_eq(device_read_config(&device).cause, BOOT_CAUSE_TRIALS_USED);
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).cause, BOOT_CAUSE_NONE);
}

Test(boot_run, a_watchdog_reset_in_a_trial_reverts_at_once)
{
    boot_request_trial(&device.env, A);
    boot(BOOT_RESET_SOFTWARE);
    struct boot_outcome outcome = boot(BOOT_RESET_WATCHDOG);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_TRIAL_WATCHDOG);
    cr_expect_eq(device_read_config(&device).last_reset, BOOT_RESET_WATCHDOG);
    cr_expect_eq(device_read_config(&device).faulty_boots, 0);
}

Test(boot_run, a_trial_that_can_not_be_recorded_does_not_start)
{
    boot_request_trial(&device.env, A);
    device.nor.fail_from = 0;
    for (int i = 0; i < 5; i++) {
        struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
        cr_expect_eq(outcome.slot, A);
        cr_expect_not(outcome.trial);
    }
    device.nor.fail_from = -1;
    cr_expect(boot(BOOT_RESET_SOFTWARE).trial);
}

Test(boot_run, an_invalid_trial_image_goes_back_without_running)
{
    boot_request_trial(&device.env, A);
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    struct boot_outcome outcome = boot(BOOT_RESET_SOFTWARE);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_TRIAL_INVALID);
    cr_expect_eq(outcome.verdict[B], BOOT_VERDICT_SIGNATURE);
}

Test(boot_run, the_fifth_faulty_boot_goes_to_the_other_slot_as_a_trial)
{
    for (int i = 0; i < 4; i++)
        cr_expect_eq(boot(i % 2 ? BOOT_RESET_WATCHDOG : BOOT_RESET_HARD_FAULT).slot, A);
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
    struct boot_outcome outcome = boot(BOOT_RESET_WATCHDOG);
    cr_expect_eq(outcome.slot, B);
    cr_expect(outcome.trial);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_ACTIVE_FAULTY);
    cr_expect_eq(boot(BOOT_RESET_WATCHDOG).slot, A);
}

Test(boot_run, a_confirmation_clears_the_faulty_boots)
{
    for (int i = 0; i < 4; i++)
        boot(BOOT_RESET_WATCHDOG);
    cr_assert_eq(boot_confirm(&device.env, A), BOOT_OK);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(boot(BOOT_RESET_WATCHDOG).slot, A);
}

Test(boot_run, a_fallback_that_takes_over_becomes_the_highest_confirmed)
{
    boot_trailer_mark(&device.flash, &device.layout, B, 2);
    device_config(&device, B, 1);
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    struct boot_outcome outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect_eq(outcome.slot, A);
    cr_expect_not(outcome.trial);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_ACTIVE_INVALID);
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    lose_config();
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
}

Test(boot_run, with_both_copies_lost_the_confirmed_slot_boots_and_the_config_is_rebuilt)
{
    lose_config();
    struct boot_outcome outcome = boot(BOOT_RESET_POWER_ON);
    cr_expect_eq(outcome.slot, A);
    cr_expect_eq(outcome.cause, BOOT_CAUSE_CONFIG_LOST);
    cr_expect(outcome.config_rebuilt);
    struct boot_config config = device_read_config(&device);
    cr_expect_eq(config.active, A);
    cr_expect_eq(config.security_counter, 1);
    uint64_t ops = device.nor.ops;
    cr_expect_not(boot(BOOT_RESET_POWER_ON).config_rebuilt);
    cr_expect_eq(device.nor.ops, ops);
}

Test(boot_run, a_rebuilt_counter_is_the_lower_of_the_confirmed_slots)
{
    boot_trailer_mark(&device.flash, &device.layout, B, 2);
    lose_config();
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, B);
    cr_expect_eq(device_read_config(&device).security_counter, 1);
}

Test(boot_run, a_rebuilt_counter_does_not_fall_to_a_slot_that_does_not_verify)
{
    firmware_make(&old, &device, "1.0.0", 0, 300, 0);
    device_install(&device, A, &new, 1);
    device_install(&device, B, &old, 2);
    device.nor.cell[device.layout.slot_addr[B] + 200] ^= 1;
    lose_config();
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
    cr_expect_eq(device_read_config(&device).security_counter, 2);
}

Test(boot_run, with_both_copies_lost_an_unconfirmed_image_never_boots)
{
    device.nor.cell[device.layout.slot_addr[A] + 200] ^= 1;
    lose_config();
    uint64_t ops = device.nor.ops;
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, BOOT_SLOT_NONE);
    cr_expect_eq(device.nor.ops, ops);
}

Test(boot_run, an_unreadable_flash_boots_nothing_and_writes_nothing)
{
    uint64_t ops = device.nor.ops;
    device.nor.fail_read = true;
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, BOOT_SLOT_NONE);
    cr_expect_eq(device.nor.ops, ops);
}

Test(boot_run, a_config_sector_that_is_worn_out_stops_no_confirmed_image)
{
    lose_config();
    device.nor.fail_addr = device.layout.config_addr;
    cr_expect(boot(BOOT_RESET_POWER_ON).config_rebuilt);
    uint64_t ops = device.nor.ops;
    cr_expect_eq(boot(BOOT_RESET_POWER_ON).slot, A);
    cr_expect_eq(device.nor.ops, ops);
    cr_expect_eq(boot_request_trial(&device.env, A), BOOT_EFLASH);
    cr_expect_eq(boot(BOOT_RESET_SOFTWARE).slot, A);
}

/* Asks for a trial and cuts the power in the completion mark, so that it reads differently at each
 * read. */
static void request_with_torn_mark(uint64_t seed)
{
    jmp_buf power_lost;
    setup();
    device.nor.random = seed;
    device.nor.power_lost = &power_lost;
    device.nor.cut_at = device.nor.ops + 14; /* refresh, erase, 12 pages of body, then the mark */
    device.nor.form = NOR_UNSTABLE;
    if (!setjmp(power_lost))
        boot_request_trial(&device.env, A);
}

Test(boot_run, an_interrupted_config_write_is_settled_by_the_next_boot)
{
    uint32_t tried = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        request_with_torn_mark(seed);
        bool trial = boot(BOOT_RESET_POWER_ON).trial;
        uint64_t ops = device.nor.ops;
        tried += trial;
        for (int i = 0; i < 10; i++)
            cr_assert_eq(device_read_config(&device).next, trial ? B : A);
        if (!trial)
            boot(BOOT_RESET_POWER_ON);
        cr_assert_eq(device.nor.ops, ops);
    }
    cr_expect(tried > 20 && tried < 180, "%u of 200 by luck", tried);
}
