/* A staging site as somebody else runs it: a mosquitto and an nginx that `brickyard run` has not
 * started, with what `brickyard export` wrote. */
#ifndef TESTS_GIVEN_SITE_H
#define TESTS_GIVEN_SITE_H

#include "../loopback/worlds.h"
#include "sim/servers.h"

#define SITE_STORE_SECRET "urlsecret"

struct site {
    struct sim_servers servers;
    char *scenario;  /* text */
    char folder[64]; /* export/, secret (of URLs) */
    struct sim_account *account;
    uint32_t accounts;
    char service_secret[SIM_SECRET_MAX];
};

/* scenario is taken over. Ends the test when something of it fails. */
void site_open(struct site *site, char *scenario);
void site_close(struct site *site);

/* A shell command with every %s of the site's folder; its exit code. */
int site_shell(const struct site *site, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The options that give both servers, as they should be. */
const char *site_options(const struct site *site);
const char *site_broker(const struct site *site);
const char *site_store(const struct site *site); /* with the secret of URLs */
/* Runs the site's scenario in the loopback world with these options. */
void site_run(struct world_run *out, const struct site *site, const char *options);

#endif
