/* Reading a burn-in back; what does not fit its types is refused, never believed. */
#include "rep/db.h"
#include "sql.h"
#include "store_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Identity ---- */

static bool read_seed(sqlite3_stmt *row, int column, uint64_t *out)
{
    char text[32], *rest;
    bi_sql_text(row, column, text, sizeof text);
    errno = 0;
    *out = strtoull(text, &rest, 10);
    return text[0] >= '0' && text[0] <= '9' && !*rest && !errno;
}

struct found {
    struct bi_identity *identity;
    bool is_there;
};

static int take_identity(void *ctx, sqlite3_stmt *row)
{
    struct found *found = ctx;
    struct bi_identity *out = found->identity;
    if (!read_seed(row, 1, &out->seed))
        return -1;
    bi_sql_text(row, 0, out->bench, sizeof out->bench);
    bi_sql_text(row, 2, out->options, sizeof out->options);
    bi_sql_text(row, 3, out->device_type, sizeof out->device_type);
    bi_sql_text(row, 4, out->candidate, sizeof out->candidate);
    bi_sql_text(row, 5, out->image_sha256, sizeof out->image_sha256);
    out->boards = (uint32_t)sqlite3_column_int64(row, 6);
    out->wanted_ms = sqlite3_column_int64(row, 7);
    out->wanted_cycles = (uint32_t)sqlite3_column_int64(row, 8);
    bi_sql_text(row, 9, out->begun, sizeof out->begun);
    found->is_there = true;
    return 0;
}

static int take_scenario(void *ctx, sqlite3_stmt *row)
{
    struct bi_identity *out = ((struct found *)ctx)->identity;
    if (out->scenarios == BI_SCENARIOS_MAX)
        return -1;
    struct bi_scenario *it = &out->scenario[out->scenarios++];
    bi_sql_text(row, 0, it->path, sizeof it->path);
    bi_sql_text(row, 1, it->name, sizeof it->name);
    bi_sql_text(row, 2, it->hash, sizeof it->hash);
    bi_sql_text(row, 3, it->version, sizeof it->version);
    bi_sql_text(row, 4, it->image_sha256, sizeof it->image_sha256);
    it->is_candidate = sqlite3_column_int64(row, 5) != 0;
    return 0;
}

int bi_store_identity(struct bi_store *store, struct bi_identity *out, char *message, size_t len)
{
    struct found found = {.identity = out};
    const char *path = sqlite3_db_filename(store->db, "main");
    *out = (struct bi_identity){0};
    int error = bi_sql_each(store->db, message, len,
                            "SELECT bench, seed, options, device_type, candidate, image_sha256, "
                            "boards, wanted_ms, wanted_cycles, begun FROM burnin WHERE format = 2",
                            take_identity, &found);
    if (!error)
        error = bi_sql_each(store->db, message, len,
                            "SELECT path, name, hash, candidate, image_sha256, is_candidate FROM "
                            "burnin_scenario ORDER BY position",
                            take_scenario, &found);
    if (!error && found.is_there && out->scenarios)
        return 0;
    snprintf(message, len,
             "%s: it is no burn-in, or one of an older brickyard, which kept nothing of what was "
             "done to its boards; accepted: a file of `brickyard rig burnin --db`",
             path);
    return -1;
}

static int take_wiring(void *ctx, sqlite3_stmt *row)
{
    const char *text = (const char *)sqlite3_column_text(row, 0);
    *(char **)ctx = text ? strdup(text) : NULL;
    return text && *(char **)ctx ? 0 : -1;
}

int bi_store_wiring(struct bi_store *store, char **out, char *message, size_t len)
{
    *out = NULL;
    snprintf(message, len, "no memory");
    return bi_sql_each(store->db, message, len, "SELECT wiring FROM burnin", take_wiring, out);
}

/* ---- Cycles ---- */

struct reader {
    struct bi_store *store;
    int (*visit)(void *ctx, const struct bi_cycle *cycle);
    void *ctx;
    char *message;
    size_t len;
    struct bi_cycle *cycle; /* the one that is being read */
};

static int named(const char *text, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(text, name(i)))
            return i;
    return -1;
}

static int take_gate(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    char state[16];
    bi_sql_text(row, 5, state, sizeof state);
    int known = named(state, rep_gate_state_name, REP_GATE_RED + 1);
    if (cycle->gates == SCN_GATES_MAX || known < 0)
        return -1;
    struct rep_gate *gate = &cycle->gate[cycle->gates++];
    bi_sql_text(row, 0, gate->metric, sizeof gate->metric);
    bi_sql_text(row, 1, gate->limit, sizeof gate->limit);
    bi_sql_text(row, 2, gate->comparison, sizeof gate->comparison);
    gate->numerator = sqlite3_column_int64(row, 3);
    gate->denominator = sqlite3_column_int64(row, 4);
    gate->state = (enum rep_gate_state)known;
    return gate->numerator < 0 || gate->denominator < 0 ? -1 : 0;
}

static int take_fault(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    char kind[REP_NAME_MAX];
    bi_sql_text(row, 0, kind, sizeof kind);
    int known = named(kind, bi_fault_name, BI_FAULTS);
    int64_t scheduled = sqlite3_column_int64(row, 1), armed = sqlite3_column_int64(row, 2),
            fired = sqlite3_column_int64(row, 3);
    if (known < 0 || scheduled < 0 || armed < 0 || fired < 0)
        return -1;
    cycle->fault[known] =
        (struct bi_fault){true, (uint64_t)scheduled, (uint64_t)armed, (uint64_t)fired};
    return 0;
}

static int take_cut(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    struct rep_cuts *grown = realloc(cycle->kind, (cycle->kinds + 1) * sizeof *grown);
    if (!grown)
        return -1;
    cycle->kind = grown;
    struct rep_cuts *kind = &grown[cycle->kinds++];
    *kind = (struct rep_cuts){0};
    bi_sql_text(row, 0, kind->state, sizeof kind->state);
    bi_sql_text(row, 1, kind->region, sizeof kind->region);
    bi_sql_text(row, 2, kind->form, sizeof kind->form);
    kind->cuts = (uint64_t)sqlite3_column_int64(row, 3);
    return sqlite3_column_int64(row, 3) < 0 ? -1 : 0;
}

static int take_promise(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    char name[REP_NAME_MAX];
    bi_sql_text(row, 0, name, sizeof name);
    int promise = named(name, rep_promise_name, REP_PROMISES);
    if (promise < 0)
        return -1;
    cycle->broken[promise] = (uint64_t)sqlite3_column_int64(row, 1);
    bi_sql_text(row, 2, cycle->broken_what[promise], sizeof cycle->broken_what[promise]);
    return 0;
}

static int take_board(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    char outcome[32], brick[32];
    struct bi_board *grown = realloc(cycle->board, (cycle->boards + 1) * sizeof *grown);
    if (!grown)
        return -1;
    cycle->board = grown;
    struct bi_board *board = &grown[cycle->boards++];
    *board = (struct bi_board){0};
    bi_sql_text(row, 0, board->id, sizeof board->id);
    bi_sql_text(row, 1, board->board, sizeof board->board);
    bi_sql_text(row, 2, outcome, sizeof outcome);
    bi_sql_text(row, 3, brick, sizeof brick);
    bi_sql_text(row, 4, board->reason, sizeof board->reason);
    bi_sql_text(row, 5, board->version, sizeof board->version);
    int is_outcome = named(outcome, rep_outcome_name, REP_OUTCOMES);
    int is_brick = named(brick, rep_brick_name, REP_BRICKS);
    board->outcome = is_outcome < 0 ? REP_OUT_NONE : (enum rep_outcome)is_outcome;
    board->brick = is_brick < 0 ? REP_BRICK_NONE : (enum rep_brick)is_brick;
    return is_outcome < 0 || is_brick < 0 ||
                   sqlite3_column_int64(row, 6) != (int64_t)cycle->boards - 1
               ? -1
               : 0;
}

static int take_measurement(void *ctx, sqlite3_stmt *row)
{
    struct bi_cycle *cycle = ((struct reader *)ctx)->cycle;
    int64_t number = sqlite3_column_int64(row, 0);
    char name[REP_NAME_MAX];
    bi_sql_text(row, 1, name, sizeof name);
    int measure = named(name, bi_measure_name, BI_MEASURES);
    if (number < 0 || number >= (int64_t)cycle->boards || measure < 0)
        return -1;
    cycle->board[number].value[measure] = sqlite3_column_int64(row, 2);
    cycle->board[number].measured[measure] = true;
    return 0;
}

static int take_cycle(struct bi_cycle *out, sqlite3_stmt *row)
{
    char state[24];
    bi_sql_text(row, 3, state, sizeof state);
    int known = named(state, bi_state_name, BI_STATES);
    if (known < 0 || !read_seed(row, 2, &out->seed))
        return -1;
    out->number = (uint32_t)sqlite3_column_int64(row, 0);
    out->scenario = (uint32_t)sqlite3_column_int64(row, 1);
    out->state = (enum bi_state)known;
    out->tries = (uint32_t)sqlite3_column_int64(row, 4);
    bi_sql_text(row, 5, out->begun, sizeof out->begun);
    bi_sql_text(row, 6, out->ended, sizeof out->ended);
    out->spent_ms = sqlite3_column_int64(row, 7);
    out->exit_code = sqlite3_column_int(row, 8);
    bi_sql_text(row, 9, out->verdict, sizeof out->verdict);
    bi_sql_text(row, 10, out->what, sizeof out->what);
    out->cohort = (uint32_t)sqlite3_column_int64(row, 11);
    out->confirmed = (uint32_t)sqlite3_column_int64(row, 12);
    out->rolled_back = (uint32_t)sqlite3_column_int64(row, 13);
    out->bricked = (uint32_t)sqlite3_column_int64(row, 14);
    out->cuts = (uint64_t)sqlite3_column_int64(row, 15);
    out->power_cycles = (uint64_t)sqlite3_column_int64(row, 16);
    bi_sql_text(row, 17, out->transcripts, sizeof out->transcripts);
    return out->scenario < BI_SCENARIOS_MAX && out->spent_ms >= 0 ? 0 : -1;
}

/* The rows that belong to a cycle. */
static int take_parts(struct reader *r)
{
    static const struct {
        const char *sql;
        int (*take)(void *ctx, sqlite3_stmt *row);
    } part[] = {
        {"SELECT metric, red_if, comparison, numerator, denominator, state FROM burnin_gate WHERE "
         "cycle = %u "
         "ORDER BY position",
         take_gate},
        {"SELECT kind, scheduled, armed, fired FROM burnin_fault WHERE cycle = %u", take_fault},
        {"SELECT state, region, form, cuts FROM burnin_cut WHERE cycle = %u ORDER BY position",
         take_cut},
        {"SELECT name, broken, first_what FROM burnin_promise WHERE cycle = %u", take_promise},
        {"SELECT id, board, outcome, brick, reason, version, number FROM burnin_board WHERE cycle "
         "= %u ORDER BY number",
         take_board},
        {"SELECT number, name, value FROM burnin_measurement WHERE cycle = %u", take_measurement},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part && !error; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, part[i].sql, r->cycle->number);
        error = bi_sql_each(r->store->db, r->message, r->len, sql, part[i].take, r);
    }
    return error;
}

static int take_whole_cycle(void *ctx, sqlite3_stmt *row)
{
    struct reader *r = ctx;
    struct bi_cycle *cycle = r->cycle = calloc(1, sizeof *cycle);
    int error = !cycle || take_cycle(cycle, row) || take_parts(r) || r->visit(r->ctx, cycle);
    if (cycle)
        bi_cycle_free(cycle);
    free(cycle);
    return error ? -1 : 0;
}

int bi_store_cycles(struct bi_store *store, int (*visit)(void *ctx, const struct bi_cycle *cycle),
                    void *ctx, char *message, size_t len)
{
    struct reader reader = {store, visit, ctx, message, len, NULL};
    *message = '\0';
    int error = bi_sql_each(store->db, message, len,
                            "SELECT cycle, scenario, seed, state, tries, begun, ended, spent_ms, "
                            "exit_code, verdict, what, cohort, confirmed, rolled_back, bricked, "
                            "cuts, power_cycles, transcripts FROM burnin_cycle ORDER BY cycle",
                            take_whole_cycle, &reader);
    if (error && !*message)
        snprintf(message, len, "%s: a cycle's rows are damaged",
                 sqlite3_db_filename(store->db, "main"));
    return error;
}

static int take_count(void *ctx, sqlite3_stmt *row)
{
    *(uint64_t *)ctx = (uint64_t)sqlite3_column_int64(row, 0);
    return 0;
}

int bi_store_failed_tries(struct bi_store *store, uint64_t *out)
{
    char message[256];
    *out = 0;
    return bi_sql_each(store->db, message, sizeof message, "SELECT count(*) FROM burnin_try",
                       take_count, out);
}

int bi_store_result(struct bi_store *store, struct rep_result *out, char *message, size_t len)
{
    if (!rep_db_read(store->db, out))
        return 0;
    snprintf(message, len, "%s: %s", sqlite3_db_filename(store->db, "main"),
             rep_db_message(store->db));
    return -1;
}

int bi_store_read(const char *path, struct bi_identity *identity, struct rep_result *result,
                  char *message, size_t len)
{
    struct bi_store store = {.lock = -1};
    if (rep_db_open(&store.db, path)) {
        snprintf(message, len, "%s: %s", path, rep_db_message(NULL));
        return -1;
    }
    int error = bi_store_identity(&store, identity, message, len) ||
                bi_store_result(&store, result, message, len);
    sqlite3_close(store.db);
    return error ? -1 : 0;
}
