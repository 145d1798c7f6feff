/* `brickyard run`: a scenario in, a verdict out. */
#include "cli.h"
#include "rep/render.h"
#include "rig/burnin.h"
#include "rig/site.h"
#include "rig/world.h"
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

/* What carries the fleet; ground NULL: virtual time. */
struct carrier {
    const struct sim_given *given; /* somebody else's servers, NULL: none */
    struct sim_loopback *loopback;
    struct sim_processes *processes;
    struct rig_world *boards;
    struct rig_bench *bench;
    struct rig_site *site;
    struct rig_aim aim; /* cuts of the rig's own; pattern NULL and no window: none */
    const struct sim_ground *ground;
};

enum { AIMED_CUTS = 10, AIMED_CUTS_MAX = 1000000 };

static int carry_loopback(struct carrier *out, const struct cli_run_options *o,
                          const struct scn *scn)
{
    uint32_t processes = 0; /* not given: as few as the descriptors allow */
    if (o->jobs)
        cli_jobs(o->jobs, &processes);
    if (sim_loopback_create(&out->loopback, scn, out->given, processes, o->quiet ? NULL : stderr))
        return -1;
    out->ground = sim_loopback_ground(out->loopback);
    return 0;
}

static int carry_processes(struct carrier *out, const struct cli_run_options *o,
                           const struct scn *scn)
{
    (void)o;
    if (sim_processes_create(&out->processes, scn, NULL))
        return -1;
    out->ground = sim_processes_ground(out->processes);
    return 0;
}

/* -2: and it was said why. */
static int read_aim(struct carrier *out, const struct cli_run_options *o, const struct scn *scn,
                    struct rig_site_config *config)
{
    char message[1024];
    uint64_t cuts = AIMED_CUTS;
    if (!o->aim)
        return 0;
    if (rig_aim_read(&out->aim, o->aim, message, sizeof message)) {
        fprintf(stderr, "brickyard: --aim: %s\n", message);
        return -2;
    }
    if (o->aimed_cuts && !cli_number("--aimed-cuts", o->aimed_cuts, 1, AIMED_CUTS_MAX, &cuts))
        return -2;
    out->aim.seed = scn->seed;
    config->aim = &out->aim;
    config->aimed_cuts = (uint32_t)cuts;
    return 0;
}

/* -2: and it was said why. */
static int carry_bench(struct carrier *out, const struct cli_run_options *o, const struct scn *scn)
{
    char message[1024];
    if (rig_bench_read(&out->bench, o->bench, message, sizeof message)) {
        fprintf(stderr, "brickyard: %s\n", message);
        return -2;
    }
    struct rig_site_config config = {.scn = scn, .bench = out->bench, .what_for = "brickyard run"};
    if (read_aim(out, o, scn, &config))
        return -2;
    if (rig_site_create(&out->site, &config))
        return -1;
    out->ground = rig_site_ground(out->site);
    return 0;
}

static int carry_boards(struct carrier *out, const struct cli_run_options *o, const struct scn *scn)
{
    if (o->bench)
        return carry_bench(out, o, scn);
    if (rig_world_create(&out->boards, scn, NULL, NULL))
        return -1;
    out->ground = rig_world_ground(out->boards);
    return 0;
}

/* carry: 0, -1 without memory, or -2 when it was said why not; NULL: virtual time. The first is the
 * default. */
static const struct world {
    const char *name;
    int (*carry)(struct carrier *out, const struct cli_run_options *o, const struct scn *scn);
} worlds[] = {
    {"virtual", NULL},
    {"loopback", carry_loopback},
    {"process", carry_processes},
    {"board", carry_boards},
};
enum { WORLDS = sizeof worlds / sizeof *worlds };

/* NULL: none of them. */
static const struct world *world_of(const struct cli_run_options *o)
{
    for (size_t i = 0; i < WORLDS; i++)
        if (!o->world || !strcmp(o->world, worlds[i].name))
            return &worlds[i];
    return NULL;
}

static void refuse_world(const char *name)
{
    fprintf(stderr, "brickyard: --world %s: no such world; accepted:", name);
    for (size_t i = 0; i < WORLDS; i++)
        fprintf(stderr, "%s %s", i ? "," : "", worlds[i].name);
    fputc('\n', stderr);
}

static int carry(struct carrier *out, const struct cli_run_options *o, const struct scn *scn,
                 const struct sim_given *given)
{
    const struct world *world = world_of(o);
    *out = (struct carrier){.given = sim_given_wanted(&o->given) ? given : NULL};
    return world->carry ? world->carry(out, o, scn) : 0;
}

static void put_down(struct carrier *carrier)
{
    sim_loopback_free(carrier->loopback);
    sim_processes_free(carrier->processes);
    rig_world_free(carrier->boards);
    rig_site_free(carrier->site);
    rig_bench_free(carrier->bench);
    rig_aim_free(&carrier->aim);
}

static bool check_options(const struct cli_run_options *o)
{
    if (o->html) {
        fprintf(stderr, "brickyard: --html: not built yet; accepted: --json, --junit, --db\n");
        return false;
    }
    if (!world_of(o)) {
        refuse_world(o->world);
        return false;
    }
    if (o->digest && world_of(o)->carry) {
        fprintf(stderr, "brickyard: --check-digest: a world on the wall clock has no digest; "
                        "accepted with --world virtual\n");
        return false;
    }
    if (sim_given_wanted(&o->given) && world_of(o)->carry != carry_loopback) {
        fprintf(stderr, "brickyard: --broker, --store, --ca, --accounts, --store-secret-file: "
                        "accepted with --world loopback only\n");
        return false;
    }
    if (o->bench && world_of(o)->carry != carry_boards) {
        fprintf(stderr, "brickyard: --bench: accepted with --world board only\n");
        return false;
    }
    if ((o->aim || o->aimed_cuts) && !(o->bench && o->aim)) {
        fprintf(stderr, "brickyard: --aim, --aimed-cuts: accepted with --bench only, --aimed-cuts "
                        "with --aim\n");
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

static int simulate(const struct cli_run_options *o, const struct scn *scn,
                    const struct sim_given *given, const struct sim_burn_in *burn_in,
                    uint32_t devices, uint32_t jobs)
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
                                        .set = o->set,
                                        .burn_in = burn_in};
    struct carrier carrier;
    int carried = carry(&carrier, o, scn, given);
    if (carried) {
        put_down(&carrier);
        if (carried == -1)
            fprintf(stderr, "brickyard: no memory\n");
        return carried == -1 ? CLI_INFRASTRUCTURE : CLI_USAGE;
    }
    options.ground = carrier.ground;
    rep_progress_start(&progress, stderr, o->quiet);
    int error = sim_fleet_run(&result, scn, &options, message, sizeof message);
    rep_progress_end(&progress);
    put_down(&carrier);
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
    struct sim_given given = {0};
    struct sim_burn_in burn_in = {0};
    char message[1024];
    int code = CLI_USAGE;
    if (sim_given_wanted(&o->given) && sim_given_read(&given, &o->given, message, sizeof message))
        fprintf(stderr, "brickyard: %s\n", message);
    else if (o->burn_in && rig_burnin_read(&burn_in, o->burn_in, message, sizeof message))
        fprintf(stderr, "brickyard: --burn-in %s\n", message);
    else
        code = simulate(o, scn, &given, o->burn_in ? &burn_in : NULL, devices, jobs);
    rig_burnin_free(&burn_in);
    sim_given_free(&given);
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
        {"jobs", 'j', POPT_ARG_STRING, &o.jobs, 0,
         "threads (--world loopback: processes); the result is the same for any number", "N"},
        {"world", 0, POPT_ARG_STRING, &o.world, 0,
         "virtual; loopback: real servers and sockets; process: real daemons too; board: QEMU "
         "boards",
         "WORLD"},
        {"bench", 0, POPT_ARG_STRING, &o.bench, 0,
         "boards behind relays, with --world board: rig/README.md", "BENCH.yaml"},
        {"aim", 0, POPT_ARG_STRING, &o.aim, 0,
         "with --bench, cuts of the rig's own: \"/REGEX/+5ms\", \"/REGEX/+0ms..200ms/5ms\", "
         "\"/REGEX/+random 0ms..2s\" or \"random 0ms..2s\" from power on",
         "TEXT"},
        {"aimed-cuts", 0, POPT_ARG_STRING, &o.aimed_cuts, 0, "of each board, with --aim (10)", "N"},
        {"broker", 0, POPT_ARG_STRING, &o.given.broker, 0,
         "somebody else's, with --world loopback: sim/given/README.md", "mqtts://HOST[:PORT]"},
        {"store", 0, POPT_ARG_STRING, &o.given.store, 0, "somebody else's, with --world loopback",
         "https://HOST[:PORT]/[PATH/]"},
        {"ca", 0, POPT_ARG_STRING, &o.given.ca, 0, "of their certificates, PEM", "FILE"},
        {"accounts", 0, POPT_ARG_STRING, &o.given.accounts, 0,
         "user,secret for --broker; `brickyard export` makes it", "FILE"},
        {"store-secret-file", 0, POPT_ARG_STRING, &o.given.store_secret_file, 0,
         "URLs of --store are signed by it", "FILE"},
        {"set", 0, POPT_ARG_STRING, NULL, OPTION_SET, "override one value of the scenario",
         "key.path=value"},
        {"db", 0, POPT_ARG_STRING, &o.db, 0, "keep the result as SQLite", "FILE"},
        {"json", 0, POPT_ARG_STRING, &o.json, 0, "result as JSON, - for standard output", "FILE"},
        {"junit", 0, POPT_ARG_STRING, &o.junit, 0, "result as JUnit XML", "FILE"},
        {"html", 0, POPT_ARG_STRING | POPT_ARGFLAG_DOC_HIDDEN, &o.html, 0, NULL, NULL},
        {"trace", 0, POPT_ARG_STRING, &o.trace, 0, "tell one device's whole story", "DEVICE"},
        {"burn-in", 0, POPT_ARG_STRING, &o.burn_in, 0,
         "a finished `brickyard rig burnin`, in place of the lab phase", "FILE"},
        {"check-digest", 0, POPT_ARG_STRING, &o.digest, 0, "exit 5 unless the digest is this",
         "HEX"},
        {"quiet", 'q', POPT_ARG_NONE, &o.quiet, 0, "no summary, no progress", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("brickyard run", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "SCENARIO.yaml [OPTIONS]");
    int code = parse(&o, context) ? CLI_USAGE : cli_run_with(&o);
    for (uint32_t i = 0; i < o.sets; i++)
        free((void *)o.set[i]);
    const char *const text[] = {
        o.seed,        o.devices,    o.jobs,           o.world,
        o.bench,       o.db,         o.json,           o.junit,
        o.html,        o.trace,      o.digest,         o.given.broker,
        o.given.store, o.given.ca,   o.given.accounts, o.given.store_secret_file,
        o.aim,         o.aimed_cuts, o.burn_in};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        free((void *)text[i]);
    poptFreeContext(context);
    return code;
}
