/*
 * The rough part of the network: a proxy before the broker and one before the store, and the edge
 * that lies. A device that no fault of the network may hit goes past all of them.
 */
#include "loopback_internal.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static uint32_t number_of(const struct sim_loopback *lb, const struct sockaddr_in *source)
{
    uint32_t number = ntohl(source->sin_addr.s_addr) - LB_ADDRESS_BASE;
    return number < lb->devices ? number : SIM_CHAOS_NOBODY;
}

static uint32_t which(void *ctx, const struct sockaddr_in *source)
{
    return number_of(ctx, source);
}

static void plan_broker(void *ctx, uint32_t number, uint32_t connection,
                        struct sim_proxy_plan *plan)
{
    const struct sim_loopback *lb = ctx;
    (void)connection;
    lb_trouble_plan(&lb->device[number], LB_BROKER, plan);
}

/* A download whose answer is to be spoiled is led to the edge; a certificate that is bad comes
 * before that. */
static void plan_store(void *ctx, uint32_t number, uint32_t connection, struct sim_proxy_plan *plan)
{
    const struct sim_loopback *lb = ctx;
    (void)connection;
    lb_trouble_plan(&lb->device[number], LB_STORE, plan);
    if (lb->device[number].spoil && !plan->upstream.sin_family)
        plan->upstream = lb->edge_address;
}

static void seen_at_broker(void *ctx, const struct sim_proxy_effect *effect)
{
    struct sim_loopback *lb = ctx;
    if (effect->device < lb->devices)
        lb_trouble_seen(&lb->device[effect->device], LB_BROKER, effect->kind);
}

static void seen_at_store(void *ctx, const struct sim_proxy_effect *effect)
{
    struct sim_loopback *lb = ctx;
    if (effect->device < lb->devices)
        lb_trouble_seen(&lb->device[effect->device], LB_STORE, effect->kind);
}

/* ---- The edge ---- */

static void plan_edge(void *ctx, const struct sockaddr_in *source, const struct sim_edge_file *file,
                      uint32_t offset, struct sim_edge_plan *plan)
{
    struct sim_loopback *lb = ctx;
    uint32_t number = number_of(lb, source);
    (void)file;
    (void)offset;
    if (number != SIM_CHAOS_NOBODY && lb->device[number].spoil)
        *plan = lb->device[number].plan;
}

static void edge_effect(void *ctx, const struct sim_edge_effect *effect)
{
    struct sim_loopback *lb = ctx;
    if (effect->kind != SIM_EDGE_SPOILED || effect->device >= lb->devices)
        return;
    struct lb_device *dev = &lb->device[effect->device];
    if (dev->transfer && effect->mark == dev->plan.mark) /* not of a download that was given up */
        sim_device_http_sent_spoiled(dev->device, effect->at);
}

static int name_files(struct sim_loopback *lb)
{
    const struct sim_world *world = lb->world;
    uint32_t files = lb->scn->firmwares;
    lb->file = calloc(files, sizeof *lb->file);
    for (uint32_t i = 0; lb->file && i < files; i++) {
        char *path = malloc(SIM_EDGE_PATH_MAX);
        if (!path)
            return -1;
        snprintf(path, SIM_EDGE_PATH_MAX, "/firmware-%s.bin", world->artifact[i].from->version);
        lb->file[i] =
            (struct sim_edge_file){path, world->artifact[i].bytes, world->artifact[i].len};
    }
    return lb->file ? 0 : -1;
}

static int open_edge(struct sim_loopback *lb)
{
    char cert[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    const struct sim_edge_config config = {.loop = lb->loop,
                                           .file = lb->file,
                                           .files = lb->scn->firmwares,
                                           .connections_max = lb->roughs + 64,
                                           .ctx = lb,
                                           .plan = plan_edge,
                                           .effect = edge_effect};
    sim_pki_server_path(&lb->servers.pki, cert, SIM_STORE_NAME, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    sim_pki_server_path(&lb->servers.pki, key, SIM_STORE_NAME, SIM_CERT_GOOD, SIM_PEM_KEY);
    int error = sim_edge_create(&lb->edge, &config);
    return error ? error : sim_edge_listen(lb->edge, &lb->edge_address, cert, key);
}

/* ---- The proxies ---- */

static struct sockaddr_in loopback_port(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

struct sockaddr_in lb_rough_server(const struct sim_loopback *lb, enum lb_server server,
                                   enum sim_cert certificate)
{
    bool mutual = server == LB_BROKER && certificate == SIM_CERT_GOOD &&
                  lb->scn->device.credentials == SCN_BY_CERTIFICATE;
    return loopback_port(mutual                ? lb->servers.broker.mutual_port
                         : server == LB_BROKER ? lb->servers.broker.port[certificate]
                                               : lb->servers.store.port[certificate]);
}

static int open_proxy(struct sim_loopback *lb, enum lb_server server)
{
    const struct sim_proxy_config config = {
        .loop = lb->loop,
        .upstream = lb_rough_server(lb, server, SIM_CERT_GOOD),
        .seed = lb->scn->seed,
        .number = (uint32_t)server,
        .devices = lb->devices,
        .ctx = lb,
        .device = which,
        .plan = server == LB_STORE ? plan_store : plan_broker,
        .effect = server == LB_STORE ? seen_at_store : seen_at_broker,
    };
    return sim_proxy_create(&lb->proxy[server], &config);
}

int lb_rough_open(struct sim_loopback *lb, char *message, size_t len)
{
    lb->news = calloc(lb->devices, sizeof *lb->news);
    if (!lb->news || name_files(lb)) {
        snprintf(message, len, "no memory for the proxies");
        return -1;
    }
    if (!lb->roughs)
        return 0;
    int error = open_edge(lb) < 0 || open_proxy(lb, LB_BROKER) || open_proxy(lb, LB_STORE);
    if (error)
        snprintf(message, len, "the chaos proxies could not be opened on 127.0.0.1");
    return error ? -1 : 0;
}

void lb_rough_close(struct sim_loopback *lb)
{
    for (int server = 0; server < LB_SERVERS; server++)
        sim_proxy_free(lb->proxy[server]);
    sim_edge_free(lb->edge);
    for (uint32_t i = 0; lb->file && i < lb->scn->firmwares; i++)
        free((void *)lb->file[i].path);
    free(lb->file);
    free(lb->news);
}

uint16_t lb_rough_port(const struct lb_device *dev, enum lb_server server)
{
    const struct sim_loopback *lb = dev->lb;
    if (dev->rough)
        return ntohs(sim_proxy_address(lb->proxy[server]).sin_port);
    return ntohs(lb_rough_server(lb, server, SIM_CERT_GOOD).sin_port);
}
