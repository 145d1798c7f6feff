/* Results to test with: one that a person could have got, and random ones. */
#ifndef TEST_SAMPLE_H
#define TEST_SAMPLE_H

#include "rep/render.h"
#include "rep/result.h"

/* A canary that was stopped: every table has rows, every sort of number differs from the others. */
void sample_stopped(struct rep_result *result);
/* The reference campaign as it should end: everything green, nothing failing. */
void sample_passed(struct rep_result *result);
/* Every member at random, names and limits of the types included. */
void sample_random(struct rep_result *result, uint64_t seed);

uint64_t sample_next(uint64_t *state); /* SplitMix64 */

/* NULL when both are the same in every member; else the name of the first difference. */
const char *sample_difference(const struct rep_result *a, const struct rep_result *b);

/* What a renderer writes, malloc'ed. */
char *sample_render(int (*render)(FILE *, const struct rep_result *),
                    const struct rep_result *result);

/* A new folder under the temporary folder, for one test; removed with what is in it. */
void sample_folder(char path[64]);
void sample_folder_remove(const char *path);
unsigned sample_folder_count(const char *path); /* files in it */

/* A device that is always full: one of the test's own where it may make one (as root), so that a
 * broken program cannot replace the machine's; else /dev/full, which only root could replace. */
void sample_full_device(char path[128], const char *folder);

#endif
