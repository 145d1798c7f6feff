/* What writing (store.c) and reading (read.c) of a burn-in's file share. */
#ifndef RIG_BURNIN_STORE_INTERNAL_H
#define RIG_BURNIN_STORE_INTERNAL_H

#include "store.h"
#include <sqlite3.h>

struct bi_store {
    sqlite3 *db;
    int lock; /* -1: none */
};

/* -1 with message: the file is a result, but of no burn-in, or it is damaged. */
int bi_store_identity(struct bi_store *store, struct bi_identity *out, char *message, size_t len);

#endif
