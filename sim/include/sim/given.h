/*
 * Somebody else's broker and store, given by URL, in place of those that a run starts (servers.h):
 * who and where they are, whether they are fit for this fleet, and what they need to have before.
 *
 * The caller owns struct sim_given; it is constant after sim_given_read and outlives the run. Texts
 * of options are borrowed until the call returns. One thread. Functions that can fail return 0, or
 * -1 with a sentence in message (len bytes): what was wrong, where, what would be accepted. NULL is
 * misuse unless a line says so.
 */
#ifndef SIM_GIVEN_H
#define SIM_GIVEN_H

#include "drivers/tls.h"
#include "sim/servers.h"
#include "sim/world.h"
#include <ev.h>
#include <netinet/in.h>

enum { SIM_GIVEN_HOST_MAX = 128, SIM_GIVEN_PATH_MAX = 128 };

enum sim_given_kind { SIM_GIVEN_BROKER, SIM_GIVEN_STORE, SIM_GIVEN_KINDS };

struct sim_given_server {
    char url[SIM_URL_MAX]; /* as it was given; "": none was, the run starts its own */
    char host[SIM_GIVEN_HOST_MAX];
    char path[SIM_GIVEN_PATH_MAX]; /* of a store: from / to / */
    uint16_t port;
    struct sockaddr_in address; /* of host and port, as they were when it was read */
};

/*
 * Reads  mqtts://HOST[:PORT]  or  https://HOST[:PORT]/[PATH/] : a name or an IPv4 address, a port
 * of 1..65535 (8883 or 443 without one), a path of A-Z a-z 0-9 . _ ~ - that ends with a slash.
 * Nothing else is taken: no user, query, fragment, %-escape or dot segment. The address is not
 * looked up.
 */
int sim_given_parse(struct sim_given_server *out, enum sim_given_kind kind, const char *text,
                    char *message, size_t len);

struct sim_given_options { /* of `brickyard run`; NULL: not given */
    const char *broker, *store, *ca, *accounts, *store_secret_file;
};

struct sim_given {
    struct sim_given_server server[SIM_GIVEN_KINDS];
    char ca[SIM_PKI_PATH_MAX];
    struct sim_account *account; /* in the order of their ids, with `service` among them */
    uint32_t accounts;
    char store_secret[SIM_SECRET_MAX]; /* of signed URLs; "": they are not signed */
};

/* Any of the options: the run has servers that were given. */
bool sim_given_wanted(const struct sim_given_options *options);
/* Parses, looks the hosts up and reads the files; free by sim_given_free in both cases. */
int sim_given_read(struct sim_given *out, const struct sim_given_options *options, char *message,
                   size_t len);
void sim_given_free(struct sim_given *given);
/* given NULL: none. */
bool sim_given_has(const struct sim_given *given, enum sim_given_kind kind);
/* NULL: there is no such account. */
const char *sim_given_secret(const struct sim_given *given, const char *user);

/* accounts.csv: a line `user,secret` for each device and for `service`; empty lines and lines that
 * begin with # are passed over. A file that others than its owner may read is refused. */
int sim_given_accounts_read(struct sim_given *out, const char *path, char *message, size_t len);

/* The first fault, or way to prove who one is, that takes servers of our own. */
int sim_given_refuse(const struct sim_given *given, const struct scn *scn, char *message,
                     size_t len);

/* Of an image at the given store; signed until expires_s (Unix time) when there is a secret. False:
 * it does not fit in len bytes. */
bool sim_given_url(const struct sim_given *given, const char *version, int64_t expires_s, char *out,
                   size_t len);

struct sim_given_check {
    const struct sim_given *given;
    const struct sim_world *world;
    const struct agent_tls *tls; /* of the given CA */
    struct ev_loop *loop;
    bool tidies;      /* after the run: only what was left there is taken away */
    const bool *stop; /* set by the loop's own watchers: the check ends with -1, "interrupted" */
};
/*
 * Every device and the service connect with their accounts, and each device's route is walked: a
 * command of the service to the device, and a message of the device to the service. What a run
 * before left there (sessions with what they queued, retained presence) is gone afterwards.
 */
int sim_given_check_broker(const struct sim_given_check *check, char *message, size_t len);
/* Every image of the world is there: status, size, SHA-256, and a range of it. */
int sim_given_check_store(const struct sim_given_check *check, char *message, size_t len);

/*
 * What somebody has to give his servers for this scenario: folder (absent, or empty) gets
 * accounts.csv, broker/passwords and broker/acl for mosquitto, store/ with every image and
 * SHA256SUMS, and README.txt. Secrets are new random numbers each time. store_url NULL: no
 * manifest.json, which holds the candidate's address there.
 */
int sim_given_export(const struct sim_world *world, const char *folder, const char *store_url,
                     char *message, size_t len);

#endif
