/* Runs `brickyard run` in a world and reads its JSON and its database. */
#ifndef TESTS_LOOPBACK_WORLDS_H
#define TESTS_LOOPBACK_WORLDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct world_run {
    int exit_code; /* -1: ended by a signal */
    json_t *json;  /* NULL: none was written */
    char folder[64], db[96];
    char said[4096]; /* the end of standard error */
};

/* scenario is YAML text. more: further arguments, may be "". Ends the test when the program can't
 * be started. */
void world_run(struct world_run *out, const char *scenario, const char *world, const char *more);
void world_run_free(struct world_run *run);

/* A number of the JSON: "updates/confirmed". */
long long world_number(const struct world_run *run, const char *path);
/* A fact as a number, -1 when it is missing. */
long long world_fact(const struct world_run *run, const char *name);

/* A fleet of `count` devices with small images, quick checks and one phase without a hold; rows are
 * appended: more lines of YAML for `faults:` or the candidate's behaviour. */
char *world_scenario(unsigned count, const char *behaviour, const char *faults);

/* The program's path and the source's folder. */
const char *world_program(void);

#endif
