/* The QEMU board as a kind of body. */
#include "world_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check(void *ctx, const struct sim_world *world, char *message, size_t len)
{
    return rig_world_refuse(world->scn, message, len) ||
                   rig_world_refuse_built(world, message, len) || rw_find(ctx, message, len)
               ? -1
               : 0;
}

static int begin(void *ctx, const struct sim_body_run *run, char *message, size_t len)
{
    struct rig_world *rw = ctx;
    rw->run = run;
    return rig_factory_http(&rw->http, run, message, len);
}

static void end(void *ctx)
{
    struct rig_world *rw = ctx;
    agent_http_free(rw->http);
    rw->http = NULL;
}

const struct sim_body_kind rig_world_body = {
    .name = "board",
    .what = "QEMU board",
    .devices = "boards",
    .cuts = "power cuts",
    .faults = "power_loss, corrupt_download, network_drop, broker_down, cdn_down, service_restart",
    .waits = true,
    /* A board takes 60 ms of a core to its first line, and verifies before it jumps. */
    .starting_max = 8,
    /* Measured (RIG-FACTS 5.2): 66 MB resident alone, 32 MB in a fleet. QMP, gdb, console, line and
     * pidfd are open here, MQTT and a download by its gateway. QEMU has 4 threads. 20 boards on two
     * busy cores took 1.5 s to boot where one takes 0.15 s. */
    .needs = {.memory_bytes = 66 << 20, .descriptors = 9, .processes = 4, .per_core = 16},
    .check = check,
    .begin = begin,
    .end = end,
    .open = rw_open,
    .close = rw_close,
    .make = rw_make,
    .on = rw_on,
    .off = rw_off,
    .go_on = rw_go_on,
    .last_op = rw_last_op,
    .watch = rw_watch,
    .report = rw_report,
};

int rig_world_create(struct rig_world **out, const struct scn *scn, const char *rom,
                     const char *qemu)
{
    struct rig_world *rw = *out = calloc(1, sizeof *rw);
    if (rw && !sim_stepped_create(&rw->stepped, scn, &rig_world_body, rw)) {
        rw->rom_given = rom;
        rw->qemu = qemu ? qemu : "qemu-system-arm";
        return 0;
    }
    free(rw);
    *out = NULL;
    return -1;
}

void rig_world_free(struct rig_world *world)
{
    if (!world)
        return;
    sim_stepped_free(world->stepped);
    free(world->counts.boot_ms);
    free(world);
}

const struct sim_ground *rig_world_ground(struct rig_world *world)
{
    return sim_stepped_ground(world->stepped);
}
