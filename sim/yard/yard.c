/* The yard's life: loop, servers, desk; and its clock. */
#include "sim/yard.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { URL_GOOD_FOR_S = 7 * 86400, DESK_WITHIN_S = 30, VALID_DAYS = 3650 };
/* Whose secrets these are, after all devices. */
static const uint32_t SERVICE = UINT32_MAX, STORE = UINT32_MAX - 1;

void sim_yard_secret(const struct scn *scn, uint32_t number, char out[SIM_SECRET_MAX])
{
    for (uint32_t i = 0; i < 4; i++)
        snprintf(out + 8 * i, 9, "%08x", sim_rng_at(scn->seed, number, SIM_RNG_SECRET, i));
}

void sim_yard_address(uint32_t base, uint32_t number, char out[SIM_YARD_ADDRESS_MAX])
{
    uint32_t ip = base + number;
    snprintf(out, SIM_YARD_ADDRESS_MAX, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
             ip & 255);
}

void sim_yard_begin(struct sim_yard *yard, const struct scn *scn, const struct sim_given *given,
                    struct sim_world *world)
{
    yard->scn = scn;
    yard->given = given;
    yard->world = world;
    world->pace = scn->campaign.time_scale;
    world->born_us = scn->start_us - SIM_YARD_GATHER_S * INT64_C(1000000) * world->pace;
}

/* ---- The loop ---- */

static void interrupt(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct sim_yard *yard = signal->data;
    (void)events;
    yard->interrupted = true;
    ev_break(loop, EVBREAK_ONE);
}

static void woken(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static int open_loop(struct sim_yard *yard, char *message, size_t len)
{
    static const int stops[] = {SIGINT, SIGTERM};
    yard->loop = ev_loop_new(EVFLAG_AUTO);
    if (!yard->loop) {
        snprintf(message, len, "no event loop: %s", strerror(errno));
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        ev_signal_init(&yard->stop[i], interrupt, stops[i]);
        yard->stop[i].data = yard;
        ev_signal_start(yard->loop, &yard->stop[i]);
    }
    ev_timer_init(&yard->wake, woken, 0, 0);
    return 0;
}

int sim_yard_fork(struct sim_yard *yard, uint32_t number, char *message, size_t len)
{
    enum { SERIALS_EACH = 1 << 24 };
    for (int i = 0; i < 2; i++)
        ev_signal_stop(yard->loop, &yard->stop[i]);
    ev_loop_destroy(yard->loop);
    yard->servers_run = false;
    yard->servers.pki.serial += (number + 1) * SERIALS_EACH;
    yard->loop = ev_loop_new(EVFLAG_AUTO);
    if (!yard->loop)
        snprintf(message, len, "no event loop: %s", strerror(errno));
    return yard->loop ? 0 : -1;
}

static void one_pass(struct sim_yard *yard, double wait_s)
{
    ev_now_update(yard->loop);
    ev_timer_set(&yard->wake, wait_s > 0 ? wait_s : 0, 0);
    ev_timer_start(yard->loop, &yard->wake);
    ev_run(yard->loop, EVRUN_ONCE);
    ev_timer_stop(yard->loop, &yard->wake);
}

void sim_yard_wait(struct sim_yard *yard, int64_t due_us)
{
    one_pass(yard, (double)(due_us - sim_yard_now_us(yard)) / 1e6 /
                       (double)yard->scn->campaign.time_scale);
}

int64_t sim_yard_now_us(const struct sim_yard *yard)
{
    return sim_host_clock_now(&yard->clock, yard->scn->campaign.time_scale);
}

int64_t sim_yard_utc_ms(void *yard)
{
    return sim_yard_now_us(yard) / 1000;
}

void sim_yard_set_clock(struct sim_yard *yard, int64_t now_us)
{
    sim_host_clock_set(&yard->clock, now_us);
}

/* ---- Servers ---- */

static void account(void *ctx, struct sim_account *out, uint32_t index)
{
    const struct sim_yard *yard = ctx;
    snprintf(out->device_id, sizeof out->device_id, "%s", yard->world->roster.unit[index].id);
    sim_yard_secret(yard->scn, index, out->secret);
}

static int serve_images(struct sim_yard *yard, char *message, size_t len)
{
    for (uint32_t i = 0; i < yard->scn->firmwares && !sim_yard_is_given(yard, SIM_GIVEN_STORE);
         i++) {
        const struct sim_artifact *artifact = &yard->world->artifact[i];
        char name[SIM_NAME_MAX];
        snprintf(name, sizeof name, "firmware-%s.bin", artifact->from->version);
        if (sim_store_put(&yard->servers.store, name, artifact->bytes, artifact->len, message, len))
            return -1;
    }
    return 0;
}

static void url_of(void *ctx, const char *version, char *out, size_t len)
{
    struct sim_yard *yard = ctx;
    char name[SIM_NAME_MAX], url[SIM_URL_MAX];
    if (sim_yard_is_given(yard, SIM_GIVEN_STORE)) {
        sim_given_url(yard->given, version, time(NULL) + URL_GOOD_FOR_S, out, len);
        return;
    }
    snprintf(name, sizeof name, "firmware-%s.bin", version);
    sim_store_url(&yard->servers.store, url, SIM_CERT_GOOD, name, time(NULL) + URL_GOOD_FOR_S);
    snprintf(out, len, "%s", url);
}

static int open_servers(struct sim_yard *yard, const struct sim_yard_servers *servers,
                        char *message, size_t len)
{
    char store[SIM_SECRET_MAX];
    sim_yard_account(yard, "service", SERVICE, yard->service_secret);
    sim_yard_secret(yard->scn, STORE, store);
    const struct sim_servers_config config = {
        .now_ms = yard->given ? (int64_t)time(NULL) * 1000 : servers->certified_from_ms,
        .no_broker = sim_yard_is_given(yard, SIM_GIVEN_BROKER),
        .no_store = sim_yard_is_given(yard, SIM_GIVEN_STORE),
        .validity_days = VALID_DAYS,
        .broker = {.account = account,
                   .context = yard,
                   .account_count = yard->world->roster.count,
                   .service_secret = yard->service_secret,
                   .mutual_tls = servers->mutual_tls,
                   .bad_certificates = servers->broker_bad},
        .store = {.secret = store, .workers = 1, .bad_certificates = servers->store_bad},
    };
    if (sim_servers_start(&yard->servers, &config, message, len))
        return -1;
    yard->servers_run = true;
    return serve_images(yard, message, len);
}

int sim_yard_open(struct sim_yard *yard, const struct sim_yard_servers *servers, char *message,
                  size_t len)
{
    if (yard->given && sim_given_refuse(yard->given, yard->scn, message, len))
        return -1;
    if (sim_yard_pulse_limit(yard, message, len))
        return -1;
    if (open_loop(yard, message, len) || open_servers(yard, servers, message, len) ||
        sim_yard_check_given(yard, message, len))
        return -1;
    return sim_world_serve(yard->world, url_of, yard, message, len);
}

int sim_yard_stands(struct sim_yard *yard, char *message, size_t len)
{
    const char *gone = NULL;
    if (!sim_yard_is_given(yard, SIM_GIVEN_BROKER) && !sim_broker_runs(&yard->servers.broker))
        gone = "mosquitto";
    else if (!sim_yard_is_given(yard, SIM_GIVEN_STORE) && !sim_store_runs(&yard->servers.store))
        gone = "nginx";
    if (yard->interrupted)
        snprintf(message, len, "interrupted");
    else if (gone)
        snprintf(message, len, "%s ended by itself in the middle of the run", gone);
    return yard->interrupted || gone ? -1 : sim_yard_pulse(yard, message, len);
}

/* ---- The desk ---- */

int sim_yard_open_desk(struct sim_yard *yard, const struct sim_ground_fleet *fleet,
                       const struct sim_yard_ears *ears, char *message, size_t len)
{
    const struct agent_clock of_world = {sim_yard_utc_ms, yard};
    uint16_t port = yard->servers.broker.port[SIM_CERT_GOOD];
    snprintf(yard->broker_ip, sizeof yard->broker_ip, "127.0.0.1");
    if (sim_yard_is_given(yard, SIM_GIVEN_BROKER)) {
        const struct sockaddr_in *at = &yard->given->server[SIM_GIVEN_BROKER].address;
        inet_ntop(AF_INET, &at->sin_addr, yard->broker_ip, sizeof yard->broker_ip);
        port = ntohs(at->sin_port);
    }
    const struct sim_desk_config config = {.loop = yard->loop,
                                           .tls = yard->tls,
                                           .host = yard->broker_ip,
                                           .server_name = sim_yard_broker_name(yard),
                                           .port = port,
                                           .client_id = "service",
                                           .user = "service",
                                           .secret = yard->service_secret,
                                           .clock = sim_yard_clock(yard, &of_world),
                                           .device = fleet->registry,
                                           .devices = fleet->devices,
                                           .said = ears->said,
                                           .presence = ears->presence,
                                           .ctx = ears->ctx};
    if (sim_desk_create(&yard->desk, &config)) {
        snprintf(message, len, "no memory for the service's connection");
        return -1;
    }
    double until = ev_time() + DESK_WITHIN_S;
    while (!sim_desk_is_up(yard->desk) && ev_time() < until && !yard->interrupted)
        one_pass(yard, 0.1);
    sim_yard_pulse_begin(yard);
    if (sim_desk_is_up(yard->desk) || yard->interrupted)
        return 0;
    snprintf(message, len, "the campaign service could not connect to the broker");
    return -1;
}

void sim_yard_close(struct sim_yard *yard)
{
    bool served = yard->desk != NULL;
    sim_desk_free(yard->desk);
    if (served)
        sim_yard_tidy_given(yard);
    agent_tls_free(yard->tls);
    agent_tls_free(yard->store_tls);
    if (yard->servers_run)
        sim_servers_stop(&yard->servers);
    /* Last: an impatient second signal must not leave a server or its folder. */
    for (int i = 0; yard->loop && i < 2; i++)
        ev_signal_stop(yard->loop, &yard->stop[i]);
    if (yard->loop)
        ev_loop_destroy(yard->loop);
    *yard = (struct sim_yard){0};
}
