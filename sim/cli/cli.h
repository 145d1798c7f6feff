/* The subcommands of `brickyard` that live in this folder. Each gets argv[0] = its own name and
 * returns the exit code of CONTRACT.md. */
#ifndef SIM_CLI_H
#define SIM_CLI_H

#include "scn/scenario.h"
#include "sim/given.h"

enum { CLI_OK = 0, CLI_USAGE = 1, CLI_INFRASTRUCTURE = 8, CLI_SETS_MAX = 32, CLI_JOBS_MAX = 64 };

int cli_run(int argc, char **argv);
int cli_sweep(int argc, char **argv);
int cli_lint(int argc, char **argv);
int cli_scenarios(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_service(int argc, char **argv);
int cli_export(int argc, char **argv);

/* What `run` and `replay` have in common, as text from the command line; NULL or 0: not given. */
struct cli_run_options {
    const char *scenario, *seed, *devices, *jobs, *world, *bench, *db, *json, *junit, *html, *trace,
        *digest, *aim, *aimed_cuts, *burn_in;
    struct sim_given_options given; /* somebody else's servers */
    int quiet;
    bool one_device; /* instead of the summary, one line about the traced device and the run */
    uint32_t sets;
    const char *set[CLI_SETS_MAX];
    const char *must_hash; /* hex of the scenario's content, NULL: any */
};
int cli_run_with(const struct cli_run_options *options);

/* A whole number in decimal within [min, max]. The second says what is wrong on standard error. */
bool cli_is_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* A plugin that is there; says if not. NULL: none is wanted. */
bool cli_dut(const char *path);
/* Path of a program for the QEMU board: build/board/NAME, beside this command. False with a message
 * when it is not there. */
bool cli_board_program(char *out, size_t len, const char *name, char *message, size_t message_len);
/* Prints the parser's messages; true when one is an error. */
bool cli_messages(const struct scn_messages *messages);
/* Threads: as the option says, NULL: one for each core. Says what is wrong. */
bool cli_jobs(const char *text, uint32_t *out);
/* A scenario whose content has this hash (hex, NULL: any); false with the reason said, and nothing
 * to free. overrides may be NULL. */
bool cli_load(struct scn **out, const char *path, const struct scn_overrides *overrides,
              const char *must_hash);

/* An output of a run, "-": standard output, NULL: not asked for. */
struct cli_output {
    const char *option, *path;
};
/* Whether each can be written, and none replaces another; says which not. */
bool cli_outputs(const struct cli_output *output, size_t n);
/* Whether all of standard output was written; says so if not. */
bool cli_flushed(void);

#endif
