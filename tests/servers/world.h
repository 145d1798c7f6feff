/* Servers under test, and the tools of other people that look at them: mosquitto_pub,
 * mosquitto_sub, curl, openssl. */
#ifndef TESTS_SERVERS_WORLD_H
#define TESTS_SERVERS_WORLD_H

#include "sim/servers.h"
#include <criterion/criterion.h>

#define SERVICE_SECRET "the service's secret"

/* Devices dev-00000, dev-00001, ...; the secret of dev-N is secret-N. The real time, which the
 * tools judge certificates by. */
struct sim_servers_config world_config(void);
/* Starts and asserts. */
void world_start(struct sim_servers *out, const struct sim_servers_config *config);

struct answer {
    int exit_code;
    char text[8192]; /* standard output and error */
};
/* A shell command to its end. */
struct answer run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Arguments for mosquitto_pub and mosquitto_sub. */
struct client {
    char text[SIM_PKI_PATH_MAX + 256];
};
/* NULL as secret: dev-N's own. */
struct client as_user(const struct sim_servers *servers, const char *user, const char *secret);
struct client as_service(const struct sim_servers *servers);

/* Subscribes the client's persistent session to topic and leaves. */
void subscribe(struct client client, const char *topic);
/* QoS 1: returns when the broker has acknowledged. */
void publish(struct client client, const char *topic, const char *payload);
void publish_retained(struct client client, const char *topic, const char *payload);
/* The next messages of a persistent session as "topic payload\n" each. */
struct answer receive(struct client client, const char *topic, int count);

/* A device that stays: mosquitto_sub on its notifications, clean session, with a last will "gone";
 * returns once it has got a message (there must be a retained one). */
pid_t stay_connected(const struct sim_servers *servers, const char *device);
void end_client(pid_t pid);

/* curl with the CA and the store's name led to its port. */
struct answer fetch(const struct sim_servers *servers, const char *url, const char *more);

#endif
