/* The loop: one cycle after another, each kept before the next begins. */
#include "rig/burnin.h"
#include "rep/render.h"
#include "stop.h"
#include "store.h"
#include "wiring.h"
#include "work.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAIT_FIRST_MS = 1000 }; /* before a try again; doubled each time */

struct burnin {
    const struct bi_asked *asked;
    struct bi_work work;
    struct bi_store *store;
    struct rep_progress progress;
    struct bi_cycle cycle; /* the one that runs */
    int64_t since_us;      /* it runs */
    bool stopped;          /* SIGINT or SIGTERM came */
    char message[1024];
};

/* ---- Progress ---- */

static void left(const struct burnin *b, char *out, size_t room)
{
    const struct bi_identity *it = &b->work.identity;
    const struct bi_progress *done = &b->work.sum.progress;
    uint32_t ended = done->passed + done->failed;
    int64_t spent_ms = done->spent_ms + (rig_port_now_us() - b->since_us) / 1000;
    int64_t left_s = (it->wanted_ms - spent_ms) / 1000;
    if (it->wanted_cycles)
        snprintf(out, room, "%u cycles left", it->wanted_cycles - ended);
    else if (left_s < 0)
        snprintf(out, room, "the last cycle");
    else if (left_s < 600)
        snprintf(out, room, "%" PRId64 " s left", left_s);
    else
        snprintf(out, room, "%" PRId64 " h %02" PRId64 " min left", left_s / 3600,
                 left_s / 60 % 60);
}

static void on_pulse(void *ctx, const struct bi_ear_now *now, uint64_t power_cycles)
{
    struct burnin *b = ctx;
    const struct bi_sum *sum = &b->work.sum;
    char line[320], rest[48];
    if (!rep_progress_due(&b->progress))
        return;
    left(b, rest, sizeof rest);
    snprintf(line, sizeof line,
             "cycle %u %.40s: %u/%u confirmed, %u rolled back, power off %" PRIu64
             " times (%" PRIu64 " in all); %u passed, %u failed, %s",
             b->cycle.number, b->work.identity.scenario[b->cycle.scenario].name, now->confirmed,
             now->boards, now->rolled_back, power_cycles, sum->power_cycles + power_cycles,
             sum->progress.passed, sum->progress.failed, rest);
    rep_progress_line(&b->progress, line);
}

static void tell_cycle(struct burnin *b)
{
    const struct bi_cycle *cycle = &b->cycle;
    if (b->asked->quiet)
        return;
    rep_progress_end(&b->progress);
    fprintf(stderr, "cycle %u %s (seed %" PRIu64 "): %s in %.1f s, %" PRIu64 " power cuts: %s\n",
            cycle->number, b->work.identity.scenario[cycle->scenario].name, cycle->seed,
            bi_state_name((int)cycle->state), (double)cycle->spent_ms / 1e3, cycle->cuts,
            cycle->what);
}

/* ---- One cycle ---- */

static int run_cycle(struct burnin *b)
{
    struct bi_cycle *cycle = &b->cycle;
    struct scn *scn = b->work.scn[cycle->scenario];
    uint32_t lab = 0;
    const struct scn_phase *phase = bi_lab_phase(scn, &lab);
    const struct bi_run with = {.scn = scn,
                                .bench = b->work.bench,
                                .aim = b->work.aims ? &b->work.aim : NULL,
                                .aimed_cuts = b->work.aimed_cuts,
                                .pulse = on_pulse,
                                .ctx = b};
    bi_now(cycle->begun);
    b->since_us = rig_port_now_us();
    if (bi_store_begin(b->store, cycle, b->message, sizeof b->message))
        return -1;
    if (bi_work_image_is_same(&b->work, cycle->scenario, b->message, sizeof b->message)) {
        b->stopped = bi_cycle_run(cycle, &with);
    } else {
        cycle->state = BI_INFRASTRUCTURE;
        snprintf(cycle->what, sizeof cycle->what, "%.250s", b->message);
        bi_now(cycle->ended);
    }
    int error =
        bi_store_end(b->store, cycle, phase->gate, phase->gates, b->message, sizeof b->message);
    if (!error && bi_sum_add(&b->work.sum, cycle)) {
        snprintf(b->message, sizeof b->message, "no memory");
        error = -1;
    }
    tell_cycle(b);
    bi_cycle_free(cycle);
    return error;
}

/* What had ended stands; the next cycle, which b->cycle is, does not begin. */
static int end_before(struct burnin *b)
{
    b->cycle.state = BI_INTERRUPTED;
    snprintf(b->cycle.what, sizeof b->cycle.what, "interrupted before cycle %u", b->cycle.number);
    return bi_say(BI_INFRASTRUCTURE_EXIT,
                  "%s; no result is lost: the same command with --resume goes on with it",
                  b->cycle.what);
}

/* BI_OK: it is over; else what ended it, said. */
static int run_all(struct burnin *b)
{
    uint32_t tries = 0; /* of one cycle, in a row, by this process */
    while (bi_next(&b->work.identity, &b->work.sum.progress, b->asked->keep_going, &b->cycle)) {
        if (b->stopped || bi_stop_came(0))
            return end_before(b);
        if (run_cycle(b))
            return bi_say(BI_INFRASTRUCTURE_EXIT, "%s", b->message);
        bool failed = b->cycle.state == BI_INFRASTRUCTURE;
        if (b->cycle.state == BI_INTERRUPTED || (failed && tries == BI_RETRIES))
            return bi_say(BI_INFRASTRUCTURE_EXIT,
                          "cycle %u: %s%s; no result is lost: the same command with --resume goes "
                          "on with it",
                          b->cycle.number, b->cycle.what,
                          failed ? " (and so when it was tried again)" : "");
        if (failed)
            b->stopped = b->stopped || bi_stop_came(WAIT_FIRST_MS << tries);
        tries = failed ? tries + 1 : 0;
    }
    return BI_OK;
}

/* ---- Beginning and end ---- */

static int count_cycle(void *ctx, const struct bi_cycle *cycle)
{
    struct burnin *b = ctx;
    return cycle->scenario < b->work.identity.scenarios ? bi_sum_add(&b->work.sum, cycle) : -1;
}

/* False, with the message: the bench is another one by now, or nobody knows. */
static bool same_wiring(struct burnin *b, char *why, size_t len)
{
    char *kept;
    bool same = !bi_store_wiring(b->store, &kept, why, len) &&
                !bi_wiring_differs(kept, b->work.identity.wiring, why, len);
    free(kept);
    return same;
}

/* What the command line leaves open is as it was. */
static int go_on(struct burnin *b, const struct bi_identity *kept)
{
    struct bi_identity *now = &b->work.identity;
    char why[600];
    if (!b->asked->seed)
        now->seed = kept->seed;
    memcpy(now->begun, kept->begun, sizeof now->begun);
    if (!bi_goes_on(kept, now, why, sizeof why) || !same_wiring(b, why, sizeof why))
        return bi_say(BI_USAGE,
                      "%s: %s; accepted: the bench, scenarios and options that it was "
                      "begun with",
                      b->asked->db, why);
    if (!now->wanted_ms && !now->wanted_cycles) {
        now->wanted_ms = kept->wanted_ms;
        now->wanted_cycles = kept->wanted_cycles;
    }
    if (bi_store_want(b->store, now, b->message, sizeof b->message) ||
        bi_store_cycles(b->store, count_cycle, b, b->message, sizeof b->message))
        return bi_say(BI_INFRASTRUCTURE_EXIT, "%s", b->message);
    return BI_OK;
}

static int open_store(struct burnin *b)
{
    if (!b->asked->resume)
        return bi_store_create(&b->store, b->asked->db, &b->work.identity, b->message,
                               sizeof b->message)
                   ? bi_say(BI_USAGE, "%s", b->message)
                   : BI_OK;
    struct bi_identity *kept = calloc(1, sizeof *kept);
    if (!kept)
        return bi_say(BI_INFRASTRUCTURE_EXIT, "no memory");
    int code = bi_store_resume(&b->store, b->asked->db, kept, b->message, sizeof b->message)
                   ? bi_say(BI_USAGE, "%s", b->message)
                   : go_on(b, kept);
    free(kept);
    return code;
}

static void explain_unfinished(const struct burnin *b, struct rep_result *result)
{
    const struct bi_progress *done = &b->work.sum.progress;
    bool ended = b->cycle.state == BI_INFRASTRUCTURE || b->cycle.state == BI_INTERRUPTED;
    snprintf(result->explanation, sizeof result->explanation,
             "unfinished: %u cycles passed, %u failed; --resume goes on%s%.150s", done->passed,
             done->failed, ended ? "; what ended it: " : "", ended ? b->cycle.what : "");
}

/* What the report of an unfinished one says; an error here loses no cycle. */
static int describe(struct burnin *b, bool finished)
{
    struct rep_result result;
    uint64_t failed_tries = 0;
    rep_result_init(&result);
    snprintf(b->message, sizeof b->message, "%s: its result can't be made up", b->asked->db);
    int error = bi_store_failed_tries(b->store, &failed_tries) ||
                bi_sum_result(&b->work.sum, finished, failed_tries, &result);
    if (!error && !finished)
        explain_unfinished(b, &result);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (!error)
        result.memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    if (!error)
        error = finished ? bi_store_finish(b->store, &result, b->message, sizeof b->message)
                         : bi_store_describe(b->store, &result, b->message, sizeof b->message);
    rep_result_free(&result);
    return error;
}

static int write_outputs(const struct burnin *b, const struct rep_result *result)
{
    const struct bi_asked *asked = b->asked;
    bool taken =
        (asked->json && !strcmp(asked->json, "-")) || (asked->junit && !strcmp(asked->junit, "-"));
    const struct {
        const char *path;
        int (*render)(FILE *, const struct rep_result *);
    } form[] = {{asked->json, rep_render_json}, {asked->junit, rep_render_junit}};
    int code = result->exit_code;
    if (!asked->quiet && !taken)
        rep_render_terminal(stdout, result, isatty(STDOUT_FILENO));
    for (size_t i = 0; i < 2; i++)
        if (form[i].path && rep_file(form[i].path, form[i].render, result))
            code = bi_say(BI_INFRASTRUCTURE_EXIT, "%s: %s", form[i].path, strerror(errno));
    if (fflush(stdout) || ferror(stdout))
        code = bi_say(BI_INFRASTRUCTURE_EXIT, "standard output: %s", strerror(errno));
    return code;
}

static int report(struct burnin *b)
{
    struct rep_result result;
    if (bi_store_result(b->store, &result, b->message, sizeof b->message))
        return bi_say(BI_INFRASTRUCTURE_EXIT, "%s", b->message);
    int code = write_outputs(b, &result);
    rep_result_free(&result);
    return code;
}

static int burn_in(struct burnin *b)
{
    int code = bi_work_open(&b->work, b->asked);
    if (!code)
        code = open_store(b);
    if (code)
        return code;
    rep_progress_start(&b->progress, stderr, b->asked->quiet);
    if (describe(b, false))
        return bi_say(BI_INFRASTRUCTURE_EXIT, "%s", b->message);
    bi_stop_hold();
    code = run_all(b);
    rep_progress_end(&b->progress);
    int error = describe(b, code == BI_OK);
    while (bi_stop_came(0)) /* what is over, or unfinished by now, is so in the file */
        continue;
    bi_stop_release();
    if (error)
        return bi_say(BI_INFRASTRUCTURE_EXIT, "%s", b->message);
    int shown = report(b);
    return code ? code : shown;
}

int rig_burnin_main(int argc, char **argv)
{
    struct bi_asked asked;
    struct burnin *b = calloc(1, sizeof *b);
    int code = bi_asked_read(&asked, argc, argv);
    if (!code && !b)
        code = bi_say(BI_INFRASTRUCTURE_EXIT, "no memory");
    if (!code) {
        b->asked = &asked;
        code = burn_in(b);
        bi_store_close(b->store);
        bi_work_close(&b->work);
    }
    bi_asked_free(&asked);
    free(b);
    return code;
}
