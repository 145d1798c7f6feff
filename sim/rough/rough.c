/* Proxies and edge, and what each device is to meet at them. */
#include "sim/rough.h"
#include "sim/queue.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct rough_device {
    bool rough;
    bool spoil;   /* how the next answer is to be spoiled */
    bool cut_off; /* an outage was seen to take effect, its device is to be told */
    struct sim_edge_plan plan;
    int64_t until_us[SIM_ROUGH_SERVERS]; /* the server is out of reach, 0: not */
};

struct sim_rough {
    struct sim_rough_config config;
    struct rough_device *device;
    uint32_t devices, roughs;
    struct sim_queue outages; /* when each server can be reached again: device * SERVERS + server */
    struct sim_proxy *proxy[SIM_ROUGH_SERVERS];
    struct sim_edge *edge;
    struct sim_edge_file *file;
    struct sockaddr_in edge_address;
    uint32_t *news, newses; /* devices with cut_off to tell */
};

static bool is_network(enum scn_fault_kind kind)
{
    return kind == SCN_FAULT_CORRUPT_DOWNLOAD || kind == SCN_FAULT_NETWORK_DROP ||
           kind == SCN_FAULT_BROKER_DOWN || kind == SCN_FAULT_CDN_DOWN;
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

/* A download whose answer is to be spoiled is led to the edge. */
static void plan_store(void *ctx, uint32_t number, uint32_t connection, struct sim_proxy_plan *plan)
{
    const struct sim_rough *rough = ctx;
    (void)connection;
    if (rough->device[number].spoil)
        plan->upstream = rough->edge_address;
    else if (rough->config.plan)
        rough->config.plan(rough->config.ctx, number, plan);
}

static void seen(struct sim_rough *rough, const struct sim_proxy_effect *effect,
                 enum sim_rough_server server)
{
    if (effect->device >= rough->devices)
        return;
    struct rough_device *dev = &rough->device[effect->device];
    if (effect->kind == SIM_PROXY_RESET && effect->mark && rough->config.dropped)
        rough->config.dropped(rough->config.ctx, effect->device, effect->mark);
    bool off = effect->kind == SIM_PROXY_RESET || effect->kind == SIM_PROXY_REFUSED;
    if (!off || !dev->until_us[server] || dev->cut_off)
        return;
    dev->cut_off = true;
    rough->news[rough->newses++] = effect->device;
}

static void seen_at_broker(void *ctx, const struct sim_proxy_effect *effect)
{
    seen(ctx, effect, SIM_ROUGH_BROKER);
}

static void seen_at_store(void *ctx, const struct sim_proxy_effect *effect)
{
    seen(ctx, effect, SIM_ROUGH_STORE);
}

void sim_rough_tell(struct sim_rough *rough)
{
    while (rough->newses) {
        uint32_t device = rough->news[--rough->newses];
        rough->device[device].cut_off = false;
        rough->config.cut_off(rough->config.ctx, device);
    }
}

/* ---- The edge ---- */

void sim_rough_spoil(struct sim_rough *rough, uint32_t device, const struct sim_fault *fault)
{
    struct rough_device *dev = &rough->device[device];
    dev->spoil = fault != NULL;
    dev->plan = (struct sim_edge_plan){.device = device};
    if (!fault)
        return;
    dev->plan.how = fault->how;
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
    if (effect->kind == SIM_EDGE_SPOILED && effect->device < rough->devices)
        rough->config.spoiled(rough->config.ctx, effect->device);
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
        snprintf(path, SIM_EDGE_PATH_MAX, "/firmware-%s.bin", world->artifact[i].from->version);
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
    return error ? error : sim_edge_listen(rough->edge, &rough->edge_address, cert, key);
}

/* ---- The proxies ---- */

static uint16_t real_port(const struct sim_rough *rough, enum sim_rough_server server)
{
    const struct sim_servers *servers = rough->config.servers;
    return server == SIM_ROUGH_BROKER ? servers->broker.port[SIM_CERT_GOOD]
                                      : servers->store.port[SIM_CERT_GOOD];
}

static int open_proxy(struct sim_rough *rough, enum sim_rough_server server)
{
    const struct sim_proxy_config config = {
        .loop = rough->config.loop,
        .upstream = {.sin_family = AF_INET,
                     .sin_port = htons(real_port(rough, server)),
                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .seed = rough->config.world->scn->seed,
        .number = (uint32_t)server,
        .devices = rough->devices,
        .ctx = rough,
        .device = which,
        .plan = server == SIM_ROUGH_STORE ? plan_store : NULL,
        .effect = server == SIM_ROUGH_STORE ? seen_at_store : seen_at_broker,
    };
    return sim_proxy_create(&rough->proxy[server], &config);
}

static int open_all(struct sim_rough *rough, char *message, size_t len)
{
    rough->device = calloc(rough->devices, sizeof *rough->device);
    rough->news = calloc(rough->devices, sizeof *rough->news);
    if (!rough->device || !rough->news ||
        sim_queue_init(&rough->outages, rough->devices * SIM_ROUGH_SERVERS) || name_files(rough)) {
        snprintf(message, len, "no memory for the proxies");
        return -1;
    }
    for (uint32_t d = 0; d < rough->devices; d++)
        rough->device[d].rough = sim_rough_is(rough->config.world, d);
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
    sim_queue_free(&rough->outages);
    free(rough->file);
    free(rough->news);
    free(rough->device);
    free(rough);
}

uint16_t sim_rough_port(const struct sim_rough *rough, uint32_t device,
                        enum sim_rough_server server)
{
    if (rough->device[device].rough)
        return ntohs(sim_proxy_address(rough->proxy[server]).sin_port);
    return real_port(rough, server);
}

/* ---- Outages ---- */

void sim_rough_outage(struct sim_rough *rough, uint32_t device, uint32_t what, int64_t until_us)
{
    static const uint32_t of[SIM_ROUGH_SERVERS] = {
        [SIM_ROUGH_BROKER] = SIM_OUT_MQTT, [SIM_ROUGH_STORE] = SIM_OUT_HTTP};
    struct rough_device *dev = &rough->device[device];
    for (uint32_t server = 0; server < SIM_ROUGH_SERVERS; server++) {
        if (!(what & of[server]) || !dev->rough || until_us <= dev->until_us[server])
            continue;
        dev->until_us[server] = until_us;
        sim_queue_set(&rough->outages, device * SIM_ROUGH_SERVERS + server, until_us);
        sim_proxy_link(rough->proxy[server], device, SIM_PROXY_REFUSE, 0);
        sim_proxy_cut(rough->proxy[server], device, SIM_PROXY_END_RESET, 0);
    }
}

int64_t sim_rough_next(const struct sim_rough *rough)
{
    uint32_t node;
    return sim_queue_peek(&rough->outages, &node);
}

void sim_rough_restore(struct sim_rough *rough, int64_t now_us)
{
    uint32_t node;
    while (sim_queue_peek(&rough->outages, &node) <= now_us) {
        uint32_t device = node / SIM_ROUGH_SERVERS, server = node % SIM_ROUGH_SERVERS;
        struct rough_device *dev = &rough->device[device];
        sim_queue_set(&rough->outages, node, SIM_NEVER);
        dev->until_us[server] = 0;
        sim_proxy_link(rough->proxy[server], device, SIM_PROXY_PASS, 0);
        if (!dev->until_us[SIM_ROUGH_BROKER] && !dev->until_us[SIM_ROUGH_STORE] && !dev->cut_off)
            rough->config.spared(rough->config.ctx, device);
    }
}
