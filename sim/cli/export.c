/* `brickyard export`: what somebody's own broker and store need before a run against them. */
#include "cli.h"
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTION_SET = 1 };

struct options {
    const char *seed, *devices, *store, *scenario, *folder;
    struct scn_overrides overrides;
    const char *set[CLI_SETS_MAX];
};

static int parse(struct options *o, poptContext context)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0) {
        if (o->overrides.sets == CLI_SETS_MAX) {
            fprintf(stderr, "brickyard export: --set: at most %d of them\n", CLI_SETS_MAX);
            return -1;
        }
        o->set[o->overrides.sets++] = poptGetOptArg(context);
    }
    if (code < -1) {
        fprintf(stderr, "brickyard export: %s: %s\n",
                poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
        return -1;
    }
    o->scenario = poptGetArg(context);
    o->folder = o->scenario ? poptGetArg(context) : NULL;
    if (o->folder && !poptPeekArg(context))
        return 0;
    fprintf(stderr, "brickyard export: a scenario and a folder are wanted\n");
    return -1;
}

static bool load(struct scn **out, struct options *o)
{
    uint64_t number = 0;
    o->overrides.set = o->set;
    o->overrides.has_seed = o->seed != NULL;
    if (o->seed && !cli_number("--seed", o->seed, 0, UINT64_MAX, &o->overrides.seed))
        return false;
    if (o->devices && !cli_number("--devices", o->devices, 1, SCN_DEVICES_MAX, &number))
        return false;
    o->overrides.devices = (uint32_t)number;
    return cli_load(out, o->scenario, &o->overrides, NULL);
}

static int export(struct options *o)
{
    struct scn *scn = NULL;
    struct sim_world world;
    char message[1024];
    if (!load(&scn, o))
        return CLI_USAGE;
    int error = sim_world_build(&world, scn, message, sizeof message);
    if (!error)
        error = sim_given_export(&world, o->folder, o->store, message, sizeof message);
    if (error)
        fprintf(stderr, "brickyard export: %s\n", message);
    else
        printf("%s: %u accounts, %u images; %s/README.txt says what goes where\n", o->folder,
               world.roster.count + 1, scn->firmwares, o->folder);
    sim_world_free(&world);
    scn_free(scn);
    return error ? CLI_USAGE : CLI_OK;
}

int cli_export(int argc, char **argv)
{
    struct options o = {0};
    const struct poptOption table[] = {
        {"seed", 0, POPT_ARG_STRING, &o.seed, 0, "as of the run", "N"},
        {"devices", 0, POPT_ARG_STRING, &o.devices, 0, "as of the run", "N"},
        {"set", 0, POPT_ARG_STRING, NULL, OPTION_SET, "as of the run", "key.path=value"},
        {"store", 0, POPT_ARG_STRING, &o.store, 0,
         "where the store will be: the candidate's manifest.json too",
         "https://HOST[:PORT]/[PATH/]"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("brickyard export", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "SCENARIO.yaml FOLDER [OPTIONS]");
    int code = parse(&o, context) ? CLI_USAGE : export(&o);
    for (uint32_t i = 0; i < o.overrides.sets; i++)
        free((void *)o.set[i]);
    free((void *)o.seed);
    free((void *)o.devices);
    free((void *)o.store);
    poptFreeContext(context);
    return code;
}
