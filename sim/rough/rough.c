/* Proxies and edge, and what each device is to meet at them. */
#include "rough_internal.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_network(enum scn_fault_kind kind)
{
    return kind == SCN_FAULT_CORRUPT_DOWNLOAD || kind == SCN_FAULT_NETWORK_DROP ||
           kind == SCN_FAULT_BROKER_DOWN || kind == SCN_FAULT_CDN_DOWN ||
           kind == SCN_FAULT_SLOW_LINK || kind == SCN_FAULT_BAD_CERTIFICATE;
}

bool sim_rough_is(const struct sim_world *world, uint32_t device)
{
    struct sim_fault_set set = sim_faults_of(&world->faults, device);
    for (uint32_t i = 0; i < set.count; i++)
        if (is_network(set.fault[i].kind))
            return true;
    return false;
}

uint32_t sim_rough_count(const struct sim_world *world)
{
    uint32_t roughs = 0;
    for (uint32_t d = 0; d < world->roster.count; d++)
        roughs += sim_rough_is(world, d);
    return roughs;
}

static uint32_t number_of(const struct sim_rough *rough, const struct sockaddr_in *source)
{
    uint32_t number = ntohl(source->sin_addr.s_addr) - rough->config.address_base;
    return number < rough->devices ? number : SIM_CHAOS_NOBODY;
}

static uint32_t which(void *ctx, const struct sockaddr_in *source)
{
    return number_of(ctx, source);
}

static void plan_broker(void *ctx, uint32_t number, uint32_t connection,
                        struct sim_proxy_plan *plan)
{
    const struct sim_rough *rough = ctx;
    (void)connection;
    rough_trouble_plan(&rough->device[number], SIM_ROUGH_BROKER, plan);
}

/* A download whose answer is to be spoiled is led to the edge; a certificate that is bad comes
 * before that. */
static void plan_store(void *ctx, uint32_t number, uint32_t connection, struct sim_proxy_plan *plan)
{
    const struct sim_rough *rough = ctx;
    (void)connection;
    rough_trouble_plan(&rough->device[number], SIM_ROUGH_STORE, plan);
    if (rough->device[number].spoil && !plan->upstream.sin_family)
        plan->upstream = rough->edge_address;
    else if (rough->config.plan)
        rough->config.plan(rough->config.ctx, number, plan);
}

static void seen(struct sim_rough *rough, const struct sim_proxy_effect *effect,
                 enum sim_rough_server server)
{
    if (effect->device >= rough->devices)
        return;
    if (effect->kind == SIM_PROXY_RESET && effect->mark && rough->config.dropped)
        rough->config.dropped(rough->config.ctx, effect->device, effect->mark);
    rough_trouble_seen(&rough->device[effect->device], server, effect->kind);
}

static void seen_at_broker(void *ctx, const struct sim_proxy_effect *effect)
{
    seen(ctx, effect, SIM_ROUGH_BROKER);
}

static void seen_at_store(void *ctx, const struct sim_proxy_effect *effect)
{
    seen(ctx, effect, SIM_ROUGH_STORE);
}

/* ---- The edge ---- */

/* What the edge has another word for. */
static enum sim_edge_trick trick_of(enum scn_how how)
{
    switch (how) {
    case SCN_HOW_HTTP_416:
        return SIM_EDGE_HTTP_416;
    case SCN_HOW_REDIRECT_LOOP:
        return SIM_EDGE_REDIRECT_LOOP;
    case SCN_HOW_HUGE_HEADERS:
        return SIM_EDGE_HUGE_HEAD;
    default:
        return SIM_EDGE_NO_TRICK;
    }
}

void sim_rough_spoil(struct sim_rough *rough, uint32_t device, const struct sim_fault *fault)
{
    struct rough_device *dev = &rough->device[device];
    dev->spoil = fault != NULL;
    dev->plan = (struct sim_edge_plan){.device = device, .mark = dev->plan.mark + 1};
    if (!fault)
        return;
    dev->plan.trick = trick_of(fault->how);
    dev->plan.how = dev->plan.trick ? SCN_HOW_ANY : fault->how;
    memcpy(dev->plan.draw, fault->draw, sizeof dev->plan.draw);
}

static void plan_edge(void *ctx, const struct sockaddr_in *source, const struct sim_edge_file *file,
                      uint32_t offset, struct sim_edge_plan *plan)
{
    const struct sim_rough *rough = ctx;
    uint32_t number = number_of(rough, source);
    (void)file;
    (void)offset;
    if (number != SIM_CHAOS_NOBODY && rough->device[number].spoil)
        *plan = rough->device[number].plan;
}

static void edge_effect(void *ctx, const struct sim_edge_effect *effect)
{
    const struct sim_rough *rough = ctx;
    if (effect->kind != SIM_EDGE_SPOILED || effect->device >= rough->devices)
        return;
    /* Not of a download that was given up: the next one has a plan of its own. */
    if (effect->mark == rough->device[effect->device].plan.mark)
        rough->config.spoiled(rough->config.ctx, effect->device, effect->at);
}

static int name_files(struct sim_rough *rough)
{
    const struct sim_world *world = rough->config.world;
    uint32_t files = world->scn->firmwares;
    rough->file = calloc(files, sizeof *rough->file);
    for (uint32_t i = 0; rough->file && i < files; i++) {
        char *path = malloc(SIM_EDGE_PATH_MAX);
        if (!path)
            return -1;
        snprintf(path, SIM_EDGE_PATH_MAX, "%sfirmware-%s.bin",
                 rough->config.store_path ? rough->config.store_path : "/",
                 world->artifact[i].from->version);
        rough->file[i] =
            (struct sim_edge_file){path, world->artifact[i].bytes, world->artifact[i].len};
    }
    return rough->file ? 0 : -1;
}

static int open_edge(struct sim_rough *rough)
{
    const struct sim_pki *pki = &rough->config.servers->pki;
    char cert[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    const struct sim_edge_config config = {.loop = rough->config.loop,
                                           .file = rough->file,
                                           .files = rough->config.world->scn->firmwares,
                                           .connections_max = rough->roughs + 64,
                                           .ctx = rough,
                                           .plan = plan_edge,
                                           .effect = edge_effect};
    sim_pki_server_path(pki, cert, SIM_STORE_NAME, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    sim_pki_server_path(pki, key, SIM_STORE_NAME, SIM_CERT_GOOD, SIM_PEM_KEY);
    int error = sim_edge_create(&rough->edge, &config);
    return error ? error
                 : sim_edge_listen(rough->edge, &rough->edge_address,
                                   rough->config.store_cert ? rough->config.store_cert : cert,
                                   rough->config.store_key ? rough->config.store_key : key);
}

/* ---- The proxies ---- */

struct sockaddr_in rough_address(const struct sim_rough *rough, enum sim_rough_server server,
                                 enum sim_cert certificate)
{
    if (rough->config.given[server].sin_family)
        return rough->config.given[server];
    const struct sim_broker *broker = &rough->config.servers->broker;
    bool mutual = certificate == SIM_CERT_GOOD && broker->mutual_port;
    uint16_t port = server == SIM_ROUGH_STORE ? rough->config.servers->store.port[certificate]
                    : mutual                  ? broker->mutual_port
                                              : broker->port[certificate];
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_proxy(struct sim_rough *rough, enum sim_rough_server server)
{
    const struct sim_proxy_config config = {
        .loop = rough->config.loop,
        .upstream = rough_address(rough, server, SIM_CERT_GOOD),
        .seed = rough->config.world->scn->seed,
        .number = (uint32_t)server,
        .devices = rough->devices,
        .ctx = rough,
        .device = which,
        .plan = server == SIM_ROUGH_STORE ? plan_store : plan_broker,
        .effect = server == SIM_ROUGH_STORE ? seen_at_store : seen_at_broker,
    };
    return sim_proxy_create(&rough->proxy[server], &config);
}

static int open_all(struct sim_rough *rough, char *message, size_t len)
{
    rough->device = calloc(rough->devices, sizeof *rough->device);
    rough->news = calloc(rough->devices, sizeof *rough->news);
    if (!rough->device || !rough->news || sim_queue_init(&rough->troubles, rough->devices) ||
        name_files(rough)) {
        snprintf(message, len, "no memory for the proxies");
        return -1;
    }
    for (uint32_t d = 0; d < rough->devices; d++)
        rough->device[d] = (struct rough_device){
            .in = rough, .number = d, .rough = sim_rough_is(rough->config.world, d)};
    if (!rough->roughs)
        return 0;
    int error = open_edge(rough) < 0 || open_proxy(rough, SIM_ROUGH_BROKER) ||
                open_proxy(rough, SIM_ROUGH_STORE);
    if (error)
        snprintf(message, len, "the chaos proxies could not be opened on 127.0.0.1");
    return error ? -1 : 0;
}

int sim_rough_open(struct sim_rough **out, const struct sim_rough_config *config, char *message,
                   size_t len)
{
    struct sim_rough *rough = *out = calloc(1, sizeof *rough);
    if (!rough) {
        snprintf(message, len, "no memory for the proxies");
        return -1;
    }
    rough->config = *config;
    rough->devices = config->world->roster.count;
    rough->roughs = sim_rough_count(config->world);
    if (!open_all(rough, message, len))
        return 0;
    sim_rough_close(rough);
    *out = NULL;
    return -1;
}

void sim_rough_close(struct sim_rough *rough)
{
    if (!rough)
        return;
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++)
        sim_proxy_free(rough->proxy[server]);
    sim_edge_free(rough->edge);
    for (uint32_t i = 0; rough->file && i < rough->config.world->scn->firmwares; i++)
        free((void *)rough->file[i].path);
    sim_queue_free(&rough->troubles);
    free(rough->file);
    free(rough->news);
    free(rough->device);
    free(rough);
}

struct sockaddr_in sim_rough_where(const struct sim_rough *rough, uint32_t device,
                                   enum sim_rough_server server)
{
    if (rough->device[device].rough)
        return sim_proxy_address(rough->proxy[server]);
    return rough_address(rough, server, SIM_CERT_GOOD);
}

uint16_t sim_rough_port(const struct sim_rough *rough, uint32_t device,
                        enum sim_rough_server server)
{
    return ntohs(sim_rough_where(rough, device, server).sin_port);
}
