#include "cycle.h"
#include "rig/site.h"
#include "sim/fleet.h"
#include "stop.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_UNSAFE = 3, EXIT_NO_EFFECT = 6, EXIT_UNFINISHED = 8 };

void bi_now(char out[BI_TIME_MAX])
{
    time_t now = time(NULL);
    struct tm utc;
    strftime(out, BI_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

const struct scn_phase *bi_lab_phase(const struct scn *scn, uint32_t *index)
{
    const struct scn_phase *found = NULL;
    for (uint32_t p = 0; p < scn->campaign.phases; p++) {
        if (scn->campaign.phase[p].size != SCN_SIZE_LAB)
            continue;
        if (found)
            return NULL;
        found = &scn->campaign.phase[p];
        *index = p;
    }
    return found;
}

/* What is measured while the cycle goes on. */
struct meter {
    struct bi_cycle *cycle;
    const struct bi_run *with;
    struct rig_site *site;
    struct bi_ear *ear;
    bool failed; /* no memory */
};

static void put(struct bi_board *board, enum bi_measure measure, int64_t value)
{
    board->value[measure] = value;
    board->measured[measure] = true;
}

static void on_pulse(void *ctx, const struct bi_ear_now *now)
{
    const struct meter *meter = ctx;
    struct rig_site_facts facts;
    rig_site_facts(meter->site, &facts);
    if (meter->with->pulse)
        meter->with->pulse(meter->with->ctx, now, facts.offs);
}

/* The boards' own facts are gone once the ground is closed. */
static void on_report(void *ctx, uint32_t boards)
{
    struct meter *meter = ctx;
    struct bi_cycle *cycle = meter->cycle;
    free(cycle->board);
    cycle->board = calloc(boards, sizeof *cycle->board);
    cycle->boards = cycle->board ? boards : 0;
    meter->failed = !cycle->board;
    for (uint32_t i = 0; i < cycle->boards; i++) {
        struct bi_board *board = &cycle->board[i];
        struct rig_site_board facts;
        int64_t worst_us, median_us;
        if (rig_site_board(meter->site, i, &facts)) {
            snprintf(board->board, sizeof board->board, "%s", facts.name);
            put(board, BI_WATCHDOG_RESETS, (int64_t)facts.resets[RIG_SITE_WATCHDOG]);
            put(board, BI_HARD_FAULTS, (int64_t)facts.resets[RIG_SITE_HARD_FAULT]);
            if (facts.boot.samples)
                put(board, BI_BOOT, rig_histogram_quantile(&facts.boot, 500));
        }
        if (bi_ear_round_trip(meter->ear, i, &worst_us, &median_us)) {
            put(board, BI_ROUND_TRIP_WORST, worst_us);
            put(board, BI_ROUND_TRIP_MEDIAN, median_us);
        }
    }
}

static void on_figures(void *ctx, uint32_t device, const struct camp_figures *figures)
{
    struct meter *meter = ctx;
    if (device >= meter->cycle->boards)
        return;
    struct bi_board *board = &meter->cycle->board[device];
    uint32_t pace = meter->with->scn->campaign.time_scale;
    put(board, BI_ANSWERS, figures->answers);
    put(board, BI_ANSWERS_BAD, figures->answers_bad);
    if (figures->confirmed_us < 0)
        return;
    put(board, BI_CRASHES, figures->crashed);
    put(board, BI_TELEMETRY_EXPECTED, figures->expected);
    put(board, BI_TELEMETRY_RECEIVED, figures->received);
    put(board, BI_CONFIRMED_AFTER,
        (figures->confirmed_us - figures->notified_us) / (1000 * (int64_t)(pace ? pace : 1)));
}

/* ---- The result of the run ---- */

static void take_boards(struct bi_cycle *cycle, const struct rep_result *result)
{
    for (uint32_t i = 0; i < cycle->boards && i < result->device_rows; i++) {
        const struct rep_device *from = &result->device[i];
        struct bi_board *to = &cycle->board[i];
        memcpy(to->id, from->id, sizeof to->id);
        memcpy(to->reason, from->reason, sizeof to->reason);
        memcpy(to->version, from->version, sizeof to->version);
        to->outcome = from->outcome;
        to->brick = from->brick;
        put(to, BI_BOOTS, from->boots);
        put(to, BI_CUTS, from->cuts);
    }
}

static void take_phase(struct bi_cycle *cycle, const struct rep_phase *phase)
{
    cycle->cohort = phase->cohort;
    cycle->confirmed = phase->confirmed;
    cycle->rolled_back = phase->rolled_back;
    cycle->bricked = phase->bricked;
    for (uint32_t g = 0; g < phase->gates && g < SCN_GATES_MAX; g++)
        cycle->gate[cycle->gates++] = phase->gate[g];
}

static void take_faults(struct bi_cycle *cycle, const struct scn *scn,
                        const struct rep_result *result)
{
    for (uint32_t f = 0; f < scn->faults; f++)
        cycle->fault[scn->fault[f].kind].asked = true;
    for (uint32_t f = 0; f < result->faults; f++) {
        const struct rep_fault *row = &result->fault[f];
        if (row->number > scn->faults)
            continue; /* the rig's own, take_aimed */
        struct bi_fault *of = &cycle->fault[scn->fault[row->number - 1].kind];
        of->scheduled += row->scheduled;
        of->armed += row->armed;
        of->fired += row->fired;
    }
}

static void take_aimed(struct meter *meter, const struct rig_site_facts *facts)
{
    const struct bi_run *with = meter->with;
    struct bi_fault *aimed = &meter->cycle->fault[BI_AIMED_CUT];
    if (!with->aim)
        return;
    uint64_t wanted = (uint64_t)with->aimed_cuts * meter->cycle->boards;
    uint64_t cuts = facts->precision.cuts;
    *aimed = (struct bi_fault){.asked = true, /* as the site's report counts them */
                               .scheduled = wanted,
                               .armed = cuts ? cuts : wanted,
                               .fired = cuts};
}

/* False without memory. */
static bool take_kinds(struct bi_cycle *cycle, const struct rep_result *result)
{
    free(cycle->kind);
    cycle->kinds = 0;
    cycle->kind = calloc(result->cuts ? result->cuts : 1, sizeof *cycle->kind);
    if (!cycle->kind)
        return false;
    cycle->kinds = result->cuts;
    for (uint32_t i = 0; i < result->cuts; i++)
        cycle->kind[i] = result->cut[i];
    return true;
}

static void take_result(struct bi_cycle *cycle, const struct rep_result *result, uint32_t lab)
{
    cycle->exit_code = result->exit_code;
    snprintf(cycle->verdict, sizeof cycle->verdict, "%s", rep_verdict_name((int)result->verdict));
    memcpy(cycle->what, result->explanation, sizeof cycle->what);
    cycle->cuts = result->power_cuts;
    take_boards(cycle, result);
    if (lab < result->phases)
        take_phase(cycle, &result->phase[lab]);
    for (uint32_t p = 0; p < result->promises; p++) {
        const struct rep_promise_row *row = &result->promise[p];
        cycle->broken[row->promise] = row->broken;
        memcpy(cycle->broken_what[row->promise], row->first_what, sizeof row->first_what);
    }
    for (uint32_t f = 0; f < result->facts; f++)
        if (!strcmp(result->fact[f].name, "transcripts"))
            memcpy(cycle->transcripts, result->fact[f].value, sizeof cycle->transcripts);
}

/* What the yard says when SIGINT or SIGTERM ended the run. */
static bool was_interrupted(const char *message)
{
    return !strcmp(message, "interrupted");
}

/* Of those that hold at any moment. Convergence is one for the end, which a run that gave way or
 * did not come to it has not. REP_PROMISES: none. */
static int first_broken(const struct bi_cycle *cycle)
{
    for (int p = 0; p < REP_PROMISES; p++)
        if (cycle->broken[p] && p != REP_PROMISE_CONVERGENCE && p != REP_PROMISE_SAME_RUN)
            return p;
    return REP_PROMISES;
}

/* Nothing of it may be run again until it passes. then: how the run ended; cycle->what, too. */
static void fail_unsafe(struct bi_cycle *cycle, int promise, const char *then)
{
    char message[REP_TEXT_MAX];
    snprintf(message, sizeof message, "%s", then);
    cycle->state = BI_FAILED;
    cycle->exit_code = EXIT_UNSAFE;
    snprintf(cycle->verdict, sizeof cycle->verdict, "%s", rep_verdict_name(REP_UNSAFE));
    snprintf(cycle->what, sizeof cycle->what, "promise %s was broken: %.100s; then: %.80s",
             rep_promise_name(promise), cycle->broken_what[promise], message);
}

void bi_cycle_judge(struct bi_cycle *cycle, int error, const char *message)
{
    int promise = first_broken(cycle);
    bool unfinished = error || cycle->exit_code == EXIT_UNFINISHED;
    if (unfinished && promise < REP_PROMISES) {
        fail_unsafe(cycle, promise, error ? message : cycle->what);
    } else if (error) {
        cycle->state = was_interrupted(message) ? BI_INTERRUPTED : BI_INFRASTRUCTURE;
        cycle->exit_code = EXIT_UNFINISHED;
        snprintf(cycle->verdict, sizeof cycle->verdict, "%s", rep_verdict_name(REP_UNFINISHED));
        snprintf(cycle->what, sizeof cycle->what, "%.*s", REP_TEXT_MAX - 1, message);
    } else if (cycle->exit_code == EXIT_UNFINISHED) {
        cycle->state = BI_INFRASTRUCTURE;
    } else {
        if (!cycle->exit_code && bi_cycle_cut_nothing(cycle, cycle->what, sizeof cycle->what))
            cycle->exit_code = EXIT_NO_EFFECT;
        cycle->state = cycle->exit_code ? BI_FAILED : BI_PASSED;
    }
}

static int run(struct meter *meter, char *message, size_t len)
{
    const struct bi_run *with = meter->with;
    struct bi_cycle *cycle = meter->cycle;
    struct rep_result result;
    struct rig_site_facts facts;
    uint32_t lab = 0;
    const struct sim_fleet_options options = {.ground = bi_ear_ground(meter->ear),
                                              .jobs = 1,
                                              .figures = on_figures,
                                              .figures_ctx = meter};
    bi_lab_phase(with->scn, &lab);
    int error = sim_fleet_run(&result, with->scn, &options, message, len);
    rig_site_facts(meter->site, &facts);
    cycle->power_cycles = facts.offs;
    if (!error) {
        take_result(cycle, &result, lab);
        take_faults(cycle, with->scn, &result);
        take_aimed(meter, &facts);
        meter->failed |= !take_kinds(cycle, &result);
    }
    if (!error && meter->failed) {
        snprintf(message, len, "no memory for the boards");
        error = SIM_FLEET_EMEMORY;
    }
    rep_result_free(&result);
    return error;
}

/* Held again by the ear, or never let in: one that nobody took waits. */
static bool was_stopped(const struct rig_site *site)
{
    struct rig_site_facts facts = {0};
    if (site)
        rig_site_facts(site, &facts);
    bool waits = bi_stop_came(0);
    return facts.interrupted || waits;
}

bool bi_cycle_run(struct bi_cycle *cycle, const struct bi_run *with)
{
    struct meter meter = {.cycle = cycle, .with = with};
    const struct bi_ear_hooks hooks = {on_pulse, on_report, &meter};
    const struct rig_site_config config = {.scn = with->scn,
                                           .bench = with->bench,
                                           .what_for = "brickyard rig burnin",
                                           .aim = with->aim,
                                           .aimed_cuts = with->aimed_cuts};
    char message[1024] = "no memory for the bench";
    int64_t since_us = rig_port_now_us();
    with->scn->seed = cycle->seed;
    if (with->aim)
        with->aim->seed = cycle->seed;
    int error = rig_site_create(&meter.site, &config);
    if (!error) {
        meter.ear = bi_ear_create(rig_site_ground(meter.site), &hooks);
        error = meter.ear ? run(&meter, message, sizeof message) : -1;
    }
    if (error && meter.ear)
        bi_ear_broken(meter.ear, cycle->broken, cycle->broken_what);
    bool stopped = was_stopped(meter.site);
    bi_ear_free(meter.ear);
    rig_site_free(meter.site);
    cycle->spent_ms = (rig_port_now_us() - since_us) / 1000;
    bi_now(cycle->ended);
    bi_cycle_judge(cycle, error, message);
    return stopped;
}
