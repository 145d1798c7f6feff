/* Many clients at once on a bench's real locks and queue, in this process: for the sanitizers too.
 */
#include "desk.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 6, ROUNDS = 5 };

struct client {
    pthread_t thread;
    uint16_t port;
    const char *target;
    int done; /* answered 200 */
};

static void *asks(void *argument)
{
    struct client *client = argument;
    char text[256], reply[1024], message[256];
    for (int i = 0; i < ROUNDS; i++) {
        size_t n = 0;
        int fd;
        if (rig_port_tcp(&fd, "127.0.0.1", client->port, 5000, message, sizeof message))
            break;
        snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", client->target);
        rig_port_write(fd, text, strlen(text), 5000);
        rig_port_read(fd, reply, sizeof reply - 1, &n, 20000);
        close(fd);
        reply[n] = '\0';
        client->done += strstr(reply, " 200 OK\r\n") != NULL;
    }
    return NULL;
}

/* Every frame whole, and as many of each as were asked for. */
static void expect_frames(struct desk *desk)
{
    static const uint8_t frame[3][4] = {
        {0xA0, 0x01, 0x00, 0xA1}, {0xA0, 0x04, 0x01, 0xA5}, {0xA0, 0x07, 0x00, 0xA7}};
    uint8_t got[CLIENTS * ROUNDS * 4];
    int count[3] = {0};
    desk_take(desk, got, sizeof got);
    for (size_t at = 0; at < sizeof got; at += 4)
        for (int i = 0; i < 3; i++)
            count[i] += !memcmp(got + at, frame[i], 4);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(count[i], 2 * ROUNDS, "%d: %d", i, count[i]);
}

Test(rig_serve, many_clients_at_once)
{
    static const char *const target[3] = {"/power/control/off?hostname=pump-1",
                                          "/power/control/off?hostname=desk&port=2",
                                          "/power/control/off?hostname=bank-1&port=7"};
    char message[RIG_SERVER_MESSAGE_MAX];
    struct client client[CLIENTS];
    struct rig_bench *bench;
    struct rig_server_relays *relays;
    struct rig_server *server;
    struct desk desk;
    desk_open(&desk, "", "");
    cr_assert_eq(rig_bench_read(&bench, desk.bench_file, message, sizeof message), 0);
    cr_assert_eq(rig_server_relays_open(&relays, bench, message, sizeof message), 0);
    const struct rig_server_config config = {
        .bench = bench, .listen = "127.0.0.1:0", .ops = &rig_server_relays_ops, .ctx = relays};
    cr_assert_eq(rig_server_start(&server, &config, message, sizeof message), 0, "%s", message);
    for (int i = 0; i < CLIENTS; i++) {
        client[i] = (struct client){
            .port = (uint16_t)atoi(strrchr(rig_server_url(server), ':') + 1),
            .target = target[i % 3],
        };
        cr_assert_eq(pthread_create(&client[i].thread, NULL, asks, &client[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(client[i].thread, NULL);
        cr_expect_eq(client[i].done, ROUNDS);
    }
    expect_frames(&desk);
    rig_server_stop(server);
    rig_server_relays_close(relays);
    rig_bench_free(bench);
    desk_close(&desk);
}
