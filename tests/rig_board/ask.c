/* Boards that are asked while they run, and QEMUs that do not answer. */
#include "board_internal.h"
#include "kit.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static struct kit kit;

static uint64_t answers(void)
{
    struct rig_board_facts facts;
    rig_board_facts(kit.board, &facts);
    return facts.answers;
}

static void ask(void)
{
    uint64_t before = answers();
    rig_board_ask(kit.board);
    for (int i = 0; i < KIT_WITHIN_S * 100 && answers() == before; i++)
        kit_run_ms(&kit, 10);
    cr_assert_eq(answers(), before + 1);
}

static void freeze(void)
{
    siginfo_t stopped;
    kill(rig_board_pid(kit.board), SIGSTOP); /* its threads go on for a moment */
    cr_assert_eq(waitid(P_PID, (id_t)rig_board_pid(kit.board), &stopped, WSTOPPED | WNOWAIT), 0);
}

Test(rig_board_ask, one_that_runs_says_so)
{
    kit_open(&kit, 0, KIT_IDLE);
    rig_board_ask(kit.board); /* off: nothing */
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    ask();
    ask();
    cr_assert_str_eq(rig_board_halted(kit.board), "");
    kit_close(&kit);
}

Test(rig_board_ask, a_frozen_qemu_owes_one_answer_until_it_goes_on)
{
    kit_open(&kit, 0, KIT_IDLE);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    freeze();
    for (int i = 0; i < 5; i++) {
        rig_board_ask(kit.board);
        kit_run_ms(&kit, 20);
    }
    cr_assert_eq(answers(), 0);
    kill(rig_board_pid(kit.board), SIGCONT);
    for (int i = 0; i < KIT_WITHIN_S * 100 && !answers(); i++)
        kit_run_ms(&kit, 10);
    ask();
    cr_assert_eq(answers(), 2);
    kit_close(&kit);
}

Test(rig_board_ask, one_that_was_halted_by_somebody_else_says_how)
{
    kit_open(&kit, 0, KIT_IDLE);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    rig_qmp_send(kit.board->qmp, "stop", NULL, NULL, NULL);
    ask();
    cr_assert_str_eq(rig_board_halted(kit.board), "paused");
    cr_assert_eq(rig_board_reset(kit.board), 0);
    kit_until(&kit, "BOOT");
    cr_assert_str_eq(rig_board_halted(kit.board), "", "something has come of it since");
    ask();
    cr_assert_str_eq(rig_board_halted(kit.board), "");
    kit_close(&kit);
}

Test(rig_board_ask, one_that_stands_before_an_operation_is_not_halted)
{
    kit_open(&kit, KIT_STEPPED, KIT_PAGES_FAST);
    kit_on(&kit);
    kit.stop_at = 3;
    kit_run(&kit);
    ask();
    cr_assert_str_eq(rig_board_halted(kit.board), "");
    kit_close(&kit);
}

Test(rig_board_ask, the_probe_tells_of_a_running_board_s_last_operation)
{
    struct rig_op op;
    bool ended;
    kit_open(&kit, KIT_STEPPED, KIT_MIXED);
    kit_on(&kit);
    kit.stop_at = 3;
    kit_run(&kit);
    ask();
    cr_assert(rig_board_last_op(kit.board, &op, &ended));
    cr_assert_not(ended, "it stands before it; the one before has ended");
    rig_board_go_on(kit.board);
    kit_until(&kit, "mixed over");
    cr_assert(rig_board_last_op(kit.board, &op, &ended));
    cr_assert_eq(op.number, 400);
    cr_assert_not(ended, "nobody has asked yet");
    ask();
    cr_assert(rig_board_last_op(kit.board, &op, &ended));
    cr_assert(ended);
    cr_assert_eq(op.number, 400);
    kit_close(&kit);
}

/* Its file is whole since it stands: nothing is to be waited for, and nothing is lost. */
Test(rig_board_ask, power_off_where_it_stands_needs_no_answer)
{
    static uint8_t flash[BOARD_NOR_BYTES];
    struct rig_board_facts facts;
    kit_open(&kit, KIT_STEPPED, KIT_PAGES_FAST);
    kit_on(&kit);
    kit.stop_at = 40;
    kit_run(&kit);
    freeze();
    kit_off(&kit);
    rig_board_facts(kit.board, &facts);
    cr_assert_eq(facts.unclean, 0);
    kit_read_flash(&kit, flash);
    for (uint32_t i = 0; i + 1 < kit.stands; i++) {
        const struct kit_op *past = &kit.stood[i];
        bool there = past->op.erase || !memcmp(flash + past->op.addr, past->data, past->op.len);
        cr_assert(there, "operation %u", i + 1);
    }
    kit_close(&kit);
}
