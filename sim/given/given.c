/* What a run is told of given servers: options and files, read and looked up before anything. */
#include "sim/given.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool sim_given_has(const struct sim_given *given, enum sim_given_kind kind)
{
    return given && *given->server[kind].url;
}

bool sim_given_wanted(const struct sim_given_options *options)
{
    return options->broker || options->store || options->ca || options->accounts ||
           options->store_secret_file;
}

/* The first option that stands without the one that it belongs to; NULL: none. */
static const char *lonely(const struct sim_given_options *options)
{
    if (options->accounts && !options->broker)
        return "--accounts: belongs to --broker, which is missing";
    if (options->store_secret_file && !options->store)
        return "--store-secret-file: belongs to --store, which is missing";
    if (options->ca && !options->broker && !options->store)
        return "--ca: belongs to --broker or --store; both are missing";
    if (!options->ca)
        return "--ca is missing: a PEM file with the CA of the given servers' certificates "
               "(/etc/ssl/certs/ca-certificates.crt: those that this machine trusts)";
    if (options->broker && !options->accounts)
        return "--accounts is missing: with --broker a file is wanted with a line `user,secret` "
               "for each device and for `service`; `brickyard export` makes one";
    return NULL;
}

static int look_up(struct sim_given_server *server, char *message, size_t len)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(server->host, NULL, &hints, &found);
    if (error) {
        snprintf(message, len, "%s: no IPv4 address of %s: %s", server->url, server->host,
                 gai_strerror(error));
        return -1;
    }
    memcpy(&server->address, found->ai_addr, sizeof server->address);
    server->address.sin_port = htons(server->port);
    freeaddrinfo(found);
    return 0;
}

static int read_server(struct sim_given *out, enum sim_given_kind kind, const char *text,
                       char *message, size_t len)
{
    struct sim_given_server *server = &out->server[kind];
    if (!text)
        return 0;
    return sim_given_parse(server, kind, text, message, len) || look_up(server, message, len) ? -1
                                                                                              : 0;
}

/* Its first line; of the characters that nginx's configuration takes as they are. */
static int read_store_secret(struct sim_given *out, const char *path, char *message, size_t len)
{
    char line[SIM_SECRET_MAX + 2] = "";
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(message, len, "--store-secret-file %s: %s", path, strerror(errno));
        return -1;
    }
    bool any = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (!any || !*line || strlen(line) >= SIM_SECRET_MAX || strpbrk(line, " \t\"'\\${};")) {
        snprintf(message, len,
                 "--store-secret-file %s: no secret in its first line; accepted: 1..%d "
                 "characters without blanks, quotes and \\ $ { } ;",
                 path, SIM_SECRET_MAX - 1);
        return -1;
    }
    memcpy(out->store_secret, line, strlen(line) + 1);
    return 0;
}

static int read_ca(struct sim_given *out, const char *path, char *message, size_t len)
{
    if (strlen(path) < sizeof out->ca && access(path, R_OK) == 0) {
        snprintf(out->ca, sizeof out->ca, "%s", path);
        return 0;
    }
    snprintf(message, len, "--ca %.200s: %s", path,
             strlen(path) < sizeof out->ca ? strerror(errno) : "its path is too long");
    return -1;
}

int sim_given_read(struct sim_given *out, const struct sim_given_options *options, char *message,
                   size_t len)
{
    *out = (struct sim_given){0};
    const char *wrong = lonely(options);
    if (wrong) {
        snprintf(message, len, "%s", wrong);
        return -1;
    }
    if (read_server(out, SIM_GIVEN_BROKER, options->broker, message, len) ||
        read_server(out, SIM_GIVEN_STORE, options->store, message, len) ||
        read_ca(out, options->ca, message, len))
        return -1;
    if (options->accounts && sim_given_accounts_read(out, options->accounts, message, len))
        return -1;
    if (options->store_secret_file)
        return read_store_secret(out, options->store_secret_file, message, len);
    return 0;
}

void sim_given_free(struct sim_given *given)
{
    free(given->account);
    *given = (struct sim_given){0};
}
