/* The result as far as a service sees it: beliefs, no truth. What only an oracle knows is left out
 * and said to be. */
#include "rep/db.h"
#include "rep/render.h"
#include "service.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t seconds(const struct svc *svc, int64_t at_us)
{
    return at_us < 0 ? -1 : (at_us - svc->state.started_us) / 1000000;
}

static void identify(const struct svc *svc, struct rep_result *out)
{
    const struct scn *scn = svc->plan.scn;
    char start[AGENT_TIME_TEXT];
    agent_time_text(start, svc->state.started_us / 1000);
    snprintf(out->start, sizeof out->start, "%s", start);
    snprintf(out->scenario, sizeof out->scenario, "%s", scn->name);
    snprintf(out->summary, sizeof out->summary, "%s", scn->summary);
    for (int i = 0; i < 16; i++)
        snprintf(out->scenario_hash + 2 * i, 3, "%02x", scn->content_hash[i]);
    snprintf(out->world, sizeof out->world, "service");
    snprintf(out->candidate, sizeof out->candidate, "%s", scn->campaign.to);
    out->seed = scn->seed;
    out->devices = svc->plan.roster.count;
    out->jobs = 1;
    out->virtual_s = seconds(svc, svc->now_us);
    out->wall_s = ev_time() - (double)svc->state.started_us / 1e6;
}

static void device_row(const struct svc *svc, uint32_t d, struct rep_device *row,
                       struct rep_result *out)
{
    const struct camp_device_info *info = &svc->plan.registry[d];
    struct camp_belief belief;
    camp_belief(svc->camp, d, &belief);
    snprintf(row->id, sizeof row->id, "%s", info->id);
    snprintf(row->group, sizeof row->group, "%s", info->group);
    snprintf(row->site, sizeof row->site, "%s", info->site);
    snprintf(row->believed, sizeof row->believed, "%s", belief.version);
    snprintf(row->version, sizeof row->version, "%s", belief.version);
    snprintf(row->reason, sizeof row->reason, "%s", belief.reason);
    row->number = d;
    row->phase = belief.phase;
    row->enrolled_s = seconds(svc, belief.enrolled_us);
    row->outcome_s = seconds(svc, belief.outcome_us);
    row->outcome = belief.enrolled_us < 0 ? REP_OUT_NONE : belief.outcome;
    if (row->outcome == REP_OUT_NONE && belief.enrolled_us >= 0)
        row->outcome = REP_OUT_PENDING;
    out->enrolled += row->outcome != REP_OUT_NONE;
    if (row->outcome != REP_OUT_NONE)
        out->updates[row->outcome]++;
}

static int promise_rows(struct rep_result *out)
{
    out->promise = calloc(REP_PROMISES, sizeof *out->promise);
    if (!out->promise)
        return -1;
    out->promises = REP_PROMISES;
    for (uint32_t p = 0; p < REP_PROMISES; p++) {
        out->promise[p].promise = (enum rep_promise)p;
        snprintf(out->promise[p].first_what, sizeof out->promise[p].first_what,
                 "a service sees messages only, no flash");
    }
    return 0;
}

static int facts(const struct svc *svc, struct rep_result *out)
{
    struct camp_counts counts;
    struct sim_desk_counts desk;
    camp_counts(svc->camp, &counts);
    sim_desk_counts(svc->desk, &desk);
    const struct {
        const char *name;
        uint64_t value;
    } number[] = {
        {"time_scale", svc->plan.scn->campaign.time_scale},
        {"statuses", counts.statuses},
        {"telemetry", counts.telemetry},
        {"pongs", counts.pongs},
        {"late", counts.late},
        {"foreign", counts.foreign},
        {"dropped", counts.dropped},
        {"of_nobody_since_start", desk.foreign},
        {"sent_since_start", desk.sent},
        {"connections_lost_since_start", desk.lost},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof number / sizeof *number && !error; i++)
        error = rep_fact_add(out, number[i].name, "%" PRIu64, number[i].value);
    return error;
}

/* As the judge of a run does (sim/fleet/judge.c), without an oracle: a gate that turned red did
 * stop the campaign, though the operator went on in spite of it. */
static bool not_green(const struct rep_result *result)
{
    for (uint32_t p = 0; p < result->phases; p++) {
        if (result->phase[p].result == REP_PHASE_STOPPED)
            return true;
        for (uint32_t g = 0; g < result->phase[p].gates; g++)
            if (result->phase[p].gate[g].state == REP_GATE_RED)
                return true;
    }
    return false;
}

static void judge(const struct svc *svc, struct rep_result *result)
{
    bool by_gate, over = svc_is_over(svc, &by_gate);
    result->verdict = !over ? REP_UNFINISHED : not_green(result) ? REP_GATE_STOPPED : REP_PASS;
    result->exit_code = result->verdict == REP_PASS           ? SIM_SERVICE_OK
                        : result->verdict == REP_GATE_STOPPED ? SIM_SERVICE_STOPPED
                                                              : SIM_SERVICE_BROKEN;
    snprintf(result->explanation, sizeof result->explanation, "%s",
             result->verdict == REP_PASS           ? "every gate green"
             : result->verdict == REP_GATE_STOPPED ? "a gate, an order or missing data stopped it"
                                                   : "the campaign goes on");
}

int svc_report_make(const struct svc *svc, struct rep_result *out)
{
    rep_result_init(out);
    identify(svc, out);
    out->device = calloc(svc->plan.roster.count, sizeof *out->device);
    if (!out->device || camp_report(svc->camp, out) || promise_rows(out) || facts(svc, out))
        return -1;
    out->device_rows = svc->plan.roster.count;
    for (uint32_t d = 0; d < out->device_rows; d++)
        device_row(svc, d, &out->device[d], out);
    judge(svc, out);
    return 0;
}

/* Under another name first: nothing half written is left under its own. */
static int write_db(const char *path, const struct rep_result *result)
{
    char part[SIM_SERVICE_PATH_MAX + 8];
    sqlite3 *db = NULL;
    snprintf(part, sizeof part, "%s.part", path);
    int error = rep_db_create(&db, part, result->scenario, result->seed);
    if (!error)
        error = rep_db_write(db, result);
    if (error)
        SVC_LOG(AGENT_LOG_ERROR, "report", AGENT_TEXT("file", path),
                AGENT_TEXT("text", db ? rep_db_message(db) : rep_error_name(error)));
    sqlite3_close(db);
    if (!error && rename(part, path)) {
        SVC_LOG(AGENT_LOG_ERROR, "report", AGENT_TEXT("file", path),
                AGENT_TEXT("text", strerror(errno)));
        error = -1;
    }
    if (error)
        unlink(part);
    return error ? -1 : 0;
}

static int write_form(const char *path, int (*render)(FILE *, const struct rep_result *),
                      const struct rep_result *result)
{
    if (!*path || !rep_file(path, render, result))
        return 0;
    SVC_LOG(AGENT_LOG_ERROR, "report", AGENT_TEXT("file", path),
            AGENT_TEXT("text", strerror(errno)));
    return -1;
}

int svc_report_write(const struct svc *svc)
{
    const struct sim_service_settings *settings = svc->settings;
    struct rep_result result;
    int error = svc_report_make(svc, &result);
    if (error)
        SVC_LOG(AGENT_LOG_ERROR, "report", AGENT_TEXT("text", "no memory"));
    if (!error) {
        error |= write_form(settings->report.json, rep_render_json, &result);
        error |= write_form(settings->report.junit, rep_render_junit, &result);
        if (*settings->report.db)
            error |= write_db(settings->report.db, &result);
        SVC_LOG(AGENT_LOG_INFO, "report",
                AGENT_TEXT("verdict", rep_verdict_name((int)result.verdict)),
                AGENT_NUMBER("enrolled", result.enrolled),
                AGENT_NUMBER("confirmed", result.updates[REP_OUT_CONFIRMED]),
                AGENT_NUMBER("rolled_back", result.updates[REP_OUT_ROLLED_BACK]),
                AGENT_NUMBER("silent", result.updates[REP_OUT_SILENT]));
    }
    int code = error ? -1 : result.exit_code;
    rep_result_free(&result);
    return code;
}
