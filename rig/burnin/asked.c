/* The command line of `brickyard rig burnin`. */
#include "work.h"
#include <popt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_SET = 1 };

void bi_asked_free(struct bi_asked *asked)
{
    char *const text[] = {asked->bench, asked->for_text,  asked->cycles, asked->db,
                          asked->json,  asked->junit,     asked->seed,   asked->devices,
                          asked->aim,   asked->aimed_cuts};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        free(text[i]);
    for (uint32_t i = 0; i < asked->sets; i++)
        free(asked->set[i]);
    for (uint32_t i = 0; i < asked->scenarios; i++)
        free(asked->scenario[i]);
}

static int take_words(struct bi_asked *out, poptContext context)
{
    const char *word;
    while ((word = poptGetArg(context))) {
        if (out->scenarios == BI_SCENARIOS_MAX)
            return bi_say(BI_USAGE, "at most %d scenarios", BI_SCENARIOS_MAX);
        out->scenario[out->scenarios] = strdup(word);
        if (!out->scenario[out->scenarios++])
            return bi_say(BI_INFRASTRUCTURE_EXIT, "no memory");
    }
    if (!out->bench)
        return bi_say(BI_USAGE, "--bench FILE is wanted: the boards (rig/benchfile/README.md)");
    if (!out->db)
        return bi_say(BI_USAGE, "--db FILE is wanted: where the burn-in is kept");
    if (!out->scenarios)
        return bi_say(BI_USAGE, "a scenario is wanted, or several, which are run in turn");
    return BI_OK;
}

static int take_options(struct bi_asked *out, poptContext context)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0) {
        if (code != OPTION_SET)
            continue;
        if (out->sets == BI_SETS_MAX)
            return bi_say(BI_USAGE, "--set: at most %d of them", BI_SETS_MAX);
        out->set[out->sets++] = poptGetOptArg(context);
    }
    if (code < -1)
        return bi_say(BI_USAGE, "%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                      poptStrerror(code));
    return take_words(out, context);
}

int bi_asked_read(struct bi_asked *out, int argc, char **argv)
{
    static char called[] = "brickyard rig burnin";
    *out = (struct bi_asked){0};
    const struct poptOption table[] = {
        {"bench", 0, POPT_ARG_STRING, &out->bench, 0, "the bench file", "FILE"},
        {"for", 0, POPT_ARG_STRING, &out->for_text, 0, "so long; what runs then is ended", "24h"},
        {"cycles", 0, POPT_ARG_STRING, &out->cycles, 0, "so many", "N"},
        {"db", 0, POPT_ARG_STRING, &out->db, 0, "where it is kept; a new file", "FILE"},
        {"resume", 0, POPT_ARG_NONE, &out->resume, 0, "go on with that file", NULL},
        {"keep-going", 0, POPT_ARG_NONE, &out->keep_going, 0,
         "after a failed cycle, too (it stays failed)", NULL},
        {"seed", 0, POPT_ARG_STRING, &out->seed, 0, "cycle n has seed N + n", "N"},
        {"devices", 0, POPT_ARG_STRING, &out->devices, 0, "boards in use", "N"},
        {"set", 0, POPT_ARG_STRING, NULL, OPTION_SET, "override one value of the scenarios",
         "key.path=value"},
        {"aim", 0, POPT_ARG_STRING, &out->aim, 0, "cuts of the rig's own: rig/aim/README.md",
         "TEXT"},
        {"aimed-cuts", 0, POPT_ARG_STRING, &out->aimed_cuts, 0, "of each board in each cycle", "N"},
        {"json", 0, POPT_ARG_STRING, &out->json, 0, "result as JSON, - for standard output",
         "FILE"},
        {"junit", 0, POPT_ARG_STRING, &out->junit, 0, "result as JUnit XML", "FILE"},
        {"quiet", 'q', POPT_ARG_NONE, &out->quiet, 0, "no summary, no progress", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    argv[0] = called;
    poptContext context = poptGetContext(called, argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "SCENARIO.yaml... [OPTIONS]");
    int code = take_options(out, context);
    poptFreeContext(context);
    return code;
}
