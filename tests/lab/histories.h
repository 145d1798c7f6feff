/* Histories of scenarios/sweep-board.yaml: each story, each form of a cut, in the bootloader and in
 * the application, two cuts, damage, and what a firmware on trial may do (c1 ..:
 * sweep_behaviour_name). The update has 104 operations in its first run, 5 in the boot behind it,
 * 21 in the trial. */
#ifndef TESTS_LAB_HISTORIES_H
#define TESTS_LAB_HISTORIES_H

static const char *const histories[] = {
    "0.update",
    "0.update/n1/before@0",
    "0.update/n1/prefix@30+100",
    "0.update/n1/suffix@40+7",
    "0.update/n1/random@50",
    "0.update/n1/unstable@60",
    "0.update/n1/after@103",
    "0.update/n1/reset_pin@80",
    "0.update/n1/brown_out@20+3",
    "0.update/n2/prefix@0+128",
    "0.update/n2/unstable@0/c2",
    "0.update/n2/watchdog@3",
    "0.update/n2/brown_out@2+2",
    "0.update/n3/unstable@8/c1/c3",
    "0.update/n1/unstable@49/n1/unstable@0/c1",
    "0.update/n1/prefix@70+128/n1/suffix@30+1",
    "0.update/n3/c1",
    "0.update/n3/c3",
    "0.update/n3/c8",
    "0.update/rot@3+466948",
    "0.update/stuck@0+466944",
    "0.update/worn@0+466944",
    "1.update/n2/prefix@1+9", /* sequences about to wrap */
    "0.rollback-order/n5/before@3",
    "0.wrong-key",
    "0.disguised",
    "0.cut-short/n1/unstable@20/c2",
    "0.damaged",
    "0.power-cycles",
    "0.succession/n1/nothing@10",
    /* On paper only: */
    "0.update/n1/nothing@10",
    "0.update/n2/before@0",
    "0.update/n2/suffix@1+200",
    "0.update/n3/random@20",
    "0.update/n3/c2",
    "0.update/n3/c4",
    "0.wrong-revision",
    "0.older",
};
enum { HISTORIES = sizeof histories / sizeof *histories, HISTORIES_ON_QEMU = 30 };

#endif
