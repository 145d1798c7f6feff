/* Bodies that do not stand still: what the ground makes of their lines, their darkness, and their
 * flash. */
#include "board.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(stepped_free, .init = board_open, .fini = board_close);
TestSuite(stepped_free_cuts, .init = board_open_cuts, .fini = board_close);

/* ---- What was said, held against the flash ---- */

Test(stepped_free, what_is_there_as_it_was_said_breaks_nothing)
{
    boot("A", "no", "1.0.0");
    st_dark(&dev);
    cr_assert_eq(broken(), 0);
    cr_assert_eq(dev.seen.cuts, 1);
    cr_assert_eq(st.counts.kills_of_its_own, 1);
    cr_assert(dev.flash_known);
}

Test(stepped_free, what_runs_must_be_in_the_slot_that_was_booted)
{
    boot("B", "no", "1.0.0");
    st_dark(&dev);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_VERIFIED_CODE], 1);
}

Test(stepped_free, a_version_that_the_slot_does_not_hold_is_a_broken_promise)
{
    boot("A", "no", "1.1.0");
    st_dark(&dev);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_VERIFIED_CODE], 1);
}

Test(stepped_free, a_slot_that_is_gone_is_a_broken_promise_and_a_brick_at_the_end)
{
    boot("A", "no", "1.0.0");
    wipe_running();
    st_dark(&dev);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_VERIFIED_CODE], 1);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_NO_BRICK], 1);
}

Test(stepped_free, what_was_said_before_a_reset_is_not_held_against_what_comes_after_it)
{
    boot("A", "no", "1.1.0"); /* a lie, but of a life that is over */
    st_said(&dev, "level=warn event=watchdog_reset");
    st_dark(&dev);
    cr_assert_eq(broken(), 0);
    cr_assert_str_eq(dev.seen.version, "1.1.0");
}

Test(stepped_free, a_confirmation_that_is_not_in_the_flash_is_a_broken_promise)
{
    boot("A", "no", "1.0.0");
    const struct boot_layout *layout = &world.layout;
    uint32_t trailer = boot_layout_trailer(layout, 0);
    struct sim_oracle_slot slot;
    /* Behind the image's own trailer is its mark: without the last sector that is programmed. */
    for (uint32_t at = layout->slot_addr[0] + layout->slot_bytes; at > trailer; at--)
        if (part[at - 1] != 0xFF) {
            memset(part + at - 1 - (at - 1) % 16, 0xFF, 16);
            sim_flash_load(&dev.flash, 0, part, st.flash_bytes);
            sim_oracle_slot(shard.oracle, &dev.flash, 0, &slot);
            if (!slot.confirmed || !slot.valid)
                break;
        }
    cr_assert(slot.valid && !slot.confirmed, "the mark was not found");
    st_dark(&dev);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_CONFIRM_HEALTHY], 1);
}

/* ---- Lines that did not get here whole ---- */

Test(stepped_free, half_a_version_was_not_said)
{
    boot("A", "no", "1.0time=2026-11-01T10:00:41.665Z");
    cr_assert_str_eq(dev.seen.version, "1.0.0");
    cr_assert_eq(dev.seen.changes, 0);
    st_dark(&dev);
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, half_a_boot_line_was_not_said_and_the_firmware_tells_of_itself)
{
    st_said(&dev, "level=info device=d event=boot slot=Atime=t level=info device=d event=start");
    cr_assert(dev.booting);
    st_said(&dev, "time=t level=info device=d event=start version=1.0.0 state=Idle");
    cr_assert_not(dev.booting);
    cr_assert_eq(dev.seen.boots, 1);
    cr_assert_eq(dev.state, AGENT_IDLE);
    st_dark(&dev);
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, the_flash_tells_which_version_ran_and_that_it_is_confirmed)
{
    snprintf(dev.seen.version, sizeof dev.seen.version, "0.9.0");
    st_said(&dev, "level=info device=d event=boot slot=A trial=yes reset=\"x\"");
    cr_assert_not(dev.seen.running_confirmed);
    st_dark(&dev);
    cr_assert_str_eq(dev.seen.version, "1.0.0");
    cr_assert(dev.seen.running_confirmed);
    cr_assert_eq(dev.seen.changes, 1);
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, a_board_that_was_booting_ran_nothing)
{
    snprintf(dev.seen.version, sizeof dev.seen.version, "0.9.0");
    st_dark(&dev);
    cr_assert_str_eq(dev.seen.version, "0.9.0");
}

Test(stepped_free, a_version_said_twice_is_one_boot)
{
    boot("A", "yes", "1.0.0");
    for (int i = 0; i < 10; i++)
        st_said(&dev, "time=t level=info device=d event=firmware version=1.0.0 boots=1");
    cr_assert_eq(dev.seen.trial_boots, 1);
    cr_assert_eq(broken(), 0);
}

/* ---- Confirmed too early: by this clock, and a console is late ---- */

static void confirm_after(int64_t us)
{
    boot("A", "yes", "1.0.0");
    dev.seen.app_start_us = st_now_us(&st) - us;
    dev.seen.telemetry_heard = true;
    st_said(&dev, "time=t level=info device=d event=confirmed version=1.0.0");
    cr_assert(dev.seen.running_confirmed);
}

Test(stepped_free, a_confirmation_at_once_is_a_broken_promise)
{
    confirm_after(0);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_CONFIRM_HEALTHY], 1);
}

Test(stepped_free, a_boot_that_was_told_late_makes_no_confirmation_early)
{
    confirm_after(8500000); /* of 10 s */
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, a_confirmation_far_too_early_is_none_of_a_late_console)
{
    confirm_after(7000000);
    cr_assert_eq(dev.seen.broken[REP_PROMISE_CONFIRM_HEALTHY], 1);
}

/* ---- Power ---- */

static struct sim_fault *waiting(void)
{
    struct sim_fault *fault = &dev.faults.fault[0];
    cr_assert_eq(fault->kind, SCN_FAULT_POWER_LOSS);
    return fault;
}

Test(stepped_free_cuts, is_asked_for_once_and_counted_when_it_is_dark)
{
    cr_assert_eq(dev.moment, waiting(), "it boots: that is its state");
    st_free_cut(&dev, waiting());
    st_free_cut(&dev, waiting());
    st_free_moment(&dev);
    cr_assert_eq(cuts, 1);
    cr_assert_eq(dev.seen.cuts, 0);
    st_dark(&dev);
    cr_assert_eq(dev.seen.cuts, 1);
    cr_assert_eq(st.counts.kills_at_state, 1);
    cr_assert_null(dev.cutting);
    cr_assert_eq(dev.power, ST_OFF);
    int64_t on_us = sim_queue_at(&st.due, ST_TIMER_POWER) - st_now_us(&st);
    cr_assert(on_us > 4000000 && on_us <= 5000000);
}

Test(stepped_free_cuts, a_state_that_ends_before_its_moment_is_cut_as_it_ends_and_told_late)
{
    st_said(&dev, "level=info device=d event=boot slot=A trial=no reset=\"x\"");
    cr_assert_eq(cuts, 1);
    st_dark(&dev);
    cr_assert_eq(st.counts.kills_late, 1);
    cr_assert_eq(st.counts.kills_at_state, 0);
}

Test(stepped_free, one_that_finds_nothing_to_boot_is_judged_by_what_is_there_and_looked_at_once)
{
    dev.known = true;
    wipe_running();
    for (int i = 0; i < 3; i++) {
        st_ended(&dev, "in the bootloader, which boots nothing", false, true);
        st_dark(&dev);
        cr_assert_eq(looks, (unsigned)i + 1);
        if (dev.power != ST_DEAD) {
            dev.power = ST_OFF;
            st_power_on(&dev);
        }
    }
    cr_assert_eq(dev.seen.brick, REP_BRICK_NO_BOOT);
    cr_assert(strstr(dev.seen.broken_what[REP_PROMISE_NO_BRICK], "no slot verifies"), "%s",
              dev.seen.broken_what[REP_PROMISE_NO_BRICK]);
    st_dark(&dev); /* its last "off" comes later */
    cr_assert_eq(dev.power, ST_DEAD);
    cr_assert_eq(dev.seen.cuts, 0);
}

Test(stepped_free, darkness_at_the_end_is_no_cut)
{
    boot("A", "no", "1.0.0");
    st.ended = true;
    st_off(&dev);
    st_dark(&dev);
    cr_assert_eq(dev.seen.cuts, 0);
    cr_assert_eq(looks, 1);
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, one_whose_flash_can_not_be_read_is_not_judged_by_it)
{
    legible = false;
    wipe_running();
    boot("A", "no", "1.0.0");
    st_dark(&dev);
    cr_assert_eq(broken(), 0);
    cr_assert_not(dev.flash_known);
}

Test(stepped_free, the_first_loss_is_kept_and_blames_no_device)
{
    st_lost(&dev, "board pump-1: its relay is gone");
    st_lost(&dev, "board pump-1: and its console");
    cr_assert(strstr(st.lost, "its relay is gone"));
    cr_assert_eq(broken(), 0);
}

Test(stepped_free, a_loss_does_not_hide_what_was_broken_before)
{
    char message[600];
    st_lost(&dev, "board pump-1: its relay is gone");
    st_say_lost(&st, message, sizeof message);
    cr_assert_str_eq(message, st.lost);
    wipe_running();
    st_dark(&dev);
    st_say_lost(&st, message, sizeof message);
    cr_assert(strstr(message, rep_promise_name(REP_PROMISE_NO_BRICK)), "%s", message);
    cr_assert(strstr(message, "its relay is gone"), "%s", message);
}

static void end_of_run(void)
{
    dark_at_once = true;
    st.ended = true;
    st_free_end_all(&st);
    cr_assert(dev.dark);
}

Test(stepped_free_cuts, one_that_is_on_its_way_as_the_run_ends_took_effect)
{
    st_free_cut(&dev, waiting());
    end_of_run();
    cr_assert_eq(waiting()->armed_count, 1);
    cr_assert_eq(waiting()->fired_count, 1);
    cr_assert_eq(dev.seen.cuts, 1);
    cr_assert_eq(dev.power, ST_OFF);
}

Test(stepped_free_cuts, one_whose_moment_has_not_come_as_the_run_ends_was_none)
{
    cr_assert_eq(waiting()->armed_count, 1);
    end_of_run();
    cr_assert_eq(waiting()->armed_count, 0);
    cr_assert_eq(waiting()->fired_count, 0);
    cr_assert_eq(dev.seen.cuts, 0);
}

Test(stepped_free, one_that_never_came_to_the_broker_is_no_device_s_fault)
{
    dev.known = true;
    st_free_absent(&st);
    cr_assert_str_eq(st.lost, "");
    dev.known = false;
    dev.seen.cuts = 1; /* an aim of the rig's own may have kept it away */
    st_free_absent(&st);
    cr_assert_str_eq(st.lost, "");
    dev.seen.cuts = 0;
    boot("A", "no", "1.0.0");
    st_free_absent(&st);
    cr_assert(strstr(st.lost, "OTA line"), "%s", st.lost);
    cr_assert(strstr(st.lost, "event=firmware"), "%s", st.lost);
    cr_assert_eq(broken(), 0);
}

/* ---- The end of the run ---- */

static uint32_t ten_minutes(void *ctx)
{
    (void)ctx;
    return 600000;
}

/* off_at_least of a bench may be that: who gives up before it says 8 of each run. */
Test(stepped_free, the_last_darkness_is_waited_for_as_long_as_the_body_needs)
{
    struct sim_body_kind slow = *st.kind;
    uint32_t relays_ms = st_free_dark_within_ms(&st);
    slow.dark_within_ms = ten_minutes;
    st.kind = &slow;
    cr_assert_eq(st_free_dark_within_ms(&st), 600000 + relays_ms);
}

/* Through the ground, as the fleet asks. */
static int asked_whether_it_held_out(bool interrupted, const char *lost, char *message, size_t len)
{
    struct sim_stepped *made;
    *message = '\0';
    cr_assert_eq(sim_stepped_create(&made, st.scn, st.kind, NULL), 0);
    made->yard.interrupted = interrupted;
    snprintf(made->lost, sizeof made->lost, "%s", lost);
    const struct sim_ground *ground = sim_stepped_ground(made);
    int error = ground->held_out(ground->ctx, message, len);
    sim_stepped_free(made);
    return error;
}

Test(stepped_free, an_interruption_in_the_last_switching_off_is_taken)
{
    char message[256];
    cr_assert_eq(asked_whether_it_held_out(false, "", message, sizeof message), 0);
    cr_assert_eq(asked_whether_it_held_out(true, "", message, sizeof message), -1);
    cr_assert_str_eq(message, "interrupted", "burn-in knows it by that word");
    cr_assert_eq(asked_whether_it_held_out(true, "its relay is gone", message, sizeof message), -1);
    cr_assert_str_eq(message, "its relay is gone");
}
