/* The board as a body: its power, operations, resets and lines. */
#include "fake.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

TestSuite(rig_world_body, .init = fake_open, .fini = fake_close);

static uint8_t page[BOARD_NOR_PAGE];

/* It stands before this operation, and goes on if `go`. */
static void stand(uint64_t number, bool erase, bool go)
{
    memset(page, 0x5A, sizeof page);
    fake.any = true;
    fake.op = (struct rig_op){.number = number,
                              .erase = erase,
                              .addr = BOARD_DATA_ADDR,
                              .len = erase ? BOARD_NOR_SECTOR : BOARD_NOR_PAGE,
                              .data = erase ? NULL : page};
    rw_events.stands(fake.body, &fake.op);
    if (go)
        rw_go_on(fake.body);
}

static void put_in_file(uint8_t byte, uint32_t len)
{
    uint8_t bytes[BOARD_NOR_SECTOR];
    memset(bytes, byte, sizeof bytes);
    cr_assert_eq(pwrite(fake.fd, bytes, len, BOARD_DATA_ADDR), (ssize_t)len);
}

static struct sim_body_op last_op(void)
{
    struct sim_body_op op = {0};
    cr_assert(rw_last_op(fake.body, &op));
    return op;
}

/* ---- Operations ---- */

Test(rig_world_body, no_operation_before_the_first)
{
    struct sim_body_op op;
    cr_assert_not(rw_last_op(fake.body, &op));
}

Test(rig_world_body, an_operation_is_in_progress_from_its_stand_on)
{
    stand(1, false, false);
    struct sim_body_op op = last_op();
    cr_assert(op.in_progress && op.number == 1 && op.call.kind == SIM_FLASH_PROGRAM);
    cr_assert(op.call.addr == BOARD_DATA_ADDR && op.call.len == BOARD_NOR_PAGE);
    memset(page, 0, sizeof page); /* the board's own bytes are no longer there */
    cr_assert_eq(op.call.data[0], 0x5A);
    cr_assert_eq(fake.go_ons, 0);
    rw_go_on(fake.body);
    rw_go_on(fake.body);
    cr_assert_eq(fake.go_ons, 1, "a board that runs is not let go on again");
    cr_assert(last_op().in_progress);
}

Test(rig_world_body, power_off_where_it_stands_leaves_the_operation_undone)
{
    stand(1, true, false);
    fake.ended = true; /* of the one before */
    rw_off(fake.body);
    cr_assert(last_op().in_progress);
}

Test(rig_world_body, power_off_in_the_busy_time_and_after_it)
{
    stand(1, true, true);
    rw_off(fake.body);
    cr_assert(last_op().in_progress);
    char message[64];
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
    stand(2, true, true);
    fake.ended = true;
    rw_off(fake.body);
    cr_assert_not(last_op().in_progress);
}

Test(rig_world_body, a_power_off_that_may_have_lost_pages_is_counted_and_the_host_s_fault)
{
    char message[64];
    rw_off(fake.body);
    cr_assert_eq(world.counts.unclean, 0);
    cr_assert_str_eq(fake.lost, "");
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
    fake.deaf = true;
    rw_off(fake.body);
    fake_says_lost("QEMU (pid 4711) did not stop");
    fake.lost[0] = '\0';
    rw_off(fake.body); /* off already */
    cr_assert_eq(world.counts.unclean, 1);
    cr_assert_str_eq(fake.lost, "");
}

/* However long that is by the host's clock: its QEMU may have had nothing of it. */
Test(rig_world_body, what_runs_on_without_another_operation_has_ended_when_the_board_says_so)
{
    stand(1, false, true);
    fake.body->went_on_at -= 0.5;
    cr_assert(last_op().in_progress);
    cr_assert_eq(fake.asks, 0);
    fake.body->went_on_at -= 100;
    cr_assert(last_op().in_progress);
    cr_assert_eq(fake.asks, 1);
    fake.ended = true;
    cr_assert_not(last_op().in_progress);
}

/* ---- Resets ---- */

Test(rig_world_body, a_warm_reset_in_the_busy_time_lets_the_operation_end)
{
    stand(1, false, true);
    put_in_file(0x5A, BOARD_NOR_PAGE);
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said, "level=warn event=watchdog_reset|");
    cr_assert_eq(fake.ended_told, 0, "it is no end");
    cr_assert_eq(world.counts.resets[RIG_RESET_WATCHDOG], 1);
}

Test(rig_world_body, a_warm_reset_in_an_erase_lets_it_end)
{
    stand(1, true, true);
    put_in_file(0xFF, BOARD_NOR_SECTOR);
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said, "level=warn event=watchdog_reset|");
}

Test(rig_world_body, a_warm_reset_before_the_last_byte_is_told_as_a_cut)
{
    stand(7, false, true);
    put_in_file(0x5B, BOARD_NOR_PAGE); /* one bit of each byte is still set */
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said,
                     "level=warn event=operation_cut number=7|level=warn event=watchdog_reset|");
}

Test(rig_world_body, a_hard_fault_is_told_for_the_board_and_its_own_word_is_enough)
{
    rw_events.reset(fake.body, RIG_RESET_GUEST);
    cr_assert_str_eq(fake.said, "level=warn event=end how=hard_fault|");
    rw_events.console(fake.body, "level=info device=x event=boot slot=A");
    fake.said[0] = '\0';
    rw_events.console(fake.body, "time=t level=info device=x event=end how=software");
    rw_events.reset(fake.body, RIG_RESET_GUEST);
    cr_assert_str_eq(fake.said, "time=t level=info device=x event=end how=software|");
}

/* ---- Lines ---- */

Test(rig_world_body, the_bootloader_tells_of_the_boot_and_the_firmware_of_its_start)
{
    rw_events.console(fake.body, "level=info event=rom reset=power_on boots=1 straps=0");
    rw_events.console(fake.body, "level=info device=x event=boot slot=A trial=no");
    cr_assert_eq(world.counts.boots, 0);
    rw_events.console(fake.body, "time=t level=info device=x event=firmware version=2.3.1");
    rw_events.console(fake.body, "time=t level=info device=x event=boot slot=B");
    cr_assert_str_eq(fake.said, "level=info event=rom reset=power_on boots=1 straps=0|"
                                "level=info device=x event=boot slot=A trial=no|"
                                "time=t level=info device=x event=firmware version=2.3.1|"
                                "time=t level=info device=x event=not_boot slot=B|");
    cr_assert_eq(world.counts.boots, 1);
    cr_assert_eq(world.counts.samples, 1);
    cr_assert_eq(fake.heard, 4);
}

Test(rig_world_body, a_bootloader_that_boots_nothing_is_switched_off)
{
    rw_events.console(fake.body, "level=error device=x event=no_boot error=none");
    cr_assert(fake.ended_told == 1 && fake.no_boot && !fake.clean);
    cr_assert_not(fake.on);
}

Test(rig_world_body, the_firmware_can_not_pretend_to_be_the_bootloader)
{
    rw_events.console(fake.body, "time=t level=error device=x event=no_boot error=none");
    cr_assert(fake.on && fake.ended_told == 0);
}

/* ---- A processor that locks up: QEMU ends, and may not have written the last operation ---- */

static void jumps(void)
{
    rw_events.console(fake.body, "level=info device=x event=boot slot=B trial=yes");
    fake.said[0] = '\0';
}

static void locks_up(void)
{
    fake.on = false;
    fake.qemu_said = "qemu: fatal: Lockup: can't escalate 3 to HardFault (current priority -1)";
    rw_events.ended(fake.body, SIGABRT | 0x80);
}

static bool file_holds(uint8_t byte, uint32_t len)
{
    uint8_t bytes[BOARD_NOR_SECTOR];
    cr_assert_eq(pread(fake.fd, bytes, len, BOARD_DATA_ADDR), (ssize_t)len);
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

Test(rig_world_body, a_lock_up_under_the_watchdog_is_its_reset)
{
    jumps();
    locks_up();
    cr_assert_str_eq(fake.said, "level=error event=lock_up said=\"qemu: fatal: Lockup: can't "
                                "escalate 3 to HardFault (current priority -1)\"|"
                                "level=warn event=watchdog_reset|");
    cr_assert(fake.on && fake.restarts == 1 && !fake.ended_told);
    cr_assert_str_eq(fake.lost, "");
    cr_assert_eq(world.counts.resets[RIG_RESET_WATCHDOG], 1);
    cr_assert_eq(world.counts.lock_ups, 1);
    rw_events.console(fake.body, "time=t level=info device=x event=end how=software");
    cr_assert_null(strstr(fake.said, "software"), "why it resets was told");
}

/* Whether the firmware knew it to be done or not: the part has kept its power. */
Test(rig_world_body, what_a_locked_up_board_had_begun_is_done_in_its_file)
{
    for (int erase = 0; erase < 2; erase++)
        for (int ended = 0; ended < 2; ended++) {
            uint32_t len = erase ? BOARD_NOR_SECTOR : BOARD_NOR_PAGE;
            put_in_file(erase ? 0x00 : 0xFF, BOARD_NOR_SECTOR);
            jumps();
            stand((uint64_t)(2 * erase + ended + 1), erase, true);
            fake.body->op_ended = ended;
            locks_up();
            cr_assert(file_holds(erase ? 0xFF : 0x5A, len), "erase %d, ended %d", erase, ended);
            cr_assert_not(last_op().in_progress);
            cr_assert_null(strstr(fake.said, "operation_cut"), "%s", fake.said);
        }
}

/* QEMU had written all when it told of the reset, or was started: that the last operation before
 * that was cut has been seen by then. */
Test(rig_world_body, what_was_cut_before_a_lock_up_stays_cut)
{
    char message[64];
    for (int cold = 0; cold < 2; cold++) {
        put_in_file(0xFF, BOARD_NOR_PAGE);
        stand((uint64_t)cold + 1, false, true);
        if (cold) {
            rw_off(fake.body);
            cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
        } else {
            rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
        }
        jumps();
        locks_up();
        cr_assert(file_holds(0xFF, BOARD_NOR_PAGE), "cold %d", cold);
        cr_assert_eq(fake.restarts, cold + 1);
    }
}

/* Nothing would ever end it. */
Test(rig_world_body, a_lock_up_before_the_jump_is_an_end)
{
    stand(1, false, true);
    put_in_file(0xFF, BOARD_NOR_PAGE);
    locks_up();
    cr_assert(fake.ended_told == 1 && !fake.no_boot && !fake.clean && !fake.restarts);
    cr_assert_not_null(strstr(fake.how, "locked up in the bootloader"));
    cr_assert(file_holds(0x5A, BOARD_NOR_PAGE), "its flash is judged");
    cr_assert_str_eq(fake.lost, "");
}

Test(rig_world_body, a_lock_up_that_can_not_be_followed_is_infrastructure)
{
    jumps();
    fake.no_restart = true;
    locks_up();
    fake_says_lost("its firmware locked the processor up");
    fake_says_lost("no wires to QEMU");
    cr_assert_eq(fake.ended_told, 0);
    cr_assert_eq(world.counts.resets[RIG_RESET_WATCHDOG], 0);
}
