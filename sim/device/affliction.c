/* What a firmware's probabilities make of one device. */
#include "sim/device.h"

bool sim_afflicted(const struct sim_world *world, uint32_t device, uint32_t firmware,
                   uint32_t affliction, struct scn_ratio chance)
{
    struct sim_rng rng;
    sim_rng_init(&rng, world->scn->seed, device, SIM_RNG_BEHAVIOUR,
                 firmware * SIM_AFFLICTIONS + affliction);
    return sim_rng_chance(&rng, chance.num, chance.den);
}
