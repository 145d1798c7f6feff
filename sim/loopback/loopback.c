/* The ground's life: servers and devices come up, the loop runs, all goes down again. */
#include "loopback_internal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLICE_US = 50000 };

/* ---- Before the start ---- */

/* Devices go by the world's clock, but mosquitto judges their certificates by the real one. */
static int64_t certified_from_ms(const struct sim_loopback *lb)
{
    int64_t world_ms = lb->yard.world->born_us / 1000, real_ms = (int64_t)time(NULL) * 1000;
    bool both = lb->scn->device.credentials == SCN_BY_CERTIFICATE;
    return both && real_ms < world_ms ? real_ms : world_ms;
}

static bool has_fault(const struct sim_loopback *lb, enum scn_fault_kind kind)
{
    for (uint32_t f = 0; f < lb->scn->faults; f++)
        if (lb->scn->fault[f].kind == kind)
            return true;
    return false;
}

static void tell_how_to_watch(const struct sim_loopback *lb)
{
    const struct sim_servers *up = &lb->yard.servers;
    if (lb->tell && !sim_yard_is_given(&lb->yard, SIM_GIVEN_BROKER))
        fprintf(lb->tell,
                "servers in %s; watch: mosquitto_sub --cafile %s/pki/ca.pem -h 127.0.0.1 -p %u -u "
                "observer -P %s -v -t '#'\n",
                up->folder, up->folder, up->broker.port[SIM_CERT_GOOD], lb->yard.service_secret);
}

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    lb->devices = world->roster.count;
    lb->roughs = sim_rough_count(world);
    sim_yard_begin(&lb->yard, lb->scn, lb->given, world);
    const struct sim_loopback_need need = {.devices = lb->devices,
                                           .through_proxy = lb->roughs,
                                           .processes = lb->processes,
                                           .broker_given =
                                               sim_yard_is_given(&lb->yard, SIM_GIVEN_BROKER)};
    if (lb_faults_make_sense(lb->scn, message, len) || lb_times_fit(lb->scn, message, len) ||
        lb_gates_have_data(lb->scn, message, len) || sim_loopback_preflight(&need, message, len))
        return -1;
    lb->workers = sim_loopback_processes(&need);
    lb->transfers_max = lb_transfers_max(&need, lb->workers);
    const struct sim_yard_servers servers = {.certified_from_ms = certified_from_ms(lb),
                                             .mutual_tls =
                                                 lb->scn->device.credentials == SCN_BY_CERTIFICATE,
                                             .broker_bad = has_fault(lb, SCN_FAULT_BAD_CERTIFICATE),
                                             .store_bad = has_fault(lb, SCN_FAULT_BAD_CERTIFICATE)};
    if (sim_yard_open(&lb->yard, &servers, message, len))
        return -1;
    world->timing = (struct sim_flash_timing){0}; /* it takes what the host takes */
    tell_how_to_watch(lb);
    lb->to = lb->devices;
    return lb->workers > 1 ? lb_spread_fork(lb, message, len) : 0;
}

/* ---- Up ---- */

static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len)
{
    struct sim_loopback *lb = ctx;
    lb->heard = true;
    lb->fleet.sink.said(lb->fleet.sink.ctx, what, device, json, len, lb_now_us(lb));
}

/* Without workers the devices are this process's own. */
static int open_carriers(struct sim_loopback *lb, char *message, size_t len)
{
    if (lb->spread)
        return sim_yard_open_tls(&lb->yard, message, len);
    return lb_carry_open(lb, message, len);
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    const struct sim_yard_ears ears = {.said = said, .ctx = lb};
    lb->fleet = *fleet;
    lb->overflows_before = sim_host_listen_overflows();
    sim_yard_set_clock(&lb->yard, lb->yard.world->born_us);
    if (open_carriers(lb, message, len) ||
        sim_yard_open_desk(&lb->yard, &lb->fleet, &ears, message, len))
        return -1;
    if (lb->spread && lb_spread_open(lb, message, len))
        return -1;
    sim_yard_set_clock(&lb->yard, lb->yard.world->born_us);
    if (!lb->spread)
        return lb_carry_devices(lb, message, len);
    lb_spread_clock(lb);
    return 0;
}

/* ---- The run ---- */

/*
 * The fleet runs since long: the broker has a session for each device, which keeps what comes while
 * it is away. So the scenario's time begins when all were there, or should have been.
 */
static void start_when_gathered(struct sim_loopback *lb)
{
    if (lb->started || (lb->gathered < lb->devices && lb_now_us(lb) < lb->scn->start_us))
        return;
    lb->started = true;
    sim_yard_set_clock(&lb->yard, lb->scn->start_us);
    if (lb->spread)
        lb_spread_clock(lb);
}

static void wait_until(struct sim_loopback *lb, int64_t until_us, bool more)
{
    int64_t post_us = lb_post_next(lb);
    until_us = post_us < until_us ? post_us : until_us;
    if (!lb->spread) {
        lb_carry_wait(lb, until_us, more);
        return;
    }
    lb_spread_send(lb);
    sim_yard_wait(&lb->yard, until_us);
}

static int stands(struct sim_loopback *lb, char *message, size_t len)
{
    const char *lost = lb_spread_lost(lb);
    if (sim_yard_stands(&lb->yard, message, len))
        return -1;
    if (lost)
        snprintf(message, len, "%s", lost);
    return lost ? -1 : 0;
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    int64_t slice_us = lb_now_us(lb) + SLICE_US * (int64_t)lb->scn->campaign.time_scale;
    bool may_act = sim_yard_answers(&lb->yard); /* else what is due has to wait */
    until_us = may_act && until_us < slice_us ? until_us : slice_us;
    lb->heard = false;
    do {
        bool more = !lb->spread && lb_carry_due(lb);
        if (lb_post_run(lb)) {
            snprintf(message, len, "no memory for messages");
            return -1;
        }
        wait_until(lb, until_us, more);
    } while (lb_now_us(lb) < until_us && !lb->heard && !lb->yard.interrupted &&
             !lb_spread_lost(lb));
    start_when_gathered(lb);
    lb_note_memory(lb);
    lb_spread_look(lb);
    *now_us = lb_now_us(lb);
    return stands(lb, message, len);
}

static bool taken(void *ctx)
{
    const struct sim_loopback *lb = ctx;
    return lb->started && !lb->asked && sim_desk_outstanding(lb->yard.desk) == 0 &&
           sim_yard_answers(&lb->yard);
}

static int send_out(void *ctx, const struct camp_out *out)
{
    struct sim_loopback *lb = ctx;
    return lb_post_send(lb, out);
}

/* The loop waits as long as a broker needs to end and to be ready: about 120 ms. */
static int restart_broker(void *ctx, bool forgets, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    struct sim_broker *broker = &lb->yard.servers.broker;
    if (forgets)
        sim_broker_kill(broker);
    else
        sim_broker_stop(broker);
    return sim_broker_start_again(broker, forgets ? SIM_MEMORY_LOST : SIM_MEMORY_KEPT, message, len)
               ? -1
               : 0;
}

static int64_t answered_from(void *ctx)
{
    return sim_yard_answered_from_us(&((struct sim_loopback *)ctx)->yard);
}

static int held_out(void *ctx, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    return lb_spread_held_out(lb, message, len) || sim_yard_answers_still(&lb->yard, message, len)
               ? -1
               : 0;
}

static int store_serves(void *ctx, char *message, size_t len)
{
    return sim_yard_store_serves(&((struct sim_loopback *)ctx)->yard, message, len);
}

/* ---- Down ---- */

static void close_ground(void *ctx)
{
    struct sim_loopback *lb = ctx;
    lb_spread_close(lb);
    lb_carry_close(lb);
    lb_post_free(lb);
    sim_yard_close(&lb->yard);
    const struct sim_loopback same = {.scn = lb->scn,
                                      .given = lb->given,
                                      .tell = lb->tell,
                                      .processes = lb->processes,
                                      .ground = lb->ground};
    *lb = same;
}

int sim_loopback_create(struct sim_loopback **out, const struct scn *scn,
                        const struct sim_given *given, uint32_t processes, FILE *tell)
{
    struct sim_loopback *lb = *out = calloc(1, sizeof *lb);
    if (!lb)
        return -1;
    lb->scn = scn;
    lb->given = given;
    lb->processes = processes;
    lb->tell = tell;
    lb->ground = (struct sim_ground){.name = "loopback",
                                     .ctx = lb,
                                     .prepare = prepare,
                                     .open = open_ground,
                                     .run = run,
                                     .taken = taken,
                                     .send = send_out,
                                     .restart_broker = restart_broker,
                                     .answered_from = answered_from,
                                     .held_out = held_out,
                                     .store_serves = store_serves,
                                     .report = lb_report,
                                     .close = close_ground};
    return 0;
}

void sim_loopback_free(struct sim_loopback *loopback)
{
    free(loopback);
}

const struct sim_ground *sim_loopback_ground(struct sim_loopback *loopback)
{
    return &loopback->ground;
}
