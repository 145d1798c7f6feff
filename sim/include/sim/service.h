/*
 * The campaign service as a program of its own (`brickyard service`): the campaign of a scenario,
 * for devices that live elsewhere and speak MQTT. Its state is one SQLite file; killed at any
 * moment and started again on the same file it goes on with the same outcome, and no message is
 * lost.
 *
 * One thread. Strings are borrowed during a call. Exit codes are those of CONTRACT.md. What each
 * key of the configuration means: sim/service/README.md.
 */
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_SERVICE_PATH_MAX = 512, SIM_SERVICE_NAME_MAX = 256, SIM_SERVICE_MESSAGE_MAX = 1200 };

enum { SIM_SERVICE_OK = 0, SIM_SERVICE_USAGE = 1, SIM_SERVICE_STOPPED = 2, SIM_SERVICE_BROKEN = 8 };

/* The configuration: checked, with every default filled in; "": not given. */
struct sim_service_settings {
    char file[SIM_SERVICE_PATH_MAX]; /* that it was read from */
    char scenario[SIM_SERVICE_PATH_MAX], manifest[SIM_SERVICE_PATH_MAX];
    char database[SIM_SERVICE_PATH_MAX];
    struct {
        char host[SIM_SERVICE_NAME_MAX], server_name[SIM_SERVICE_NAME_MAX];
        char user[SIM_SERVICE_NAME_MAX], secret[SIM_SERVICE_NAME_MAX];
        char client_id[SIM_SERVICE_NAME_MAX];
        char ca[SIM_SERVICE_PATH_MAX], secret_file[SIM_SERVICE_PATH_MAX];
        char certificate[SIM_SERVICE_PATH_MAX], key[SIM_SERVICE_PATH_MAX];
        uint32_t port;
    } broker;
    struct {
        char json[SIM_SERVICE_PATH_MAX], junit[SIM_SERVICE_PATH_MAX], db[SIM_SERVICE_PATH_MAX];
    } report;
    char control[SIM_SERVICE_PATH_MAX]; /* socket */
    uint32_t tick_ms, settle_ms;
    bool wait_when_stopped;
    uint32_t die_at; /* test aid: step at which it kills itself, 0: never */
};

/* Reads and checks the file. 0, or -1 with the message "file:line:column: key: what; accepted:". */
int sim_service_settings_read(struct sim_service_settings *out, const char *path,
                              char message[SIM_SERVICE_MESSAGE_MAX]);

/* The service, until the campaign ends or a signal comes. Log on standard error. The exit code. */
int sim_service_run(const struct sim_service_settings *settings);

/* Scenario, manifest and certificates are read and judged, nothing is started or written. */
int sim_service_check(const struct sim_service_settings *settings);

/* Gives an order (pause, resume, rollback, status) to the service that runs with this
 * configuration, and prints its answer, a line of JSON. 0: done; 1: refused, or no service. */
int sim_service_order(const struct sim_service_settings *settings, const char *order);

#endif
