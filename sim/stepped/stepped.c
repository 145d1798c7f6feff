/* The ground's life: servers and devices come up, the loop runs, all goes down again. */
#include "stepped_internal.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLICE_US = 50000 };

/* ---- Before the start ---- */

static void children(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct sim_stepped *st = signal->data;
    (void)loop, (void)events;
    st->children = true;
}

/* The devices live in the scenario's time. */
static int64_t clock_offset_ms(const struct scn *scn)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return scn->start_us / 1000 - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct sim_stepped *st = ctx;
    st->devices = world->roster.count;
    st->roughs = sim_rough_count(world);
    st->flash_bytes = world->layout.data_addr + world->layout.data_bytes;
    sim_yard_begin(&st->yard, st->scn, NULL, world);
    const struct sim_stepped_need need = {st->devices, st->roughs, st->flash_bytes};
    if (sim_stepped_refuse(st->scn, st->kind, message, len) ||
        st->kind->check(st->kind_ctx, world, message, len) ||
        sim_stepped_preflight(&need, st->kind, message, len))
        return -1;
    const struct sim_yard_servers servers = {.certified_from_ms = world->born_us / 1000};
    if (sim_yard_open(&st->yard, &servers, message, len))
        return -1;
    ev_signal_init(&st->child, children, SIGCHLD);
    st->child.data = st;
    if (st->kind->look)
        ev_signal_start(st->yard.loop, &st->child);
    return 0;
}

/* ---- Up ---- */

/* A message proves that its sender is there. */
static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    st->heard = true;
    if (!st->ended && dev->power == ST_ON && !dev->booting) {
        dev->connected = true;
        dev->seen.sudden_ends = 0;
        if (what == SIM_SAID_TELEMETRY) {
            dev->seen.telemetry_heard = true;
            dev->seen.telemetry_owed = false;
        }
        if (dev->seen.running_confirmed)
            dev->seen.restless_boots = 0;
    }
    st->fleet.sink.said(st->fleet.sink.ctx, what, device, json, len, st_now_us(st));
}

static void presence(void *ctx, uint32_t device, bool online)
{
    struct sim_stepped *st = ctx;
    struct st_device *dev = &st->device[device];
    if (st->ended)
        return;
    if (!online && dev->connected)
        dev->lost_us = st_now_us(st);
    dev->connected = online && dev->power == ST_ON;
    st->gathered += online && !dev->known;
    dev->known |= online;
}

static int open_devices(struct sim_stepped *st, char *message, size_t len)
{
    st->device = calloc(st->devices, sizeof *st->device);
    if (!st->device || sim_queue_init(&st->due, st->devices * ST_TIMERS)) {
        snprintf(message, len, "no memory for the devices");
        return -1;
    }
    for (uint32_t d = 0; d < st->devices && !st->yard.interrupted; d++) {
        st->device[d].st = st;
        if (st_device_open(&st->device[d], d, message, len))
            return -1;
    }
    return 0;
}

static int begin_kind(struct sim_stepped *st, char *message, size_t len)
{
    sim_pki_ca_path(&st->yard.servers.pki, st->ca);
    st->run = (struct sim_body_run){.loop = st->yard.loop,
                                    .world = st->yard.world,
                                    .folder = st->folder,
                                    .ca = st->ca,
                                    .tls = st->yard.tls,
                                    .clock_offset_ms = clock_offset_ms(st->scn)};
    return st->kind->begin(st->kind_ctx, &st->run, message, len);
}

static int open_all(struct sim_stepped *st, const struct sim_ground_fleet *fleet, char *message,
                    size_t len)
{
    const struct sim_yard_ears ears = {said, presence, st};
    int64_t born_us = st->yard.world->born_us;
    st->fleet = *fleet;
    sim_yard_set_clock(&st->yard, born_us);
    if (sim_yard_open_tls(&st->yard, message, len) || st_folder_make(st, message, len) ||
        begin_kind(st, message, len) || st_rough_open(st, message, len) ||
        open_devices(st, message, len))
        return -1;
    if (st->yard.interrupted) /* the run tells so, and no device is used */
        return 0;
    if (sim_yard_open_desk(&st->yard, &st->fleet, &ears, message, len))
        return -1;
    sim_yard_set_clock(&st->yard, born_us);
    return 0;
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    struct sim_stepped *st = ctx;
    if (!open_all(st, fleet, message, len))
        return 0;
    return st->kind->touched && st->kind->touched(st->kind_ctx) ? SIM_GROUND_TOUCHED : -1;
}

/* ---- The run ---- */

static int64_t waited_s(const struct sim_stepped *st)
{
    return (st_now_us(st) - st->yard.world->born_us) / 1000000 / st->scn->campaign.time_scale;
}

static void start_some(struct sim_stepped *st)
{
    uint32_t most = st->gathered + st->kind->starting_max * (1 + (uint32_t)waited_s(st));
    while (st->spawned < st->devices && st->spawned < most && !st->lost[0])
        st_power_on(&st->device[st->spawned++]);
}

/* The scenario's time begins when all devices were there, or should have been. */
static void start_when_gathered(struct sim_stepped *st)
{
    if (st->started || (st->gathered < st->devices && st_now_us(st) < st->scn->start_us))
        return;
    if (st->kind->free)
        st_free_absent(st);
    st->started = true;
    sim_yard_set_clock(&st->yard, st->scn->start_us);
    for (uint32_t d = 0; d < st->devices; d++) {
        struct st_device *dev = &st->device[d];
        if (sim_fault_boot(&dev->faults))
            st_ail(dev);
        st_plan_network(dev);
        st_arm(dev);
        if (dev->power == ST_ON && !dev->booting)
            st_enter(dev, st_during(dev));
    }
}

static void look_at_children(struct sim_stepped *st)
{
    if (!st->children)
        return;
    st->children = false;
    for (uint32_t d = 0; d < st->devices; d++)
        st->kind->look(st->device[d].body);
}

static void run_due(struct sim_stepped *st)
{
    static void (*const run[ST_TIMERS])(struct st_device *) = {
        [ST_TIMER_RESUME] = st_resume,
        [ST_TIMER_POWER] = st_power_on,
        [ST_TIMER_FAULT] = st_strike_due,
        [ST_TIMER_MOMENT] = st_free_moment,
    };
    uint32_t node;
    while (sim_queue_peek(&st->due, &node) <= st_now_us(st)) {
        sim_queue_set(&st->due, node, SIM_NEVER);
        run[node % ST_TIMERS](&st->device[node / ST_TIMERS]);
    }
}

static void wait_until(struct sim_stepped *st, int64_t until_us)
{
    uint32_t node;
    int64_t due_us = sim_queue_peek(&st->due, &node), outage_us = sim_rough_next(st->rough);
    due_us = outage_us < due_us ? outage_us : due_us;
    due_us = until_us < due_us ? until_us : due_us;
    sim_yard_wait(&st->yard, due_us);
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct sim_stepped *st = ctx;
    int64_t slice_us = st_now_us(st) + SLICE_US * (int64_t)st->scn->campaign.time_scale;
    bool may_act = sim_yard_answers(&st->yard); /* else what is due has to wait */
    until_us = may_act && until_us < slice_us ? until_us : slice_us;
    st->heard = false;
    if (st->yard.interrupted)
        return sim_yard_stands(&st->yard, message, len);
    do {
        start_some(st);
        sim_rough_restore(st->rough, st_now_us(st));
        look_at_children(st);
        run_due(st);
        st_watch(st);
        sim_rough_tell(st->rough);
        wait_until(st, until_us);
        look_at_children(st);
        sim_rough_tell(st->rough);
        start_when_gathered(st);
    } while (st_now_us(st) < until_us && !st->heard && !st->yard.interrupted && !st->lost[0]);
    *now_us = st_now_us(st);
    if (sim_yard_stands(&st->yard, message, len))
        return -1;
    if (st->lost[0])
        st_say_lost(st, message, len);
    return st->lost[0] ? -1 : 0;
}

static bool taken(void *ctx)
{
    const struct sim_stepped *st = ctx;
    return st->started && sim_desk_outstanding(st->yard.desk) == 0 && sim_yard_answers(&st->yard);
}

static int send_out(void *ctx, const struct camp_out *out)
{
    struct sim_stepped *st = ctx;
    return sim_desk_send(st->yard.desk, out);
}

static int64_t answered_from(void *ctx)
{
    return sim_yard_answered_from_us(&((struct sim_stepped *)ctx)->yard);
}

static int held_out(void *ctx, char *message, size_t len)
{
    struct sim_stepped *st = ctx;
    /* While the bodies were switched off for the last time, which goes on all the same. */
    if (st->yard.interrupted && !st->lost[0])
        snprintf(st->lost, sizeof st->lost, "interrupted");
    st_say_lost(st, message, len);
    return st->lost[0] ? -1 : sim_yard_answers_still(&st->yard, message, len);
}

/* ---- Down ---- */

static void close_ground(void *ctx)
{
    struct sim_stepped *st = ctx;
    st->ended = true;
    for (uint32_t d = 0; st->device && d < st->devices; d++)
        if (st->device[d].unit) /* described */
            st_device_close(&st->device[d]);
    st->kind->end(st->kind_ctx);
    sim_rough_close(st->rough);
    if (st->yard.loop)
        ev_signal_stop(st->yard.loop, &st->child);
    sim_queue_free(&st->due);
    free(st->device);
    sim_yard_close(&st->yard); /* the devices' folders go with the servers' */
    const struct sim_stepped same = {
        .scn = st->scn, .kind = st->kind, .kind_ctx = st->kind_ctx, .ground = st->ground};
    *st = same;
}

int sim_stepped_create(struct sim_stepped **out, const struct scn *scn,
                       const struct sim_body_kind *kind, void *kind_ctx)
{
    struct sim_stepped *st = *out = calloc(1, sizeof *st);
    if (!st)
        return -1;
    st->scn = scn;
    st->kind = kind;
    st->kind_ctx = kind_ctx;
    st->ground = (struct sim_ground){.name = kind->name,
                                     .ctx = st,
                                     .devices = &st_devices,
                                     .prepare = prepare,
                                     .open = open_ground,
                                     .run = run,
                                     .taken = taken,
                                     .send = send_out,
                                     .answered_from = answered_from,
                                     .held_out = held_out,
                                     .report = st_report,
                                     .close = close_ground};
    return 0;
}

void sim_stepped_free(struct sim_stepped *stepped)
{
    free(stepped);
}

const struct sim_ground *sim_stepped_ground(struct sim_stepped *stepped)
{
    return &stepped->ground;
}
