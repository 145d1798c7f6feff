/* `brickyard run`: a scenario in, a verdict out. */
#include "cli.h"
#include "rep/render.h"
#include "sim/fleet.h"
#include <errno.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *out >= min && *out <= max)
        return true;
    fprintf(stderr, "brickyard: %s %s: accepted: a whole number from %llu to %llu\n", option, text,
            (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool cli_messages(const struct scn_messages *messages)
{
    bool error = false;
    for (uint32_t i = 0; i < messages->count; i++) {
        const struct scn_message *message = &messages->message[i];
        fprintf(stderr, "%s%s\n", message->warning ? "warning: " : "", message->text);
        error |= !message->warning;
    }
    return error;
}

/* An output that could never be written is told before the run, not after it. */
static bool writable(const char *option, const char *path)
{
    char folder[4096];
    struct stat status;
    if (!path || !strcmp(path, "-"))
        return true;
    if (!*path) {
        fprintf(stderr, "brickyard: %s: its name is empty; accepted: the name of a file\n", option);
        return false;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        fprintf(stderr, "brickyard: %s %s: %s\n", option, path, strerror(EISDIR));
        return false;
    }
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    if (access(slash ? folder : ".", W_OK) == 0 &&
        (access(path, F_OK) != 0 || access(path, W_OK) == 0))
        return true;
    fprintf(stderr, "brickyard: %s %s: %s\n", option, path, strerror(errno));
    return false;
}

/* Where a name leads: its folder, and what it is called there. */
struct place {
    struct stat folder;
    const char *name;
};

static bool find_place(struct place *out, const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    out->name = slash ? slash + 1 : path;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1,
             slash ? path : ".");
    return stat(folder, &out->folder) == 0;
}

/* Two outputs into one file would each replace the other; a device like /dev/null bears both. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    struct place p, q;
    if (!strcmp(a, "-") || !strcmp(b, "-"))
        return !strcmp(a, b);
    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return find_place(&p, a) && find_place(&q, b) && !strcmp(p.name, q.name) &&
           p.folder.st_dev == q.folder.st_dev && p.folder.st_ino == q.folder.st_ino;
}

static bool outputs_differ(const struct cli_run_options *o)
{
    const struct {
        const char *option, *path;
    } out[] = {{"--db", o->db}, {"--json", o->json}, {"--junit", o->junit}};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = i + 1; j < 3; j++)
            if (out[i].path && out[j].path && same_file(out[i].path, out[j].path)) {
                fprintf(stderr, "brickyard: %s and %s both name %s; accepted: a place for each\n",
                        out[i].option, out[j].option, out[j].path);
                return false;
            }
    return true;
}

static bool is_digest(const char *text)
{
    if (strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32)
        return true;
    fprintf(stderr, "brickyard: --check-digest %s: accepted: 32 hex digits, as a run prints them\n",
            text);
    return false;
}

static bool check_options(const struct cli_run_options *o)
{
    if (o->html) {
        fprintf(stderr, "brickyard: --html: not built yet; accepted: --json, --junit, --db\n");
        return false;
    }
    if (o->world && strcmp(o->world, "virtual")) {
        fprintf(stderr, "brickyard: --world %s: %s; accepted: virtual\n", o->world,
                !strcmp(o->world, "loopback") || !strcmp(o->world, "process") ||
                        !strcmp(o->world, "board")
                    ? "not built yet"
                    : "no such world");
        return false;
    }
    return (!o->digest || is_digest(o->digest)) && writable("--db", o->db) &&
           writable("--json", o->json) && writable("--junit", o->junit) && outputs_differ(o);
}

static bool load(struct scn **out, const struct cli_run_options *o, uint32_t *devices)
{
    struct scn_overrides overrides = {.sets = o->sets, .set = o->set};
    struct scn_messages messages = {0};
    uint64_t number = 0;
    if (o->seed) {
        overrides.has_seed = true;
        if (!cli_number("--seed", o->seed, 0, UINT64_MAX, &overrides.seed))
            return false;
    }
    if (o->devices && !cli_number("--devices", o->devices, 1, SCN_DEVICES_MAX, &number))
        return false;
    overrides.devices = *devices = (uint32_t)number;
    int error = scn_load(out, o->scenario, &overrides, &messages);
    cli_messages(&messages);
    return !error;
}

static bool same_content(const struct scn *scn, const char *want)
{
    char have[33];
    for (int i = 0; i < 16; i++)
        snprintf(have + 2 * i, 3, "%02x", scn->content_hash[i]);
    if (!want || !strcmp(have, want))
        return true;
    fprintf(stderr,
            "brickyard: %s: its content is not the one that the token was made from (hash %s, not "
            "%s)\n",
            scn->path, have, want);
    return false;
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
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "brickyard: standard output: %s\n", strerror(errno));
        code = CLI_INFRASTRUCTURE;
    }
    return code;
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
    rep_progress_start(&progress, stderr, o->quiet);
    int error = sim_fleet_run(&result, scn, &options, message, sizeof message);
    rep_progress_end(&progress);
    int code;
    if (!error) {
        code = write_outputs(o, &result);
    } else {
        bool nothing_ran =
            error == SIM_FLEET_EWORLD || error == SIM_FLEET_EDEVICE || error == SIM_FLEET_EOUTPUT;
        fprintf(stderr, "brickyard: %s\n", message);
        code = nothing_ran ? CLI_USAGE : CLI_INFRASTRUCTURE;
    }
    rep_result_free(&result);
    return code;
}

int cli_run_with(const struct cli_run_options *o)
{
    struct scn *scn = NULL;
    uint32_t devices = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = cores > 0 ? (uint64_t)cores : 1;
    if (jobs > 64)
        jobs = 64;
    if (!check_options(o) || (o->jobs && !cli_number("--jobs", o->jobs, 1, 64, &jobs)) ||
        !load(&scn, o, &devices))
        return CLI_USAGE;
    int code =
        same_content(scn, o->must_hash) ? simulate(o, scn, devices, (uint32_t)jobs) : CLI_USAGE;
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
        {"world", 0, POPT_ARG_STRING, &o.world, 0, "virtual", "WORLD"},
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
