/* As the loopback world uses both: a device is led to the edge by the proxy, which knows it by its
 * address; so does the edge. */
#include "edge_bench.h"
#include "sim/chaos_proxy.h"
#include <criterion/criterion.h>
#include <string.h>

enum { DEVICE = 9 };

static struct edge_bench bench;
static struct sim_proxy *proxy;
static struct sim_proxy_plan rules;
static uint32_t told[SIM_PROXY_EFFECTS]; /* of the newest connection */
static uint32_t newest;

static uint32_t device_of(void *ctx, const struct sockaddr_in *source)
{
    (void)ctx;
    return ntohl(source->sin_addr.s_addr) - 0x7F010000u;
}

static void proxy_plan(void *ctx, uint32_t device, uint32_t connection, struct sim_proxy_plan *plan)
{
    (void)ctx;
    cr_assert_eq(device, DEVICE);
    newest = connection;
    *plan = rules;
}

static void proxy_effect(void *ctx, const struct sim_proxy_effect *effect)
{
    (void)ctx;
    if (effect->connection == newest)
        told[effect->kind]++;
}

static void begin(void)
{
    edge_bench_begin(&bench, NULL);
    memset(told, 0, sizeof told);
    memset(&rules, 0, sizeof rules);
    struct sim_proxy_config config = {.loop = bench.loop,
                                      .upstream = bench.address[CERT_GOOD],
                                      .devices = 16,
                                      .device = device_of,
                                      .plan = proxy_plan,
                                      .effect = proxy_effect};
    cr_assert_eq(sim_proxy_create(&proxy, &config), SIM_CHAOS_OK);
    /* curl goes to the proxy. */
    bench.address[CERT_GOOD] = sim_proxy_address(proxy);
}

static void end(void)
{
    sim_proxy_free(proxy);
    edge_bench_end(&bench);
}

static int get(const char *arguments, uint8_t *out, size_t *len)
{
    char all[128];
    snprintf(all, sizeof all, "--interface 127.1.0.%d %s", DEVICE, arguments);
    return curl(&bench, CERT_GOOD, all, "/new", out, len);
}

Test(chaos_edge_behind_proxy, the_edge_sees_the_device, .timeout = 300)
{
    static uint8_t out[2 * EDGE_NEW_BYTES];
    size_t len = sizeof out;
    begin();
    rules = (struct sim_proxy_plan){.latency_us = 2000, .jitter_us = 2000, .slice_bytes = 3000};
    cr_assert_eq(get("", out, &len), 0);
    cr_assert_eq(len, EDGE_NEW_BYTES);
    cr_assert_eq(memcmp(out, bench.file[0].bytes, len), 0);
    for (uint32_t i = 0; i < bench.effects; i++)
        cr_assert_eq(ntohl(bench.effect[i].source.sin_addr.s_addr), 0x7F010000u + DEVICE);
    cr_assert_eq(told[SIM_PROXY_DELAYED], 1);
    cr_assert_eq(told[SIM_PROXY_SLICED], 1);
    end();
}

Test(chaos_edge_behind_proxy, a_device_is_led_to_a_bad_certificate, .timeout = 300)
{
    begin();
    rules.upstream = bench.address[CERT_EXPIRED];
    cr_assert_eq(get("", NULL, NULL), 60);
    edge_bench_until(&bench, SIM_EDGE_CERT_REFUSED, 1);
    cr_assert_eq(told[SIM_PROXY_LED], 1);
    end();
}

static int get_until_told(enum sim_proxy_effect_kind kind, double max_s)
{
    char arguments[32];
    int code;
    do {
        memset(told, 0, sizeof told);
        snprintf(arguments, sizeof arguments, "--max-time %.1f", max_s);
        code = get(arguments, NULL, NULL);
    } while (code == 28 && !told[kind] && !patience_ends(&max_s));
    return code;
}

/* Exit codes: curl(1); 35 and 56 are a connection broken in the handshake and after. An RST that is
 * there before curl looks at its connect is 7. */
Test(chaos_edge_behind_proxy, curl_sees_what_the_proxy_does, .timeout = 300)
{
    static const struct {
        struct sim_proxy_plan plan;
        int code;
        double max_s; /* the first try */
        enum sim_proxy_effect_kind kind;
    } rows[] = {
        {{.entry = SIM_PROXY_REFUSE}, 35, 200, SIM_PROXY_REFUSED},
        {{.entry = SIM_PROXY_SILENT}, 28, 0.3, SIM_PROXY_SILENCED},
        {{.ending = SIM_PROXY_END_RESET, .limit_side = SIM_PROXY_DOWN, .limit_bytes = 20000},
         56,
         200,
         SIM_PROXY_RESET},
        {{.ending = SIM_PROXY_END_BLACK_HOLE, .limit_side = SIM_PROXY_DOWN, .limit_bytes = 20000},
         28,
         0.3,
         SIM_PROXY_HOLED},
    };
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rules = rows[i].plan;
        int code = get_until_told(rows[i].kind, rows[i].max_s);
        bool at_connect = rows[i].kind == SIM_PROXY_REFUSED && code == 7;
        cr_assert(code == rows[i].code || at_connect, "row %zu: %d", i, code);
        cr_assert_eq(told[rows[i].kind], 1, "row %zu", i);
    }
    end();
}
