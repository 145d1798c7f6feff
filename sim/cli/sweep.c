/* `brickyard sweep`: an update cut at every flash operation, and what came of it. */
#include "sim/sweep.h"
#include "cli.h"
#include "rep/render.h"
#include <errno.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CUTS_MAX = 1000 };

/* As text from the command line; NULL or 0: not given. */
struct sweep {
    const char *scenario, *cuts, *torn, *story, *dut, *jobs, *json, *junit;
    int quiet;
};

bool cli_dut(const char *path)
{
    struct stat status;
    int reason = 0;
    if (!path)
        return true;
    if (stat(path, &status) || access(path, R_OK))
        reason = errno;
    else if (S_ISDIR(status.st_mode))
        reason = EISDIR;
    if (!reason)
        return true;
    fprintf(stderr, "brickyard: --dut %s: %s; accepted: a shared object that exports dut_device\n",
            path, strerror(reason));
    return false;
}

static bool read_cuts(const char *text, struct sim_sweep_options *out)
{
    uint64_t cuts = 1;
    out->any = text && !strcmp(text, "any");
    if (text && !out->any && !cli_is_number(text, 1, CUTS_MAX, &cuts)) {
        fprintf(stderr, "brickyard: --cuts %s: accepted: a whole number from 1 to %d, or any\n",
                text, CUTS_MAX);
        return false;
    }
    out->cuts = (uint32_t)cuts;
    return true;
}

static bool read_torn(const char *text, uint32_t *forms)
{
    const char *bad;
    size_t len;
    if (!text || sim_sweep_forms_parse(forms, text, &bad, &len))
        return true;
    fprintf(stderr, "brickyard: --torn %s: '%.*s' is no form; accepted: a list of", text, (int)len,
            bad);
    for (int i = 0; i < SIM_SWEEP_FORMS; i++)
        fprintf(stderr, "%s %s", i ? "," : "", sim_sweep_form_name(i));
    fputc('\n', stderr);
    return false;
}

/* On standard error, between the others' lines. */
static void show(void *ctx, const struct sim_sweep_progress *now)
{
    struct rep_progress *progress = ctx;
    char line[512];
    if (!rep_progress_due(progress))
        return;
    snprintf(line, sizeof line,
             "%s, cut %u: %llu cuts, %llu states, %llu waiting, %llu broken, %.0f s",
             now->story && *now->story ? now->story : "-", now->layer,
             (unsigned long long)now->cuts, (unsigned long long)now->states,
             (unsigned long long)now->todo, (unsigned long long)now->broken, now->wall_s);
    rep_progress_line(progress, line);
}

static int put_json(FILE *out, const void *result)
{
    return sim_sweep_json(out, result);
}

static int put_junit(FILE *out, const void *result)
{
    return sim_sweep_junit(out, result);
}

static int write_outputs(const struct sweep *s, const struct sim_sweep_result *result)
{
    bool taken = (s->json && !strcmp(s->json, "-")) || (s->junit && !strcmp(s->junit, "-"));
    int code = result->exit_code;
    if (!s->quiet && !taken)
        sim_sweep_print(stdout, result);
    const struct {
        const char *path;
        int (*render)(FILE *, const void *);
    } form[] = {{s->json, put_json}, {s->junit, put_junit}};
    for (size_t i = 0; i < 2; i++)
        if (form[i].path && rep_file_of(form[i].path, form[i].render, result)) {
            fprintf(stderr, "brickyard: %s: %s\n", form[i].path, strerror(errno));
            code = CLI_INFRASTRUCTURE;
        }
    return cli_flushed() ? code : CLI_INFRASTRUCTURE;
}

static int run(const struct sweep *s, struct sim_sweep_options *options)
{
    struct rep_progress progress;
    struct sim_sweep_result result = {0};
    char message[1024] = "";
    options->progress = show;
    options->ctx = &progress;
    rep_progress_start(&progress, stderr, s->quiet);
    int error = sim_sweep_run(options, &result, message, sizeof message);
    rep_progress_end(&progress);
    if (error) {
        fprintf(stderr, "brickyard: %s\n", message);
        return CLI_USAGE;
    }
    return write_outputs(s, &result);
}

static int sweep(const struct sweep *s)
{
    const struct cli_output output[] = {{"--json", s->json}, {"--junit", s->junit}};
    struct sim_sweep_options options = {.dut_path = s->dut, .stories = s->story};
    struct scn *scn = NULL;
    if (!read_cuts(s->cuts, &options) || !read_torn(s->torn, &options.forms) ||
        !cli_jobs(s->jobs, &options.jobs) || !cli_outputs(output, 2) || !cli_dut(s->dut) ||
        !cli_load(&scn, s->scenario, NULL, NULL))
        return CLI_USAGE;
    options.scn = scn;
    int code = run(s, &options);
    scn_free(scn);
    return code;
}

static int parse(struct sweep *s, poptContext context)
{
    int code = poptGetNextOpt(context);
    if (code < -1) {
        fprintf(stderr, "brickyard sweep: %s: %s\n", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                poptStrerror(code));
        return -1;
    }
    s->scenario = poptGetArg(context);
    if (!s->scenario || poptPeekArg(context)) {
        fprintf(stderr, "brickyard sweep: one scenario file is wanted, as "
                        "scenarios/sweep-16k.yaml; `brickyard scenarios` lists them\n");
        return -1;
    }
    return 0;
}

int cli_sweep(int argc, char **argv)
{
    struct sweep s = {0};
    const struct poptOption table[] = {
        {"cuts", 0, POPT_ARG_STRING, &s.cuts, 0,
         "cuts in one history (1); any: as many as lead to new states", "N|any"},
        {"torn", 0, POPT_ARG_STRING, &s.torn, 0, "only these forms of a cut", "MODE,..."},
        {"story", 0, POPT_ARG_STRING, &s.story, 0, "only these stories (sim/sweep/README.md)",
         "NAME,..."},
        {"dut", 0, POPT_ARG_STRING, &s.dut, 0, "sweep this device instead of Brickyard's own",
         "PLUGIN.so"},
        {"jobs", 'j', POPT_ARG_STRING, &s.jobs, 0, "threads; the result is the same for any number",
         "N"},
        {"json", 0, POPT_ARG_STRING, &s.json, 0, "result as JSON, - for standard output", "FILE"},
        {"junit", 0, POPT_ARG_STRING, &s.junit, 0, "result as JUnit XML", "FILE"},
        {"quiet", 'q', POPT_ARG_NONE, &s.quiet, 0, "no summary, no progress", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("brickyard sweep", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "SCENARIO.yaml [OPTIONS]");
    int code = parse(&s, context) ? CLI_USAGE : sweep(&s);
    const char *const text[] = {s.cuts, s.torn, s.story, s.dut, s.jobs, s.json, s.junit};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        free((void *)text[i]);
    poptFreeContext(context);
    return code;
}
