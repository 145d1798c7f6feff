/* Histories of scenarios/sweep-board.yaml on a machine, for the tests of the lab. */
#ifndef TESTS_LAB_REPLAYING_H
#define TESTS_LAB_REPLAYING_H

#include "rig/lab.h"

/* The exit code; *told (to be freed) is all that was said, a message of -1 included. */
int replaying(struct rig_lab *lab, const char *history, char **told);
/* The test fails unless it ends with 0 in both worlds, with one story and one flash. */
void replaying_equal(struct rig_lab *lab, const char *history);
/* Histories that a sweep would try, drawn by LAB_SEED (1): LAB_DRAWS of them, or so many. */
void replaying_by_seed(struct rig_lab *lab, uint32_t otherwise);

#endif
