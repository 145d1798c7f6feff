/* What a device costs in one process with many: MQTT up, and a download under way. The heap is
 * counted by malloc itself. BRICKYARD_DRIVERS_DEVICES=5000 makes a measurement of it, with times.
 */
#include "device.h"
#include "fetch.h"
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(drivers_memory, .init = world_open, .fini = world_close, .timeout = 300);

enum { MQTT_BYTES_MAX = 40000, TRANSFER_BYTES_MAX = 80000 };

static struct agent_mqtt_config config;
static int devices = 100, up, running;
static const char *asked;

static void on_up(void *ctx)
{
    (void)ctx;
    up++;
}

static void on_down(void *ctx, const char *why)
{
    (void)ctx;
    cr_assert_fail("down: %s", why);
}

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total)
{
    (void)ctx, (void)offset, (void)total;
    cr_assert_eq(status, 200);
    running++;
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    (void)ctx, (void)bytes, (void)len;
}

static void on_error(void *ctx, const char *why)
{
    (void)ctx;
    cr_assert_fail("error: %s", why);
}

static const struct agent_mqtt_events mqtt_events = {.up = on_up, .down = on_down};
static const struct agent_transfer_events transfer_events = {
    .head = on_head, .data = on_data, .error = on_error};

static long resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_eq(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return resident * 4096;
}

struct mark {
    size_t heap;
    long resident;
    double at;
};

static struct mark mark(void)
{
    return (struct mark){mallinfo2().uordblks, resident_bytes(), ev_time()};
}

/* Bytes of heap for each device since the mark. */
static long cost(const char *what, const struct mark *since)
{
    struct mark now = mark();
    long heap = (long)(now.heap - since->heap) / devices;
    if (asked)
        fprintf(stderr, "%s: %d, heap %ld, resident %ld bytes each; %.0f a second\n", what, devices,
                heap, (now.resident - since->resident) / devices, devices / (now.at - since->at));
    return heap;
}

static void connect_all(struct agent_mqtt **mqtt, char (*id)[16], struct agent_mqtt_config *own)
{
    char why[160];
    for (int i = 0; i < devices; i++) {
        snprintf(id[i], sizeof id[i], "d%d", i);
        own[i] = config;
        own[i].client_id = own[i].topic[0] = id[i];
        cr_assert_eq(agent_mqtt_create(&mqtt[i], world.loop, &own[i], &mqtt_events, NULL), 0);
        cr_assert_eq(agent_mqtt_connect(mqtt[i], why, sizeof why), 0, "%s", why);
        while (i - up > 50) /* the broker's backlog */
            world_turn();
    }
    WORLD_UNTIL(up == devices);
}

static void fetch_all(struct fetch *fetch)
{
    for (int i = 0; i < devices; i++) {
        cr_assert(agent_http_get(fetch->http, &fetch->request, &transfer_events, NULL));
        while (i - running > 50)
            world_turn();
    }
    WORLD_UNTIL(running == devices);
}

static void prepare(void)
{
    struct rlimit files;
    asked = getenv("BRICKYARD_DRIVERS_DEVICES");
    if (asked) {
        devices = atoi(asked);
        ev_ref(world.loop);
        ev_timer_stop(world.loop, &world.guard);
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max = asked && files.rlim_max < 65536 ? 65536 : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files); /* more than the limit for root only */
    world_broker("server", "");
    world_web("server");
    config = (struct agent_mqtt_config){.tls = world.tls,
                                        .host = world.address,
                                        .topics = 1,
                                        .one_of_many = true,
                                        .message_bytes_max = 8192,
                                        .port = world.broker_port,
                                        .keepalive_s = 60,
                                        .connect_within_s = 60};
}

Test(drivers_memory, a_device_fits_into_120_kilobytes)
{
    static struct fetch fetch;
    prepare();
    struct agent_mqtt **mqtt = calloc((size_t)devices, sizeof *mqtt);
    struct agent_mqtt_config *own = calloc((size_t)devices, sizeof *own);
    char(*id)[16] = calloc((size_t)devices, sizeof *id);
    fetch_open(&fetch, world.web_port, "/slow/image.bin");
    struct mark before = mark();
    connect_all(mqtt, id, own);
    long each = cost("MQTT connections", &before);
    cr_assert_lt(each, MQTT_BYTES_MAX, "%ld bytes for a connection", each);
    before = mark();
    fetch_all(&fetch);
    each = cost("HTTPS transfers", &before);
    cr_assert_lt(each, TRANSFER_BYTES_MAX, "%ld bytes for a transfer", each);
    fetch_close(&fetch);
    for (int i = 0; i < devices; i++)
        agent_mqtt_destroy(mqtt[i]);
    free(mqtt);
    free(own);
    free(id);
    if (!asked)
        return;
    ev_timer_start(world.loop, &world.guard);
    ev_unref(world.loop);
}
