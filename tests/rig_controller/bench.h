/* A controller before a fake relay, with a loop that its answers come to. */
#ifndef BENCH_H
#define BENCH_H

#include "fake.h"

enum { BENCH_ANSWERS_MAX = 4096 };

struct bench {
    struct rig_controller_config config;
    struct rig_controller *controller;
    struct ev_loop *loop;
    struct fake *fake;
    uint32_t answers;
    struct rig_answer answer[BENCH_ANSWERS_MAX]; /* as they came */
};

/* config->driver, retries, odometer are the caller's; the rest is filled in. Fake 0. */
void bench_open(struct bench *bench, const struct rig_controller_config *config);
/* The fake must have nothing to complain about. */
void bench_close(struct bench *bench);

/* ask->answered is the bench's. */
void bench_ask(struct bench *bench, struct rig_ask ask);
/* Until so many answers came since the bench was opened. */
void bench_until(struct bench *bench, uint32_t answers);
struct rig_answer bench_do(struct bench *bench, struct rig_ask ask);
/* Of want, channel 1 to FAKE_CHANNELS; must be RIG_OK. */
struct rig_answer bench_must(struct bench *bench, enum rig_want want, uint32_t channel);
struct rig_controller_facts bench_facts(struct bench *bench);

#endif
