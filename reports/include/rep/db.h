/*
 * One SQLite file per run; schema.sql is the contract. The file says `unfinished` from its creation
 * until the last transaction, so a killed run never looks whole. The campaign service keeps its own
 * tables (camp_*) in the same connection. Errors: 0 OK, negative REP_E*; rep_db_message tells in
 * words what SQLite or the system said.
 */
#ifndef REP_DB_H
#define REP_DB_H

#include "rep/result.h"
#include <sqlite3.h>

enum rep_error {
    REP_OK = 0,
    REP_EOPEN = -1,
    REP_EWRITE = -2,
    REP_EFORMAT = -3,
    REP_EMEMORY = -4,
    REP_EEXISTS = -5
};
const char *rep_error_name(int error);

/*
 * Creates path (NULL: in memory) with the schema and an unfinished run row. An existing file is
 * replaced only if it is a Brickyard result; anything else is REP_EEXISTS. synchronous=OFF
 * journal_mode=MEMORY for in-memory, a rollback journal and synchronous=OFF for files until the
 * result is stored: a killed process loses nothing that way, and a commit each tick would else wait
 * for the disk; rep_db_write syncs all of it.
 */
int rep_db_create(sqlite3 **out, const char *path, const char *scenario, uint64_t seed);
/* Writes into the run's row what is known before the run (names, devices, start, ...); it stays
 * unfinished. */
int rep_db_describe(sqlite3 *db, const struct rep_result *known);
/* Opens an existing result for reading; REP_EFORMAT for what is none. */
int rep_db_open(sqlite3 **out, const char *path);
/* Stores the result in one transaction and marks the run finished. */
int rep_db_write(sqlite3 *db, const struct rep_result *result);
/* Reads it back. An unfinished run gives verdict unfinished, exit code 8, cut_short and what is
 * there. */
int rep_db_read(sqlite3 *db, struct rep_result *out);
const char *rep_db_message(sqlite3 *db);

#endif
