/*
 * Counter-based randomness: Philox4x32-10 (Salmon et al., SC'11), integers only. A draw is a pure
 * function of (seed, device, purpose, counter): a device replays alone, and taking a fault away
 * shifts no other draw.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* Purposes; never renumber, each owns a stream of its own. */
enum sim_purpose {
    SIM_RNG_ROSTER = 1,
    SIM_RNG_FAULT_SELECT,
    SIM_RNG_FAULT_DETAIL,
    SIM_RNG_TORN,
    SIM_RNG_UNSTABLE,
    SIM_RNG_LINK,
    SIM_RNG_AGENT,
    SIM_RNG_BEHAVIOUR,
    SIM_RNG_CRASH,
    SIM_RNG_TELEMETRY,
    SIM_RNG_INTERLOCK,
    SIM_RNG_IMAGE,
    SIM_RNG_KEY,
    SIM_RNG_BOOT,
    SIM_RNG_CORRUPT,
    SIM_RNG_SERVICE,
    SIM_RNG_RAM,
    SIM_RNG_SECRET,
    SIM_RNG_PROXY,
    SIM_RNG_AIM, /* rig/aim: moments of power cuts */
};

struct sim_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    uint32_t used;
};

/* One block of four words for key and counter (the reference function, tested against its known
 * answers). */
void sim_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A stream. index numbers streams of one purpose (fault number, boot number). */
void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint32_t device, enum sim_purpose purpose,
                  uint32_t index);
uint32_t sim_rng_u32(struct sim_rng *rng);
uint64_t sim_rng_u64(struct sim_rng *rng);
/* Uniform in [0, n), n > 0, unbiased (Lemire). */
uint32_t sim_rng_below(struct sim_rng *rng, uint32_t n);
/* True with probability num/den exactly (num <= den, both below 2^62; num <= 0 never, num >= den
 * always). */
bool sim_rng_chance(struct sim_rng *rng, int64_t num, int64_t den);
/* The single draw (seed, device, purpose, index) without a stream. */
uint32_t sim_rng_at(uint64_t seed, uint32_t device, enum sim_purpose purpose, uint32_t index);

#endif
