/* See fleet_bench.h. */
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 32768 };

static const char everybody[] = "    - {name: all, share: 100%, hold: 1h}\n";

static const char *or_else(const char *text, const char *other)
{
    return text ? text : other;
}

static void write_plan(char text[TEXT_MAX], const struct fleet_plan *plan)
{
    const char *to = or_else(plan->candidate_version, "2.4.0");
    int len = snprintf(
        text, TEXT_MAX,
        "scenario: test\n"
        "seed: %" PRIu64 "\n"
        "fleet:\n"
        "  - {group: pumps, count: %u, firmware: 2.3.1, telemetry_every: %s, link: %s%s%s}\n"
        "flash: {bootloader: 16KiB, slot: 128KiB, data: 128KiB}\n"
        "firmware:\n"
        "  2.3.1: {size: 32KiB}\n"
        "  %s: {size: 33KiB%s%s}\n"
        "campaign:\n"
        "  to: %s\n"
        "  force: true\n"
        "  observe: 0h\n"
        "  rollback_version: 2.3.1\n"
        "%s"
        "  phases:\n"
        "%s"
        "%s%s%s"
        "%s%s\n",
        plan->seed ? plan->seed : 1, plan->count ? plan->count : 8,
        or_else(plan->telemetry_every, "1h"), or_else(plan->link, "wifi"), plan->group ? ", " : "",
        or_else(plan->group, ""), to, plan->candidate ? ", " : "", or_else(plan->candidate, ""), to,
        or_else(plan->campaign, ""), or_else(plan->phases, everybody),
        plan->faults ? "faults: [" : "", or_else(plan->faults, ""), plan->faults ? "]\n" : "",
        plan->expect ? "expect: " : "", or_else(plan->expect, ""));
    cr_assert_lt(len, TEXT_MAX);
}

static void execute(struct fleet_run *out, int error, const struct scn_messages *messages,
                    const struct sim_fleet_options *options)
{
    const struct sim_fleet_options one_job = {.jobs = 1};
    const char *last = messages->count ? messages->message[messages->count - 1].text : "";
    cr_assert_eq(error, SCN_OK, "%s", last);
    out->error = sim_fleet_run(&out->result, out->scn, options ? options : &one_job, out->message,
                               sizeof out->message);
    cr_assert_eq(out->error, SIM_FLEET_OK, "%d %s", out->error, out->message);
}

void fleet_run_plan(struct fleet_run *out, const struct fleet_plan *plan,
                    const struct sim_fleet_options *options)
{
    char text[TEXT_MAX];
    struct scn_messages messages = {0};
    *out = (struct fleet_run){0};
    write_plan(text, plan);
    int error = scn_parse(&out->scn, "test.yaml", text, strlen(text), NULL, &messages);
    execute(out, error, &messages, options);
}

void fleet_run_file(struct fleet_run *out, const char *name, const struct scn_overrides *overrides,
                    const struct sim_fleet_options *options)
{
    char path[1024];
    const char *source = getenv("BRICKYARD_SOURCE");
    struct scn_messages messages = {0};
    *out = (struct fleet_run){0};
    cr_assert_not_null(source, "ctest sets BRICKYARD_SOURCE");
    snprintf(path, sizeof path, "%s/scenarios/%s", source, name);
    int error = scn_load(&out->scn, path, overrides, &messages);
    execute(out, error, &messages, options);
}

void fleet_run_free(struct fleet_run *run)
{
    rep_result_free(&run->result);
    scn_free(run->scn);
    run->scn = NULL;
}

const struct rep_device *fleet_device(const struct fleet_run *run, uint32_t number)
{
    cr_assert_lt(number, run->result.device_rows);
    cr_assert_eq(run->result.device[number].number, number);
    return &run->result.device[number];
}

const struct rep_fault *fleet_fault(const struct fleet_run *run, uint32_t number)
{
    cr_assert_lt(number, run->result.faults);
    cr_assert_eq(run->result.fault[number].number, number + 1, "the first one is fault 1");
    return &run->result.fault[number];
}

bool fleet_alerted(const struct fleet_run *run, enum rep_alert_level level)
{
    for (uint32_t i = 0; i < run->result.alerts; i++)
        if (run->result.alert[i].level == level)
            return true;
    return false;
}

void fleet_assert_sound(const struct fleet_run *run, const char *about)
{
    const struct rep_result *result = &run->result;
    cr_assert_eq(result->promises, REP_PROMISES);
    for (uint32_t i = 0; i < result->promises; i++)
        cr_expect_eq(result->promise[i].broken, 0, "%s: %s: %s", about,
                     rep_promise_name((int)result->promise[i].promise),
                     result->promise[i].first_what);
    cr_expect_eq(result->belief_wrong_at_end, 0, "%s: %u beliefs are wrong", about,
                 result->belief_wrong_at_end);
    for (uint32_t i = 0; i < result->faults; i++)
        cr_expect_eq(result->fault[i].armed, result->fault[i].fired,
                     "%s: fault %u: armed %" PRIu64 ", fired %" PRIu64, about, i,
                     result->fault[i].armed, result->fault[i].fired);
}

void fleet_assert_all(const struct fleet_run *run, enum rep_outcome outcome, const char *version,
                      const char *reason, const char *about)
{
    for (uint32_t i = 0; i < run->result.device_rows; i++) {
        const struct rep_device *row = fleet_device(run, i);
        cr_expect_eq(row->outcome, outcome, "%s: %s is %s (%s)", about, row->id,
                     rep_outcome_name((int)row->outcome), row->reason);
        cr_expect_str_eq(row->version, version, "%s: %s runs %s", about, row->id, row->version);
        cr_expect_str_eq(row->believed, version, "%s: %s is believed to run %s", about, row->id,
                         row->believed);
        cr_expect_str_eq(row->reason, reason, "%s: %s says '%s'", about, row->id, row->reason);
    }
}

void fleet_count_events(const struct fleet_plan *plan, uint64_t *events, uint32_t devices)
{
    for (uint32_t d = 0; d < devices; d++) {
        char *text = NULL, number[16];
        size_t len = 0;
        struct fleet_run run;
        snprintf(number, sizeof number, "%u", d);
        FILE *trace = open_memstream(&text, &len);
        cr_assert_not_null(trace);
        fleet_run_plan(
            &run, plan,
            &(struct sim_fleet_options){.jobs = 1, .trace_device = number, .trace = trace});
        fclose(trace);
        events[d] = 0;
        for (size_t i = 0; i < len; i++) /* one line for each event */
            events[d] += text[i] == '\n';
        free(text);
        fleet_run_free(&run);
    }
}
