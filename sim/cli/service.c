/* `brickyard service`: the campaign service alone, and the orders to one that runs. */
#include "sim/service.h"
#include "cli.h"
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    const char *config, *order;
    int check;
};

static int serve(const struct options *o)
{
    static struct sim_service_settings settings;
    char message[SIM_SERVICE_MESSAGE_MAX] = "";
    if (!o->config) {
        fprintf(stderr, "brickyard service: --config is missing; accepted: a YAML file, see "
                        "sim/service/README.md\n");
        return CLI_USAGE;
    }
    if (sim_service_settings_read(&settings, o->config, message)) {
        fprintf(stderr, "%s\n", message);
        return CLI_USAGE;
    }
    if (o->order)
        return sim_service_order(&settings, o->order);
    if (o->check)
        return sim_service_check(&settings);
    const struct cli_output output[] = {
        {"report.db", *settings.report.db ? settings.report.db : NULL},
        {"report.json", *settings.report.json ? settings.report.json : NULL},
        {"report.junit", *settings.report.junit ? settings.report.junit : NULL}};
    return cli_outputs(output, 3) ? sim_service_run(&settings) : CLI_USAGE;
}

int cli_service(int argc, char **argv)
{
    struct options o = {0};
    const struct poptOption table[] = {
        {"config", 0, POPT_ARG_STRING, &o.config, 0, "what to roll out, to whom, by which broker",
         "FILE"},
        {"order", 0, POPT_ARG_STRING, &o.order, 0,
         "to the service that runs: status, pause, resume, rollback", "ORDER"},
        {"check", 0, POPT_ARG_NONE, &o.check, 0, "only read what the configuration names", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("brickyard service", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "--config FILE [--order ORDER | --check]");
    int error = poptGetNextOpt(context), code = CLI_USAGE;
    if (error < -1)
        fprintf(stderr, "brickyard service: %s: %s\n",
                poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(error));
    else if (poptPeekArg(context))
        fprintf(stderr, "brickyard service: %s: belongs to no option\n", poptGetArg(context));
    else
        code = serve(&o);
    free((void *)o.config);
    free((void *)o.order);
    poptFreeContext(context);
    return code;
}
