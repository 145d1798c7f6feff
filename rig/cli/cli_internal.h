/* What the subcommands of `brickyard rig` have in common. Each gets argv[0] = its own name. */
#ifndef RIG_CLI_INTERNAL_H
#define RIG_CLI_INTERNAL_H

#include "rig/wiring.h"
#include <popt.h>

enum {
    RIG_CLI_OK = 0,
    RIG_CLI_USAGE = 1,
    RIG_CLI_UNMET = 7,
    RIG_CLI_INFRASTRUCTURE = 8,
    RIG_CLI_WORDS_MAX = 3
};

int rig_cli_list(int argc, char **argv);
int rig_cli_drivers(int argc, char **argv);
int rig_cli_power(int argc, char **argv);
int rig_cli_reset(int argc, char **argv);
int rig_cli_strap(int argc, char **argv);
int rig_cli_console(int argc, char **argv);
int rig_cli_flash(int argc, char **argv);
int rig_cli_odometer(int argc, char **argv);
int rig_cli_calibrate(int argc, char **argv);
int rig_cli_emulate(int argc, char **argv);

/* ---- Command lines ---- */

struct rig_cli_args {
    char *bench; /* --bench; NULL: not given */
    char *word[RIG_CLI_WORDS_MAX];
    uint32_t words;
};

/* What a command takes: its own options besides --bench, and words in their order. */
struct rig_cli_form {
    const char *name;  /* "power" */
    const char *words; /* "BOARD on|off|cycle|status", for --help */
    uint32_t least, most;
    const struct poptOption *option; /* NULL: none */
    int (*run)(const struct rig_cli_args *args, void *ctx);
    void *ctx;
};
/* Reads the line, runs the form, sees to it that standard output was written. An exit code;
 * RIG_CLI_USAGE, with the reason said, where the line is wrong. --help ends the process with 0. */
int rig_cli_run(const struct rig_cli_form *form, int argc, char **argv);

/* "brickyard rig NAME: ...\n" on standard error; returns code. */
int rig_cli_say(const char *name, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "500ms" to milliseconds, min to max; says what is accepted. text NULL: *out_ms stays. */
bool rig_cli_duration(const char *name, const char *option, const char *text, int64_t min,
                      int64_t max, int64_t *out_ms);

/* ---- A board, taken ---- */

struct rig_cli_seat {
    const char *name; /* of the command */
    struct rig_bench *bench;
    const struct rig_bench_board *board;
    struct rig_lock *lock;
    struct rig_wiring *wiring;
    bool quiet; /* what was switched and flashed is not told */
};
/* Bench file of args->bench; RIG_CLI_USAGE if it can't be read. Left by rig_cli_leave in any case.
 */
int rig_cli_open(struct rig_cli_seat *seat, const char *name, const struct rig_cli_args *args);
/* And the board that the first word names. */
int rig_cli_find(struct rig_cli_seat *seat, const char *name, const struct rig_cli_args *args);
/* Locked; and its controllers opened. RIG_CLI_USAGE: in use by somebody else, or the state folder
 * can't be written. */
int rig_cli_take(struct rig_cli_seat *seat);
int rig_cli_wire(struct rig_cli_seat *seat);
/* The same, with answers from this loop. */
int rig_cli_wire_on(struct rig_cli_seat *seat, struct ev_loop *loop);
/* RIG_CLI_INFRASTRUCTURE, and what to do, where the bench is an emulated one and nobody emulates
 * it. */
int rig_cli_emulated(const struct rig_cli_seat *seat);
void rig_cli_leave(struct rig_cli_seat *seat);

/* ---- Switching ---- */

/* Asks and waits, also some seconds for a port that another command has. What was done is told on
 * standard output as WHAT ("power off") unless that is NULL; errors with what to do about them. An
 * exit code; answer may be NULL. */
int rig_cli_switch(struct rig_cli_seat *seat, struct rig_answer *answer, enum rig_function function,
                   uint32_t strap, const struct rig_ask *ask, const char *what);
/* What is wrong and what to do; RIG_CLI_USAGE where nothing was done because it can't be. contact
 * NULL: the board has none. RIG_CLI_OK without an error. */
int rig_cli_tell_error(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact,
                       const struct rig_answer *answer);
/* Until the board was off for as long as the bench file wants, so that whoever comes next keeps
 * that too. */
void rig_cli_stay_off(const struct rig_cli_seat *seat, const struct rig_answer *off);
/* From here on the first SIGINT, SIGTERM or SIGHUP waits until it is released (a second one ends
 * the process), so that no board is left half switched. */
void rig_cli_hold_signals(void);
/* rig_port_now_us() is until_us; false: a signal came first. */
bool rig_cli_wait_until(int64_t until_us);
/* As before; a signal that came ends the process now. Nothing, where none are held. */
void rig_cli_release_signals(void);
/* The contact's driver can be read back. */
bool rig_cli_is_readable(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact);

/* ---- Flashing ---- */

/* Whether this board can be flashed with it; RIG_CLI_USAGE if not. */
int rig_cli_look_at_image(const struct rig_cli_seat *seat, const char *image);
/* Power off (or kept on), the bench file's command, power as it was. stop: readable when it is to
 * end, -1: never. */
int rig_cli_flash_board(struct rig_cli_seat *seat, const char *image, int stop);
/* Ctrl-C, SIGTERM and SIGHUP by a descriptor instead, so that nothing is left half done. -1: not
 * possible. */
int rig_cli_watch_signals(void);

#endif
