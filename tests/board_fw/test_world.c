/* The whole way: the board, agent/gateway, a real mosquitto and a real HTTPS server. */
#include "bench.h"
#include "board/layout.h"
#include "board/map.h"
#include "daemon_kit/log.h"
#include "gateway/gateway.h"
#include "sim/servers.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The board notes its progress every 4 sectors (agent/ports/ast1030/settings.c). */
enum { SERVICE_TOPICS = 3, RECORDED_SECTORS = 4 };

static struct bench bench;
static struct bench_image image;
static struct {
    struct sim_servers servers;
    struct agent_tls *tls;
    struct agent_http *http;
    struct gateway_config config;
    struct agent_mqtt *service;
    struct agent_mqtt_config service_config;
    char connect_to[40];
    bool up;
} world;

TestSuite(board_fw_world, .timeout = 300);

static void account(void *context, struct sim_account *out, uint32_t index)
{
    const struct bench *of = context;
    (void)index;
    snprintf(out->device_id, sizeof out->device_id, "%s", of->factory.device_id);
    snprintf(out->secret, sizeof out->secret, "secret");
}

static void on_write(void *ctx, const void *bytes, size_t len)
{
    struct bench *of = ctx;
    if (rig_board_is_on(of->board))
        rig_board_link_write(of->board, bytes, len);
}

static void on_up(void *ctx)
{
    (void)ctx;
    world.up = true;
    bench_heard(&bench, "service", "up", 2);
}

static void on_down(void *ctx, const char *why)
{
    (void)ctx;
    cr_assert_fail("the service's connection: %s", why);
}

/* ota/status/..., telemetry/..., ota/presence/... */
static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    (void)ctx;
    const char *what = strstr(topic, "status")     ? "status"
                       : strstr(topic, "presence") ? "presence"
                                                   : "telemetry";
    bench_heard(&bench, what, payload, len);
}

static void on_published(void *ctx, uint32_t token)
{
    (void)ctx, (void)token;
}

static void service_open(void)
{
    static const struct agent_mqtt_events events = {
        .up = on_up, .down = on_down, .message = on_message, .published = on_published};
    world.service_config =
        (struct agent_mqtt_config){.tls = world.tls,
                                   .host = "127.0.0.1",
                                   .server_name = SIM_BROKER_NAME,
                                   .client_id = "service",
                                   .user = "service",
                                   .secret = "desk",
                                   .topic = {"ota/status/+", "telemetry/+", "ota/presence/+"},
                                   .topics = SERVICE_TOPICS,
                                   .message_bytes_max = 65536,
                                   .port = world.servers.broker.port[SIM_CERT_GOOD],
                                   .keepalive_s = 60,
                                   .connect_within_s = 20};
    cr_assert_eq(
        agent_mqtt_create(&world.service, bench.loop, &world.service_config, &events, NULL), 0);
    cr_assert_eq(agent_mqtt_connect(world.service, NULL, 0), 0);
    cr_assert(bench_hears(&bench, "service up"));
}

static void servers_open(void)
{
    char ca[SIM_PKI_PATH_MAX], why[1024];
    const struct sim_servers_config servers = {.now_ms = agent_time_now_ms(),
                                               .broker = {.account = account,
                                                          .context = &bench,
                                                          .account_count = 1,
                                                          .service_secret = "desk"},
                                               .store = {.secret = "urlsecret"}};
    cr_assert_eq(sim_servers_start(&world.servers, &servers, why, sizeof why), 0, "%s", why);
    sim_pki_ca_path(&world.servers.pki, ca);
    cr_assert_eq(agent_tls_create(&world.tls, ca, why, sizeof why), 0, "%s", why);
    const struct agent_http_config http = {.tls = world.tls,
                                           .connect_within_s = 20,
                                           .stall_s = 20,
                                           .header_bytes_max = 65536,
                                           .buffer_bytes = 16384};
    cr_assert_eq(agent_http_create(&world.http, bench.loop, &http), 0);
    snprintf(world.connect_to, sizeof world.connect_to, "127.0.0.1:%u",
             world.servers.store.port[SIM_CERT_GOOD]);
}

static void world_open(const char *name)
{
    bench_open(&bench);
    bench_image(&bench, &image, name);
    servers_open();
    world.config = (struct gateway_config){
        .loop = bench.loop,
        .device_id = bench.factory.device_id,
        .http = world.http,
        .http_connect_to = world.connect_to,
        .mqtt = {.tls = world.tls,
                 .host = "127.0.0.1",
                 .server_name = SIM_BROKER_NAME,
                 .user = bench.factory.device_id,
                 .secret = "secret",
                 .port = world.servers.broker.port[SIM_CERT_GOOD],
                 .keepalive_s = 20,
                 .connect_within_s = 20},
        .reconnect_first_ms = 100,
        .reconnect_max_ms = 1000,
        .write = on_write,
        .ctx = &bench,
    };
    cr_assert_eq(gateway_create(&bench.through, &world.config), 0);
    service_open();
}

static void world_close(void)
{
    bench_off(&bench);
    gateway_free(bench.through);
    bench.through = NULL;
    agent_mqtt_destroy(world.service);
    agent_http_free(world.http);
    agent_tls_free(world.tls);
    sim_servers_stop(&world.servers);
    bench_image_free(&image);
    bench_close(&bench);
}

static void say(const char *topic, const char *json)
{
    char whole[80];
    snprintf(whole, sizeof whole, "%s/%s", topic, bench.factory.device_id);
    cr_assert_eq(
        agent_mqtt_publish(world.service, whole, json, (uint32_t)strlen(json), 1, false, 1), 0);
}

static void notify(void)
{
    char url[SIM_URL_MAX], why[300];
    cr_assert_eq(
        sim_store_put(&world.servers.store, "pump.bin", image.bytes, image.len, why, sizeof why), 0,
        "%s", why);
    sim_store_url(&world.servers.store, url, SIM_CERT_GOOD, "pump.bin", time(NULL) + 3600);
    char *json = bench_notification(&bench, &image, url);
    say("ota/notification", json);
    free(json);
}

Test(board_fw_world, board_is_updated_through_real_servers)
{
    world_open("pump-2.4.0");
    double from_s = bench_seconds();
    bench_on(&bench);
    cr_assert(bench_hears(&bench, "\"version\":\"2.3.1\""));
    double up_s = bench_seconds();
    say("ota/command", "{\"command_id\":\"p1\",\"command\":\"ping\"}");
    cr_assert(bench_hears(&bench, "\"pong\":\"p1\""));
    double ponged_s = bench_seconds();
    notify();
    cr_assert(
        bench_hears(&bench, "\"status\":\"confirmed\",\"reason\":\"\",\"version\":\"2.4.0\""));
    cr_log_info("power on to telemetry %.2f s, ping %.0f ms, update %.2f s", up_s - from_s,
                (ponged_s - up_s) * 1e3, bench_seconds() - ponged_s);
    bench_off(&bench);
    cr_assert(bench_hears(&bench, "presence {\"device_id\":\"pump-0001\",\"online\":false}"));
    bench_on(&bench);
    cr_assert(bench_hears(&bench, "\"bearing_um_s\":"));
    world_close();
}

/* An image may well have a byte FF there, but hardly a page of them. */
static bool is_erased(const uint8_t *page)
{
    for (uint32_t i = 0; i < BOARD_NOR_PAGE; i++)
        if (page[i] != 0xFF)
            return false;
    return true;
}

/* Sectors of slot B that begin with something. QEMU writes the file late: the board has no fewer.
 */
static unsigned received_sectors(void)
{
    uint8_t *flash = bench_flash_read(&bench);
    const uint8_t *slot = flash + board_layout.slot_addr[BOOT_SLOT_B];
    unsigned sectors = 0;
    while (sectors < BOARD_SLOT_BYTES / BOARD_NOR_SECTOR &&
           !is_erased(slot + (size_t)sectors * BOARD_NOR_SECTOR))
        sectors++;
    free(flash);
    return sectors;
}

Test(board_fw_world, power_cut_in_the_download_is_resumed)
{
    world_open("pump-2.4.0");
    bench_on(&bench);
    cr_assert(bench_hears(&bench, "\"version\":\"2.3.1\""));
    notify();
    cr_assert(bench_says(&bench, " event=http_head status=200"));
    double deadline_s = bench_seconds() + BENCH_WAIT_S;
    while (received_sectors() <= RECORDED_SECTORS && bench_seconds() < deadline_s)
        bench_pass(&bench, 0.02);
    bench_off(&bench);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=http_get "));
    cr_assert(bench_hears(&bench, "\"status\":\"confirmed\""));
    cr_assert(strstr(bench.said, " event=http_head status=206"), "from the last durable sector");
    world_close();
}

Test(board_fw_world, bad_image_is_rolled_back_through_real_servers)
{
    world_open("pump-2.4.0-no-telemetry");
    bench.factory.mqtt_within_ms = 8000; /* as long as it waits for the telemetry */
    bench_factory_write(&bench);
    bench_on(&bench);
    cr_assert(bench_hears(&bench, "\"version\":\"2.3.1\""));
    notify();
    cr_assert(bench_hears(&bench, "\"status\":\"rolled_back\",\"reason\":\"health_telemetry\""));
    world_close();
}
