/* digest SCENARIO DEVICES JOBS: the digest of a run, and nothing else. */
#include "sim/fleet.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct scn *scn = NULL;
    struct scn_messages messages = {0};
    struct rep_result result;
    char message[1024];
    if (argc != 4)
        return 1;
    struct scn_overrides overrides = {.devices = (uint32_t)strtoul(argv[2], NULL, 10)};
    const struct sim_fleet_options options = {.jobs = (uint32_t)strtoul(argv[3], NULL, 10),
                                              .devices_override = overrides.devices};
    if (scn_load(&scn, argv[1], &overrides, &messages)) {
        fprintf(stderr, "%s: not sound\n", argv[1]);
        return 1;
    }
    int error = sim_fleet_run(&result, scn, &options, message, sizeof message);
    if (error)
        fprintf(stderr, "%s\n", message);
    else
        printf("%s\n", result.digest);
    rep_result_free(&result);
    scn_free(scn);
    return error ? 1 : 0;
}
