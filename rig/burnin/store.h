/*
 * A burn-in in its file: schema.sql beside the tables of a result (rep/db.h), SQLite. One
 * transaction a step, synced: kill -9 or a power cut at any moment loses no cycle that had ended.
 * One process at a time (flock on the file; SQLite's own locks are others). Functions that return
 * int: 0, or -1 with the reason in message. One thread. NULL is misuse.
 */
#ifndef RIG_BURNIN_STORE_H
#define RIG_BURNIN_STORE_H

#include "books.h"
#include <stddef.h>

struct bi_store;

/* A new file, with the identity's wiring; one that exists is refused. */
int bi_store_create(struct bi_store **out, const char *path, const struct bi_identity *identity,
                    char *message, size_t len);
/* An existing one, with what it is; a finished one, or no burn-in at all, is refused. A cycle that
 * was running is interrupted now, and kept as a try that was none. */
int bi_store_resume(struct bi_store **out, const char *path, struct bi_identity *identity,
                    char *message, size_t len);
void bi_store_close(struct bi_store *store); /* NULL allowed */

/* The wiring that it was begun with; owned by the caller (free). */
int bi_store_wiring(struct bi_store *store, char **out, char *message, size_t len);
/* Another duration or number of cycles is wanted. */
int bi_store_want(struct bi_store *store, const struct bi_identity *identity, char *message,
                  size_t len);
/* The cycle runs from now on. */
int bi_store_begin(struct bi_store *store, const struct bi_cycle *cycle, char *message, size_t len);
/* It ended, with all that was measured; INFRASTRUCTURE and INTERRUPTED: as a try that was none.
 * gate: of its lab phase, for the limits of one board. */
int bi_store_end(struct bi_store *store, const struct bi_cycle *cycle, const struct scn_gate *gate,
                 uint32_t gates, char *message, size_t len);
/* All cycles in their order; a visitor that returns other than 0 ends it with -1. */
int bi_store_cycles(struct bi_store *store, int (*visit)(void *ctx, const struct bi_cycle *cycle),
                    void *ctx, char *message, size_t len);
/* The tries that were none. */
int bi_store_failed_tries(struct bi_store *store, uint64_t *out);
/* What the report shows meanwhile (unfinished), or for good. */
int bi_store_describe(struct bi_store *store, const struct rep_result *known, char *message,
                      size_t len);
int bi_store_finish(struct bi_store *store, const struct rep_result *result, char *message,
                    size_t len);
/* As the file holds it. */
int bi_store_result(struct bi_store *store, struct rep_result *out, char *message, size_t len);

/* Reads what a finished or unfinished file is, and its result; nothing is changed. */
int bi_store_read(const char *path, struct bi_identity *identity, struct rep_result *result,
                  char *message, size_t len);

#endif
