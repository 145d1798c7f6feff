/* Bodies that stand still before each operation: what a slot may meet while nobody knows what runs.
 */
#include "board.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(stepped_still, .init = board_open_still, .fini = board_close);

enum place { IMAGE, TRAILER, MARK };

static uint32_t addr_of(int slot, enum place place)
{
    uint32_t trailer = boot_layout_trailer(&world.layout, slot);
    return place == IMAGE  ? world.layout.slot_addr[slot]
           : place == MARK ? trailer + 5 * world.layout.page_bytes
                           : trailer;
}

static void programs(int slot, enum place place)
{
    static const uint8_t page[ST_OP_DATA_MAX];
    operates(SIM_FLASH_PROGRAM, addr_of(slot, place), page);
}

static void erases(int slot, enum place place)
{
    operates(SIM_FLASH_ERASE, addr_of(slot, place), NULL);
}

static void boots(void)
{
    boot("A", "no", "1.0.0");
}

static void says_that_it_ends(void)
{
    st_said(&dev, "level=info device=d event=end how=software operations=1 violations=0");
}

static void is_broken_alone(enum rep_promise promise)
{
    cr_assert_eq(broken(), 1);
    cr_assert_eq(dev.seen.broken[promise], 1);
}

/* Fakes are stricter than hardware, but not than the design. */
Test(stepped_still, a_boot_may_write_its_config_and_an_application_the_other_slot)
{
    operates(SIM_FLASH_ERASE, world.layout.config_addr, NULL);
    boots();
    erases(1, TRAILER);
    erases(1, IMAGE);
    programs(1, IMAGE);
    programs(1, TRAILER);
    cr_assert_eq(broken(), 0);
}

/* As the bootloader does that has lost its config: the slot carries its own proof. */
Test(stepped_still, a_boot_may_mark_a_confirmed_slot_anew)
{
    programs(0, MARK);
    cr_assert_eq(broken(), 0);
}

Test(stepped_still, a_boot_that_marks_an_unconfirmed_slot_confirms_what_nobody_checked)
{
    programs(1, MARK);
    is_broken_alone(REP_PROMISE_CONFIRM_HEALTHY);
    cr_assert(
        strstr(dev.seen.broken_what[REP_PROMISE_CONFIRM_HEALTHY], "an unconfirmed slot was marked"),
        "%s", dev.seen.broken_what[REP_PROMISE_CONFIRM_HEALTHY]);
}

Test(stepped_still, a_boot_may_write_no_image)
{
    static const struct {
        int slot;
        enum place place;
        bool erase;
    } rows[] = {{0, IMAGE, true},  {1, IMAGE, true},   {0, IMAGE, false},
                {1, IMAGE, false}, {0, TRAILER, true}, {1, TRAILER, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dev.seen.broken[REP_PROMISE_RUNNING_IMAGE] = 0;
        (rows[i].erase ? erases : programs)(rows[i].slot, rows[i].place);
        cr_assert_eq(dev.seen.broken[REP_PROMISE_RUNNING_IMAGE], 1, "row %zu", i);
    }
}

Test(stepped_still, who_says_that_it_ends_may_not_write_its_image_after_all)
{
    boots();
    says_that_it_ends();
    erases(0, IMAGE);
    is_broken_alone(REP_PROMISE_RUNNING_IMAGE);
}

Test(stepped_still, who_says_that_its_watchdog_bit_may_not_write_its_image_after_all)
{
    boots();
    st_said(&dev, "level=warn event=watchdog_reset");
    programs(0, IMAGE);
    is_broken_alone(REP_PROMISE_RUNNING_IMAGE);
}

/* The mark of a trial: slot B holds what is not confirmed. */
Test(stepped_still, who_says_that_it_ends_may_not_confirm_itself)
{
    boots();
    dev.seen.running_slot = 1;
    dev.seen.running_confirmed = false;
    says_that_it_ends();
    programs(1, MARK);
    is_broken_alone(REP_PROMISE_CONFIRM_HEALTHY);
}

Test(stepped_still, after_the_boot_that_follows_an_end_all_is_as_before)
{
    boots();
    says_that_it_ends();
    operates(SIM_FLASH_ERASE, world.layout.config_addr, NULL);
    boots();
    erases(1, IMAGE);
    cr_assert_eq(broken(), 0);
    erases(0, IMAGE);
    is_broken_alone(REP_PROMISE_RUNNING_IMAGE);
}

Test(stepped_still, a_bootloader_that_jumps_elsewhere_than_it_records_is_seen)
{
    boot("B", "no", "1.0.0");
    is_broken_alone(REP_PROMISE_VERIFIED_CODE);
    cr_assert(strstr(dev.seen.broken_what[REP_PROMISE_VERIFIED_CODE], "jumps to slot B"), "%s",
              dev.seen.broken_what[REP_PROMISE_VERIFIED_CODE]);
}

Test(stepped_still, a_boot_that_does_not_say_where_it_jumps_is_judged_by_its_config)
{
    boot("C", "no", "1.0.0");
    cr_assert_eq(broken(), 0);
    cr_assert_eq(dev.seen.running_slot, 0);
}
