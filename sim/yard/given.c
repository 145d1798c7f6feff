/* Servers that were given by URL: what is the same for a yard's own ones and for somebody else's,
 * and what only the latter need. */
#include "sim/yard.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool sim_yard_is_given(const struct sim_yard *yard, enum sim_given_kind kind)
{
    return sim_given_has(yard->given, kind);
}

struct agent_clock sim_yard_clock(const struct sim_yard *yard, const struct agent_clock *of_world)
{
    return yard->given ? (struct agent_clock){0} : *of_world;
}

const char *sim_yard_broker_name(const struct sim_yard *yard)
{
    return sim_yard_is_given(yard, SIM_GIVEN_BROKER) ? yard->given->server[SIM_GIVEN_BROKER].host
                                                     : SIM_BROKER_NAME;
}

void sim_yard_account(const struct sim_yard *yard, const char *user, uint32_t number,
                      char out[SIM_SECRET_MAX])
{
    const char *secret =
        sim_yard_is_given(yard, SIM_GIVEN_BROKER) ? sim_given_secret(yard->given, user) : NULL;
    if (secret)
        snprintf(out, SIM_SECRET_MAX, "%s", secret);
    else
        sim_yard_secret(yard->scn, number, out);
}

/* ---- Whom to trust ---- */

bool sim_yard_stands_in(const struct sim_yard *yard)
{
    for (uint32_t f = 0; f < yard->scn->faults; f++)
        if (yard->scn->fault[f].kind == SCN_FAULT_CORRUPT_DOWNLOAD)
            return sim_yard_is_given(yard, SIM_GIVEN_STORE);
    return false;
}

static bool append(FILE *out, const char *path)
{
    char bytes[4096];
    size_t size;
    FILE *in = fopen(path, "re");
    while (in && (size = fread(bytes, 1, sizeof bytes, in)) > 0)
        fwrite(bytes, 1, size, out);
    fputc('\n', out); /* the last line of a PEM file may have no end */
    bool good = in && !ferror(in);
    if (in)
        fclose(in);
    return good;
}

/* The edge that lies stands in for the given store: devices have to take the run's CA too. */
static int trust_stand_in(struct sim_yard *yard, char ca[SIM_PKI_PATH_MAX], char *message,
                          size_t len)
{
    char own[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&yard->servers.pki, own);
    snprintf(ca, SIM_PKI_PATH_MAX, "%.500s/trusted.pem", yard->servers.folder);
    FILE *out = fopen(ca, "we");
    bool good = out && append(out, yard->given->ca) && append(out, own);
    if (out)
        good = fclose(out) == 0 && good;
    if (!good) {
        snprintf(message, len, "%s: %s", ca, strerror(errno));
        return -1;
    }
    const char *host = yard->given->server[SIM_GIVEN_STORE].host;
    return sim_pki_stand_in(&yard->servers.pki, host, message, len);
}

static int open_tls(struct sim_yard *yard, enum sim_given_kind kind, struct agent_tls **out,
                    char *message, size_t len)
{
    char ca[SIM_PKI_PATH_MAX];
    if (*out)
        return 0;
    if (sim_yard_is_given(yard, kind))
        snprintf(ca, sizeof ca, "%s", yard->given->ca);
    else
        sim_pki_ca_path(&yard->servers.pki, ca);
    if (kind == SIM_GIVEN_STORE && sim_yard_stands_in(yard) &&
        trust_stand_in(yard, ca, message, len))
        return -1;
    return agent_tls_create(out, ca, message, len);
}

int sim_yard_open_tls(struct sim_yard *yard, char *message, size_t len)
{
    bool failed = open_tls(yard, SIM_GIVEN_BROKER, &yard->tls, message, len) ||
                  open_tls(yard, SIM_GIVEN_STORE, &yard->store_tls, message, len);
    return failed ? -1 : 0;
}

/* ---- Before and after ---- */

int sim_yard_check_given(struct sim_yard *yard, char *message, size_t len)
{
    struct sim_given_check check = {
        .given = yard->given, .world = yard->world, .loop = yard->loop, .stop = &yard->interrupted};
    if (!yard->given)
        return 0;
    if (sim_yard_open_tls(yard, message, len))
        return -1;
    check.tls = yard->store_tls;
    if (sim_yard_is_given(yard, SIM_GIVEN_STORE) && sim_given_check_store(&check, message, len))
        return -1;
    check.tls = yard->tls;
    if (sim_yard_is_given(yard, SIM_GIVEN_BROKER))
        return sim_given_check_broker(&check, message, len);
    return 0;
}

int sim_yard_store_serves(struct sim_yard *yard, char *message, size_t len)
{
    char why[512];
    const struct sim_given_check check = {.given = yard->given,
                                          .world = yard->world,
                                          .tls = yard->store_tls,
                                          .loop = yard->loop,
                                          .stop = &yard->interrupted};
    if (!sim_yard_is_given(yard, SIM_GIVEN_STORE) ||
        !sim_given_check_store(&check, why, sizeof why))
        return 0;
    snprintf(message, len, "downloads have failed, and that is not the devices': %s", why);
    return -1;
}

void sim_yard_tidy_given(struct sim_yard *yard)
{
    char unread[8];
    bool there = yard->pulse.silent_us < yard->pulse.silent_us_max;
    const struct sim_given_check check = {.given = yard->given,
                                          .world = yard->world,
                                          .tls = yard->tls,
                                          .loop = yard->loop,
                                          .tidies = true,
                                          .stop = &yard->interrupted};
    if (sim_yard_is_given(yard, SIM_GIVEN_BROKER) && !yard->interrupted && there)
        sim_given_check_broker(&check, unread, sizeof unread);
}
