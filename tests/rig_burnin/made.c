#include "made.h"
#include "camp/campaign.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

void made_enter(void)
{
    strcpy(folder, "/tmp/rig-burnin-XXXXXX");
    cr_assert(mkdtemp(folder));
}

void made_leave(void)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
}

const char *made_path(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

struct bi_identity made_identity(uint32_t cycles, int64_t ms)
{
    struct bi_identity it = {.bench = "desk",
                             .options = "devices=2",
                             .device_type = "pump_monitor_v2",
                             .candidate = "2.4.0",
                             .seed = 100,
                             .boards = 2,
                             .wanted_ms = ms,
                             .wanted_cycles = cycles,
                             .begun = "2026-11-26T22:00:00Z",
                             .scenarios = 2};
    memset(it.image_sha256, 'a', 64);
    for (int i = 0; i < 2; i++) {
        struct bi_scenario *row = &it.scenario[i];
        snprintf(row->path, sizeof row->path, "%s.yaml", i ? "rollback" : "update");
        snprintf(row->name, sizeof row->name, "%s", i ? "rollback" : "update");
        memset(row->hash, i ? '2' : '1', 32);
        memset(row->image_sha256, i ? 'b' : 'a', 64);
        strcpy(row->version, "2.4.0");
        row->is_candidate = !i;
    }
    return it;
}

void made_sum(struct bi_sum *sum, const struct bi_identity *identity)
{
    static const struct scn_gate gates[] = {
        {.metric = SCN_METRIC_CRASH,
         .compare = SCN_MORE,
         .limit = {0, 100},
         .text = "> 0%",
         .min_sample = 1},
        {.metric = SCN_METRIC_TELEMETRY_GAP,
         .compare = SCN_MORE,
         .limit = {5, 100},
         .text = "> 5%",
         .min_sample = 1},
        {.metric = SCN_METRIC_COMMAND_MS,
         .compare = SCN_MORE_EQUAL,
         .limit = {500, 1},
         .limit_value = 500,
         .text = ">= 500ms",
         .min_sample = 1},
    };
    bi_sum_init(sum, identity);
    memcpy(sum->plan, gates, sizeof gates);
    sum->gates = 3;
}

static void put_gate(struct bi_cycle *cycle, const char *metric, const char *limit, int64_t k,
                     int64_t n)
{
    struct rep_gate *gate = &cycle->gate[cycle->gates++];
    snprintf(gate->metric, sizeof gate->metric, "%s", metric);
    snprintf(gate->limit, sizeof gate->limit, "%s", limit);
    struct scn_gate plan = {.metric = SCN_METRIC_BRICK};
    for (int m = 0; m < SCN_METRICS; m++)
        if (!strcmp(scn_metric_name(m), metric))
            plan.metric = (enum scn_metric)m;
    snprintf(plan.text, sizeof plan.text, "%s", limit);
    camp_gate_words(&plan, gate->comparison, sizeof gate->comparison);
    gate->numerator = k;
    gate->denominator = n;
    gate->state = REP_GATE_GREEN;
}

static void put_boards(struct bi_cycle *cycle, bool candidate)
{
    cycle->boards = 2;
    cycle->board = calloc(2, sizeof *cycle->board);
    cr_assert(cycle->board);
    for (uint32_t i = 0; i < 2; i++) {
        struct bi_board *board = &cycle->board[i];
        snprintf(board->id, sizeof board->id, "lab-%05u", i + 1);
        snprintf(board->board, sizeof board->board, "board-%02u", i + 1);
        snprintf(board->version, sizeof board->version, "%s", candidate ? "2.4.0" : "2.3.1");
        board->outcome = candidate ? REP_OUT_CONFIRMED : REP_OUT_ROLLED_BACK;
        board->value[BI_CUTS] = 3 + i;
        board->value[BI_BOOTS] = 5;
        board->measured[BI_CUTS] = board->measured[BI_BOOTS] = true;
        if (!candidate)
            continue;
        board->value[BI_TELEMETRY_EXPECTED] = 10;
        board->value[BI_TELEMETRY_RECEIVED] = 10 - (int64_t)i;
        board->value[BI_ROUND_TRIP_WORST] = 9000 + 1000 * (int64_t)i;
        board->measured[BI_TELEMETRY_EXPECTED] = board->measured[BI_TELEMETRY_RECEIVED] = true;
        board->measured[BI_ROUND_TRIP_WORST] = true;
    }
}

/* Of 8 scheduled, one could not come; 4 and 3 of two kinds. */
static void put_cuts(struct bi_cycle *cycle)
{
    static const struct rep_cuts kinds[] = {{"downloading", "no_operation", "nothing", 4},
                                            {"boot", "no_operation", "nothing", 3}};
    cycle->fault[SCN_FAULT_POWER_LOSS] = (struct bi_fault){true, 8, 7, 7};
    cycle->kind = calloc(2, sizeof *cycle->kind);
    cr_assert(cycle->kind);
    memcpy(cycle->kind, kinds, sizeof kinds);
    cycle->kinds = 2;
}

struct bi_cycle made_cycle(uint32_t number)
{
    bool candidate = number % 2 == 1;
    struct bi_cycle cycle = {.number = number,
                             .scenario = (number - 1) % 2,
                             .tries = 1,
                             .seed = 100 + number,
                             .state = BI_PASSED,
                             .begun = "2026-11-26T22:00:00Z",
                             .ended = "2026-11-26T22:00:30Z",
                             .spent_ms = 30000,
                             .verdict = "pass",
                             .what = "what the scenario expects came true",
                             .transcripts = "runs/x",
                             .cohort = 2,
                             .confirmed = candidate ? 2 : 0,
                             .rolled_back = candidate ? 0 : 2,
                             .cuts = 7,
                             .power_cycles = 9};
    if (candidate) {
        put_gate(&cycle, "crash", "> 0%", 0, 2);
        put_gate(&cycle, "telemetry_gap", "> 5%", 1, 20);
        put_gate(&cycle, "command_ms", ">= 500ms", 0, 4);
    } else {
        put_gate(&cycle, "brick", "> 0%", 0, 2);
    }
    put_boards(&cycle, candidate);
    put_cuts(&cycle);
    return cycle;
}

struct bi_cycle made_failure(uint32_t number, int exit_code, const char *what)
{
    struct bi_cycle cycle = made_cycle(number);
    cycle.state = BI_FAILED;
    cycle.exit_code = exit_code;
    snprintf(cycle.verdict, sizeof cycle.verdict, "gate_stopped");
    snprintf(cycle.what, sizeof cycle.what, "%s", what);
    return cycle;
}
