/* Burn-ins made by hand: no bench, no board. */
#ifndef TESTS_RIG_BURNIN_MADE_H
#define TESTS_RIG_BURNIN_MADE_H

#include "store.h"
#include "sum.h"

enum { MADE_TEXT = 512 };

/* Of 2 boards and 2 scenarios: "update" rolls out the candidate, "rollback" another image. Seed
 * 100. */
struct bi_identity made_identity(uint32_t cycles, int64_t ms);
/* A sum of it, with the gates crash > 0%, telemetry_gap > 5%, command_ms >= 500ms. */
void made_sum(struct bi_sum *sum, const struct bi_identity *identity);
/* A cycle that passed, as its number says, with 7 of 8 power cuts in two kinds: of the candidate
 * all gates are green (crash 0/2, telemetry_gap 1/20, command_ms 0/4). Its boards to bi_cycle_free.
 */
struct bi_cycle made_cycle(uint32_t number);
/* The same, failed with this exit code. */
struct bi_cycle made_failure(uint32_t number, int exit_code, const char *what);

/* A folder of the test's own; a path in it (one at a time). For fixtures. */
void made_enter(void);
void made_leave(void);
const char *made_path(const char *name);

#endif
