/* The tick's border: messages from the devices to the service and back, always in the same order.
 */
#include "fleet_internal.h"
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static int append(struct sim_fleet *fleet, const struct sim_up *up, const uint8_t *bytes)
{
    if (fleet->pendings == fleet->pending_capacity) {
        uint32_t grown = fleet->pending_capacity ? fleet->pending_capacity * 2 : 4096;
        struct sim_pending *moved = realloc(fleet->pending, grown * sizeof *moved);
        if (!moved)
            return -1;
        fleet->pending = moved;
        fleet->pending_capacity = grown;
    }
    uint8_t *copy = malloc(up->len ? up->len : 1);
    if (!copy)
        return -1;
    memcpy(copy, bytes, up->len);
    fleet->pending[fleet->pendings++] = (struct sim_pending){*up, copy};
    return 0;
}

int sim_post_collect(struct sim_fleet *fleet)
{
    for (uint32_t p = 0; p < fleet->parts; p++) {
        struct sim_shard *shard = &fleet->part[p].shard;
        if (shard->out_of_memory)
            return -1;
        for (uint32_t i = 0; i < shard->ups; i++)
            if (append(fleet, &shard->up[i], shard->text + shard->up[i].offset))
                return -1;
        shard->ups = shard->text_bytes = 0;
    }
    return 0;
}

static int by_arrival(const void *a, const void *b)
{
    const struct sim_up *x = &((const struct sim_pending *)a)->up;
    const struct sim_up *y = &((const struct sim_pending *)b)->up;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void hand_over(struct sim_fleet *fleet, const struct sim_pending *message)
{
    const struct sim_up *up = &message->up;
    const char *text = (const char *)message->bytes;
    sim_log_event(&fleet->log, up->at_us, SIM_EV_STATUS, up->device,
                  XXH3_64bits(message->bytes, up->len), NULL);
    if (up->kind == SIM_UP_STATUS) {
        camp_status(fleet->camp, up->device, text, up->len, up->at_us);
    } else if (up->kind == SIM_UP_PONG) {
        camp_pong(fleet->camp, up->device, text, up->len, up->at_us);
    } else {
        struct sim_telemetry from;
        memcpy(&from, message->bytes, sizeof from);
        struct camp_telemetry run = {.device = up->device,
                                     .first_us = from.first_us,
                                     .last_us = from.last_us,
                                     .received = from.received,
                                     .energy_mw = from.energy_mw,
                                     .memory_kb = from.memory_kb,
                                     .cpu_permille = from.cpu_permille,
                                     .resets = from.resets,
                                     .first_reset_us = from.first_reset_us,
                                     .last_reset_us = from.last_reset_us};
        memcpy(run.version, from.version, sizeof run.version);
        camp_telemetry(fleet->camp, &run);
    }
}

void sim_post_to_service(struct sim_fleet *fleet, int64_t until_us)
{
    uint32_t kept = 0;
    if (fleet->pendings) /* qsort takes no NULL, not even of length 0 */
        qsort(fleet->pending, fleet->pendings, sizeof *fleet->pending, by_arrival);
    for (uint32_t i = 0; i < fleet->pendings; i++) {
        if (fleet->pending[i].up.at_us > until_us) {
            fleet->pending[kept++] = fleet->pending[i];
            continue;
        }
        hand_over(fleet, &fleet->pending[i]);
        free(fleet->pending[i].bytes);
    }
    fleet->pendings = kept;
}

int sim_post_to_devices(struct sim_fleet *fleet)
{
    struct camp_out out;
    while (camp_next_out(fleet->camp, &out)) {
        bool command = out.kind == CAMP_OUT_COMMAND;
        int64_t next;
        sim_log_event(&fleet->log, fleet->now_us, command ? SIM_EV_COMMAND : SIM_EV_NOTIFY,
                      out.device, XXH3_64bits(out.payload, out.len), NULL);
        if (sim_device_deliver(fleet->device[out.device], command, out.payload, out.len,
                               fleet->now_us, &next))
            return -1;
        sim_queue_set(&fleet->part[out.device % fleet->parts].queue, out.device / fleet->parts,
                      next);
    }
    return 0;
}

int64_t sim_post_next(const struct sim_fleet *fleet)
{
    int64_t next = SIM_NEVER;
    for (uint32_t i = 0; i < fleet->pendings; i++)
        if (fleet->pending[i].up.at_us < next)
            next = fleet->pending[i].up.at_us;
    return next;
}

void sim_post_free(struct sim_fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->pendings; i++)
        free(fleet->pending[i].bytes);
    free(fleet->pending);
    fleet->pending = NULL;
    fleet->pendings = 0;
}
