/* Stepped boards: every operation is seen before it is done, and the bus is the witness. */
#include "../soak/soak.h"
#include "board_internal.h"
#include "kit.h"
#include <string.h>

static struct kit kit;

static void expect_same(const struct kit_op *stood, const struct kit_op *seen)
{
    cr_assert_eq(stood->op.number, seen->op.number);
    cr_assert_eq(stood->op.erase, seen->op.erase, "operation %llu",
                 (unsigned long long)stood->op.number);
    cr_assert_eq(stood->op.addr, seen->op.addr);
    cr_assert_eq(stood->op.len, seen->op.len);
    if (!stood->op.erase)
        cr_assert_eq(memcmp(stood->data, seen->data, stood->op.len), 0);
}

Test(rig_board_step, stops_are_what_the_bus_shows)
{
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_MIXED);
    kit_on(&kit);
    double begun = kit_now_ms();
    kit_until(&kit, "mixed over");
    cr_log_info("%.2f ms a stop, traced", (kit_now_ms() - begun) / kit.stands);
    kit_off(&kit);
    cr_assert_eq(kit.stands, 400);
    cr_assert_eq(kit.spies, 400);
    for (uint32_t i = 0; i < kit.stands; i++)
        expect_same(&kit.stood[i], &kit.seen[i]);
    kit_close(&kit);
}

Test(rig_board_step, numbers_and_bus_agree_over_cuts_and_resets)
{
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_PAGES_FAST);
    for (uint32_t life = 1; life <= 5; life++) {
        kit.stop_at = kit.stands + 10 + life; /* power goes while it stands there */
        kit_on(&kit);
        kit_run(&kit);
        kit_off(&kit);
        struct rig_op op;
        bool ended;
        cr_assert(rig_board_last_op(kit.board, &op, &ended));
        cr_assert_not(ended);
        cr_assert_eq(op.number, kit.stands);
        cr_assert_eq(kit.spies + life, kit.stands, "the last one was never begun");
    }
    for (uint32_t i = 0, s = 0; i < kit.spies; i++, s++) {
        while (kit.stood[s].op.number < kit.seen[i].op.number)
            s++;
        expect_same(&kit.stood[s], &kit.seen[i]);
    }
    kit_close(&kit);
}

/* While it stands, everything before is in the file, and nothing of this operation. */
Test(rig_board_step, the_file_is_up_to_date_while_it_stands)
{
    static uint8_t flash[BOARD_NOR_BYTES];
    kit_open(&kit, KIT_STEPPED, KIT_PAGES_FAST);
    kit_on(&kit);
    for (kit.stop_at = 30; kit.stop_at < 60; kit.stop_at++) {
        kit_run(&kit);
        kit_read_flash(&kit, flash);
        for (uint32_t i = 0; i < kit.stands; i++) {
            const struct kit_op *past = &kit.stood[i];
            bool here = i + 1 == kit.stands;
            if (past->op.erase)
                continue;
            bool there = !memcmp(flash + past->op.addr, past->data, past->op.len);
            cr_assert_eq(there, !here, "operation %u of %u", i + 1, kit.stands);
        }
        rig_board_go_on(kit.board);
    }
    kit_close(&kit);
}

Test(rig_board_step, takes_little_time)
{
    kit_open(&kit, KIT_STEPPED, KIT_PAGES_FAST);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    double begun = kit_now_ms();
    kit.stop_at = 300;
    kit_run(&kit);
    /* A bound that a busy host keeps too. */
    cr_log_info("%.2f ms a stop", (kit_now_ms() - begun) / 300);
    cr_assert_lt((kit_now_ms() - begun) / 300, 100);
    kit_close(&kit);
}

Test(rig_board_step, a_reset_keeps_the_watchpoint)
{
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_PAGES_FAST);
    kit_on(&kit);
    for (uint32_t i = 1; i <= 10; i++) {
        kit.stop_at = kit.stands + 7;
        kit_run(&kit);
        kit.stop_at = 0;
        if (i % 2) /* while it stands, or in the middle of something */
            rig_board_go_on(kit.board);
        cr_assert_eq(rig_board_reset(kit.board), 0);
        kit_until(&kit, "BOOT");
        cr_assert_eq(kit.resets[RIG_RESET_PIN], i);
    }
    kit.stop_at = kit.stands + 5;
    kit_run(&kit);
    cr_assert(kit.warm);
    kit_close(&kit);
}

/* The one moment without a watchpoint: the rig has it step over the store, and the watchdog is due.
 * QEMU tells that as a stop by SIGALRM; here the test does, while the real one steps. */
Test(rig_board_step, a_watchdog_over_the_store_keeps_the_watchpoint)
{
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_PAGES_FAST);
    kit_on(&kit);
    for (uint32_t i = 1; i <= 5; i++) {
        kit.stop_at = kit.stands + 5;
        kit_run(&kit);
        kit.stop_at = 0;
        rig_board_go_on(kit.board);
        cr_assert_eq(kit.board->step, BB_STEPS);
        bb_step_stopped(kit.board, &(struct rig_gdb_stop){.signal = RIG_GDB_ALARM});
        kit_until(&kit, "BOOT");
        cr_assert_eq(kit.resets[RIG_RESET_WATCHDOG], i);
        uint32_t stood = kit.stands;
        kit_until(&kit, "done");
        cr_assert_gt(kit.stands, stood, "an operation was done, and not stood before");
    }
    for (int again = 0; again < 2; again++) { /* and stood once before each */
        uint32_t begun = kit.stands - kit.spies;
        kit.stop_at = kit.stands + 10;
        kit_run(&kit);
        cr_assert(!again || kit.stands - kit.spies == begun);
        rig_board_go_on(kit.board);
    }
    kit_close(&kit);
}

/* The watchdog's time stands still with the board. */
Test(rig_board_step, standing_still_takes_no_time_of_the_board)
{
    kit_open(&kit, KIT_STEPPED, KIT_PAGES);
    kit_on(&kit);
    kit.stop_at = 5;
    kit_run(&kit);
    kit_run_ms(&kit, 300);
    cr_assert_eq(kit.stands, 5);
    cr_assert_eq(kit.resets[RIG_RESET_WATCHDOG], 0);
    cr_assert(rig_board_is_on(kit.board));
    rig_board_go_on(kit.board);
    rig_board_go_on(kit.board); /* twice is once */
    kit.stop_at = 8;
    kit_run(&kit);
    kit_close(&kit);
}

/* Power goes just as it is let go on: nothing of the operation has begun, or all that it says. */
Test(rig_board_step, power_off_as_it_goes_on_tells_what_the_file_holds)
{
    static uint8_t flash[BOARD_NOR_BYTES];
    kit_open(&kit, KIT_STEPPED, KIT_PAGES_FAST);
    for (uint32_t life = 1; life <= soak(10, 30); life++) {
        struct rig_op op;
        bool ended;
        kit.stop_at = kit.stands + 3; /* its last one is a page */
        kit_on(&kit);
        kit_run(&kit);
        rig_board_go_on(kit.board);
        kit_off(&kit);
        const struct kit_op *last = &kit.stood[kit.stands - 1];
        cr_assert(rig_board_last_op(kit.board, &op, &ended));
        cr_assert_eq(op.number, last->op.number);
        kit_read_flash(&kit, flash);
        bool there = !memcmp(flash + op.addr, last->data, op.len);
        cr_assert_not(op.erase);
        cr_assert(there || !ended, "life %u: it has ended, and is not in the file", life);
    }
    kit_close(&kit);
}
