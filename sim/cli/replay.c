/* `brickyard replay TOKEN`: the run that the token names, with the story of its device; or the one
 * history of a sweep. */
#include "cli.h"
#include "rig/lab.h"
#include "sim/sweep.h"
#include "sim/token.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A lab of QEMU. The history's exit code, or -1 with a message. */
static int replay_in_lab(const struct sim_sweep_options *options,
                         const struct sim_sweep_token *token, const char *folder, char *message,
                         size_t len)
{
    char rom[512];
    struct rig_lab_qemu *board = NULL;
    struct rig_lab *lab = NULL;
    int code = -1;
    if (!cli_board_program(rom, sizeof rom, "lab.elf", message, len) ||
        rig_lab_qemu_create(&board, NULL, rom, folder, message, len))
        return -1;
    if (rig_lab_create(&lab, rig_lab_qemu_machine(board)))
        snprintf(message, len, "replay: no memory");
    else
        code = rig_lab_replay(lab, options, token, stdout, message, len);
    rig_lab_free(lab);
    rig_lab_qemu_free(board);
    return code;
}

static int replay_on_board(const struct sim_sweep_options *options,
                           const struct sim_sweep_token *token, char *message, size_t len)
{
    const char *tmp = getenv("TMPDIR");
    char folder[256];
    if (options->dut_path) {
        snprintf(message, len,
                 "%s: a plugin can't be run on the board; accepted with --world board: tokens of "
                 "Brickyard's own device",
                 options->dut_path);
        return -1;
    }
    snprintf(folder, sizeof folder, "%s/brickyard-lab-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        snprintf(message, len, "%s: %m", folder);
        return -1;
    }
    int code = replay_in_lab(options, token, folder, message, len);
    rmdir(folder);
    return code;
}

static int replay_sweep(const char *text, bool on_board)
{
    struct sim_sweep_token token;
    struct scn *scn = NULL;
    char message[1024] = "";
    if (!sim_sweep_token_read(&token, text)) {
        fprintf(stderr, "brickyard replay: not a token; accepted: "
                        "sw1,hash=..,scenario=PATH,dut=PATH or nothing,history=..\n");
        return CLI_USAGE;
    }
    const char *dut = *token.dut ? token.dut : NULL;
    if (!cli_dut(dut) || !cli_load(&scn, token.scenario, NULL, token.hash))
        return CLI_USAGE;
    const struct sim_sweep_options options = {.scn = scn, .dut_path = dut, .cuts = 1, .jobs = 1};
    int code = on_board ? replay_on_board(&options, &token, message, sizeof message)
                        : sim_sweep_replay(&options, &token, stdout, message, sizeof message);
    scn_free(scn);
    if (code < 0) {
        fprintf(stderr, "brickyard: %s\n", message);
        return CLI_USAGE;
    }
    return cli_flushed() ? code : CLI_INFRASTRUCTURE;
}

static int replay_run(const char *text)
{
    struct sim_token token;
    char seed[32], devices[16];
    if (!sim_token_read(&token, text)) {
        fprintf(stderr,
                "brickyard replay: not a token; accepted: by1,hash=..,seed=..,devices=..,device=..,"
                "scenario=PATH[,set=KEY=VALUE]...\n");
        return CLI_USAGE;
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)token.seed);
    snprintf(devices, sizeof devices, "%u", token.devices);
    struct cli_run_options options = {.scenario = token.scenario,
                                      .seed = seed,
                                      .devices = token.devices ? devices : NULL,
                                      .trace = token.device,
                                      .one_device = true,
                                      .must_hash = token.hash,
                                      .sets = token.sets};
    memcpy(options.set, token.set, sizeof options.set);
    return cli_run_with(&options);
}

static int usage(int code)
{
    fprintf(
        stderr,
        "usage: brickyard replay TOKEN [--world virtual|board]\nA token is printed beside each "
        "device that failed, and each way in which a sweep broke a promise.\nboard: the history "
        "of a sweep on a QEMU board, its flash and its story held against the simulator's.\n");
    return code;
}

/* The world that --world names, NULL where it names none. */
static const char *world_of(int argc, char **argv)
{
    static const char option[] = "--world";
    if (argc == 2)
        return "virtual";
    if (argc == 4 && !strcmp(argv[2], option))
        return argv[3];
    if (argc == 3 && !strncmp(argv[2], option, sizeof option - 1) &&
        argv[2][sizeof option - 1] == '=')
        return argv[2] + sizeof option;
    return NULL;
}

int cli_replay(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--help"))
        return usage(CLI_OK);
    /* The option may stand before the token too. */
    char *turned[4] = {argv[0]};
    if (argc == 4 && argv[1][0] == '-') {
        turned[1] = argv[3];
        turned[2] = argv[1];
        turned[3] = argv[2];
        argv = turned;
    } else if (argc == 3 && argv[1][0] == '-') {
        turned[1] = argv[2];
        turned[2] = argv[1];
        argv = turned;
    }
    const char *world = world_of(argc, argv);
    if (!world || argv[1][0] == '-')
        return usage(CLI_USAGE);
    bool on_board = !strcmp(world, "board");
    if (!on_board && strcmp(world, "virtual") != 0) {
        fprintf(stderr, "brickyard replay: --world %s: accepted: virtual, board\n", world);
        return CLI_USAGE;
    }
    if (sim_sweep_is_token(argv[1]))
        return replay_sweep(argv[1], on_board);
    if (on_board) {
        fprintf(stderr, "brickyard replay: --world board: the board runs histories of a sweep; "
                        "accepted: sw1,...\n");
        return CLI_USAGE;
    }
    return replay_run(argv[1]);
}
