#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

/* Sectors of the journal that wear out or get stuck: one costs nothing, all of them cost updates
 * but never the truth. */

static struct world world;
static struct world_flash flash;
static struct agent_journal journal;
static const uint32_t sectors = WORLD_JOURNAL / WORLD_SECTOR;

static void reopen(void)
{
    world_flash_reboot(&flash);
    cr_assert_eq(agent_journal_open(&journal, &flash.port, &flash.layout), AGENT_OK);
}

/* Sectors from..to - 1 of the journal, from now on. */
static void spoil(struct world_flash *which, uint32_t from, uint32_t to, bool stuck)
{
    which->fail_from = WORLD_DATA + from * WORLD_SECTOR;
    which->fail_to = WORLD_DATA + to * WORLD_SECTOR;
    which->stuck = stuck;
}

/* Each number is a record; `session` of them between two boots. */
static void write_numbers(uint32_t from, uint32_t to, uint32_t session, const char *about)
{
    for (uint32_t i = from; i < to; i++) {
        cr_assert_eq(agent_journal_progress(&journal, i), AGENT_OK, "%s: %u", about, i);
        if (i % session)
            continue;
        reopen();
        cr_assert_eq(journal.durable_bytes, i, "%s: %u, not %u", about, journal.durable_bytes, i);
    }
}

Test(agent_worn, one_bad_sector_of_the_journal_loses_no_record)
{
    static const uint32_t before[] = {1, 2, 20, 70, 140};
    for (uint32_t sector = 0; sector < sectors; sector++) {
        for (int stuck = 0; stuck < 2; stuck++) {
            for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
                world_flash_init(&flash);
                reopen();
                write_numbers(1, before[i], 3, "sound");
                spoil(&flash, sector, sector + 1, stuck != 0);
                write_numbers(before[i], before[i] + 300, i % 2 ? 7 : 45, stuck ? "stuck" : "worn");
                cr_assert_not(journal.broken);
                cr_assert_eq(flash.violations, 0, "sector %u", sector);
            }
        }
    }
}

Test(agent_worn, half_of_the_journal_is_enough)
{
    for (uint32_t bank = 0; bank < 2; bank++) {
        world_flash_init(&flash);
        reopen();
        write_numbers(1, 50, 3, "sound");
        spoil(&flash, bank * sectors / 2, (bank + 1) * sectors / 2, bank != 0);
        write_numbers(50, 500, 7, "one bank");
        cr_assert_eq(flash.violations, 0);
    }
}

/* Each bank has one left, that with its header. */
Test(agent_worn, the_first_sector_of_each_bank_is_enough)
{
    for (int stuck = 0; stuck < 2; stuck++) {
        world_flash_init(&flash);
        reopen();
        write_numbers(1, 150, 40, "sound");
        spoil(&flash, 1, sectors, stuck != 0);
        flash.spared = WORLD_DATA / WORLD_SECTOR + sectors / 2;
        uint32_t erases = flash.wear[WORLD_DATA / WORLD_SECTOR];
        write_numbers(150, 500, 7, "first sectors");
        cr_assert_gt(flash.wear[WORLD_DATA / WORLD_SECTOR], erases, "bank 0");
        cr_assert_gt(flash.wear[flash.spared], 3, "bank 1");
        cr_assert_eq(flash.violations, 0);
    }
}

Test(agent_worn, a_stuck_journal_is_noticed)
{
    world_flash_init(&flash);
    reopen();
    write_numbers(1, 10, 3, "sound");
    spoil(&flash, 0, sectors, true);
    cr_assert_eq(agent_journal_progress(&journal, 77), AGENT_EFLASH);
    cr_assert(journal.broken);
    cr_assert_eq(flash.violations, 0);
    reopen();
    cr_assert_eq(journal.durable_bytes, 9, "what was there before is still read");
}

/* The highest number is the last status, it names what runs, and no number means two things. */
static void assert_truth(const char *version, const char *about)
{
    uint32_t highest = 0;
    world_story(&world);
    for (uint32_t i = 0; i < world.logged; i++)
        if (world.log[i].seq > world.log[highest].seq)
            highest = i;
    cr_assert_str_eq(world.log[highest].version, version, "%s: %s", about, world_story(&world));
    cr_assert_str_eq(agent_running_version(&world.agent), version, "%s", about);
    cr_assert_eq(agent_state(&world.agent), AGENT_IDLE, "%s", about);
    cr_assert_eq(world.flash.violations, 0, "%s", about);
}

static void break_at(enum agent_state when)
{
    world_init(&world);
    world.config.approval = when == AGENT_WAITING_APPLY;
    world.http = HTTP_500;
    world.http_times = when == AGENT_DOWNLOAD_FAILED;
    if (when == AGENT_DOWNLOAD_SCHEDULED) {
        world.config.window.start_min = 60;
        world.config.window.end_min = 300;
    }
    if (when != AGENT_IDLE)
        world_update(&world, &world_v2);
    world_run_to(&world, when);
}

Test(agent_worn, without_a_journal_no_update_begins_or_goes_on)
{
    static const enum agent_state when[] = {AGENT_IDLE, AGENT_DOWNLOAD_SCHEDULED, AGENT_DOWNLOADING,
                                            AGENT_DOWNLOAD_FAILED, AGENT_WAITING_APPLY};
    for (int stuck = 0; stuck < 2; stuck++) {
        for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
            const char *about = agent_state_name((int)when[i]);
            break_at(when[i]);
            spoil(&world.flash, 0, sectors, stuck != 0);
            if (when[i] == AGENT_IDLE)
                world_update(&world, &world_v2);
            world_order(&world, "{\"command_id\":\"c\",\"command\":\"apply\"}");
            cr_assert_eq(agent_state(&world.agent), AGENT_IDLE, "%s: at once", about);
            world_run(&world);
            cr_assert_eq(world_count(&world, "scheduled"), when[i] != AGENT_IDLE, "%s", about);
            cr_assert_str_eq(world_reason(&world, "refused"), "flash", "%s: %s", about,
                             world_story(&world));
            cr_assert_eq(world.reboots, 0, "%s", about);
            assert_truth("2.3.1", about);
            world_power_on(&world, BOOT_RESET_POWER_ON);
            world_run(&world);
            cr_assert_eq(world.reboots, 0, "%s, after a boot", about);
            assert_truth("2.3.1", about);
            boot_openssl_free(&world.openssl);
        }
    }
}

/* Found out at the first word after a boot: an update that waited is not tried without a journal.
 */
Test(agent_worn, an_update_that_waited_over_the_boot_is_refused)
{
    break_at(AGENT_WAITING_APPLY);
    world_run(&world);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world.config.approval = false;
    spoil(&world.flash, 0, sectors, false);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "refused"), "flash");
    assert_truth("2.3.1", "waited");
}

Test(agent_worn, what_runs_already_is_confirmed_without_a_journal)
{
    world_init(&world);
    spoil(&world.flash, 0, sectors, false);
    world_update(&world, &world_v1);
    world_run(&world);
    cr_assert_eq(world_count(&world, "confirmed"), 1);
    cr_assert_eq(world_count(&world, "refused"), 0);
    assert_truth("2.3.1", "same version");
}

static void (*tell)(void *ctx, enum agent_state from, enum agent_state to);
static enum agent_state fatal;
static bool sticks;

static void spoil_in_state(void *ctx, enum agent_state from, enum agent_state to)
{
    tell(ctx, from, to);
    if (to == fatal)
        spoil(&world.flash, 0, sectors, sticks);
}

/* From Applying on the boot config is the truth: the trial runs, and its outcome is told. */
Test(agent_worn, a_journal_that_breaks_from_applying_on_does_not_hide_the_outcome)
{
    static const enum agent_state when[] = {AGENT_APPLYING, AGENT_REBOOTING, AGENT_HEALTH_CHECK,
                                            AGENT_CONFIRMED};
    for (int form = 0; form < 4; form++) {
        for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
            bool fails = form & 1;
            const char *about = agent_state_name((int)when[i]);
            world_init(&world);
            tell = world.config.on_state;
            fatal = when[i];
            sticks = form & 2;
            world.config.on_state = spoil_in_state;
            world.health.config = !fails;
            world_update(&world, &world_v2);
            world_run(&world);
            assert_truth(fails ? "2.3.1" : "2.4.0", about);
            cr_assert_leq(world.boots, 3, "%s: trials without end", about);
            world_power_on(&world, BOOT_RESET_POWER_ON);
            world_run(&world);
            assert_truth(fails ? "2.3.1" : "2.4.0", about);
            boot_openssl_free(&world.openssl);
        }
    }
}

/* Boots within the same second, and statuses in each: every session is above all before it. */
Test(agent_worn, numbers_never_go_back_however_fast_the_boots_follow)
{
    uint32_t highest = 0, from = 0;
    world_init(&world);
    world.healthy.mqtt_ms = 10;
    spoil(&world.flash, 0, sectors, true);
    for (int boot = 0; boot < 30; boot++) {
        uint32_t top = highest;
        world_power_on(&world, BOOT_RESET_POWER_ON);
        world_run_for(&world, 100);
        world_update(&world, &world_v2);
        world_run_for(&world, 150 + 70 * boot);
        for (; from < world.logged; from++) {
            cr_assert_gt(world.log[from].seq, top, "boot %d", boot);
            if (world.log[from].seq > highest)
                highest = world.log[from].seq;
        }
    }
    cr_assert_gt(from, 20, "something was told");
    cr_assert_geq(world.now_ms / 1000, (int64_t)highest, "no number is ahead of the clock");
}
