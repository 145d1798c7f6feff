/* The ground's life: servers and devices come up, the loop runs, all goes down again. */
#include "loopback_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { URL_GOOD_FOR_S = 7 * 86400, DESK_WITHIN_S = 30, GATHER_WITHIN_S = 60, VALID_DAYS = 3650 };
static const double MEMORY_EVERY_S = 0.1;
enum { SLICE_US = 50000, RUNS_AT_ONCE = 64, TRANSFER_BYTES = 8192 };

/* ---- Before the start ---- */

static void secret_of(const struct sim_loopback *lb, uint32_t device, char out[SIM_SECRET_MAX])
{
    for (uint32_t i = 0; i < 4; i++)
        snprintf(out + 8 * i, 9, "%08x", sim_rng_at(lb->scn->seed, device, SIM_RNG_SECRET, i));
}

static void account(void *ctx, struct sim_account *out, uint32_t index)
{
    const struct sim_loopback *lb = ctx;
    snprintf(out->device_id, sizeof out->device_id, "%s", lb->world->roster.unit[index].id);
    secret_of(lb, index, out->secret);
}

/* Devices go by the world's clock, but mosquitto judges their certificates by the real one. */
static int64_t certified_from_ms(const struct sim_loopback *lb)
{
    int64_t world_ms = lb->world->born_us / 1000, real_ms = (int64_t)time(NULL) * 1000;
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

static int start_servers(struct sim_loopback *lb, char *message, size_t len)
{
    char service[SIM_SECRET_MAX], store[SIM_SECRET_MAX];
    secret_of(lb, UINT32_MAX, service);
    secret_of(lb, UINT32_MAX - 1, store);
    const struct sim_servers_config config = {
        .now_ms = certified_from_ms(lb),
        .validity_days = VALID_DAYS,
        .broker = {.account = account,
                   .context = lb,
                   .account_count = lb->world->roster.count,
                   .service_secret = service,
                   .mutual_tls = lb->scn->device.credentials == SCN_BY_CERTIFICATE,
                   .bad_certificates = has_fault(lb, SCN_FAULT_BAD_CERTIFICATE)},
        .store = {.secret = store,
                  .workers = 1,
                  .bad_certificates = has_fault(lb, SCN_FAULT_BAD_CERTIFICATE)},
    };
    if (sim_servers_start(&lb->servers, &config, message, len))
        return -1;
    lb->servers_run = true;
    for (uint32_t i = 0; i < lb->scn->firmwares; i++) {
        const struct sim_artifact *artifact = &lb->world->artifact[i];
        char name[SIM_NAME_MAX];
        snprintf(name, sizeof name, "firmware-%s.bin", artifact->from->version);
        if (sim_store_put(&lb->servers.store, name, artifact->bytes, artifact->len, message, len))
            return -1;
    }
    return 0;
}

static void url_of(void *ctx, const char *version, char *out, size_t len)
{
    struct sim_loopback *lb = ctx;
    char name[SIM_NAME_MAX], url[SIM_URL_MAX];
    snprintf(name, sizeof name, "firmware-%s.bin", version);
    sim_store_url(&lb->servers.store, url, SIM_CERT_GOOD, name, time(NULL) + URL_GOOD_FOR_S);
    snprintf(out, len, "%s", url);
}

static void interrupt(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct sim_loopback *lb = signal->data;
    (void)events;
    lb->interrupted = true;
    ev_break(loop, EVBREAK_ONE);
}

static void woken(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

static int open_loop(struct sim_loopback *lb)
{
    static const int stops[] = {SIGINT, SIGTERM};
    lb->loop = ev_loop_new(EVFLAG_AUTO);
    if (!lb->loop)
        return -1;
    for (int i = 0; i < 2; i++) {
        ev_signal_init(&lb->stop[i], interrupt, stops[i]);
        lb->stop[i].data = lb;
        ev_signal_start(lb->loop, &lb->stop[i]);
    }
    ev_timer_init(&lb->wake, woken, 0, 0);
    return 0;
}

static void close_loop(struct sim_loopback *lb)
{
    for (int i = 0; lb->loop && i < 2; i++)
        ev_signal_stop(lb->loop, &lb->stop[i]);
    if (lb->loop)
        ev_loop_destroy(lb->loop);
}

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    char service[SIM_SECRET_MAX];
    secret_of(lb, UINT32_MAX, service);
    lb->world = world;
    lb->devices = world->roster.count;
    lb->roughs = sim_rough_count(world);
    world->pace = lb->scn->campaign.time_scale;
    world->born_us = lb->scn->start_us - GATHER_WITHIN_S * INT64_C(1000000) * world->pace;
    const struct sim_loopback_need need = {lb->devices, lb->roughs};
    if (lb_faults_make_sense(lb->scn, message, len) || lb_times_fit(lb->scn, message, len) ||
        lb_gates_have_data(lb->scn, message, len) || sim_loopback_preflight(&need, message, len))
        return -1;
    lb->transfers_max = lb_transfers_max(&need);
    /* Before the servers: from now on a signal does not end us with their folder left behind. */
    if (open_loop(lb)) {
        snprintf(message, len, "no event loop: %s", strerror(errno));
        return -1;
    }
    if (start_servers(lb, message, len))
        return -1;
    world->timing = (struct sim_flash_timing){0}; /* it takes what the host takes */
    if (lb->tell)
        fprintf(lb->tell,
                "servers in %s; watch: mosquitto_sub --cafile %s/pki/ca.pem -h 127.0.0.1 -p %u -u "
                "observer -P %s -v -t '#'\n",
                lb->servers.folder, lb->servers.folder, lb->servers.broker.port[SIM_CERT_GOOD],
                service);
    return sim_world_serve(world, url_of, lb, message, len);
}

/* ---- Up ---- */

static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len)
{
    struct sim_loopback *lb = ctx;
    lb->heard = true;
    lb->fleet.sink.said(lb->fleet.sink.ctx, what, device, json, len, lb_now_us(lb));
}

static int open_drivers(struct sim_loopback *lb, char *message, size_t len)
{
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&lb->servers.pki, ca);
    if (agent_tls_create(&lb->tls, ca, message, len))
        return -1;
    const struct agent_http_config http = {.tls = lb->tls,
                                           .connect_within_s = 30,
                                           .stall_s =
                                               (uint32_t)(lb->scn->device.stall_us / 1000000),
                                           .header_bytes_max = 65536,
                                           .buffer_bytes = TRANSFER_BYTES};
    if (agent_http_create(&lb->http, lb->loop, &http)) {
        snprintf(message, len, "no memory for downloads");
        return -1;
    }
    return 0;
}

static int open_desk(struct sim_loopback *lb, char *message, size_t len)
{
    secret_of(lb, UINT32_MAX, lb->service_secret);
    const struct sim_desk_config config = {.loop = lb->loop,
                                           .tls = lb->tls,
                                           .host = "127.0.0.1",
                                           .server_name = SIM_BROKER_NAME,
                                           .port = lb->servers.broker.port[SIM_CERT_GOOD],
                                           .client_id = "service",
                                           .user = "service",
                                           .secret = lb->service_secret,
                                           .clock = {lb_utc_ms, lb},
                                           .device = lb->fleet.registry,
                                           .devices = lb->devices,
                                           .said = said,
                                           .ctx = lb};
    if (sim_desk_create(&lb->desk, &config)) {
        snprintf(message, len, "no memory for the service's connection");
        return -1;
    }
    double until = ev_time() + DESK_WITHIN_S;
    while (!sim_desk_is_up(lb->desk) && ev_time() < until && !lb->interrupted) {
        ev_timer_set(&lb->wake, 0.1, 0);
        ev_timer_start(lb->loop, &lb->wake);
        ev_run(lb->loop, EVRUN_ONCE);
        ev_timer_stop(lb->loop, &lb->wake);
    }
    if (sim_desk_is_up(lb->desk) || lb->interrupted) /* that is told by the run */
        return 0;
    snprintf(message, len, "the campaign service could not connect to the broker");
    return -1;
}

/* The certificate is made for the run; the broker takes the device's name from it. */
static int identify(struct lb_device *dev, char *message, size_t len)
{
    struct sim_pki *pki = &dev->lb->servers.pki;
    char cert[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    if (dev->lb->scn->device.credentials != SCN_BY_CERTIFICATE)
        return 0;
    if (sim_pki_device(pki, dev->id, SIM_CERT_GOOD, message, len))
        return -1;
    sim_pki_device_path(pki, cert, dev->id, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    sim_pki_device_path(pki, key, dev->id, SIM_CERT_GOOD, SIM_PEM_KEY);
    return agent_identity_load(&dev->identity, cert, key, message, len);
}

static int open_devices(struct sim_loopback *lb, char *message, size_t len)
{
    snprintf(message, len, "no memory for the devices' connections");
    for (uint32_t d = 0; d < lb->devices; d++) {
        struct lb_device *dev = &lb->device[d];
        uint32_t ip = LB_ADDRESS_BASE + d;
        dev->lb = lb;
        dev->device = lb->fleet.device[d];
        dev->number = d;
        snprintf(dev->id, sizeof dev->id, "%s", lb->fleet.unit[d].id);
        snprintf(dev->address, sizeof dev->address, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
                 ip >> 8 & 255, ip & 255);
        secret_of(lb, d, dev->secret);
        if (identify(dev, message, len) || lb_device_open(dev))
            return -1;
    }
    return 0;
}

static void spoiled(void *ctx, uint32_t device, uint32_t at)
{
    struct sim_loopback *lb = ctx;
    if (lb->device[device].transfer)
        sim_device_http_sent_spoiled(lb->device[device].device, at);
}

static void cut_off(void *ctx, uint32_t device, const struct sim_fault *fault)
{
    struct sim_loopback *lb = ctx;
    sim_device_cut_off(lb->device[device].device, lb->fleet.shard, lb_now_us(lb), fault);
    lb_device_woke(&lb->device[device]);
}

static void spared(void *ctx, uint32_t device, const struct sim_fault *fault)
{
    struct sim_loopback *lb = ctx;
    sim_device_spared(lb->device[device].device, fault);
}

static int open_rough(struct sim_loopback *lb, char *message, size_t len)
{
    const struct sim_rough_config config = {.loop = lb->loop,
                                            .servers = &lb->servers,
                                            .world = lb->world,
                                            .address_base = LB_ADDRESS_BASE,
                                            .ctx = lb,
                                            .spoiled = spoiled,
                                            .cut_off = cut_off,
                                            .spared = spared};
    return sim_rough_open(&lb->rough, &config, message, len);
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    lb->fleet = *fleet;
    lb->rss_before = sim_host_resident_bytes();
    lb->overflows_before = sim_host_listen_overflows();
    lb->device = calloc(lb->devices, sizeof *lb->device);
    if (!lb->device || lb_line_init(&lb->line[SIM_ROUGH_BROKER], lb->devices, LB_CONNECTS_MAX) ||
        lb_line_init(&lb->line[SIM_ROUGH_STORE], lb->devices, LB_GETS_MAX) ||
        sim_queue_init(&lb->due, lb->devices)) {
        snprintf(message, len, "no memory for the devices");
        return -1;
    }
    sim_host_clock_set(&lb->clock, lb->world->born_us);
    if (open_drivers(lb, message, len) || open_rough(lb, message, len) ||
        open_desk(lb, message, len))
        return -1;
    sim_host_clock_set(&lb->clock, lb->world->born_us);
    return open_devices(lb, message, len);
}

/* ---- The run ---- */

/* Not all that are due at once: their flash and their signatures take time, and sockets wait. */
static bool run_due(struct sim_loopback *lb)
{
    int64_t now_us = lb_now_us(lb);
    uint32_t number, runs = 0;
    while (sim_queue_peek(&lb->due, &number) <= now_us && runs++ < RUNS_AT_ONCE)
        sim_queue_set(&lb->due, number,
                      sim_device_run(lb->device[number].device, lb->fleet.shard, now_us + 1));
    return sim_queue_peek(&lb->due, &number) <= now_us;
}

static void wait_until(struct sim_loopback *lb, int64_t until_us)
{
    uint32_t node;
    int64_t due_us = sim_queue_peek(&lb->due, &node);
    int64_t trouble_us = sim_rough_next(lb->rough);
    due_us = trouble_us < due_us ? trouble_us : due_us;
    due_us = until_us < due_us ? until_us : due_us;
    due_us = lb_post_next(lb) < due_us ? lb_post_next(lb) : due_us;
    double wait_s = (double)(due_us - lb_now_us(lb)) / 1e6 / (double)lb->scn->campaign.time_scale;
    ev_now_update(lb->loop);
    ev_timer_set(&lb->wake, wait_s > 0 ? wait_s : 0, 0);
    ev_timer_start(lb->loop, &lb->wake);
    ev_run(lb->loop, EVRUN_ONCE);
    ev_timer_stop(lb->loop, &lb->wake);
}

static int servers_gone(struct sim_loopback *lb, char *message, size_t len)
{
    const char *gone = !sim_broker_runs(&lb->servers.broker) ? "mosquitto"
                       : !sim_store_runs(&lb->servers.store) ? "nginx"
                                                             : NULL;
    if (gone)
        snprintf(message, len, "%s ended by itself in the middle of the run", gone);
    return gone ? -1 : 0;
}

/*
 * The fleet runs since long: the broker has a session for each device, which keeps what comes while
 * it is away. So the scenario's time begins when all were there, or should have been.
 */
static void start_when_gathered(struct sim_loopback *lb)
{
    if (lb->started || (lb->gathered < lb->devices && lb_now_us(lb) < lb->scn->start_us))
        return;
    lb->started = true;
    sim_host_clock_set(&lb->clock, lb->scn->start_us);
}

/* Not each time: it is a file to be read, and run comes back for every message. */
static void note_memory(struct sim_loopback *lb)
{
    if (ev_now(lb->loop) < lb->rss_at + MEMORY_EVERY_S)
        return;
    uint64_t rss = sim_host_resident_bytes();
    lb->rss_at = ev_now(lb->loop);
    lb->rss_max = rss > lb->rss_max ? rss : lb->rss_max;
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct sim_loopback *lb = ctx;
    int64_t slice_us = lb_now_us(lb) + SLICE_US * (int64_t)lb->scn->campaign.time_scale;
    until_us = until_us < slice_us ? until_us : slice_us;
    lb->heard = false;
    do {
        sim_rough_restore(lb->rough, lb_now_us(lb));
        bool more = run_due(lb);
        lb_lines_run(lb);
        if (lb_post_run(lb)) {
            snprintf(message, len, "no memory for messages");
            return -1;
        }
        sim_rough_tell(lb->rough);
        if (more)
            ev_run(lb->loop, EVRUN_NOWAIT);
        else
            wait_until(lb, until_us);
        sim_rough_tell(lb->rough);
    } while (lb_now_us(lb) < until_us && !lb->heard && !lb->interrupted);
    start_when_gathered(lb);
    note_memory(lb);
    *now_us = lb_now_us(lb);
    if (lb->interrupted) {
        snprintf(message, len, "interrupted");
        return -1;
    }
    return servers_gone(lb, message, len);
}

static bool taken(void *ctx)
{
    const struct sim_loopback *lb = ctx;
    return lb->started && sim_desk_outstanding(lb->desk) == 0;
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
    struct sim_broker *broker = &lb->servers.broker;
    if (forgets)
        sim_broker_kill(broker);
    else
        sim_broker_stop(broker);
    return sim_broker_start_again(broker, forgets ? SIM_MEMORY_LOST : SIM_MEMORY_KEPT, message, len)
               ? -1
               : 0;
}

/* ---- Down ---- */

static void close_ground(void *ctx)
{
    struct sim_loopback *lb = ctx;
    for (uint32_t d = 0; lb->device && d < lb->devices; d++)
        lb_device_close(&lb->device[d]);
    sim_desk_free(lb->desk);
    agent_http_free(lb->http);
    sim_rough_close(lb->rough);
    lb_post_free(lb);
    agent_tls_free(lb->tls);
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++)
        lb_line_free(&lb->line[server]);
    sim_queue_free(&lb->due);
    free(lb->device);
    if (lb->servers_run)
        sim_servers_stop(&lb->servers);
    close_loop(lb); /* last: an impatient second signal must not leave a server or its folder */
    const struct scn *scn = lb->scn;
    FILE *tell = lb->tell;
    struct sim_ground ground = lb->ground;
    *lb = (struct sim_loopback){.scn = scn, .tell = tell, .ground = ground};
}

int sim_loopback_create(struct sim_loopback **out, const struct scn *scn, FILE *tell)
{
    struct sim_loopback *lb = *out = calloc(1, sizeof *lb);
    if (!lb)
        return -1;
    lb->scn = scn;
    lb->tell = tell;
    lb->ground = (struct sim_ground){.name = "loopback",
                                     .ctx = lb,
                                     .prepare = prepare,
                                     .open = open_ground,
                                     .run = run,
                                     .taken = taken,
                                     .send = send_out,
                                     .restart_broker = restart_broker,
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
