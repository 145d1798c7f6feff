/* When a cut is to come, and when its command is sent. Pure. */
#include "rig/aim.h"
#include "sim/rng.h"
#include <assert.h>
#include <stdlib.h>

/* A 64-bit draw of one block, brought into [0, width) by the remainder: for the widest window, 24 h
 * of microseconds, no moment is likelier than another by more than 1 in 2^27. */
static int64_t drawn(const struct rig_aim *aim, uint32_t board, uint64_t cut)
{
    uint32_t key[2] = {(uint32_t)aim->seed, (uint32_t)(aim->seed >> 32)};
    uint32_t counter[4] = {board, SIM_RNG_AIM, (uint32_t)cut, (uint32_t)(cut >> 32)};
    uint32_t block[4];
    sim_philox4x32(counter, key, block);
    uint64_t draw = block[0] | (uint64_t)block[1] << 32;
    return aim->from_us + (int64_t)(draw % ((uint64_t)(aim->to_us - aim->from_us) + 1));
}

int64_t rig_aim_delay_us(const struct rig_aim *aim, uint32_t board, uint64_t cut)
{
    assert(aim);
    switch (aim->kind) {
    case RIG_AIM_MARKER:
        return aim->from_us;
    case RIG_AIM_SWEEP: {
        assert(aim->step_us > 0 && aim->to_us >= aim->from_us);
        uint64_t steps = (uint64_t)((aim->to_us - aim->from_us) / aim->step_us) + 1;
        return aim->from_us + (int64_t)(cut % steps) * aim->step_us;
    }
    case RIG_AIM_RANDOM:
        assert(aim->to_us >= aim->from_us);
        return drawn(aim, board, cut);
    }
    abort();
}

int64_t rig_aim_send_us(int64_t event_us, int64_t delay_us, int64_t latency_us, int64_t now_us)
{
    int64_t send_us = event_us + delay_us - latency_us;
    return send_us > now_us ? send_us : now_us;
}
