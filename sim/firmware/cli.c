/* The command table of `brickyard firmware` and the parsing of its options. */
#include "cli.h"
#include <assert.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
    const char *name, *argument, *text; /* argument NULL: a flag */
};
static const struct option_row option_table[SIM_FW_OPTIONS] = {
    [SIM_FW_OPT_ID] = {"--id", "ID", "certificate id, as in the manifest (23 characters at most)"},
    [SIM_FW_OPT_OUT] = {"--out", "FILE", "file to be written"},
    [SIM_FW_OPT_PUB] = {"--pub", "PUB.pem", "public key (PEM)"},
    [SIM_FW_OPT_FORCE] = {"--force", NULL, "replace key files that exist"},
    [SIM_FW_OPT_PAYLOAD] = {"--payload", "FILE", "the program, to be put behind the header"},
    [SIM_FW_OPT_SIZE] = {"--size", "N", "make a payload by seed; N bytes (KiB, MiB) in all"},
    [SIM_FW_OPT_SEED] = {"--seed", "N", "seed of that payload (1)"},
    [SIM_FW_OPT_VERSION] = {"--version", "V", "semantic version, as 2.4.0"},
    [SIM_FW_OPT_DEVICE_TYPE] = {"--device-type", "T", "device type, as pump_monitor_v2"},
    [SIM_FW_OPT_MIN_HW] = {"--min-hw", "R", "lowest hardware revision, as Rev-B"},
    [SIM_FW_OPT_COUNTER] = {"--counter", "N", "security counter (1)"},
    [SIM_FW_OPT_KEY] = {"--key", "KEY.pem", "private key on P-256 (PEM)"},
    [SIM_FW_OPT_IMAGE] = {"--image", "IMG", "firmware image"},
    [SIM_FW_OPT_SIGNATURE] = {"--signature", "SIG", "its detached signature (DER)"},
    [SIM_FW_OPT_CERT_ID] = {"--cert-id", "ID", "certificate id of the signing key"},
    [SIM_FW_OPT_URL] = {"--url", "URL", "where devices download the image"},
    [SIM_FW_OPT_FIRMWARE_ID] = {"--firmware-id", "ID", "firmware id (TYPE-VERSION)"},
    [SIM_FW_OPT_RELEASE_NOTES] = {"--release-notes", "URL", "release notes (none)"},
    [SIM_FW_OPT_ROLLBACK_VERSION] = {"--rollback-version", "V", "version to go back to (none)"},
    [SIM_FW_OPT_PUBLISHED_AT] = {"--published-at", "TIME", "ISO 8601 in UTC (now)"},
};

#define BIT(option) (UINT32_C(1) << SIM_FW_OPT_##option)

struct command_row {
    const char *name, *text;
    int (*run)(const struct sim_fw_arguments *arguments);
    uint32_t required, optional;
};
static const struct command_row command_table[] = {
    {"keygen", "a new signing key from the system's random source", sim_fw_command_keygen,
     BIT(ID) | BIT(OUT), BIT(PUB) | BIT(FORCE)},
    {"build", "an image: header and payload", sim_fw_command_build,
     BIT(VERSION) | BIT(DEVICE_TYPE) | BIT(MIN_HW) | BIT(OUT),
     BIT(PAYLOAD) | BIT(SIZE) | BIT(SEED) | BIT(COUNTER)},
    {"sign", "the detached signature, the same for every run (RFC 6979)", sim_fw_command_sign,
     BIT(KEY) | BIT(IMAGE) | BIT(OUT), 0},
    {"verify", "check an image; exit code 3 when it must not run", sim_fw_command_verify,
     BIT(PUB) | BIT(IMAGE) | BIT(SIGNATURE), 0},
    {"manifest", "the manifest of an image (JSON)", sim_fw_command_manifest,
     BIT(IMAGE) | BIT(SIGNATURE) | BIT(CERT_ID) | BIT(URL) | BIT(OUT),
     BIT(FIRMWARE_ID) | BIT(RELEASE_NOTES) | BIT(ROLLBACK_VERSION) | BIT(PUBLISHED_AT)},
};
enum { COMMANDS = sizeof command_table / sizeof *command_table };

const char *sim_fw_option_name(enum sim_fw_option option)
{
    return option_table[option].name;
}

static void print_option(FILE *out, int option)
{
    const struct option_row *row = &option_table[option];
    char head[40];
    snprintf(head, sizeof head, "%s %s", row->name, row->argument ? row->argument : "");
    fprintf(out, "      %-28s %s\n", head, row->text);
}

static void print_command(FILE *out, const struct command_row *row)
{
    fprintf(out, "  %s: %s\n", row->name, row->text);
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        if (row->required >> i & 1)
            print_option(out, i);
    if (row->optional)
        fprintf(out, "    and if wanted\n");
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        if (row->optional >> i & 1)
            print_option(out, i);
}

static void print_usage(FILE *out)
{
    fprintf(out, "usage: brickyard firmware COMMAND OPTIONS\n");
    for (int i = 0; i < COMMANDS; i++)
        print_command(out, &command_table[i]);
    fprintf(out, "Exit codes: 0 done, 1 usage or file error, 3 the image must not run.\n");
}

static const struct command_row *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

/* popt numbers must not be 0, so an option's is one more. */
static void popt_table(struct poptOption *table, const struct command_row *row)
{
    int used = 0;
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        if ((row->required | row->optional) >> i & 1)
            table[used++] = (struct poptOption){
                .longName = option_table[i].name + 2,
                .argInfo = option_table[i].argument ? POPT_ARG_STRING : POPT_ARG_NONE,
                .val = i + 1};
    table[used++] = (struct poptOption){
        .longName = "help", .shortName = '?', .argInfo = POPT_ARG_NONE, .val = SIM_FW_OPTIONS + 1};
    table[used] = (struct poptOption)POPT_TABLEEND;
}

/* Takes what popt has just found. 0, or a complaint. */
static int take_option(struct sim_fw_arguments *arguments, poptContext popt, int number)
{
    int option = number - 1;
    if (arguments->value[option])
        return sim_fw_complain(arguments, sim_fw_option_name((enum sim_fw_option)option),
                               "is given twice");
    if (!option_table[option].argument)
        arguments->value[option] = strdup("");
    else
        arguments->value[option] = poptGetOptArg(popt);
    if (!arguments->value[option])
        return sim_fw_complain(arguments, "arguments", "no memory");
    return SIM_FW_EXIT_OK;
}

/* 0, a complaint, or -1 when help was asked for. */
static int take_options(struct sim_fw_arguments *arguments, poptContext popt)
{
    int number;
    while ((number = poptGetNextOpt(popt)) > 0) {
        if (number > SIM_FW_OPTIONS)
            return -1;
        int code = take_option(arguments, popt, number);
        if (code)
            return code;
    }
    if (number < -1)
        return sim_fw_complain(arguments, poptBadOption(popt, POPT_BADOPTION_NOALIAS), "%s",
                               poptStrerror(number));
    const char *extra = poptPeekArg(popt);
    return extra ? sim_fw_complain(arguments, extra, "is no option") : SIM_FW_EXIT_OK;
}

static int check_required(const struct sim_fw_arguments *arguments, const struct command_row *row)
{
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        if ((row->required >> i & 1) && !arguments->value[i])
            return sim_fw_complain(arguments, sim_fw_option_name((enum sim_fw_option)i),
                                   "is missing; it is %s", option_table[i].text);
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        if (arguments->value[i] && option_table[i].argument && !arguments->value[i][0] &&
            (row->required >> i & 1))
            return sim_fw_complain(arguments, sim_fw_option_name((enum sim_fw_option)i),
                                   "is empty");
    return SIM_FW_EXIT_OK;
}

static int run_command(const struct command_row *row, int argc, char **argv)
{
    struct poptOption table[SIM_FW_OPTIONS + 2];
    struct sim_fw_arguments arguments = {.command = row->name};
    popt_table(table, row);
    poptContext popt = poptGetContext(NULL, argc, (const char **)argv, table, 0);
    if (!popt)
        return sim_fw_complain(&arguments, "arguments", "no memory");
    int code = take_options(&arguments, popt);
    if (code < 0)
        print_command(stdout, row);
    else if (!code)
        code = check_required(&arguments, row);
    if (!code)
        code = row->run(&arguments);
    poptFreeContext(popt);
    for (int i = 0; i < SIM_FW_OPTIONS; i++)
        free(arguments.value[i]);
    return code < 0 ? SIM_FW_EXIT_OK : code;
}

int sim_fw_main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return SIM_FW_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")) {
        print_usage(stdout);
        return SIM_FW_EXIT_OK;
    }
    if (!strcmp(argv[1], "delta") || !strcmp(argv[1], "patch")) {
        fprintf(stderr,
                "brickyard firmware %s: this version cannot make or apply deltas; "
                "publish the whole image\n",
                argv[1]);
        return SIM_FW_EXIT_USAGE;
    }
    const struct command_row *row = find_command(argv[1]);
    if (row)
        return run_command(row, argc - 1, argv + 1);
    fprintf(stderr, "brickyard firmware: no command `%s`\n", argv[1]);
    print_usage(stderr);
    return SIM_FW_EXIT_USAGE;
}
