/* `brickyard replay TOKEN`: the run that the token names, with the story of its device; or the one
 * history of a sweep. */
#include "cli.h"
#include "sim/sweep.h"
#include "sim/token.h"
#include <stdio.h>
#include <string.h>

static int replay_sweep(const char *text)
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
    int code = sim_sweep_replay(&options, &token, stdout, message, sizeof message);
    scn_free(scn);
    if (code < 0) {
        fprintf(stderr, "brickyard: %s\n", message);
        return CLI_USAGE;
    }
    return cli_flushed() ? code : CLI_INFRASTRUCTURE;
}

int cli_replay(int argc, char **argv)
{
    struct sim_token token;
    char seed[32], devices[16];
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr,
                "usage: brickyard replay TOKEN\nA token is printed beside each device that failed, "
                "and each way in which a sweep broke a promise.\n");
        return argc == 2 && !strcmp(argv[1], "--help") ? CLI_OK : CLI_USAGE;
    }
    if (sim_sweep_is_token(argv[1]))
        return replay_sweep(argv[1]);
    if (!sim_token_read(&token, argv[1])) {
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
