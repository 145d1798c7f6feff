/* What can't be done to servers that are not ours: said before anything starts. */
#include "sim/given.h"
#include <stdio.h>

/* Why not, and what instead; NULL: it is possible. */
static const char *obstacle(const struct sim_given *given, const struct scn_fault *fault)
{
    bool broker = sim_given_has(given, SIM_GIVEN_BROKER);
    bool store = sim_given_has(given, SIM_GIVEN_STORE);
    switch (fault->kind) {
    case SCN_FAULT_BROKER_RESTART:
        return broker ? "broker_restart: the broker is given by --broker, and a run ends no server "
                        "that it has not started; accepted: broker_down, which cuts every device "
                        "off from it, or no --broker"
                      : NULL;
    case SCN_FAULT_BAD_CERTIFICATE:
        if (fault->server == SCN_SERVER_BROKER ? broker : store)
            return "bad_certificate: the server is given by URL and shows the certificate that it "
                   "has; accepted: this fault at a server that the run starts itself";
        return NULL;
    case SCN_FAULT_CLOCK_SKEW:
        return "clock_skew: a run knows from when to when its own certificates hold, not those of "
               "given servers, so that it could not tell what a wrong clock has to do; accepted: "
               "this fault without --broker and --store";
    default:
        return NULL;
    }
}

int sim_given_refuse(const struct sim_given *given, const struct scn *scn, char *message,
                     size_t len)
{
    if (sim_given_has(given, SIM_GIVEN_BROKER) && scn->device.credentials == SCN_BY_CERTIFICATE) {
        snprintf(message, len,
                 "device.credentials: certificate: a run signs its devices' certificates by a CA "
                 "of its own, which a given broker does not know; accepted with --broker: secret");
        return -1;
    }
    for (uint32_t f = 0; f < scn->faults; f++) {
        const char *why = obstacle(given, &scn->fault[f]);
        if (!why)
            continue;
        snprintf(message, len, "%s:%d:%d: faults.%u: %s", scn->path, scn->fault[f].line,
                 scn->fault[f].column, f, why);
        return -1;
    }
    return 0;
}
