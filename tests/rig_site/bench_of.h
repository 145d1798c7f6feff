/*
 * A bench of emulated boards in the test's folder, for runs of the program: bench.yaml, whose
 * emulator the run starts itself, or the test.
 */
#ifndef TESTS_RIG_SITE_BENCH_OF_H
#define TESTS_RIG_SITE_BENCH_OF_H

#include "boards.h"

/* bench.yaml; its state and all that is emulated are in em/. own: the run starts the emulator. */
void bench_of(unsigned boards, bool own);
void bench_of_start(unsigned boards); /* the emulator, by the test; dies with it */
void bench_of_stop(void);

/* One order to its control socket; the answer, or "" when nobody is there. */
const char *bench_of_ask(const char *order);
/* Until its answer to `facts` holds this; false after so long. */
bool bench_of_await(const char *text, int ms);
/* Who holds em/board-NN.lock; false: nobody. */
bool bench_of_locked(unsigned board);

#endif
