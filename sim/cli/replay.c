/* `brickyard replay TOKEN`: the run that the token names, with the story of its device. */
#include "cli.h"
#include "sim/token.h"
#include <stdio.h>
#include <string.h>

int cli_replay(int argc, char **argv)
{
    struct sim_token token;
    char seed[32], devices[16];
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(
            stderr,
            "usage: brickyard replay TOKEN\nA token is printed beside each device that failed.\n");
        return argc == 2 && !strcmp(argv[1], "--help") ? CLI_OK : CLI_USAGE;
    }
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
