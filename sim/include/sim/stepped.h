/*
 * The ground (ground.h) of devices that are no struct sim_device: each is a body (body.h) that runs
 * the real cores on a flash file of its own, stands still before each flash operation, and is
 * reached by the campaign service through the broker alone. A power cut takes the body's power; the
 * operation that it hit is torn in the file before the body is started again.
 *
 * So every operation is seen before it is done: by the faults, which aim at it, and by the oracle.
 * The clock is the wall's, as in loopback.h; there is no digest. One thread. NULL is misuse unless
 * a line allows it.
 */
#ifndef SIM_STEPPED_H
#define SIM_STEPPED_H

#include "sim/body.h"
#include "sim/ground.h"

struct sim_stepped;

/* All is borrowed until sim_stepped_free. 0 or -1 (no memory). */
int sim_stepped_create(struct sim_stepped **out, const struct scn *scn,
                       const struct sim_body_kind *kind, void *kind_ctx);
void sim_stepped_free(struct sim_stepped *stepped); /* NULL allowed */
const struct sim_ground *sim_stepped_ground(struct sim_stepped *stepped);

/* What of a scenario can't be done to any body; the kind's check says the rest. 0, or -1 with where
 * it stands, what it is, and what is accepted. */
int sim_stepped_refuse(const struct scn *scn, const struct sim_body_kind *kind, char *message,
                       size_t len);
/* Writes such a message; line 0: of the scenario as a whole. Always -1. */
int sim_stepped_refused(char *message, size_t len, const struct scn *scn, int line, int column,
                        const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The first behaviour of a firmware that is a measurement, which no real program can be made to
 * give; NULL: none is asked for. */
const char *sim_stepped_measured(const struct scn_behaviour *behaviour);

/* What this machine can carry; the sums of preflight.c. */
struct sim_stepped_need {
    uint32_t devices;
    uint32_t through_proxy; /* of them, at the most */
    uint64_t flash_bytes;   /* of one device */
};
/* 0, or -1 with what is too small, the most devices that would do, and what to change. */
int sim_stepped_preflight(const struct sim_stepped_need *need, const struct sim_body_kind *kind,
                          char *message, size_t len);

/*
 * Leaves this call, cut so (cut NULL: whole), in flash (sim_flash_apply) and then in the file: the
 * sectors that it touches are written from flash. A file keeps no unstable bits: each is given one
 * reading, drawn from `reading`, in flash too. 0, or -1 with errno (the file can't be written).
 */
int sim_stepped_tear(struct sim_flash *flash, int fd, const struct sim_flash_call *call,
                     const struct sim_flash_cut *cut, struct sim_rng *reading);

#endif
