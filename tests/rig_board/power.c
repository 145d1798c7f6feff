/* Power off keeps what the board had seen as done. */
#include "../soak/soak.h"
#include "board_internal.h"
#include "kit.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct kit kit;

/* The page in progress is the cut's: all of it, nothing, or (an erase of its sector was still being
 * written back) a part. Every page that was said to be done has to be there for ever. */
Test(rig_board_power, power_offs_lose_no_completed_page)
{
    enum { MOST = 3800 };
    static bool torn[MOST + 2];
    uint32_t parts = 0, lost = 0;
    double slowest = 0, sum = 0;
    struct rig_board_facts facts;
    /* It waits as the part takes: without that, a busy host's QEMU may lose a page that follows an
     * erase at once (rig_cutter's history puts that right; tests/rig_board/cut.c). */
    const uint32_t cycles = soak(10, 40);
    kit_open(&kit, 0, KIT_PAGES);
    for (uint32_t i = 0; i < cycles; i++) {
        uint32_t before = kit.done;
        kit_on(&kit);
        kit_until(&kit, "done");
        if (kit.done < MOST - 60 * (cycles - i))
            kit_run_ms(&kit, 5 + i * 7 % 60);
        double begun = kit_now_ms();
        kit_off(&kit);
        double took = kit_now_ms() - begun;
        sum += took;
        slowest = took > slowest ? took : slowest;
        cr_assert(kit.done > before && kit.done < MOST, "%u, then %u", before, kit.done);
        cr_assert_geq(kit.last, before, "it finds what was done: %s", kit.boot);
        torn[kit.done + 1] = !kit_page_is(&kit, kit.done + 1);
        parts += torn[kit.done + 1] && !kit_page_is_blank(&kit, kit.done + 1);
        for (uint32_t number = 1; number <= kit.done; number++)
            lost += !torn[number] && !kit_page_is(&kit, number);
        rig_board_facts(kit.board, &facts);
        cr_assert_eq(lost, 0, "cycle %u, %llu unclean, took %.0f ms", i,
                     (unsigned long long)facts.unclean, took);
    }
    cr_assert_eq(facts.unclean, 0);
    cr_log_info("stop, kill, wait: %.1f ms mean, %.1f ms most; %u pages, %u in part", sum / cycles,
                slowest, kit.done, parts);
    kit_close(&kit);
}

/* Several boards are told before the first is waited for. */
Test(rig_board_power, a_board_that_was_told_stands_still_before_its_power_goes)
{
    struct rig_board_facts facts;
    kit_open(&kit, 0, KIT_PAGES);
    rig_board_power_fails(kit.board); /* off: nothing */
    kit_on(&kit);
    kit_until(&kit, "done");
    rig_board_power_fails(kit.board);
    rig_board_power_fails(kit.board);
    kit_run_ms(&kit, 300);
    uint32_t done = kit.done;
    kit_run_ms(&kit, 100);
    cr_assert_eq(kit.done, done);
    kit_off(&kit);
    rig_board_facts(kit.board, &facts);
    cr_assert_eq(facts.unclean, 0);
    kit_on(&kit);
    kit_until(&kit, "done");
    cr_assert_geq(kit.last, done, "it runs again, and finds what was done: %s", kit.boot);
    kit_close(&kit);
}

Test(rig_board_power, power_cycles_each_second)
{
    kit_open(&kit, 0, KIT_IDLE);
    double begun = kit_now_ms();
    for (int i = 0; i < 20; i++) {
        kit_on(&kit);
        kit_until(&kit, "BOOT");
        kit_off(&kit);
    }
    cr_log_info("%.1f power cycles each second", 20000 / (kit_now_ms() - begun));
    kit_close(&kit);
}

/* A QEMU that does not answer is ended all the same, and the caller can know. */
Test(rig_board_power, a_qemu_that_does_not_answer_is_killed_and_told)
{
    struct rig_board_facts facts;
    kit_open(&kit, 0, KIT_IDLE);
    kit.board->config.stop_within_ms = 500;
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    pid_t pid = rig_board_pid(kit.board);
    siginfo_t stopped;
    kill(pid, SIGSTOP); /* its threads go on for a moment */
    cr_assert_eq(waitid(P_PID, (id_t)pid, &stopped, WSTOPPED | WNOWAIT), 0);
    kit_off(&kit);
    rig_board_facts(kit.board, &facts);
    cr_assert_eq(facts.unclean, 1);
    kit_on(&kit);
    kit_until(&kit, "BOOT");
    kit_close(&kit);
}

Test(rig_board_power, power_off_and_on_from_within_events)
{
    kit_open(&kit, 0, KIT_IDLE);
    rig_board_power_off(kit.board); /* off already */
    kit_on(&kit);
    char message[128];
    cr_assert_eq(rig_board_power_on(kit.board, message, sizeof message), -1);
    cr_assert_str_eq(message, "the board has power");
    kit_until(&kit, "BOOT");
    kit_close(&kit);
}

Test(rig_board_power, the_last_operation_is_known_without_trace_or_steps)
{
    struct rig_op op;
    bool ended;
    kit_open(&kit, 0, KIT_PAGES);
    cr_assert_not(rig_board_last_op(kit.board, &op, &ended));
    kit_on(&kit);
    kit_until(&kit, "done 20");
    kit_off(&kit);
    cr_assert(rig_board_last_op(kit.board, &op, &ended));
    cr_assert_geq(op.number, 22); /* 20 pages, and 2 erases before them */
    uint64_t first = op.number;
    kit_on(&kit);
    kit_until(&kit, "done");
    kit_off(&kit);
    cr_assert(rig_board_last_op(kit.board, &op, &ended));
    cr_assert_gt(op.number, first, "numbers go on over power cycles");
    kit_close(&kit);
}
