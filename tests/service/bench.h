/*
 * A bench for `brickyard service` as a program: a real mosquitto, devices which are clients by the
 * agent's own drivers with a script each, the service as a child whose log is read line by line,
 * all on one libev loop. Waiting is for something that must come, with a deadline, never for a time
 * to pass. Rounds have devices of their own (k03-00001), for the broker remembers sessions.
 */
#ifndef TEST_SERVICE_BENCH_H
#define TEST_SERVICE_BENCH_H

#include "drivers/mqtt.h"
#include "sim/servers.h"
#include <ev.h>
#include <jansson.h>
#include <sqlite3.h>

enum { BENCH_DEVICES = 12, BENCH_ROUNDS = 12, BENCH_SAID = 1 << 18, BENCH_WITHIN_S = 240 };

/* What a device says after its notification, one status after the other; NULL ends it. */
struct bench_word {
    const char *status, *reason;
};
typedef const struct bench_word *(*bench_script)(uint32_t device);
const struct bench_word *bench_mixed(uint32_t device); /* 8 confirm, 4 do not */
const struct bench_word *bench_good(uint32_t device);
const struct bench_word *bench_bad(uint32_t device);     /* rolls back */
const struct bench_word *bench_hanging(uint32_t device); /* stops while it downloads */

struct bench;
struct bench_device {
    struct bench *bench;
    char id[32], secret[32], topic[64];
    char topic_in[2][64];
    struct agent_mqtt_config config;
    struct agent_mqtt *mqtt;
    ev_timer again;
    const struct bench_word *word; /* to be said next, NULL: not notified yet, or at the end */
    bool under_way;                /* said, and not acknowledged */
    uint32_t seq, telemetry;
    uint32_t notified, commands, deferred;
    const char *last;
};

struct bench {
    char dir[80], config[112];
    struct sim_pki pki;
    struct sim_broker broker;
    struct ev_loop *loop;
    ev_timer deadline;
    struct agent_tls *tls;
    uint32_t round, devices;
    const char *settle;       /* of the service, as in its file; NULL: 100ms */
    const char *silent_after; /* of the campaign; NULL: 12h */
    bench_script script;
    const char *held; /* a status that no device says as long as this is set; NULL: none */
    struct bench_device device[BENCH_DEVICES];
    uint32_t acknowledged; /* statuses of the devices, by the broker */
    void (*on_acknowledged)(struct bench *bench);
    uint32_t up;
    /* The service. */
    pid_t pid;
    int fd;
    ev_io readable;
    bool ended;
    char said[BENCH_SAID];
    size_t len, seen;
    const char *waits_for;
};

/* The broker; no service, no devices. */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
/* Devices of this round connect; scenario.yaml and manifest.json. */
void bench_round(struct bench *bench, uint32_t round, bench_script script);
void bench_round_end(struct bench *bench);

/* service.yaml: secret NULL: the right one; ca NULL: the right one; more: lines at its end. */
void bench_config(struct bench *bench, const char *ca, const char *secret, const char *more);
void bench_write(const struct bench *bench, const char *name, const char *text);
void bench_spawn(struct bench *bench);
/* Until this text comes behind what was waited for before. False: the service ended first. */
bool bench_wait(struct bench *bench, const char *text);
/* Until the service ends: its wait status. */
int bench_wait_end(struct bench *bench);
int bench_exit_code(struct bench *bench); /* the same; -1: by a signal */
/* Another `brickyard service` with these options; its exit code, out gets what it said. */
int bench_run(const struct bench *bench, const char *options, char *out, size_t len);

json_t *bench_json(const struct bench *bench);
long long bench_number(const json_t *json, const char *path); /* "updates/confirmed" */
/* The first column of the first row of service.db, or of report.db. */
long long bench_ask(const struct bench *bench, const char *db, const char *sql);

/* device.c */
void bench_device_open(struct bench *bench, uint32_t number);
void bench_device_close(struct bench_device *device);
void bench_publish(struct bench_device *device, const void *bytes, uint32_t len);
void bench_telemetry(struct bench_device *device);
void bench_let_go(struct bench *bench); /* what is held */

#endif
