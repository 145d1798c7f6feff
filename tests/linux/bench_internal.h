/* Inside of the bench: board and cuts (bench.c), service, factory and judge (bench_ground.c). */
#ifndef LINUX_BENCH_INTERNAL_H
#define LINUX_BENCH_INTERNAL_H

#include "bench.h"

int64_t bench_now_us(void);
void bench_fail(struct bench *bench, const char *what);
/* A shell command in the folder; its exit code. */
int bench_run(const struct bench *bench, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void bench_make_board(struct bench *bench);
/* What must hold when this slot is about to run, and after each cut. */
void bench_saw_boot(struct bench *bench, int slot);
void bench_saw_cut(struct bench *bench);

#endif
