/*
 * A bench with its controllers opened: what turns "board pump-1, power off" into a contact of a
 * controller, with inversion and off-time as the file has them. All uses of relays go through it.
 *
 * Owner: the caller; bench and loop are borrowed until close. Threads as in rig/controller.h.
 */
#ifndef RIG_WIRING_H
#define RIG_WIRING_H

#include "rig/benchfile.h"
#include "rig/controller.h"

struct rig_wiring;

enum rig_function { RIG_FUNCTION_POWER, RIG_FUNCTION_RESET, RIG_FUNCTION_STRAP };

/* Opens the odometer (STATE/rig.db) and starts a controller for each that a board uses; no hardware
 * is touched. loop NULL: blocking calls only. RIG_OK, or an error with message. */
int rig_wiring_open(struct rig_wiring **out, const struct rig_bench *bench, struct ev_loop *loop,
                    char *message, size_t len);
/* The same where the odometer can't be opened (its disk is full, say): power can be taken away in
 * any case, and nothing is counted. The state folder is not needed. */
int rig_wiring_open_uncounted(struct rig_wiring **out, const struct rig_bench *bench,
                              struct ev_loop *loop, char *message, size_t len);
void rig_wiring_close(struct rig_wiring *wiring); /* NULL allowed */

/* Power of a board, or another function of it: `want` and `on` are the function's (powered, held
 * in reset, strap set), whatever the contact must do for that; channel, inverted and the power's
 * off_at_least (the longer one) come from the bench file. strap: index; else 0. RIG_OK, or
 * RIG_EUNSUPPORTED: the board has no such line, or its driver can't. */
int rig_wiring_ask(struct rig_wiring *wiring, const struct rig_bench_board *board,
                   enum rig_function function, uint32_t strap, const struct rig_ask *ask);
/* Asks and waits; answer->message says what is wrong, the board and the controller named. */
int rig_wiring_do(struct rig_wiring *wiring, struct rig_answer *answer,
                  const struct rig_bench_board *board, enum rig_function function, uint32_t strap,
                  const struct rig_ask *ask);
/* Holds the board in reset for its hold_ms, and lets it go. An error may leave it held. */
int rig_wiring_reset(struct rig_wiring *wiring, struct rig_answer *answer,
                     const struct rig_bench_board *board);
/* NULL: the board has none. */
const struct rig_bench_contact *rig_wiring_contact(const struct rig_bench_board *board,
                                                   enum rig_function function, uint32_t strap);
/* By controller, for lists and facts; NULL: no board uses it. */
struct rig_controller *rig_wiring_controller(struct rig_wiring *wiring, uint32_t controller);
struct rig_odometer *rig_wiring_odometer(struct rig_wiring *wiring); /* NULL: uncounted */

/* ---- Flashing ---- */

/* Runs the board's command in the bench file's folder, with {image} and {board} replaced (image
 * made absolute), its output into `log` (appended; NULL: away). Killed with all that it started
 * after flash_within_ms, or when `stop` becomes readable (-1: never); what it left running is
 * killed in any case, also when this process is: `lock` (the board's; NULL: none) is not free
 * before that. The calling thread lives until it returns. Power is the caller's to switch. RIG_OK;
 * RIG_EUNSUPPORTED: no command; RIG_EOPEN: no such image, log or program; RIG_EREFUSED: it ended
 * with an error, its last line is in message; RIG_ESILENT: killed for its time; RIG_EGONE: stopped.
 */
int rig_flash_board(const struct rig_bench_board *board, const struct rig_lock *lock,
                    const char *image, const char *log, int stop, char *message, size_t len);

#endif
