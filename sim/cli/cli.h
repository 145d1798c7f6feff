/* The subcommands of `brickyard` that live in this folder. Each gets argv[0] = its own name and
 * returns the exit code of CONTRACT.md. */
#ifndef SIM_CLI_H
#define SIM_CLI_H

#include "scn/scenario.h"

enum { CLI_OK = 0, CLI_USAGE = 1, CLI_INFRASTRUCTURE = 8, CLI_SETS_MAX = 32 };

int cli_run(int argc, char **argv);
int cli_lint(int argc, char **argv);
int cli_scenarios(int argc, char **argv);
int cli_replay(int argc, char **argv);

/* What `run` and `replay` have in common, as text from the command line; NULL or 0: not given. */
struct cli_run_options {
    const char *scenario, *seed, *devices, *jobs, *world, *db, *json, *junit, *html, *trace,
        *digest;
    int quiet;
    bool one_device; /* instead of the summary, one line about the traced device and the run */
    uint32_t sets;
    const char *set[CLI_SETS_MAX];
    const char *must_hash; /* hex of the scenario's content, NULL: any */
};
int cli_run_with(const struct cli_run_options *options);

/* A whole number in decimal within [min, max]; says what is wrong on standard error. */
bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Prints the parser's messages; true when one is an error. */
bool cli_messages(const struct scn_messages *messages);

#endif
