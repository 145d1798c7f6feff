/*
 * A stand: the device of a history runs outside of this process, on a board say, while the sweep
 * does to it what the history says and judges it as ever. The stand carries out dut.h's factory(),
 * boot() and run() by calls of the port that it is given, which may take the control flow away
 * (longjmp) at any of them; it hears the beginning and the end of each session, so that it can
 * compare its flash with the simulator's.
 *
 * One thread, one history at a time. Pointers are valid as each line says; NULL is misuse unless a
 * line allows it.
 */
#ifndef SIM_STAND_H
#define SIM_STAND_H

#include "sim/dut.h"
#include "sim/flash.h"

/* One boot, one run, or the factory (number 0). Valid until `end` returns. */
struct sim_stand_session {
    uint32_t number; /* as the story counts: 1, 2, ... */
    /* As the simulator has it: looked at without time, choices or disturbance (sim_flash_peek). */
    const struct sim_flash *flash;
    void *sweep;
    /* To be called within factory, boot or run; neither returns. The history ends here: with exit
     * code 3, because the stand does otherwise than the simulator; or with 8, because it fails. */
    void (*differs)(void *sweep, const char *what);
    void (*fails)(void *sweep, const char *what);
};

enum sim_stand_finding { SIM_STAND_EQUAL, SIM_STAND_DIFFERS, SIM_STAND_FAILS };

struct sim_stand {
    void *ctx;
    /* NULL, or what of a unit it would accept. */
    const char *(*refuses)(void *ctx, const struct dut_unit *unit);
    void (*begin)(void *ctx, const struct sim_stand_session *session);
    int (*factory)(void *ctx, const struct dut_port *port, const struct dut_image *image);
    void (*boot)(void *ctx, const struct dut_port *port, enum dut_reset reset,
                 struct dut_boot *out);
    enum dut_run (*run)(void *ctx, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *boot);
    /* The session is over. cut: its control flow was taken away. Anything but EQUAL ends the
     * history, with the reason in what. */
    enum sim_stand_finding (*end)(void *ctx, bool cut, char *what, size_t len);
};

#endif
