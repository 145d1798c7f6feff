/* The test's gateway: one board, files from memory. */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE_MAX = 4096 };

static uint32_t now_ms(void)
{
    return (uint32_t)(bench_seconds() * 1000);
}

static uint32_t random_of(struct bench *bench)
{
    bench->chance = bench->chance * 1664525 + 1013904223;
    return bench->chance >> 16;
}

static void forget(struct bench *bench)
{
    bench->sending = bench->greeted = false;
    bench->unanswered_count = 0;
}

void bench_gateway_start(struct bench *bench)
{
    const struct link_config config = {0x67000000u + ++bench->lives, 200, 5000};
    link_init(&bench->channel, &config, now_ms());
    forget(bench);
}

bool bench_gateway_send(struct bench *bench, const struct link_message *message)
{
    static uint8_t bytes[LINK_MESSAGE_MAX];
    uint32_t len = link_encode(bytes, sizeof bytes, message);
    cr_assert(len, "kind %d", (int)message->kind);
    return link_send(&bench->channel, (uint8_t)message->kind, bytes, len);
}

void bench_command(struct bench *bench, const char *json)
{
    cr_assert(bench_gateway_send(bench, &(struct link_message){.kind = LINK_INCOMING,
                                                               .topic = LINK_TOPIC_COMMAND,
                                                               .bytes = (const uint8_t *)json,
                                                               .len = (uint32_t)strlen(json)}));
    bench_gateway_work(bench);
}

char *bench_notification(const struct bench *bench, const struct bench_image *image,
                         const char *url)
{
    char *manifest, *json;
    const struct sim_fw_manifest of = {.firmware_id = "pump-next",
                                       .binary_url = url,
                                       .signing_cert_id = "rel",
                                       .release_notes_url = "",
                                       .rollback_version = "",
                                       .published_at = "2026-03-19T10:00:00Z",
                                       .image = image->bytes,
                                       .image_bytes = image->len,
                                       .sig = image->sig,
                                       .sig_len = image->sig_len};
    cr_assert_eq(sim_fw_manifest(&manifest, &of), 0);
    cr_assert_gt(asprintf(&json,
                          "{\"campaign_id\":\"c1\",\"manifest\":%s,\"force\":%s,"
                          "\"deadline\":\"2099-01-01T00:00:00Z\"}",
                          manifest, bench->calm ? "false" : "true"),
                 0);
    free(manifest);
    return json;
}

void bench_notify(struct bench *bench, const struct bench_image *image)
{
    char *json = bench_notification(bench, image, "https://artifacts.test/pump.bin");
    bench->served = image;
    cr_assert(bench_gateway_send(bench, &(struct link_message){.kind = LINK_INCOMING,
                                                               .topic = LINK_TOPIC_NOTIFICATION,
                                                               .bytes = (const uint8_t *)json,
                                                               .len = (uint32_t)strlen(json)}));
    free(json);
    bench_gateway_work(bench);
}

static void hello(struct bench *bench, const struct link_message *message)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bench->greeted = true;
    cr_assert_eq(message->len, strlen(bench->factory.device_id));
    cr_assert_arr_eq(message->bytes, bench->factory.device_id, message->len);
    bench_gateway_send(bench, &(struct link_message){.kind = LINK_TIME,
                                                     .utc_ms = (int64_t)now.tv_sec * 1000 +
                                                               now.tv_nsec / 1000000});
    if (message->flags & 1 && !bench->rude.no_mqtt)
        bench_gateway_send(bench, &(struct link_message){.kind = LINK_MQTT_UP});
}

static void publish(struct bench *bench, const struct link_message *message)
{
    bench_heard(bench, message->topic == LINK_TOPIC_STATUS ? "status" : "telemetry", message->bytes,
                message->len);
    if (!message->token)
        return;
    cr_assert(bench->rude.acks_late < BENCH_ACKS_MAX);
    bench->unanswered[bench->unanswered_count++] = message->token;
    while (bench->unanswered_count > bench->rude.acks_late) {
        bench_gateway_send(
            bench, &(struct link_message){.kind = LINK_PUBLISHED, .token = bench->unanswered[0]});
        memmove(bench->unanswered, bench->unanswered + 1,
                --bench->unanswered_count * sizeof bench->unanswered[0]);
    }
}

static void get(struct bench *bench, const struct link_message *message)
{
    bench->gets++;
    bench->transfer = message->id;
    bench->offset = message->offset;
    bench->sending = true;
    bench->headed = false;
}

static void taken(struct bench *bench, const struct link_delivery *delivery)
{
    struct link_message message;
    cr_assert(link_decode(&message, delivery->kind, delivery->bytes, delivery->len), "kind %d",
              delivery->kind);
    switch (message.kind) {
    case LINK_HELLO:
        hello(bench, &message);
        break;
    case LINK_PUBLISH:
        publish(bench, &message);
        break;
    case LINK_GET:
        get(bench, &message);
        break;
    case LINK_CANCEL:
        bench->sending = bench->sending && message.id != bench->transfer;
        break;
    default:
        break;
    }
}

static bool send_stale(struct bench *bench)
{
    static const uint8_t wrong[700] = {0xEE};
    return bench_gateway_send(bench, &(struct link_message){.kind = LINK_DATA,
                                                            .id = bench->transfer + 7,
                                                            .bytes = wrong,
                                                            .len = sizeof wrong});
}

/* One message of the transfer. False: no room, or nothing more to say. */
static bool serve(struct bench *bench)
{
    const struct bench_image *file = bench->served;
    uint32_t left = file->len - bench->offset;
    uint32_t piece = bench->rude.piece ? bench->rude.piece : PIECE_MAX;
    uint32_t len = left < piece ? left : piece;
    if (!bench->headed)
        return bench->headed = bench_gateway_send(
                   bench, &(struct link_message){.kind = LINK_HEAD,
                                                 .status = bench->offset ? 206 : 200,
                                                 .id = bench->transfer,
                                                 .offset = bench->offset,
                                                 .total = file->len});
    if (!left) {
        bench->sending = !bench_gateway_send(
            bench, &(struct link_message){.kind = LINK_END, .id = bench->transfer});
        return false;
    }
    if (bench->rude.begin_anew && ++bench->datas == bench->rude.begin_anew) {
        bench_gateway_start(bench);
        return false;
    }
    if (bench->rude.stale && !bench->told_stale && !(bench->told_stale = send_stale(bench)))
        return false;
    if (!bench_gateway_send(bench, &(struct link_message){.kind = LINK_DATA,
                                                          .id = bench->transfer,
                                                          .bytes = file->bytes + bench->offset,
                                                          .len = len}))
        return false;
    bench->offset += len;
    bench->told_stale = false;
    return true;
}

static void make_noise(struct bench *bench, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && bench->rude.noise; i++)
        if (random_of(bench) < bench->rude.noise)
            bytes[i] = (uint8_t)random_of(bench);
}

void bench_gateway_work(struct bench *bench)
{
    uint8_t bytes[2048];
    struct link_delivery delivery;
    size_t len;
    while (link_next(&bench->channel, &delivery) != LINK_EV_NONE)
        if (delivery.event == LINK_EV_MESSAGE)
            taken(bench, &delivery);
        else if (delivery.event == LINK_EV_RESTARTED)
            forget(bench);
    while (bench->sending && serve(bench))
        ;
    while ((len = link_output(&bench->channel, bytes, sizeof bytes, now_ms())) > 0) {
        make_noise(bench, bytes, len);
        rig_board_link_write(bench->board, bytes, len);
    }
}

void bench_gateway_input(struct bench *bench, const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    make_noise(bench, copy, len);
    link_input(&bench->channel, copy, len, now_ms());
    free(copy);
    bench_gateway_work(bench);
}
