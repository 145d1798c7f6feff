/* `brickyard rig`: its subcommands, from one table. */
#include "cli_internal.h"
#include "rig/burnin.h"
#include "rig/cli.h"
#include "rig/server.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
} command[] = {
    {"list", rig_cli_list,
     "--bench B [--json]               boards, contacts, consoles, who uses them"},
    {"drivers", rig_cli_drivers,
     "                                 relay drivers and their settings"},
    {"power", rig_cli_power, "--bench B BOARD on|off|cycle|status [--off-for 2s]"},
    {"reset", rig_cli_reset, "--bench B BOARD                  a pulse on its reset line"},
    {"strap", rig_cli_strap, "--bench B BOARD STRAP on|off|status"},
    {"console", rig_cli_console, "--bench B BOARD [--send TEXT] [--until REGEX] [--for 30s]"},
    {"flash", rig_cli_flash, "--bench B BOARD --image FILE     by the bench file's command"},
    {"calibrate", rig_cli_calibrate,
     "--bench B BOARD [--cuts 50] [--check 20] [--image FILE]   from \"off\" to the loss of power"},
    {"emulate", rig_cli_emulate,
     "--bench B                        a bench without hardware, until Ctrl-C"},
    {"burnin", rig_burnin_main,
     "--bench B SCENARIO... --for 24h --db FILE   Phase 0: cycle after cycle, kept"},
    {"serve", rig_serve_main,
     "--bench B [--listen A:P] [--token-file F]   for labgrid, LAVA: as pdudaemon"},
    {"odometer", rig_cli_odometer,
     "--bench B CONTROLLER CHANNEL     cycles of a contact; --new-relay: from 0"},
};

static int usage(FILE *out, int code)
{
    fprintf(out, "usage: brickyard rig COMMAND ...\n\n");
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        fprintf(out, "  %-9s %s\n", command[i].name, command[i].summary);
    fprintf(out, "\n`brickyard rig COMMAND --help` tells the options; rig/benchfile/README.md the "
                 "bench file.\nExit codes: 0 done, 1 usage, bench file or a board in use, 7 the "
                 "marker did not come,\n8 relay, console or flashing failed.\n");
    return code;
}

int rig_cli(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, RIG_CLI_USAGE);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return usage(stdout, RIG_CLI_OK);
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        if (!strcmp(argv[1], command[i].name))
            return command[i].main(argc - 1, argv + 1);
    fprintf(stderr, "brickyard rig: unknown command '%s'\n", argv[1]);
    return usage(stderr, RIG_CLI_USAGE);
}
