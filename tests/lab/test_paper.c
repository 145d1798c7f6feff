/* The lab's host side and its program, on a board of paper: what is equal, and what is found. */
#include "histories.h"
#include "paper.h"
#include "replaying.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct paper paper;
static struct rig_lab *lab;

static void power(enum paper_fault fault)
{
    paper_init(&paper, fault);
    cr_assert_eq(rig_lab_create(&lab, &paper.machine), 0);
}

static void away(void)
{
    rig_lab_free(lab);
    paper_free(&paper);
}

TestSuite(lab_paper, .fini = away);

Test(lab_paper, every_history_is_the_same_in_both_worlds)
{
    power(PAPER_SOUND);
    for (int i = 0; i < HISTORIES; i++)
        replaying_equal(lab, histories[i]);
    const struct rig_lab_counts *counts = rig_lab_counts(lab);
    cr_expect_gt(counts->sessions, 5 * HISTORIES);
    cr_expect_gt(counts->operations, 100 * HISTORIES);
    cr_expect_gt(counts->reads, 500 * HISTORIES);
    cr_expect_gt(counts->verifies, 2 * HISTORIES);
    cr_expect_gt(counts->resets, HISTORIES / 2);
}

Test(lab_paper, histories_by_seed_are_the_same_in_both_worlds)
{
    power(PAPER_SOUND);
    replaying_by_seed(lab, LAB_DRAWN);
}

/* A fault, the history in which it has to show, what is to be said, and the exit code. */
static const struct {
    enum paper_fault fault;
    const char *history, *says;
    int code;
} row[] = {
    {PAPER_DROPS_LAST_BYTE, "0.update", "at 0x120ff on the board", 3},
    {PAPER_SKIPS_LAST_PAGE, "0.update", "the flash holds ff at 0x15f00 on the board", 3},
    {PAPER_ERASES_HALF, "0.update", "on the board, ff in the simulator", 3},
    {PAPER_WRITES_ON, "0.update", "the board reads something else", 3},
    {PAPER_READS_WRONG, "0.update", "the board reads something else", 3},
    {PAPER_REFUSES, "0.update", "the driver refuses a program", 3},
    {PAPER_ACCEPTS_ALL, "0.wrong-key", "the board accepts a signature, this host does not", 3},
    {PAPER_RESETS, "0.update", "the board was reset in it", 3},
    {PAPER_HANGS_UP, "0.update", "the board's process ended", 8},
    {PAPER_BABBLES, "0.update", "carries no frames", 8},
};

Test(lab_paper, faults_are_found_and_named)
{
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *told;
        power(row[i].fault);
        int code = replaying(lab, row[i].history, &told);
        cr_expect_eq(code, row[i].code, "row %zu: %d\n%s", i, code, told);
        cr_expect(strstr(told, row[i].says), "row %zu\n%s", i, told);
        cr_expect_not(strstr(told, "equal byte for byte"), "row %zu\n%s", i, told);
        free(told);
        away();
    }
    power(PAPER_SOUND);
}

Test(lab_paper, after_a_finding_the_next_history_is_judged_by_itself)
{
    char *told;
    power(PAPER_DROPS_LAST_BYTE);
    cr_expect_eq(replaying(lab, "0.update", &told), 3, "%s", told);
    free(told);
    paper.fault = PAPER_SOUND;
    replaying_equal(lab, "0.wrong-key");
}

Test(lab_paper, a_blow_that_does_not_fall_is_told_in_both_worlds)
{
    char *told;
    power(PAPER_SOUND);
    cr_expect_eq(replaying(lab, "0.update/n1/before@5000", &told), 6, "%s", told);
    cr_expect(strstr(told, "did not fall") && strstr(told, "the same in the simulator"), "%s",
              told);
    free(told);
}

Test(lab_paper, a_history_that_is_none_runs_nothing)
{
    char *told;
    power(PAPER_SOUND);
    cr_expect_eq(replaying(lab, "0.update/n1/sideways@3", &told), -1, "%s", told);
    free(told);
    cr_expect_eq(replaying(lab, "0.no-such-story", &told), -1, "%s", told);
    cr_expect_eq(rig_lab_counts(lab)->power_ons, 0);
    free(told);
}
