/* Adding cycles up. */
#include "sum.h"
#include "camp/campaign.h"
#include <stdlib.h>
#include <string.h>

void bi_sum_init(struct bi_sum *sum, const struct bi_identity *identity)
{
    memset(sum, 0, sizeof *sum);
    sum->identity = identity;
    sum->round_trip_us = sum->boot_us = sum->confirmed_after_ms = -1;
}

void bi_sum_free(struct bi_sum *sum)
{
    free(sum->board);
    free(sum->kind);
    sum->board = NULL;
    sum->kind = NULL;
}

/* By what it compares, in the campaign's words: `of:` and the limit are in them. */
static int find_gate(const struct bi_sum *sum, const char *metric, const char *comparison)
{
    char words[REP_TEXT_MAX];
    for (uint32_t i = 0; i < sum->gates; i++)
        if (!strcmp(scn_metric_name((int)sum->plan[i].metric), metric) &&
            !strcmp(camp_gate_words(&sum->plan[i], words, sizeof words), comparison))
            return (int)i;
    return -1;
}

/* Of counts the sum has to have the most that was asked for; of a mean, each cycle had to have the
 * devices, and so all of them had the fewest. */
static void same_gate(struct scn_gate *kept, const struct scn_gate *other)
{
    bool fewer = other->min_sample < kept->min_sample;
    if (camp_gate_is_mean(kept->metric) == fewer)
        kept->min_sample = other->min_sample;
}

static void add_gate(struct bi_sum *sum, const struct scn_gate *gate)
{
    char words[REP_TEXT_MAX];
    int at = find_gate(sum, scn_metric_name((int)gate->metric),
                       camp_gate_words(gate, words, sizeof words));
    if (at >= 0)
        same_gate(&sum->plan[at], gate);
    else if (sum->gates < BI_GATES_MAX)
        sum->plan[sum->gates++] = *gate;
}

void bi_sum_gates(struct bi_sum *sum, const struct scn *scn)
{
    for (uint32_t p = 0; p < scn->campaign.phases; p++) {
        const struct scn_phase *phase = &scn->campaign.phase[p];
        for (uint32_t g = 0; phase->size == SCN_SIZE_LAB && g < phase->gates; g++)
            add_gate(sum, &phase->gate[g]);
    }
}

const char *bi_sum_lacks(const struct bi_sum *sum)
{
    static const enum scn_metric wanted[] = {SCN_METRIC_CRASH, SCN_METRIC_TELEMETRY_GAP,
                                             SCN_METRIC_COMMAND_MS};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool found = false;
        for (uint32_t g = 0; g < sum->gates; g++)
            found |= sum->plan[g].metric == wanted[i];
        if (!found)
            return scn_metric_name((int)wanted[i]);
    }
    return NULL;
}

static void add_gates(struct bi_sum *sum, const struct bi_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->gates; i++) {
        int at = find_gate(sum, cycle->gate[i].metric, cycle->gate[i].comparison);
        if (at < 0)
            continue;
        sum->numerator[at] += cycle->gate[i].numerator;
        sum->denominator[at] += cycle->gate[i].denominator;
    }
    sum->cohort += cycle->cohort;
    sum->confirmed += cycle->confirmed;
    sum->rolled_back += cycle->rolled_back;
    sum->bricked += cycle->bricked;
}

static void most(int64_t *of, const struct bi_board *board, enum bi_measure measure)
{
    if (board->measured[measure] && board->value[measure] > *of)
        *of = board->value[measure];
}

/* Its state is that of the last cycle of the candidate, a brick of any; its counts those of all. */
static void add_board(struct bi_board *to, const struct bi_board *from, bool is_candidate)
{
    struct bi_board was = *to;
    if (is_candidate || !*to->id)
        *to = *from;
    if (from->brick)
        to->brick = from->brick;
    else if (was.brick)
        to->brick = was.brick;
    if (to->brick)
        to->outcome = REP_OUT_BRICKED;
    for (int m = 0; m < BI_MEASURES; m++)
        to->value[m] = was.value[m] + (from->measured[m] ? from->value[m] : 0);
    to->confirms = was.confirms + (is_candidate && from->outcome == REP_OUT_CONFIRMED);
}

static int add_boards(struct bi_sum *sum, const struct bi_cycle *cycle, bool is_candidate)
{
    if (cycle->boards > sum->boards) {
        struct bi_board *grown = realloc(sum->board, cycle->boards * sizeof *grown);
        if (!grown)
            return -1;
        memset(grown + sum->boards, 0, (cycle->boards - sum->boards) * sizeof *grown);
        sum->board = grown;
        sum->boards = cycle->boards;
    }
    for (uint32_t i = 0; i < cycle->boards; i++) {
        add_board(&sum->board[i], &cycle->board[i], is_candidate);
        most(&sum->boot_us, &cycle->board[i], BI_BOOT);
        if (is_candidate) {
            most(&sum->round_trip_us, &cycle->board[i], BI_ROUND_TRIP_WORST);
            most(&sum->confirmed_after_ms, &cycle->board[i], BI_CONFIRMED_AFTER);
        }
    }
    return 0;
}

static void add_faults(struct bi_sum *sum, const struct bi_cycle *cycle)
{
    for (int f = 0; f < BI_FAULTS; f++) {
        sum->fault[f].asked |= cycle->fault[f].asked;
        sum->fault[f].scheduled += cycle->fault[f].scheduled;
        sum->fault[f].armed += cycle->fault[f].armed;
        sum->fault[f].fired += cycle->fault[f].fired;
    }
}

/* NULL without memory. */
static struct rep_cuts *kind_as(struct bi_sum *sum, const struct rep_cuts *like)
{
    for (uint32_t i = 0; i < sum->kinds; i++) {
        struct rep_cuts *kind = &sum->kind[i];
        if (!strcmp(kind->state, like->state) && !strcmp(kind->region, like->region) &&
            !strcmp(kind->form, like->form))
            return kind;
    }
    struct rep_cuts *grown = realloc(sum->kind, (sum->kinds + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    sum->kind = grown;
    sum->kind[sum->kinds] = *like;
    sum->kind[sum->kinds].cuts = 0;
    return &sum->kind[sum->kinds++];
}

static int add_kinds(struct bi_sum *sum, const struct bi_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->kinds; i++) {
        struct rep_cuts *kind = kind_as(sum, &cycle->kind[i]);
        if (!kind)
            return -1;
        kind->cuts += cycle->kind[i].cuts;
    }
    return 0;
}

/* In the order of CONTRACT.md; 1 and 8 are no cycle's failure. */
static int gravity(int exit_code)
{
    static const int order[] = {0, 2, 7, 6, 4, 3, 5};
    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
        if (order[i] == exit_code)
            return i;
    return 0;
}

static void add_failure(struct bi_sum *sum, const struct bi_cycle *cycle)
{
    bool graver = gravity(cycle->exit_code) > gravity(sum->exit_code);
    uint32_t at = sum->failures_told;
    if (at == BI_FAILURES_TOLD && graver)
        at--; /* the gravest is told in any case */
    if (at < BI_FAILURES_TOLD) {
        struct bi_failure *it = &sum->failure[at];
        *it = (struct bi_failure){.number = cycle->number,
                                  .scenario = cycle->scenario,
                                  .seed = cycle->seed,
                                  .exit_code = cycle->exit_code,
                                  .at_s = sum->progress.spent_ms / 1000};
        memcpy(it->what, cycle->what, sizeof it->what);
        sum->failures_told = at + 1;
    }
    if (!graver)
        return;
    sum->exit_code = cycle->exit_code;
    sum->gravest = at;
}

int bi_sum_add(struct bi_sum *sum, const struct bi_cycle *cycle)
{
    bool is_candidate = sum->identity->scenario[cycle->scenario].is_candidate;
    bi_progress_add(&sum->progress, cycle);
    if (cycle->state != BI_PASSED && cycle->state != BI_FAILED)
        return 0;
    sum->cycles[cycle->scenario]++;
    sum->cuts += cycle->cuts;
    sum->power_cycles += cycle->power_cycles;
    for (int p = 0; p < REP_PROMISES; p++) {
        bool unchecked = !sum->broken_what[p][0]; /* with nothing broken: why it was not checked */
        if (cycle->broken[p] ? !sum->broken[p] : unchecked)
            memcpy(sum->broken_what[p], cycle->broken_what[p], sizeof sum->broken_what[p]);
        sum->broken[p] += cycle->broken[p];
    }
    add_faults(sum, cycle);
    if (is_candidate)
        add_gates(sum, cycle);
    if (cycle->state == BI_FAILED)
        add_failure(sum, cycle);
    return add_kinds(sum, cycle) || add_boards(sum, cycle, is_candidate) ? -1 : 0;
}
