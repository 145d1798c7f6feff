/*
 * A worker: a forked process that carries the devices [from, to) as one process alone carries all,
 * and tells its parent what is true of them. It waits for `open` and for the first `clock`, runs
 * until `rest`, answers `inspect`, and ends when its parent closes the socket or dies.
 */
#include "channel.h"
#include "loopback_internal.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double TELL_EVERY_S = 0.05;
enum { SLICE_US = 50000, EXIT_LOST = 1 };

struct worker {
    struct sim_loopback *lb;
    struct lb_channel channel;
    struct ev_io io;
    struct sim_shard shard;
    struct sim_device **device;       /* of all; NULL outside [from, to) */
    FILE *story;                      /* of the traced device, NULL: none */
    bool opened, runs, rests, rested; /* rests: it is to; rested: it does, and has told all */
    char message[512];
};

static void put(struct worker *w, const struct lb_frame *frame)
{
    lb_channel_put(&w->channel, frame);
}

static _Noreturn void fail(struct worker *w)
{
    put(w, &(struct lb_frame){.kind = LB_FAILED,
                              .bytes = (const uint8_t *)w->message,
                              .len = (uint32_t)strlen(w->message)});
    while (lb_channel_waits(&w->channel)) {
        struct pollfd wait = {.fd = w->channel.fd, .events = POLLOUT};
        poll(&wait, 1, -1);
        lb_channel_move(&w->channel);
    }
    _exit(EXIT_LOST);
}

/* ---- What is true ---- */

void lb_worker_untold(struct lb_device *dev)
{
    struct lb_untold *untold = &dev->lb->untold;
    if (!untold->device || dev->untold)
        return;
    dev->untold = true;
    untold->device[untold->count++] = dev->number;
}

static void put_broken(struct worker *w, uint32_t device, const struct sim_truth *truth)
{
    for (uint8_t promise = 0; promise < REP_PROMISES; promise++) {
        const char *what = truth->broken_what[promise] ? truth->broken_what[promise] : "";
        if (truth->broken[promise])
            put(w, &(struct lb_frame){.kind = LB_BROKEN,
                                      .device = device,
                                      .promise = promise,
                                      .count = truth->broken[promise],
                                      .bytes = (const uint8_t *)what,
                                      .len = (uint32_t)strlen(what)});
    }
}

static void put_truth(struct worker *w, uint32_t device, const struct sim_truth *truth)
{
    put_broken(w, device, truth);
    put(w, &(struct lb_frame){.kind = LB_TRUTH,
                              .device = device,
                              .changes = truth->changes,
                              .boots = truth->boots,
                              .cuts = truth->cuts,
                              .crashes = truth->crashes_after_confirm,
                              .wear_max = truth->flash.wear_max,
                              .state = (uint8_t)truth->state,
                              .flags = (uint8_t)((truth->powered ? LB_POWERED : 0) |
                                                 (truth->connected ? LB_CONNECTED : 0) |
                                                 (truth->settled ? LB_SETTLED : 0)),
                              .brick = (uint8_t)truth->brick,
                              .away_until_us = truth->away_until_us,
                              .lost_us = truth->lost_us,
                              .changed_us = truth->changed_us,
                              .programs = truth->flash.programs,
                              .erases = truth->flash.erases,
                              .bytes = (const uint8_t *)truth->version,
                              .len = (uint32_t)strlen(truth->version)});
}

/* A version does not change without `changes`; what the flash did is told at the end. */
static bool same(const struct sim_truth *a, const struct sim_truth *b)
{
    return a->changes == b->changes && a->state == b->state && a->powered == b->powered &&
           a->connected == b->connected && a->settled == b->settled && a->brick == b->brick &&
           a->away_until_us == b->away_until_us && a->lost_us == b->lost_us &&
           a->boots == b->boots && a->cuts == b->cuts &&
           a->crashes_after_confirm == b->crashes_after_confirm &&
           !memcmp(a->broken, b->broken, sizeof a->broken);
}

static void tell(struct worker *w, uint32_t device, bool anyhow)
{
    struct lb_device *dev = &w->lb->device[device];
    struct sim_truth truth;
    sim_device_truth(dev->device, &truth);
    if (!anyhow && dev->told.version && same(&truth, &dev->told))
        return;
    dev->told = truth;
    put_truth(w, device, &truth);
}

static void tell_counts(struct worker *w)
{
    const struct sim_loopback *lb = w->lb;
    put(w, &(struct lb_frame){.kind = LB_COUNTS,
                              .number = lb->gathered,
                              .held_max = lb->line[SIM_ROUGH_BROKER].held_max,
                              .connects = lb->counts.connects,
                              .refused = lb->counts.refused,
                              .rss_max = lb->counts.rss_max,
                              .rss_grown = lb->counts.rss_grown,
                              .hashed = w->shard.openssl.sha256_bytes,
                              .verified = w->shard.openssl.ecdsa_verifies});
}

/* Not before the parent has taken what it was told before: that would only be more of the same. */
static void tell_news(struct worker *w)
{
    struct lb_untold *untold = &w->lb->untold;
    double now = ev_now(w->lb->yard.loop);
    if (now < untold->at + TELL_EVERY_S || lb_channel_waits(&w->channel))
        return;
    untold->at = now;
    for (uint32_t i = 0; i < untold->count; i++) {
        w->lb->device[untold->device[i]].untold = false;
        tell(w, untold->device[i], false);
    }
    untold->count = 0;
    tell_counts(w);
}

static void tell_cuts(struct worker *w)
{
    for (uint8_t s = 0; s < SIM_CUT_STATES; s++)
        for (uint8_t r = 0; r < SIM_CUT_REGIONS; r++)
            for (uint8_t f = 0; f < SCN_TORNS; f++)
                if (w->shard.cuts[s][r][f])
                    put(w, &(struct lb_frame){.kind = LB_CUTS,
                                              .state = s,
                                              .region = r,
                                              .form = f,
                                              .count = w->shard.cuts[s][r][f]});
}

static uint32_t tell_faults(struct worker *w)
{
    const struct sim_faults *faults = &w->lb->yard.world->faults;
    uint32_t from = faults->first[w->lb->from], to = faults->first[w->lb->to];
    for (uint32_t f = from; f < to; f++)
        put(w, &(struct lb_frame){.kind = LB_FAULT,
                                  .number = f,
                                  .armed = faults->fault[f].armed_count,
                                  .fired = faults->fault[f].fired_count});
    return to - from;
}

static void rest(struct worker *w)
{
    w->rested = true;
    if (w->story)
        fflush(w->story);
    for (uint32_t d = w->lb->from; d < w->lb->to; d++)
        tell(w, d, true);
    tell_counts(w);
    tell_cuts(w);
    put(w, &(struct lb_frame){.kind = LB_RESTED, .number = tell_faults(w)});
}

/* ---- Up ---- */

static ssize_t write_story(void *cookie, const char *text, size_t len)
{
    struct worker *w = cookie;
    uint32_t some = len < LB_BODY_MAX ? (uint32_t)len : LB_BODY_MAX;
    put(w, &(struct lb_frame){.kind = LB_STORY, .bytes = (const uint8_t *)text, .len = some});
    return some;
}

static bool make_devices(struct worker *w, uint32_t traced)
{
    struct sim_loopback *lb = w->lb;
    const cookie_io_functions_t to_parent = {.write = write_story};
    if (traced >= lb->from && traced < lb->to) {
        w->story = fopencookie(w, "w", to_parent);
        if (!w->story)
            return false;
    }
    w->device = calloc(lb->devices, sizeof *w->device);
    lb->untold.device = calloc(lb->devices, sizeof *lb->untold.device);
    if (!w->device || !lb->untold.device || sim_shard_init(&w->shard, lb->yard.world))
        return false;
    for (uint32_t d = lb->from; d < lb->to; d++) {
        w->device[d] = sim_device_create(lb->yard.world, d, d == traced ? w->story : NULL);
        if (!w->device[d])
            return false;
    }
    return true;
}

static void open_all(struct worker *w, uint32_t traced)
{
    struct sim_loopback *lb = w->lb;
    snprintf(w->message, sizeof w->message, "no memory for the devices");
    if (w->opened || !make_devices(w, traced))
        fail(w);
    w->opened = true;
    lb->fleet = (struct sim_ground_fleet){.device = w->device,
                                          .unit = lb->yard.world->roster.unit,
                                          .devices = lb->devices,
                                          .shard = &w->shard};
    sim_yard_set_clock(&lb->yard, lb->yard.world->born_us);
    if (lb_carry_open(lb, w->message, sizeof w->message) ||
        lb_carry_devices(lb, w->message, sizeof w->message))
        fail(w);
    put(w, &(struct lb_frame){.kind = LB_READY});
}

/* ---- What the parent says ---- */

static void judge_letter(struct worker *w, const struct lb_frame *frame)
{
    struct sim_loopback *lb = w->lb;
    int64_t delay_us = 0;
    enum scn_how how = sim_device_spoil(w->device[frame->device], (const char *)frame->bytes,
                                        frame->len, lb_now_us(lb), &delay_us);
    put(w, &(struct lb_frame){
               .kind = LB_HOW, .device = frame->device, .how = (uint8_t)how, .delay_us = delay_us});
}

/* Said at once: thousands of them in one go would look like silence. */
static void inspect(struct worker *w, const struct lb_frame *frame)
{
    sim_device_inspect(w->device[frame->device], &w->shard, frame->whole != 0);
    tell(w, frame->device, true);
    put(w, &(struct lb_frame){.kind = LB_INSPECTED, .device = frame->device});
    lb_channel_move(&w->channel);
}

static void set_clock(struct worker *w, const struct lb_frame *frame)
{
    w->lb->yard.clock = (struct sim_host_clock){frame->wall_us, frame->world_us};
    w->runs = true;
}

static void hear_one(struct worker *w, const struct lb_frame *frame)
{
    bool mine = frame->device >= w->lb->from && frame->device < w->lb->to && w->opened;
    if (frame->kind == LB_OPEN)
        open_all(w, frame->device);
    else if (frame->kind == LB_CLOCK && w->opened)
        set_clock(w, frame);
    else if (frame->kind == LB_LETTER && mine)
        judge_letter(w, frame);
    else if (frame->kind == LB_SPOILT && mine)
        sim_device_spoilt(w->device[frame->device]);
    else if (frame->kind == LB_REST && w->opened)
        w->rests = true;
    else if (frame->kind == LB_INSPECT && mine && w->rested)
        inspect(w, frame);
    else
        w->channel.broken = true;
}

/* What comes after `rest` has to wait for it: this may be called in the middle of a pass. */
static void hear(struct worker *w)
{
    struct lb_frame frame;
    while (w->rests == w->rested && lb_channel_next(&w->channel, &frame))
        hear_one(w, &frame);
    if (w->channel.broken) {
        snprintf(w->message, sizeof w->message, "it was told what makes no sense");
        fail(w);
    }
    if (w->channel.over)
        _exit(0);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
    struct worker *w = io->data;
    (void)loop, (void)events;
    lb_channel_move(&w->channel);
    hear(w);
}

/* Nothing but the parent is heard. */
static void wait_for_parent(struct worker *w)
{
    struct pollfd wait = {.fd = w->channel.fd, .events = POLLIN};
    if (lb_channel_waits(&w->channel))
        wait.events |= POLLOUT;
    poll(&wait, 1, -1);
    lb_channel_move(&w->channel);
    hear(w);
}

/* ---- The run ---- */

static void run_pass(struct worker *w)
{
    struct sim_loopback *lb = w->lb;
    bool more = lb_carry_due(lb);
    lb_carry_wait(lb, lb_now_us(lb) + SLICE_US * (int64_t)lb->scn->campaign.time_scale, more);
    if (w->rests)
        return;
    lb_note_memory(lb);
    tell_news(w);
    lb_channel_move(&w->channel);
    hear(w);
}

_Noreturn void lb_worker(struct sim_loopback *lb, int fd)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        _exit(EXIT_LOST);
    w->lb = lb;
    lb_channel_open(&w->channel, fd);
    ev_io_init(&w->io, on_socket, fd, EV_READ);
    w->io.data = w;
    ev_io_start(lb->yard.loop, &w->io);
    for (;;) {
        if (w->rests && !w->rested) {
            rest(w);
            hear(w);
        } else if (w->runs && !w->rests) {
            run_pass(w);
        } else {
            wait_for_parent(w);
        }
    }
}
