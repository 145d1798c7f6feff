/* The ground's life: servers and daemons come up, the loop runs, all goes down again. */
#include "process_internal.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { URL_GOOD_FOR_S = 7 * 86400, DESK_WITHIN_S = 30, GATHER_WITHIN_S = 60, VALID_DAYS = 3650 };
/* So many daemons may be on their way to the broker at once, and so many more each second. */
enum { SLICE_US = 50000, STARTING_MAX = 32, CLOCK_DAYS_MAX = 3650 };

/* ---- Before the start ---- */

static void secret_of(const struct sim_processes *pw, uint32_t device, char out[SIM_SECRET_MAX])
{
    for (uint32_t i = 0; i < 4; i++)
        snprintf(out + 8 * i, 9, "%08x", sim_rng_at(pw->scn->seed, device, SIM_RNG_SECRET, i));
}

static void account(void *ctx, struct sim_account *out, uint32_t index)
{
    const struct sim_processes *pw = ctx;
    snprintf(out->device_id, sizeof out->device_id, "%s", pw->world->roster.unit[index].id);
    secret_of(pw, index, out->secret);
}

/* Beside the running program, so that both are of one build. */
static int find_program(struct sim_processes *pw, char *message, size_t len)
{
    char self[PW_PATH_MAX] = "";
    if (pw->program_given) {
        snprintf(pw->program, sizeof pw->program, "%s", pw->program_given);
    } else {
        ssize_t got = readlink("/proc/self/exe", self, sizeof self - 16);
        char *slash = got > 0 ? strrchr(self, '/') : NULL;
        if (slash)
            snprintf(pw->program, sizeof pw->program, "%.*s/ota-agent", (int)(slash - self), self);
    }
    if (!access(pw->program, X_OK))
        return 0;
    snprintf(message, len,
             "%s: %s; the world `process` runs the daemon that lies beside brickyard: build it "
             "(ninja -C build ota-agent), or copy it there",
             pw->program, strerror(errno));
    return -1;
}

/* The daemons live in the scenario's time, as far as their configuration lets them. */
static int set_daemons_clock(struct sim_processes *pw, char *message, size_t len)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    pw->clock_offset_ms = pw->scn->start_us / 1000 - now_ms;
    if (llabs(pw->clock_offset_ms) < CLOCK_DAYS_MAX * INT64_C(86400000))
        return 0;
    snprintf(message, len,
             "%s: start: a daemon's clock can be set by at most %d days; accepted with --world "
             "process: a start less than that from today",
             pw->scn->path, CLOCK_DAYS_MAX);
    return -1;
}

static int start_servers(struct sim_processes *pw, char *message, size_t len)
{
    char service[SIM_SECRET_MAX], store[SIM_SECRET_MAX];
    secret_of(pw, UINT32_MAX, service);
    secret_of(pw, UINT32_MAX - 1, store);
    const struct sim_servers_config config = {
        .now_ms = pw->world->born_us / 1000,
        .validity_days = VALID_DAYS,
        .broker = {.account = account,
                   .context = pw,
                   .account_count = pw->world->roster.count,
                   .service_secret = service},
        .store = {.secret = store, .workers = 1},
    };
    if (sim_servers_start(&pw->servers, &config, message, len))
        return -1;
    pw->servers_run = true;
    for (uint32_t i = 0; i < pw->scn->firmwares; i++) {
        const struct sim_artifact *artifact = &pw->world->artifact[i];
        char name[SIM_NAME_MAX];
        snprintf(name, sizeof name, "firmware-%s.bin", artifact->from->version);
        if (sim_store_put(&pw->servers.store, name, artifact->bytes, artifact->len, message, len))
            return -1;
    }
    return 0;
}

static void url_of(void *ctx, const char *version, char *out, size_t len)
{
    struct sim_processes *pw = ctx;
    char name[SIM_NAME_MAX], url[SIM_URL_MAX];
    snprintf(name, sizeof name, "firmware-%s.bin", version);
    sim_store_url(&pw->servers.store, url, SIM_CERT_GOOD, name, time(NULL) + URL_GOOD_FOR_S);
    snprintf(out, len, "%s", url);
}

static void interrupt(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct sim_processes *pw = signal->data;
    (void)events;
    pw->interrupted = true;
    ev_break(loop, EVBREAK_ONE);
}

static void children(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct sim_processes *pw = signal->data;
    (void)loop, (void)events;
    pw->children = true;
}

static void woken(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static int open_loop(struct sim_processes *pw)
{
    static const int stops[] = {SIGINT, SIGTERM};
    pw->loop = ev_loop_new(EVFLAG_AUTO);
    if (!pw->loop)
        return -1;
    for (int i = 0; i < 2; i++) {
        ev_signal_init(&pw->stop[i], interrupt, stops[i]);
        pw->stop[i].data = pw;
        ev_signal_start(pw->loop, &pw->stop[i]);
    }
    ev_signal_init(&pw->child, children, SIGCHLD);
    pw->child.data = pw;
    ev_signal_start(pw->loop, &pw->child);
    ev_timer_init(&pw->wake, woken, 0, 0);
    return 0;
}

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    struct sim_processes *pw = ctx;
    pw->world = world;
    pw->devices = world->roster.count;
    pw->roughs = sim_rough_count(world);
    pw->flash_bytes = world->layout.data_addr + world->layout.data_bytes;
    world->pace = pw->scn->campaign.time_scale;
    world->born_us = pw->scn->start_us - GATHER_WITHIN_S * INT64_C(1000000) * world->pace;
    const struct sim_processes_need need = {pw->devices, pw->roughs, pw->flash_bytes};
    if (find_program(pw, message, len) || sim_processes_refuse(pw->scn, message, len) ||
        set_daemons_clock(pw, message, len) || sim_processes_preflight(&need, message, len))
        return -1;
    if (open_loop(pw)) {
        snprintf(message, len, "no event loop: %s", strerror(errno));
        return -1;
    }
    if (start_servers(pw, message, len))
        return -1;
    return sim_world_serve(world, url_of, pw, message, len);
}

/* ---- Up ---- */

/* A message proves that its sender is there. */
static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len)
{
    struct sim_processes *pw = ctx;
    struct pw_device *dev = &pw->device[device];
    pw->heard = true;
    if (!pw->ended && dev->power == PW_ON && !dev->booting) {
        dev->connected = true;
        dev->seen.sudden_ends = 0;
        if (what == SIM_SAID_TELEMETRY) {
            dev->seen.telemetry_heard = true;
            dev->seen.telemetry_owed = false;
        }
        if (dev->seen.running_confirmed)
            dev->seen.restless_boots = 0;
    }
    pw->fleet.sink.said(pw->fleet.sink.ctx, what, device, json, len, pw_now_us(pw));
}

static void presence(void *ctx, uint32_t device, bool online)
{
    struct sim_processes *pw = ctx;
    struct pw_device *dev = &pw->device[device];
    if (pw->ended)
        return;
    if (!online && dev->connected)
        dev->lost_us = pw_now_us(pw);
    dev->connected = online && dev->power == PW_ON;
    pw->gathered += online && !dev->known;
    dev->known |= online;
}

static int open_desk(struct sim_processes *pw, char *message, size_t len)
{
    secret_of(pw, UINT32_MAX, pw->service_secret);
    const struct sim_desk_config config = {.loop = pw->loop,
                                           .tls = pw->tls,
                                           .host = "127.0.0.1",
                                           .server_name = SIM_BROKER_NAME,
                                           .port = pw->servers.broker.port[SIM_CERT_GOOD],
                                           .client_id = "service",
                                           .user = "service",
                                           .secret = pw->service_secret,
                                           .clock = {pw_utc_ms, pw},
                                           .device = pw->fleet.registry,
                                           .devices = pw->devices,
                                           .said = said,
                                           .presence = presence,
                                           .ctx = pw};
    if (sim_desk_create(&pw->desk, &config)) {
        snprintf(message, len, "no memory for the service's connection");
        return -1;
    }
    double until = ev_time() + DESK_WITHIN_S;
    while (!sim_desk_is_up(pw->desk) && ev_time() < until && !pw->interrupted) {
        ev_timer_set(&pw->wake, 0.1, 0);
        ev_timer_start(pw->loop, &pw->wake);
        ev_run(pw->loop, EVRUN_ONCE);
        ev_timer_stop(pw->loop, &pw->wake);
    }
    if (!sim_desk_is_up(pw->desk))
        snprintf(message, len, "the campaign service could not connect to the broker");
    return sim_desk_is_up(pw->desk) ? 0 : -1;
}

static void describe(struct sim_processes *pw, uint32_t d)
{
    struct pw_device *dev = &pw->device[d];
    uint32_t ip = PW_ADDRESS_BASE + d;
    *dev = (struct pw_device){.pw = pw,
                              .number = d,
                              .unit = &pw->fleet.unit[d],
                              .group = &pw->scn->group[pw->fleet.unit[d].group],
                              .output = -1,
                              .flash_fd = -1,
                              .record_fd = -1,
                              .lost_us = pw->world->born_us,
                              .clock_us = pw->world->born_us,
                              .faults = sim_faults_of(&pw->world->faults, d)};
    dev->seen = (struct pw_witness){.running_slot = -1, .counter_floor = 1, .confirmed_us = -1};
    snprintf(dev->seen.version, sizeof dev->seen.version, "%s", dev->group->firmware);
    snprintf(dev->address, sizeof dev->address, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
             ip >> 8 & 255, ip & 255);
    secret_of(pw, d, dev->secret);
}

static int open_devices(struct sim_processes *pw, char *message, size_t len)
{
    pw->device = calloc(pw->devices, sizeof *pw->device);
    if (!pw->device || sim_queue_init(&pw->due, pw->devices * PW_TIMERS)) {
        snprintf(message, len, "no memory for the devices");
        return -1;
    }
    for (uint32_t d = 0; d < pw->devices; d++)
        describe(pw, d);
    if (pw_factory_keys(pw, message, len))
        return -1;
    for (uint32_t d = 0; d < pw->devices && !pw->interrupted; d++)
        if (pw_factory_device(&pw->device[d], message, len))
            return -1;
    return 0;
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    struct sim_processes *pw = ctx;
    char ca[SIM_PKI_PATH_MAX];
    pw->fleet = *fleet;
    sim_host_clock_set(&pw->clock, pw->world->born_us);
    sim_pki_ca_path(&pw->servers.pki, ca);
    if (agent_tls_create(&pw->tls, ca, message, len) || open_devices(pw, message, len) ||
        pw_rough_open(pw, message, len) || open_desk(pw, message, len))
        return -1;
    sim_host_clock_set(&pw->clock, pw->world->born_us);
    return 0;
}

/* ---- The run ---- */

static int64_t waited_s(const struct sim_processes *pw)
{
    return (pw_now_us(pw) - pw->world->born_us) / 1000000 / pw->scn->campaign.time_scale;
}

static void start_some(struct sim_processes *pw)
{
    uint32_t most = pw->gathered + STARTING_MAX * (1 + (uint32_t)waited_s(pw));
    while (pw->spawned < pw->devices && pw->spawned < most && !pw->lost[0])
        pw_power_on(&pw->device[pw->spawned++]);
}

/* The scenario's time begins when all devices were there, or should have been. */
static void start_when_gathered(struct sim_processes *pw)
{
    if (pw->started || (pw->gathered < pw->devices && pw_now_us(pw) < pw->scn->start_us))
        return;
    pw->started = true;
    sim_host_clock_set(&pw->clock, pw->scn->start_us);
    for (uint32_t d = 0; d < pw->devices; d++) {
        struct pw_device *dev = &pw->device[d];
        if (sim_fault_boot(&dev->faults) && pw_configure(dev))
            snprintf(pw->lost, sizeof pw->lost, "%s: its configuration can't be written",
                     dev->folder);
        pw_plan_network(dev);
        pw_arm(dev);
        if (dev->power == PW_ON && !dev->booting)
            pw_enter(dev, pw_during(dev));
    }
}

static void look_at_children(struct sim_processes *pw)
{
    if (!pw->children)
        return;
    pw->children = false;
    for (uint32_t d = 0; d < pw->devices; d++)
        pw_look(&pw->device[d]);
}

static void run_due(struct sim_processes *pw)
{
    static void (*const run[PW_TIMERS])(struct pw_device *) = {
        [PW_TIMER_RESUME] = pw_resume,
        [PW_TIMER_POWER] = pw_power_on,
        [PW_TIMER_FAULT] = pw_strike_due,
    };
    uint32_t node;
    while (sim_queue_peek(&pw->due, &node) <= pw_now_us(pw)) {
        sim_queue_set(&pw->due, node, SIM_NEVER);
        run[node % PW_TIMERS](&pw->device[node / PW_TIMERS]);
    }
}

static void wait_until(struct sim_processes *pw, int64_t until_us)
{
    uint32_t node;
    int64_t due_us = sim_queue_peek(&pw->due, &node), outage_us = sim_rough_next(pw->rough);
    due_us = outage_us < due_us ? outage_us : due_us;
    due_us = until_us < due_us ? until_us : due_us;
    double wait_s = (double)(due_us - pw_now_us(pw)) / 1e6 / (double)pw->scn->campaign.time_scale;
    ev_now_update(pw->loop);
    ev_timer_set(&pw->wake, wait_s > 0 ? wait_s : 0, 0);
    ev_timer_start(pw->loop, &pw->wake);
    ev_run(pw->loop, EVRUN_ONCE);
    ev_timer_stop(pw->loop, &pw->wake);
}

static int servers_gone(struct sim_processes *pw, char *message, size_t len)
{
    const char *gone = !sim_broker_runs(&pw->servers.broker) ? "mosquitto"
                       : !sim_store_runs(&pw->servers.store) ? "nginx"
                                                             : NULL;
    if (gone)
        snprintf(message, len, "%s ended by itself in the middle of the run", gone);
    else if (pw->lost[0])
        snprintf(message, len, "%s", pw->lost);
    else if (pw->interrupted)
        snprintf(message, len, "interrupted");
    return gone || pw->lost[0] || pw->interrupted ? -1 : 0;
}

static int run(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    struct sim_processes *pw = ctx;
    int64_t slice_us = pw_now_us(pw) + SLICE_US * (int64_t)pw->scn->campaign.time_scale;
    until_us = until_us < slice_us ? until_us : slice_us;
    pw->heard = false;
    do {
        start_some(pw);
        sim_rough_restore(pw->rough, pw_now_us(pw));
        look_at_children(pw);
        run_due(pw);
        sim_rough_tell(pw->rough);
        wait_until(pw, until_us);
        look_at_children(pw);
        sim_rough_tell(pw->rough);
        start_when_gathered(pw);
    } while (pw_now_us(pw) < until_us && !pw->heard && !pw->interrupted && !pw->lost[0]);
    *now_us = pw_now_us(pw);
    return servers_gone(pw, message, len);
}

static bool taken(void *ctx)
{
    const struct sim_processes *pw = ctx;
    return pw->started && sim_desk_outstanding(pw->desk) == 0;
}

static int send_out(void *ctx, const struct camp_out *out)
{
    struct sim_processes *pw = ctx;
    return sim_desk_send(pw->desk, out);
}

/* ---- Down ---- */

static void close_ground(void *ctx)
{
    struct sim_processes *pw = ctx;
    pw->ended = true;
    for (uint32_t d = 0; pw->device && d < pw->devices; d++) {
        if (pw->device[d].pw) { /* described */
            pw_kill(&pw->device[d]);
            pw_factory_free(&pw->device[d]);
        }
    }
    sim_desk_free(pw->desk);
    sim_rough_close(pw->rough);
    agent_tls_free(pw->tls);
    if (pw->loop) {
        for (int i = 0; i < 2; i++)
            ev_signal_stop(pw->loop, &pw->stop[i]);
        ev_signal_stop(pw->loop, &pw->child);
        ev_loop_destroy(pw->loop);
    }
    sim_queue_free(&pw->due);
    free(pw->device);
    if (pw->servers_run)
        sim_servers_stop(&pw->servers); /* the devices' folders go with theirs */
    const struct scn *scn = pw->scn;
    const char *program = pw->program_given;
    struct sim_ground ground = pw->ground;
    *pw = (struct sim_processes){.scn = scn, .program_given = program, .ground = ground};
}

int sim_processes_create(struct sim_processes **out, const struct scn *scn, const char *program)
{
    struct sim_processes *pw = *out = calloc(1, sizeof *pw);
    if (!pw)
        return -1;
    pw->scn = scn;
    pw->program_given = program;
    pw->ground = (struct sim_ground){.name = "process",
                                     .ctx = pw,
                                     .devices = &pw_devices,
                                     .prepare = prepare,
                                     .open = open_ground,
                                     .run = run,
                                     .taken = taken,
                                     .send = send_out,
                                     .report = pw_report,
                                     .close = close_ground};
    return 0;
}

void sim_processes_free(struct sim_processes *processes)
{
    free(processes);
}

const struct sim_ground *sim_processes_ground(struct sim_processes *processes)
{
    return &processes->ground;
}
