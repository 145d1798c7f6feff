/* Writing: a burn-in's identity, its cycles, its result. */
#include "store.h"
#include "rep/db.h"
#include "sql.h"
#include "store_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "burnin_schema.h"

static int say(char *message, size_t len, const char *path, const char *what)
{
    snprintf(message, len, "%s: %s", path, what);
    return -1;
}

/* Kept open as long as the database is: closing it would end SQLite's own locks, too. */
static int lock(struct bi_store *store, const char *path, char *message, size_t len)
{
    store->lock = open(path, O_RDWR | O_CLOEXEC);
    if (store->lock < 0)
        return say(message, len, path, strerror(errno));
    if (!flock(store->lock, LOCK_EX | LOCK_NB))
        return 0;
    return say(message, len, path,
               errno == EWOULDBLOCK ? "another `brickyard rig burnin` is at work on it"
                                    : strerror(errno));
}

static int begin(struct bi_store *store, char *message, size_t len)
{
    return bi_sql(store->db, message, len, "BEGIN IMMEDIATE", "");
}

static int end(struct bi_store *store, int error, char *message, size_t len)
{
    if (!error)
        error = bi_sql(store->db, message, len, "COMMIT", "");
    if (error && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

static int put_scenarios(struct bi_store *store, const struct bi_identity *it, char *message,
                         size_t len)
{
    int error = 0;
    for (uint32_t i = 0; i < it->scenarios && !error; i++) {
        const struct bi_scenario *row = &it->scenario[i];
        error = bi_sql(store->db, message, len,
                       "INSERT INTO burnin_scenario VALUES (?, ?, ?, ?, ?, ?, ?)", "ittttti",
                       (int64_t)i, row->path, row->name, row->hash, row->version, row->image_sha256,
                       (int64_t)row->is_candidate);
    }
    return error;
}

static int put_identity(struct bi_store *store, const struct bi_identity *it, char *message,
                        size_t len)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, it->seed);
    if (sqlite3_exec(store->db, burnin_schema_sql, NULL, NULL, NULL) != SQLITE_OK)
        return say(message, len, sqlite3_db_filename(store->db, "main"), sqlite3_errmsg(store->db));
    int error = bi_sql(store->db, message, len,
                       "INSERT INTO burnin VALUES (1, 2, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "ttttttiiitt", it->bench, seed, it->options, it->device_type, it->candidate,
                       it->image_sha256, (int64_t)it->boards, it->wanted_ms,
                       (int64_t)it->wanted_cycles, it->begun, it->wiring ? it->wiring : "");
    return error ? error : put_scenarios(store, it, message, len);
}

static int make(struct bi_store *store, const char *path, const struct bi_identity *identity,
                char *message, size_t len)
{
    if (!access(path, F_OK))
        return say(message, len, path,
                   "it exists; accepted: --resume to go on with it, or the name of a new file");
    if (rep_db_create(&store->db, path, "burn-in", identity->seed))
        return say(message, len, path, rep_db_message(store->db));
    sqlite3_exec(store->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (lock(store, path, message, len) || begin(store, message, len))
        return -1;
    return end(store, put_identity(store, identity, message, len), message, len);
}

int bi_store_create(struct bi_store **out, const char *path, const struct bi_identity *identity,
                    char *message, size_t len)
{
    struct bi_store *store = *out = calloc(1, sizeof *store);
    if (!store)
        return say(message, len, path, "no memory");
    store->lock = -1;
    if (!make(store, path, identity, message, len))
        return 0;
    bi_store_close(store);
    *out = NULL;
    return -1;
}

void bi_store_close(struct bi_store *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    if (store->lock >= 0)
        close(store->lock);
    free(store);
}

/* What was running when the last process was killed. */
static int interrupt(struct bi_store *store, char *message, size_t len)
{
    static const char tries[] =
        "INSERT INTO burnin_try SELECT cycle, tries, begun, '', 'interrupted', "
        "'the burn-in was killed' FROM burnin_cycle WHERE state = 'running'";
    static const char cycles[] = "UPDATE burnin_cycle SET state = 'interrupted', "
                                 "what = 'the burn-in was killed' WHERE state = 'running'";
    if (begin(store, message, len))
        return -1;
    int error = bi_sql(store->db, message, len, tries, "");
    if (!error)
        error = bi_sql(store->db, message, len, cycles, "");
    return end(store, error, message, len);
}

static int reopen(struct bi_store *store, const char *path, struct bi_identity *identity,
                  char *message, size_t len)
{
    struct rep_result result;
    if (lock(store, path, message, len))
        return -1;
    if (rep_db_open(&store->db, path))
        return say(message, len, path, rep_db_message(NULL));
    if (bi_store_identity(store, identity, message, len) ||
        bi_store_result(store, &result, message, len))
        return -1;
    bool finished = !result.cut_short;
    rep_result_free(&result);
    if (finished)
        return say(message, len, path,
                   "this burn-in is finished; `brickyard report` shows it; accepted: a new file");
    sqlite3_exec(store->db,
                 "PRAGMA query_only = OFF; PRAGMA journal_mode = TRUNCATE; "
                 "PRAGMA synchronous = FULL",
                 NULL, NULL, NULL);
    return interrupt(store, message, len);
}

int bi_store_resume(struct bi_store **out, const char *path, struct bi_identity *identity,
                    char *message, size_t len)
{
    struct bi_store *store = *out = calloc(1, sizeof *store);
    if (!store)
        return say(message, len, path, "no memory");
    store->lock = -1;
    if (!reopen(store, path, identity, message, len))
        return 0;
    bi_store_close(store);
    *out = NULL;
    return -1;
}

int bi_store_want(struct bi_store *store, const struct bi_identity *identity, char *message,
                  size_t len)
{
    return bi_sql(store->db, message, len, "UPDATE burnin SET wanted_ms = ?, wanted_cycles = ?",
                  "ii", identity->wanted_ms, (int64_t)identity->wanted_cycles);
}

int bi_store_begin(struct bi_store *store, const struct bi_cycle *cycle, char *message, size_t len)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, cycle->seed);
    return bi_sql(store->db, message, len,
                  "INSERT OR REPLACE INTO burnin_cycle VALUES (?, ?, ?, 'running', ?, ?, '', 0, 8, "
                  "'unfinished', '', 0, 0, 0, 0, 0, 0, '')",
                  "iitit", (int64_t)cycle->number, (int64_t)cycle->scenario, seed,
                  (int64_t)cycle->tries, cycle->begun);
}

static int put_gates(struct bi_store *store, const struct bi_cycle *cycle, char *message,
                     size_t len)
{
    int error = 0;
    for (uint32_t i = 0; i < cycle->gates && !error; i++) {
        const struct rep_gate *gate = &cycle->gate[i];
        error =
            bi_sql(store->db, message, len,
                   "INSERT INTO burnin_gate VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "iitttiit",
                   (int64_t)cycle->number, (int64_t)i, gate->metric, gate->limit, gate->comparison,
                   gate->numerator, gate->denominator, rep_gate_state_name((int)gate->state));
    }
    for (int p = 0; p < REP_PROMISES && !error; p++)
        if (cycle->broken[p] || cycle->broken_what[p][0])
            error =
                bi_sql(store->db, message, len, "INSERT INTO burnin_promise VALUES (?, ?, ?, ?)",
                       "itit", (int64_t)cycle->number, rep_promise_name(p),
                       (int64_t)cycle->broken[p], cycle->broken_what[p]);
    return error;
}

static int put_cuts(struct bi_store *store, const struct bi_cycle *cycle, char *message, size_t len)
{
    int error = 0;
    for (int f = 0; f < BI_FAULTS && !error; f++)
        if (cycle->fault[f].asked)
            error = bi_sql(
                store->db, message, len, "INSERT INTO burnin_fault VALUES (?, ?, ?, ?, ?)", "itiii",
                (int64_t)cycle->number, bi_fault_name(f), (int64_t)cycle->fault[f].scheduled,
                (int64_t)cycle->fault[f].armed, (int64_t)cycle->fault[f].fired);
    for (uint32_t i = 0; i < cycle->kinds && !error; i++)
        error = bi_sql(store->db, message, len, "INSERT INTO burnin_cut VALUES (?, ?, ?, ?, ?, ?)",
                       "iittti", (int64_t)cycle->number, (int64_t)i, cycle->kind[i].state,
                       cycle->kind[i].region, cycle->kind[i].form, (int64_t)cycle->kind[i].cuts);
    return error;
}

static int put_measurements(struct bi_store *store, const struct bi_cycle *cycle, uint32_t number,
                            const struct scn_gate *gate, uint32_t gates, char *message, size_t len)
{
    static const char *const outcomes[] = {"none", "pass", "fail"};
    const struct bi_board *board = &cycle->board[number];
    int error = 0;
    for (int m = 0; m < BI_MEASURES && !error; m++) {
        const char *red_if;
        if (!board->measured[m])
            continue;
        enum bi_outcome outcome = bi_measure_judge(board, (enum bi_measure)m, gate, gates, &red_if);
        error = bi_sql(store->db, message, len,
                       "INSERT INTO burnin_measurement VALUES (?, ?, ?, ?, ?, ?, ?)",
                       "iititt"
                       "t",
                       (int64_t)cycle->number, (int64_t)number, bi_measure_name(m), board->value[m],
                       bi_measure_unit(m), red_if, outcomes[outcome]);
    }
    return error;
}

static int put_boards(struct bi_store *store, const struct bi_cycle *cycle,
                      const struct scn_gate *gate, uint32_t gates, char *message, size_t len)
{
    int error = 0;
    for (uint32_t i = 0; i < cycle->boards && !error; i++) {
        const struct bi_board *board = &cycle->board[i];
        error = bi_sql(store->db, message, len,
                       "INSERT INTO burnin_board VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "iitttttt",
                       (int64_t)cycle->number, (int64_t)i, board->id, board->board,
                       rep_outcome_name((int)board->outcome), rep_brick_name((int)board->brick),
                       board->reason, board->version);
        if (!error)
            error = put_measurements(store, cycle, i, gate, gates, message, len);
    }
    return error;
}

static int put_cycle(struct bi_store *store, const struct bi_cycle *cycle, char *message,
                     size_t len)
{
    return bi_sql(
        store->db, message, len,
        "UPDATE burnin_cycle SET state = ?, ended = ?, spent_ms = ?, exit_code = ?, verdict = ?, "
        "what = ?, cohort = ?, confirmed = ?, rolled_back = ?, bricked = ?, cuts = ?, "
        "power_cycles = ?, transcripts = ? WHERE cycle = ?",
        "ttiittiiiiiiti", bi_state_name((int)cycle->state), cycle->ended, cycle->spent_ms,
        (int64_t)cycle->exit_code, cycle->verdict, cycle->what, (int64_t)cycle->cohort,
        (int64_t)cycle->confirmed, (int64_t)cycle->rolled_back, (int64_t)cycle->bricked,
        (int64_t)cycle->cuts, (int64_t)cycle->power_cycles, cycle->transcripts,
        (int64_t)cycle->number);
}

int bi_store_end(struct bi_store *store, const struct bi_cycle *cycle, const struct scn_gate *gate,
                 uint32_t gates, char *message, size_t len)
{
    bool ended = cycle->state == BI_PASSED || cycle->state == BI_FAILED;
    if (begin(store, message, len))
        return -1;
    int error = put_cycle(store, cycle, message, len);
    if (!error && !ended)
        error = bi_sql(store->db, message, len, "INSERT INTO burnin_try VALUES (?, ?, ?, ?, ?, ?)",
                       "iitttt", (int64_t)cycle->number, (int64_t)cycle->tries, cycle->begun,
                       cycle->ended, bi_state_name((int)cycle->state), cycle->what);
    if (!error && ended)
        error = put_gates(store, cycle, message, len);
    if (!error && ended)
        error = put_cuts(store, cycle, message, len);
    if (!error && ended)
        error = put_boards(store, cycle, gate, gates, message, len);
    return end(store, error, message, len);
}

int bi_store_describe(struct bi_store *store, const struct rep_result *known, char *message,
                      size_t len)
{
    return rep_db_describe(store->db, known)
               ? say(message, len, "burn-in", rep_db_message(store->db))
               : 0;
}

int bi_store_finish(struct bi_store *store, const struct rep_result *result, char *message,
                    size_t len)
{
    return rep_db_write(store->db, result) ? say(message, len, "burn-in", rep_db_message(store->db))
                                           : 0;
}
