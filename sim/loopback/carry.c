/* The devices that this process carries: their drivers and proxies, and who runs when. */
#include "loopback_internal.h"
#include <stdlib.h>

static const double MEMORY_EVERY_S = 0.1;
static const int64_t HOLD_US = 20000;
enum { TRANSFER_BYTES = 8192 };

/* ---- Up ---- */

static int open_drivers(struct sim_loopback *lb, char *message, size_t len)
{
    if (sim_yard_open_tls(&lb->yard, message, len))
        return -1;
    const struct agent_http_config http = {.tls = lb->yard.store_tls,
                                           .connect_within_s = 30,
                                           .stall_s =
                                               (uint32_t)(lb->scn->device.stall_us / 1000000),
                                           .header_bytes_max = 65536,
                                           .buffer_bytes = TRANSFER_BYTES};
    if (agent_http_create(&lb->http, lb->yard.loop, &http)) {
        snprintf(message, len, "no memory for downloads");
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
    struct sim_rough_config config = {.loop = lb->yard.loop,
                                      .servers = &lb->yard.servers,
                                      .world = lb->yard.world,
                                      .address_base = LB_ADDRESS_BASE,
                                      .ctx = lb,
                                      .spoiled = spoiled,
                                      .cut_off = cut_off,
                                      .spared = spared};
    lb_given_rough(lb, &config);
    return sim_rough_open(&lb->rough, &config, message, len);
}

int lb_carry_open(struct sim_loopback *lb, char *message, size_t len)
{
    lb->rss_before = sim_host_resident_bytes();
    lb->device = calloc(lb->devices, sizeof *lb->device);
    if (!lb->device ||
        lb_line_init(&lb->line[SIM_ROUGH_BROKER], lb->devices, LB_CONNECTS_MAX / lb->workers) ||
        lb_line_init(&lb->line[SIM_ROUGH_STORE], lb->devices, LB_GETS_MAX / lb->workers) ||
        sim_queue_init(&lb->due, lb->devices)) {
        snprintf(message, len, "no memory for the devices");
        return -1;
    }
    return open_drivers(lb, message, len) || open_rough(lb, message, len) ? -1 : 0;
}

/* The certificate is made for the run; the broker takes the device's name from it. */
static int identify(struct lb_device *dev, char *message, size_t len)
{
    struct sim_pki *pki = &dev->lb->yard.servers.pki;
    char cert[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    if (dev->lb->scn->device.credentials != SCN_BY_CERTIFICATE)
        return 0;
    if (sim_pki_device(pki, dev->id, SIM_CERT_GOOD, message, len))
        return -1;
    sim_pki_device_path(pki, cert, dev->id, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    sim_pki_device_path(pki, key, dev->id, SIM_CERT_GOOD, SIM_PEM_KEY);
    return agent_identity_load(&dev->identity, cert, key, message, len);
}

int lb_carry_devices(struct sim_loopback *lb, char *message, size_t len)
{
    snprintf(message, len, "no memory for the devices' connections");
    for (uint32_t d = lb->from; d < lb->to; d++) {
        struct lb_device *dev = &lb->device[d];
        dev->lb = lb;
        dev->device = lb->fleet.device[d];
        dev->number = d;
        snprintf(dev->id, sizeof dev->id, "%s", lb->fleet.unit[d].id);
        sim_yard_address(LB_ADDRESS_BASE, d, dev->address);
        sim_yard_account(&lb->yard, dev->id, d, dev->secret);
        if (identify(dev, message, len) || lb_device_open(dev))
            return -1;
    }
    return 0;
}

/* ---- The run ---- */

/* A device counts the time since its boot until it is connected, and its turn in the line is this
 * host's doing: so nobody boots while as many wait as there are places. */
static bool holds_back(const struct sim_loopback *lb, const struct sim_device *device)
{
    const struct lb_line *line = &lb->line[SIM_ROUGH_BROKER];
    struct sim_truth truth;
    if (line->count < line->places)
        return false;
    sim_device_truth(device, &truth);
    return !truth.powered;
}

/* Not all that are due at once: their flash and their signatures take time, and sockets wait. */
static bool run_due(struct sim_loopback *lb)
{
    int64_t now_us = lb_now_us(lb);
    uint32_t number, runs = 0;
    while (sim_queue_peek(&lb->due, &number) <= now_us &&
           runs++ < lb->line[SIM_ROUGH_BROKER].places) {
        struct lb_device *dev = &lb->device[number];
        int64_t next_us = holds_back(lb, dev->device)
                              ? now_us + HOLD_US * lb->scn->campaign.time_scale
                              : sim_device_run(dev->device, lb->fleet.shard, now_us + 1);
        sim_queue_set(&lb->due, number, next_us);
        lb_worker_untold(dev);
    }
    return sim_queue_peek(&lb->due, &number) <= now_us;
}

bool lb_carry_due(struct sim_loopback *lb)
{
    sim_rough_restore(lb->rough, lb_now_us(lb));
    bool more = run_due(lb);
    lb_lines_run(lb);
    return more;
}

void lb_carry_wait(struct sim_loopback *lb, int64_t until_us, bool more)
{
    uint32_t node;
    int64_t due_us = sim_queue_peek(&lb->due, &node);
    int64_t trouble_us = sim_rough_next(lb->rough);
    due_us = trouble_us < due_us ? trouble_us : due_us;
    due_us = until_us < due_us ? until_us : due_us;
    sim_rough_tell(lb->rough);
    if (more)
        ev_run(lb->yard.loop, EVRUN_NOWAIT);
    else
        sim_yard_wait(&lb->yard, due_us);
    sim_rough_tell(lb->rough);
}

/* Not each time: it is a file to be read, and the loop comes back for every message. */
void lb_note_memory(struct sim_loopback *lb)
{
    struct lb_counts *counts = &lb->counts;
    if (ev_now(lb->yard.loop) < lb->rss_at + MEMORY_EVERY_S)
        return;
    uint64_t rss = sim_host_resident_bytes();
    lb->rss_at = ev_now(lb->yard.loop);
    counts->rss_max = rss > counts->rss_max ? rss : counts->rss_max;
    counts->rss_grown = counts->rss_max > lb->rss_before ? counts->rss_max - lb->rss_before : 0;
}

/* ---- Down ---- */

void lb_carry_close(struct sim_loopback *lb)
{
    for (uint32_t d = lb->from; lb->device && d < lb->to; d++)
        lb_device_close(&lb->device[d]);
    agent_http_free(lb->http);
    sim_rough_close(lb->rough);
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++)
        lb_line_free(&lb->line[server]);
    sim_queue_free(&lb->due);
    free(lb->device);
}
