/* A run of the process world as a user starts it, and what its JSON says. */
#ifndef TESTS_PROCESS_BENCH_H
#define TESTS_PROCESS_BENCH_H

#include "program.h"
#include <jansson.h>

/* A fresh folder which is TMPDIR too, so that what a run leaves behind is seen. For fixtures. */
void bench_enter(void);
void bench_leave(void);

/* small.yaml: three devices, an update of 16 KiB, and these faults (lines of YAML). What a sound
 * trial has to keep is long (mqtt_within 30 s, watchdog 40 s, a brick presumed after 60 s), so that
 * a busy machine breaks none; a test that waits for one of them sets it shorter. */
void bench_small(const char *behaviour, const char *faults);
/* result.json of the last run; the caller's to json_decref. */
json_t *bench_result(void);
long bench_number(const json_t *result, const char *section, const char *key); /* section NULL */
const char *bench_fact(const json_t *result, const char *name);
/* Processes whose command line names this folder. */
unsigned bench_processes(void);
/* The build's brickyard beside this script as ota-agent; the next runs use both. */
void bench_fake_agent(const char *script);
void bench_no_agent(void); /* brickyard alone */
const char *bench_real_agent(void);

#endif
