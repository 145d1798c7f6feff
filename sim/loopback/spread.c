/*
 * The parent of the workers: forks them, tells them when to run, and answers for their devices as a
 * ground with devices of its own does (sim/ground.h), by what hear.c keeps.
 */
#include "spread_internal.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAR_MS_MAX = 500 };

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    lb_worker_move(io->data);
}

/* ---- Fork ---- */

/* In the child. Of its siblings it holds nothing, or it would keep them alive. */
static _Noreturn void become_worker(struct lb_worker *w, int fd, pid_t parent)
{
    struct lb_spread *spread = w->in;
    struct sim_loopback *lb = spread->lb;
    char message[256];
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || setpgid(0, 0) ||
        sim_yard_fork(&lb->yard, w->number, message, sizeof message))
        _exit(1);
    for (uint32_t i = 0; i < w->number; i++)
        close(spread->worker[i].channel.fd);
    lb->spread = NULL;
    lb->from = w->from;
    lb->to = w->to;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    lb_worker(lb, fd);
}

/* Signals wait until the child has its own loop: a handler of the parent's, run in the child, would
 * write to what both share. What is still to be printed is printed before, or both would do it. */
static pid_t fork_one(struct lb_worker *w, const int ends[2])
{
    sigset_t all, before;
    pid_t parent = getpid();
    fflush(NULL);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_worker(w, ends[1], parent);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static int start(struct lb_worker *w, char *message, size_t len)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        snprintf(message, len, "no socket for a worker process: %s", strerror(errno));
        return -1;
    }
    w->pid = fork_one(w, ends);
    close(ends[1]);
    if (w->pid < 0) {
        snprintf(message, len, "a worker process could not be made: %s", strerror(errno));
        w->pid = 0;
        close(ends[0]);
        return -1;
    }
    lb_channel_open(&w->channel, ends[0]);
    ev_io_init(&w->io, on_socket, ends[0], EV_READ);
    w->io.data = w;
    ev_io_start(w->in->lb->yard.loop, &w->io);
    return 0;
}

static int make(struct sim_loopback *lb)
{
    struct lb_spread *spread = lb->spread = calloc(1, sizeof *spread);
    if (!spread)
        return -1;
    spread->lb = lb;
    spread->workers = lb->workers;
    spread->worker = calloc(spread->workers, sizeof *spread->worker);
    spread->known = calloc(lb->devices, sizeof *spread->known);
    if (!spread->worker || !spread->known)
        return -1;
    for (uint32_t d = 0; d < lb->devices; d++)
        spread->known[d].truth = (struct sim_truth){.version = spread->known[d].version,
                                                    .lost_us = lb->yard.world->born_us};
    for (uint32_t i = 0; i < spread->workers; i++)
        spread->worker[i] =
            (struct lb_worker){.in = spread,
                               .number = i,
                               .from = lb_share_from(lb->yard.world, i, spread->workers),
                               .to = lb_share_from(lb->yard.world, i + 1, spread->workers),
                               .channel = {.fd = -1, .over = true}};
    return 0;
}

int lb_spread_fork(struct sim_loopback *lb, char *message, size_t len)
{
    if (make(lb)) {
        snprintf(message, len, "no memory for worker processes");
        return -1;
    }
    if (lb_silence_limit(lb->spread, message, len))
        return -1;
    for (uint32_t i = 0; i < lb->spread->workers; i++)
        if (start(&lb->spread->worker[i], message, len))
            return -1;
    lb->ground.devices = &lb_spread_devices;
    return 0;
}

/* ---- What the parent tells ---- */

static struct lb_worker *worker_of(const struct sim_loopback *lb, uint32_t device)
{
    struct lb_worker *w = lb->spread->worker;
    while (device >= w->to)
        w++;
    return w;
}

static void put_all(struct sim_loopback *lb, const struct lb_frame *frame)
{
    for (uint32_t i = 0; i < lb->spread->workers; i++)
        lb_channel_put(&lb->spread->worker[i].channel, frame);
    lb_spread_send(lb);
}

void lb_spread_send(struct sim_loopback *lb)
{
    for (uint32_t i = 0; i < lb->spread->workers; i++)
        if (lb_channel_waits(&lb->spread->worker[i].channel))
            lb_worker_move(&lb->spread->worker[i]);
}

void lb_spread_look(struct sim_loopback *lb)
{
    if (lb->spread)
        lb_silence_look(lb->spread);
}

int lb_spread_open(struct sim_loopback *lb, char *message, size_t len)
{
    struct lb_spread *spread = lb->spread;
    const int64_t pass_us = 50000 * (int64_t)lb->scn->campaign.time_scale;
    put_all(lb, &(struct lb_frame){.kind = LB_OPEN,
                                   .device = lb->fleet.trace ? lb->fleet.traced : LB_NOBODY});
    while (spread->ready < spread->workers && !*spread->lost && !lb->yard.interrupted) {
        lb_spread_send(lb);
        sim_yard_wait(&lb->yard, lb_now_us(lb) + pass_us);
        lb_silence_look(spread);
    }
    if (*spread->lost)
        snprintf(message, len, "%s", spread->lost);
    return *spread->lost ? -1 : 0; /* of an interrupt the run tells */
}

void lb_spread_clock(struct sim_loopback *lb)
{
    put_all(lb, &(struct lb_frame){.kind = LB_CLOCK,
                                   .wall_us = lb->yard.clock.wall_us,
                                   .world_us = lb->yard.clock.world_us});
}

/* One that no frame carries is one that no device takes. */
bool lb_spread_may_spoil(const struct sim_loopback *lb, const struct camp_out *out)
{
    struct sim_fault_set set = sim_faults_of(&lb->yard.world->faults, out->device);
    for (uint32_t i = 0; i < set.count && out->len <= LB_LETTER_MAX; i++)
        if (set.fault[i].kind == SCN_FAULT_MESSAGE)
            return true;
    return false;
}

void lb_spread_letter(struct sim_loopback *lb, const struct camp_out *out)
{
    lb_channel_put(&worker_of(lb, out->device)->channel,
                   &(struct lb_frame){.kind = LB_LETTER,
                                      .device = out->device,
                                      .bytes = (const uint8_t *)out->payload,
                                      .len = (uint32_t)out->len});
}

void lb_spread_spoilt(struct sim_loopback *lb, uint32_t device)
{
    lb_channel_put(&worker_of(lb, device)->channel,
                   &(struct lb_frame){.kind = LB_SPOILT, .device = device});
}

/* ---- What the fleet asks ---- */

static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    const struct sim_loopback *lb = ctx;
    *out = lb->spread->known[device].truth;
}

static uint32_t changes(void *ctx, uint32_t device)
{
    const struct sim_loopback *lb = ctx;
    return lb->spread->known[device].truth.changes;
}

static void inspect(void *ctx, uint32_t device, bool whole_data)
{
    struct sim_loopback *lb = ctx;
    struct lb_spread *spread = lb->spread;
    if (!spread->resting)
        put_all(lb, &(struct lb_frame){.kind = LB_REST});
    spread->resting = true;
    struct lb_worker *w = worker_of(lb, device);
    w->asked++;
    lb_channel_put(&w->channel,
                   &(struct lb_frame){.kind = LB_INSPECT, .device = device, .whole = whole_data});
}

const struct sim_ground_devices lb_spread_devices = {truth, changes, inspect};

/* Only the workers are heard: the service is at its end. */
static void hear_workers(struct lb_spread *spread)
{
    struct pollfd wait[SIM_LOOPBACK_PROCESSES_MAX];
    for (uint32_t i = 0; i < spread->workers; i++) {
        const struct lb_channel *channel = &spread->worker[i].channel;
        wait[i] = (struct pollfd){.fd = channel->over ? -1 : channel->fd, .events = POLLIN};
        if (lb_channel_waits(channel))
            wait[i].events |= POLLOUT;
    }
    int heard = poll(wait, spread->workers, HEAR_MS_MAX);
    for (uint32_t i = 0; heard > 0 && i < spread->workers; i++)
        if (wait[i].revents)
            lb_worker_move(&spread->worker[i]);
    lb_silence_look(spread);
}

static bool all_told(const struct lb_spread *spread)
{
    uint32_t asked = 0;
    for (uint32_t i = 0; i < spread->workers; i++)
        asked += spread->worker[i].asked;
    return !asked && spread->rested == spread->workers;
}

/* Into the books of the fleet's only shard, of which no device of this process makes use. */
static void add_up(struct sim_loopback *lb)
{
    struct lb_counts *sum = &lb->counts;
    sum->rss_grown = 0;
    for (uint32_t i = 0; i < lb->spread->workers; i++) {
        const struct lb_worker *w = &lb->spread->worker[i];
        sum->connects += w->counts.connects;
        sum->refused += w->counts.refused;
        sum->held_max += w->counts.held_max;
        sum->rss_grown += w->counts.rss_grown;
        sum->rss_max += w->counts.rss_max;
        lb->fleet.shard->openssl.sha256_bytes += w->hashed;
        lb->fleet.shard->openssl.ecdsa_verifies += w->verified;
    }
}

int lb_spread_held_out(struct sim_loopback *lb, char *message, size_t len)
{
    struct lb_spread *spread = lb->spread;
    if (!spread)
        return 0;
    while (!*spread->lost && !all_told(spread))
        hear_workers(spread);
    if (*spread->lost) {
        snprintf(message, len, "%s", spread->lost);
        return -1;
    }
    add_up(lb);
    return 0;
}

/* ---- Down ---- */

void lb_spread_close(struct sim_loopback *lb)
{
    struct lb_spread *spread = lb->spread;
    int status;
    if (!spread)
        return;
    for (uint32_t i = 0; spread->worker && i < spread->workers; i++) {
        struct lb_worker *w = &spread->worker[i];
        if (w->io.data)
            ev_io_stop(lb->yard.loop, &w->io);
        lb_channel_close(&w->channel);
    }
    for (uint32_t i = 0; spread->worker && i < spread->workers; i++)
        lb_worker_wait(&spread->worker[i], &status);
    for (uint32_t d = 0; spread->known && d < lb->devices; d++)
        for (int promise = 0; promise < REP_PROMISES; promise++)
            free(spread->known[d].what[promise]);
    free(spread->known);
    free(spread->worker);
    free(spread);
    lb->spread = NULL;
    lb->ground.devices = NULL;
}
