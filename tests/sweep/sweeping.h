/* Sweeps of scenarios/sweep-tiny.yaml for the tests of the engine. */
#ifndef TESTS_SWEEP_SWEEPING_H
#define TESTS_SWEEP_SWEEPING_H

#include "sim/sweep.h"

/* The sanitizers see each kind of search; what only makes it longer is left to the release build.
 */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define FORM(name_) (1u << SIM_SWEEP_##name_)

/* The plugins of this folder, and what each of them does wrong: SWEEP_FAULT=name in the
 * environment, read when they are loaded. NULL: nothing. */
#define FAULTY SWEEP_PLUGINS "/dut_faulty.so"
#define ODD SWEEP_PLUGINS "/dut_odd.so"
#define BARE SWEEP_PLUGINS "/dut_bare.so"
#define BOASTING SWEEP_PLUGINS "/dut_boasting.so"
#define SINGLE_COPY SWEEP_SINGLE_COPY
void sweeping_fault(const char *name);

/* Fills in the scenario, and cuts and jobs where they are 0, and sweeps. 0, or -1: message. */
int sweeping_run(struct sim_sweep_options *options, struct sim_sweep_result *out,
                 char message[256]);
/* The same; a sweep that does not run fails the test. */
void sweeping(struct sim_sweep_options options, struct sim_sweep_result *out);

/* All of a result but times and memory, a line each; to be freed. */
char *sweeping_text(const struct sim_sweep_result *result);
/* The exit code of the history; *story (to be freed, NULL: not wanted) is what was told. */
int sweeping_replay(const char *dut_path, const char *history, char **story);
/* The same, of a token. */
int sweeping_replay_token(const char *text, char **story);
/* The kind of failure with this promise whose text begins so; NULL. */
const struct sim_sweep_broken *sweeping_broken(const struct sim_sweep_result *result,
                                               const char *promise, const char *what);
/* Each token of the result breaks its promise once more, with the same exit code. */
void sweeping_expect_tokens_replay(const struct sim_sweep_result *result);

#endif
