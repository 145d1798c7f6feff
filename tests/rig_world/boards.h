/* A run of the board world as a user starts it; what its JSON says is read by ../process/bench.h.
 */
#ifndef TESTS_RIG_WORLD_BOARDS_H
#define TESTS_RIG_WORLD_BOARDS_H

#include "bench.h"

/* small.yaml: `count` boards, the update from 2.3.1 to this image of 2.4.0 ("pump-2.4.0-hang"),
 * what it declares of itself (", behaviour: {...}"), faults (lines of YAML), what is expected
 * ("expect: {...}"). */
void boards_small(unsigned count, const char *image, const char *behaviour, const char *faults);
/* The path of an image or of the ROM, beside the build's brickyard. */
const char *boards_file(const char *name);

#endif
