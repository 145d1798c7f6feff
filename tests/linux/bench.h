/*
 * A Linux board with all that it needs: a folder, keys and images by `brickyard firmware`, a
 * factory flash by the host's `ota-agent --factory`, a real mosquitto and nginx, the service's end
 * of MQTT, and cuts drawn from a seed. One board in a process. Waiting is for something that must
 * come, with a deadline. What is found wrong fails the test at once, with the folder's console log
 * told.
 */
#ifndef LINUX_BENCH_H
#define LINUX_BENCH_H

#include "drivers/mqtt.h"
#include "rig/linux.h"
#include "sim/oracle.h"
#include "sim/rng.h"
#include "sim/servers.h"
#include <stdio.h>

struct bench_counts {
    unsigned cuts, hits, rewound, changed, unclean, boots, resets[3];
};

struct bench {
    char dir[64];
    struct ev_loop *loop;
    struct sim_servers servers;
    struct agent_tls *tls;
    struct agent_mqtt_config mqtt_config;
    struct agent_mqtt *mqtt;
    struct boot_layout layout;
    struct sim_oracle *oracle;
    struct rig_linux *board;
    FILE *console;  /* dir/console.log */
    uint8_t *fresh; /* the factory flash */
    /* Cuts: so many are still to come in this story. */
    struct sim_rng rng;
    uint64_t seed;
    unsigned cuts_left;
    struct bench_counts counts;
    /* What the broker and the console said since bench_forget. */
    bool up, acked, ended, device_up;
    char status[32], reason[32]; /* the last outcome: confirmed, rolled_back */
    char boot_reset[32], version[32];
    int64_t on_us, line_us, agent_us, mqtt_us; /* power on, first line, agent starts, MQTT up */
};

extern const char bench_base[], bench_good[], bench_bad[]; /* versions */

/* Everything but the flash and the configuration; seed: of the cuts. */
void bench_init(struct bench *bench, uint64_t seed);
void bench_free(struct bench *bench); /* removes the folder */

/* While power is off: a factory flash of the base version, new records; a configuration with these
 * lines at its end. */
void bench_factory(struct bench *bench);
void bench_configure(struct bench *bench, const char *more);
void bench_on(struct bench *bench);
void bench_notify(struct bench *bench, const char *version);
void bench_forget(struct bench *bench);
/* Runs until *flag, or text in out. */
void bench_until(struct bench *bench, const bool *flag, const char *what);
void bench_until_text(struct bench *bench, const char *out, const char *text);
/* So many cuts from here on, at drawn moments. */
void bench_cuts(struct bench *bench, unsigned cuts);

/* By the flash file: this version is confirmed and active, and what nothing may write was not. */
void bench_judge(struct bench *bench, const char *version);
int64_t bench_memory_kb(const struct bench *bench); /* of QEMU, proportional */

#endif
