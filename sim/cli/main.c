/* `brickyard`: one command, its subcommands from one table. */
#include "cli.h"
#include "rep/report.h"
#include "rig/cli.h"
#include "sim/firmware.h"
#include <stdio.h>
#include <string.h>

static int not_built(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "brickyard %s: not built yet\n", argv[0]);
    return CLI_USAGE;
}

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
} command[] = {
    {"run", cli_run, "SCENARIO.yaml [OPTIONS]   run a campaign and judge it by its gates"},
    {"replay", cli_replay,
     "TOKEN                     run one failure again, with its device's story"},
    {"sweep", cli_sweep, "SCENARIO.yaml [OPTIONS]   cut one update at every flash operation"},
    {"lint", cli_lint, "SCENARIO.yaml...          check scenarios, errors with file:line:column"},
    {"scenarios", cli_scenarios, "[FOLDER]                  the catalogue, one line each"},
    {"firmware", sim_fw_main, "keygen|build|sign|verify|manifest ..."},
    {"report", rep_main, "RUN.db [--json|--junit FILE]  show a stored result again"},
    {"service", cli_service,
     "--config FILE             the campaign service alone, for devices elsewhere"},
    {"export", cli_export,
     "SCENARIO.yaml FOLDER      accounts and images for somebody else's broker and store"},
    {"explore", not_built, "(not built yet)"},
    {"rig", rig_cli,
     "list|power|console|flash ...        boards behind relays: `brickyard rig --help`"},
};

static int usage(FILE *out, int code)
{
    fprintf(out, "usage: brickyard COMMAND ...\n\n");
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        fprintf(out, "  %-10s %s\n", command[i].name, command[i].summary);
    fprintf(out, "\n`brickyard COMMAND --help` tells the options. Exit codes: 0 as expected, 1 "
                 "usage, 2 a gate\n"
                 "stopped the campaign, 3 a promise was broken, 4 no convergence, 5 another "
                 "digest, 6 a fault\n"
                 "without effect, 7 another expectation not met, 8 infrastructure.\n");
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, CLI_USAGE);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return usage(stdout, CLI_OK);
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        if (!strcmp(argv[1], command[i].name))
            return command[i].main(argc - 1, argv + 1);
    fprintf(stderr, "brickyard: unknown command '%s'\n", argv[1]);
    return usage(stderr, CLI_USAGE);
}
