/* Bodies of which nothing comes: their bootloader, or what carries them. */
#include "board.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(stepped_silent, .init = board_open, .fini = board_close);

/* ---- Not a word of its boot ---- */

static void falls_mute(void)
{
    st_dark(&dev);
    st_mute(&dev, "board pump-1: not a word on its console");
}

Test(stepped_silent, one_that_is_mute_with_its_bootloader_destroyed_is_a_brick)
{
    dev.known = true;
    spoil_bootloader();
    falls_mute();
    cr_assert_eq(dev.seen.brick, REP_BRICK_NO_BOOT);
    cr_assert(strstr(dev.seen.broken_what[REP_PROMISE_NO_BRICK], "bootloader region"), "%s",
              dev.seen.broken_what[REP_PROMISE_NO_BRICK]);
    cr_assert_eq(dev.power, ST_DEAD);
    cr_assert_str_eq(st.lost, "");
}

Test(stepped_silent, one_that_is_mute_with_its_bootloader_whole_is_lost)
{
    dev.known = true;
    falls_mute();
    cr_assert(strstr(st.lost, "not a word"), "%s", st.lost);
    cr_assert_eq(dev.seen.brick, REP_BRICK_NONE);
    cr_assert_eq(broken(), 0);
}

Test(stepped_silent, one_that_is_mute_and_can_not_be_read_is_lost)
{
    dev.known = true;
    legible = false;
    spoil_bootloader();
    falls_mute();
    cr_assert(strstr(st.lost, "not a word"), "%s", st.lost);
    cr_assert_eq(broken(), 0);
}

/* Before anything was done to it: it was never flashed well. */
Test(stepped_silent, one_that_is_mute_before_the_campaign_is_lost)
{
    st.started = false;
    spoil_bootloader();
    falls_mute();
    cr_assert(strstr(st.lost, "not a word"), "%s", st.lost);
    cr_assert_eq(dev.seen.brick, REP_BRICK_NONE);
}

Test(stepped_silent, one_that_boots_nothing_with_its_bootloader_destroyed_says_so)
{
    dev.known = true;
    spoil_bootloader();
    for (int i = 0; i < 3; i++) {
        st_ended(&dev, "in the bootloader, which boots nothing", false, true);
        st_dark(&dev);
        if (dev.power != ST_DEAD)
            st_power_on(&dev);
    }
    cr_assert_eq(dev.seen.brick, REP_BRICK_NO_BOOT);
    cr_assert(strstr(dev.seen.broken_what[REP_PROMISE_NO_BRICK], "bootloader region"), "%s",
              dev.seen.broken_what[REP_PROMISE_NO_BRICK]);
}

/* At the end of the run, one that never got out of its bootloader. */
static void inspect_at_end(void)
{
    dark_at_once = true;
    st_devices.inspect(&st, 0, true);
}

Test(stepped_silent, one_that_does_not_come_up_with_its_bootloader_destroyed_is_no_unreachable_one)
{
    spoil_bootloader();
    inspect_at_end();
    cr_assert_eq(dev.seen.brick, REP_BRICK_NO_BOOT);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_NO_BRICK], 1);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_RUNNING_IMAGE], 1);
}

Test(stepped_silent, one_that_runs_with_its_bootloader_changed_is_a_broken_promise_and_no_brick)
{
    boot("A", "no", "1.0.0");
    spoil_bootloader();
    inspect_at_end();
    cr_assert_eq(dev.seen.brick, REP_BRICK_NONE);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_RUNNING_IMAGE], 1);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_NO_BRICK], 0);
}

/* ---- What carries it ---- */

Test(stepped_silent, what_carries_it_is_looked_at_once_a_second_while_it_is_on)
{
    for (int i = 0; i < 3; i++)
        st_watch(&st);
    cr_assert_eq(watches, 1);
    st.watched_at -= 1.5;
    st_watch(&st);
    cr_assert_eq(watches, 2);
    cr_assert_not(watched_at_end);
    cr_assert_gt(watched_open_ms, 1000000, "nothing ever kept it away");
    st.watched_at -= 1.5;
    dev.power = ST_OFF;
    st_watch(&st);
    cr_assert_eq(watches, 2);
}

Test(stepped_silent, the_scenario_s_outages_are_none_of_what_carries_it)
{
    dev.mqtt_down_until_us = st_now_us(&st) + 60000000;
    st_watch(&st);
    cr_assert_eq(watched_open_ms, 0);
    dev.mqtt_down_until_us = st_now_us(&st) - 5000000;
    st.watched_at -= 1.5;
    st_watch(&st);
    cr_assert(watched_open_ms >= 5000 && watched_open_ms < 1000000);
}

Test(stepped_silent, who_is_away_at_the_end_is_looked_at_once_more)
{
    boot("A", "no", "1.0.0");
    dev.connected = true;
    st_watch_end(&dev);
    cr_assert_eq(watches, 0);
    dev.connected = false;
    st_watch_end(&dev);
    cr_assert_eq(watches, 1);
    cr_assert(watched_at_end);
}
