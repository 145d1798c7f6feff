/* A board that is not what it should be. */
#include "bench.h"
#include "inside.h"
#include <malloc.h>
#include <signal.h>
#include <string.h>

TestSuite(gateway_hostile, .init = bench_open, .fini = bench_close, .timeout = 300);

static struct board *const board = &bench.board;

static void noted(const char *text)
{
    BENCH_UNTIL(strstr(bench.notes, text));
}

Test(gateway_hostile, another_name_is_refused_and_ends_what_there_was)
{
    BENCH_UNTIL(observer_saw("ota/presence/" BOARD_ID));
    board_hello("pump-0002", true);
    noted("refused: hello of pump-0002");
    board_publish(LINK_TOPIC_STATUS, 1, "{}");
    noted("refused: a message before hello");
    BENCH_UNTIL(observer_count("ota/presence/" BOARD_ID) == 2); /* the will */
    cr_assert_null(observer_saw("ota/presence/pump-0002"));
    cr_assert_null(observer_saw("ota/status/" BOARD_ID));
}

Test(gateway_hostile, only_https_is_fetched)
{
    static const char *const url[] = {
        "http://127.0.0.1/x",       "file:///etc/passwd", "HTTPS://x",      "https:/x",
        "ftp://127.0.0.1/",         "https://",           "https://[::1/x", "x",
        "https://127.0.0.1:99999/x"};
    for (uint32_t i = 0; i < sizeof url / sizeof url[0]; i++) {
        board_get(i + 10, 0, url[i]);
        BENCH_UNTIL(board->count[LINK_ERROR] == i + 1);
        cr_assert_eq(board->last[LINK_ERROR].id, i + 10);
        cr_assert_eq(board->count[LINK_HEAD], 0);
    }
}

static void send_raw(uint8_t kind, const void *bytes, uint32_t len)
{
    BENCH_UNTIL(link_send(&board->channel, kind, bytes, len));
}

Test(gateway_hostile, what_is_no_message_of_a_board_is_refused)
{
    static uint8_t bytes[LINK_MESSAGE_MAX];
    send_raw(LINK_PUBLISH, "\3\1\0\0\0{}", 7); /* the topic of notifications */
    send_raw(0, "", 0);
    send_raw(255, bytes, sizeof bytes);
    send_raw(LINK_GET, bytes, 4000);
    noted("refused: a message that can't be understood");
    send_raw(LINK_INCOMING, "\3{}", 3);
    send_raw(LINK_END, "\1\0\0\0", 4);
    noted("refused: a message that only a gateway says");
    board_publish(LINK_TOPIC_STATUS, 1, "{}"); /* and it goes on */
    BENCH_UNTIL(board->count[LINK_PUBLISHED]);
    cr_assert_null(observer_saw("ota/notification/" BOARD_ID));
}

Test(gateway_hostile, garbage_on_the_line_does_no_harm)
{
    for (int i = 0; i < 200; i++)
        gateway_input(bench.gateway, bench_noise(3000) + i, 2000);
    board_publish(LINK_TOPIC_STATUS, 1, "{}");
    BENCH_UNTIL(board->count[LINK_PUBLISHED]);
    cr_assert_eq(board->restarts, 0);
}

static void reset_until_up(void)
{
    board_reset();
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
}

/* A board that is reset a few times, as by an update, is connected at once; one that goes on with
 * it waits, until a connection has lasted. */
Test(gateway_hostile, resets_in_a_row_delay_the_connection_until_one_lasted)
{
    bench.config.reconnect_first_ms = 700;
    for (int i = 0; i < 4; i++)
        reset_until_up();
    cr_expect_null(strstr(bench.notes, "not sooner"), "%s", bench.notes);
    reset_until_up();
    noted("not sooner");
    *bench.notes = '\0';
    bench.gateway->up_since_ms -= 10000;
    reset_until_up();
    cr_expect_null(strstr(bench.notes, "not sooner"), "%s", bench.notes);
    gateway_power_lost(bench.gateway); /* the rig's own cut */
    cr_expect_eq(bench.gateway->hasty, 0);
}

/* Asking anew shortens no delay after a failed connection. */
Test(gateway_hostile, a_hello_does_not_connect_before_the_delay_of_a_failed_connection)
{
    bench.config.reconnect_first_ms = 60000;
    bench.config.reconnect_max_ms = 60000;
    agent_mqtt_drop(bench.observer.mqtt);
    agent_mqtt_drop(bench.service.mqtt);
    sim_broker_stop(&bench.servers.broker);
    noted("again in");
    for (int i = 0; i < 3; i++) {
        uint32_t failed = bench.gateway->failed;
        board_reset();
        BENCH_UNTIL(board->count[LINK_TIME]);
        cr_expect_not(bench.gateway->connecting);
        cr_expect_eq(bench.gateway->failed, failed);
    }
}

/* More than the broker answers: the line holds the board back, and the heap stays. */
Test(gateway_hostile, a_flood_of_publishes_is_held_back)
{
    static char json[4000];
    memset(json, 'x', sizeof json - 1);
    agent_mqtt_drop(bench.observer.mqtt);
    agent_mqtt_drop(bench.service.mqtt);
    kill(bench.servers.broker.process.pid, SIGSTOP); /* it answers nothing */
    size_t before = mallinfo2().uordblks;
    static uint8_t bytes[LINK_MESSAGE_MAX];
    uint32_t sent = 0;
    for (int i = 0; i < 200; i++) {
        const struct link_message message = {.kind = LINK_PUBLISH,
                                             .topic = LINK_TOPIC_STATUS,
                                             .token = i & 1 ? (uint32_t)i : 0,
                                             .bytes = (const uint8_t *)json,
                                             .len = sizeof json - 1};
        uint32_t len = link_encode(bytes, sizeof bytes, &message);
        for (int j = 0; j < 5; j++)
            sent += link_send(&board->channel, LINK_PUBLISH, bytes, len);
        bench_run_ms(10);
    }
    size_t after = mallinfo2().uordblks;
    cr_assert_lt(after, before + 500000, "the heap grew by %zu", after - before);
    cr_assert_lt(sent, 300);
    cr_assert_gt(sent, 60);
    kill(bench.servers.broker.process.pid, SIGCONT);
    BENCH_UNTIL(board->count[LINK_PUBLISHED] > 30);
}
