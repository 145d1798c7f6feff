/* Inside of the Linux board: made and powered (linux.c), heard (watch.c), torn (tear.c). */
#ifndef RIG_LINUX_INTERNAL_H
#define RIG_LINUX_INTERNAL_H

#include "lines.h"
#include "rig/child.h"
#include "rig/linux.h"
#include "rig/qmp.h"

enum { LB_PATH_MAX = 512, LB_MARKER_MAX = 128, LB_STOP_WITHIN_MS = 10000, LB_RESETS_MAX = 8 };

/* Files of the board: the flash, what it held at power on, and the log of writes since. */
enum lb_file { LB_FLASH, LB_POWER_ON, LB_LOG, LB_FILES };

struct rig_linux {
    struct rig_linux_config config;
    char path[LB_FILES][LB_PATH_MAX];
    struct rig_child child;
    struct rig_qmp *qmp;
    struct rig_lines lines;
    int console; /* -1: off */
    ev_io hear, ends;
    ev_timer tell, cut;
    /* Resets are told from the loop, not from within QMP, where power off is not allowed. */
    enum rig_reset resets[LB_RESETS_MAX];
    unsigned resets_waiting;
    bool going;           /* power off is under way */
    bool bitten, pressed; /* the next reset is the watchdog's; the reset line's */
    char marker[LB_MARKER_MAX];
    int64_t delay_us, plan_us; /* of the planned cut; when its time began */
};

/* Begins and ends hearing what QEMU says: fds are the board's from here on. 0, or -1: no memory. */
int lb_hear(struct rig_linux *board, int console, int qmp);
void lb_deaf(struct rig_linux *board);
/* Reads what the console holds now. */
void lb_console(struct rig_linux *board);

int64_t lb_now_us(void);

#endif
