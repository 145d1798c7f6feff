/* `brickyard run`: a scenario in, a verdict out. */
#include "cli.h"
#include "rep/render.h"
#include "sim/fleet.h"
#include "sim/loopback.h"
#include "sim/processes.h"
#include <errno.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_digest(const char *text)
{
    if (strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32)
        return true;
    fprintf(stderr, "brickyard: --check-digest %s: accepted: 32 hex digits, as a run prints them\n",
            text);
    return false;
}

enum world { WORLD_VIRTUAL, WORLD_LOOPBACK, WORLD_PROCESS, WORLDS };

/* WORLDS: none of them. */
static enum world world_of(const struct cli_run_options *o)
{
    static const char *const name[WORLDS] = {"virtual", "loopback", "process"};
    enum world world = WORLD_VIRTUAL;
    while (o->world && world < WORLDS && strcmp(o->world, name[world]))
        world++;
    return world;
}

static bool check_options(const struct cli_run_options *o)
{
    if (o->html) {
        fprintf(stderr, "brickyard: --html: not built yet; accepted: --json, --junit, --db\n");
        return false;
    }
    if (world_of(o) == WORLDS) {
        fprintf(stderr, "brickyard: --world %s: %s; accepted: virtual, loopback, process\n",
                o->world, !strcmp(o->world, "board") ? "not built yet" : "no such world");
        return false;
    }
    if (o->digest && world_of(o) != WORLD_VIRTUAL) {
        fprintf(stderr, "brickyard: --check-digest: a world on the wall clock has no digest; "
                        "accepted with --world virtual\n");
        return false;
    }
    const struct cli_output output[] = {
        {"--db", o->db}, {"--json", o->json}, {"--junit", o->junit}};
    return (!o->digest || is_digest(o->digest)) && cli_outputs(output, 3);
}

static bool load(struct scn **out, const struct cli_run_options *o, uint32_t *devices)
{
    struct scn_overrides overrides = {.sets = o->sets, .set = o->set};
    uint64_t number = 0;
    if (o->seed) {
        overrides.has_seed = true;
        if (!cli_number("--seed", o->seed, 0, UINT64_MAX, &overrides.seed))
            return false;
    }
    if (o->devices && !cli_number("--devices", o->devices, 1, SCN_DEVICES_MAX, &number))
        return false;
    overrides.devices = *devices = (uint32_t)number;
    return cli_load(out, o->scenario, &overrides, o->must_hash);
}

/* The end of a replayed story: what became of the device, and of the run it was part of. */
static void put_device(const struct rep_result *result, const char *id)
{
    for (uint32_t i = 0; i < result->device_rows; i++) {
        const struct rep_device *device = &result->device[i];
        if (strcmp(device->id, id))
            continue;
        printf("%s: %s%s%s%s%s, boots %s; the run: %s, exit code %d (%s), digest %s\n", device->id,
               rep_outcome_name((int)device->outcome), device->brick ? ", brick: " : "",
               device->brick ? rep_brick_name((int)device->brick) : "",
               *device->reason ? ", reason: " : "", device->reason,
               *device->version ? device->version : "nothing",
               rep_verdict_name((int)result->verdict), result->exit_code, result->explanation,
               result->digest);
    }
}

static int write_outputs(const struct cli_run_options *o, const struct rep_result *result)
{
    bool taken = (o->json && !strcmp(o->json, "-")) || (o->junit && !strcmp(o->junit, "-"));
    int code = result->exit_code;
    if (o->one_device)
        put_device(result, o->trace);
    else if (!o->quiet && !taken)
        rep_render_terminal(stdout, result, isatty(STDOUT_FILENO));
    const struct {
        const char *path;
        int (*render)(FILE *, const struct rep_result *);
    } form[] = {{o->json, rep_render_json}, {o->junit, rep_render_junit}};
    for (size_t i = 0; i < 2; i++)
        if (form[i].path && rep_file(form[i].path, form[i].render, result)) {
            fprintf(stderr, "brickyard: %s: %s\n", form[i].path, strerror(errno));
            code = CLI_INFRASTRUCTURE;
        }
    return cli_flushed() ? code : CLI_INFRASTRUCTURE;
}

/* What carries the fleet; ground NULL: virtual time. */
struct carrier {
    struct sim_loopback *loopback;
    struct sim_processes *processes;
    const struct sim_ground *ground;
};

static int carry(struct carrier *out, enum world world, const struct scn *scn)
{
    *out = (struct carrier){0};
    if (world == WORLD_LOOPBACK) {
        if (sim_loopback_create(&out->loopback, scn, false))
            return -1;
        out->ground = sim_loopback_ground(out->loopback);
    } else if (world == WORLD_PROCESS) {
        if (sim_processes_create(&out->processes, scn, NULL))
            return -1;
        out->ground = sim_processes_ground(out->processes);
    }
    return 0;
}

static int simulate(const struct cli_run_options *o, const struct scn *scn, uint32_t devices,
                    uint32_t jobs)
{
    struct rep_progress progress;
    struct rep_result result;
    char message[1024];
    bool taken = (o->json && !strcmp(o->json, "-")) || (o->junit && !strcmp(o->junit, "-"));
    struct sim_fleet_options options = {.jobs = jobs,
                                        .db_path = o->db,
                                        .trace_device = o->trace,
                                        .trace = taken ? stderr : stdout,
                                        .progress = &progress,
                                        .check_digest = o->digest,
                                        .devices_override = devices,
                                        .sets = o->sets,
                                        .set = o->set};
    struct carrier carrier;
    if (carry(&carrier, world_of(o), scn)) {
        fprintf(stderr, "brickyard: no memory\n");
        return CLI_INFRASTRUCTURE;
    }
    options.ground = carrier.ground;
    rep_progress_start(&progress, stderr, o->quiet);
    int error = sim_fleet_run(&result, scn, &options, message, sizeof message);
    rep_progress_end(&progress);
    sim_loopback_free(carrier.loopback);
    sim_processes_free(carrier.processes);
    int code;
    if (!error) {
        code = write_outputs(o, &result);
    } else {
        bool nothing_ran = error == SIM_FLEET_EWORLD || error == SIM_FLEET_EDEVICE ||
                           error == SIM_FLEET_EOUTPUT || error == SIM_FLEET_EGROUND;
        fprintf(stderr, "brickyard: %s\n", message);
        code = nothing_ran ? CLI_USAGE : CLI_INFRASTRUCTURE;
    }
    rep_result_free(&result);
    return code;
}

int cli_run_with(const struct cli_run_options *o)
{
    struct scn *scn = NULL;
    uint32_t devices = 0, jobs = 0;
    if (!check_options(o) || !cli_jobs(o->jobs, &jobs) || !load(&scn, o, &devices))
        return CLI_USAGE;
    int code = simulate(o, scn, devices, jobs);
    scn_free(scn);
    return code;
}

enum { OPTION_SET = 1 };

static int parse(struct cli_run_options *o, poptContext context)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0) {
        if (code != OPTION_SET)
            continue;
        if (o->sets == CLI_SETS_MAX) {
            fprintf(stderr, "brickyard run: --set: at most %d of them\n", CLI_SETS_MAX);
            return -1;
        }
        o->set[o->sets++] = poptGetOptArg(context); /* lives until the process ends */
    }
    if (code < -1) {
        fprintf(stderr, "brickyard run: %s: %s\n", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                poptStrerror(code));
        return -1;
    }
    o->scenario = poptGetArg(context);
    if (!o->scenario || poptPeekArg(context)) {
        fprintf(stderr,
                "brickyard run: one scenario file is wanted; `brickyard scenarios` lists them\n");
        return -1;
    }
    return 0;
}

int cli_run(int argc, char **argv)
{
    struct cli_run_options o = {0};
    const struct poptOption table[] = {
        {"seed", 0, POPT_ARG_STRING, &o.seed, 0, "seed of everything random", "N"},
        {"devices", 0, POPT_ARG_STRING, &o.devices, 0, "scale the fleet (labs stay)", "N"},
        {"jobs", 'j', POPT_ARG_STRING, &o.jobs, 0, "threads; the result is the same for any number",
         "N"},
        {"world", 0, POPT_ARG_STRING, &o.world, 0,
         "virtual; loopback: real servers and sockets; process: real daemons too", "WORLD"},
        {"set", 0, POPT_ARG_STRING, NULL, OPTION_SET, "override one value of the scenario",
         "key.path=value"},
        {"db", 0, POPT_ARG_STRING, &o.db, 0, "keep the result as SQLite", "FILE"},
        {"json", 0, POPT_ARG_STRING, &o.json, 0, "result as JSON, - for standard output", "FILE"},
        {"junit", 0, POPT_ARG_STRING, &o.junit, 0, "result as JUnit XML", "FILE"},
        {"html", 0, POPT_ARG_STRING | POPT_ARGFLAG_DOC_HIDDEN, &o.html, 0, NULL, NULL},
        {"trace", 0, POPT_ARG_STRING, &o.trace, 0, "tell one device's whole story", "DEVICE"},
        {"check-digest", 0, POPT_ARG_STRING, &o.digest, 0, "exit 5 unless the digest is this",
         "HEX"},
        {"quiet", 'q', POPT_ARG_NONE, &o.quiet, 0, "no summary, no progress", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("brickyard run", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "SCENARIO.yaml [OPTIONS]");
    int code = parse(&o, context) ? CLI_USAGE : cli_run_with(&o);
    for (uint32_t i = 0; i < o.sets; i++)
        free((void *)o.set[i]);
    const char *const text[] = {o.seed, o.devices, o.jobs, o.world, o.db,
                                o.json, o.junit,   o.html, o.trace, o.digest};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        free((void *)text[i]);
    poptFreeContext(context);
    return code;
}
