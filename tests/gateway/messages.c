/* MQTT through the gateway. */
#include "bench.h"
#include <string.h>
#include <time.h>

TestSuite(gateway_mqtt, .init = bench_open, .fini = bench_close, .timeout = 300);

#define NOTIFICATION "ota/notification/" BOARD_ID
#define PRESENCE "ota/presence/" BOARD_ID

static struct board *const board = &bench.board;

Test(gateway_mqtt, hello_is_answered_by_the_time_and_the_connection)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    cr_assert_eq(board->count[LINK_TIME], 1);
    cr_assert(board->last[LINK_TIME].utc_ms > now_ms - 60000 &&
              board->last[LINK_TIME].utc_ms < now_ms + 60000);
    BENCH_UNTIL(observer_saw(PRESENCE));
    cr_assert_str_eq(observer_saw(PRESENCE), "{\"device_id\":\"" BOARD_ID "\",\"online\":true}");
    gateway_clock_set(bench.gateway);
    BENCH_UNTIL(board->count[LINK_TIME] == 2);
}

Test(gateway_mqtt, a_status_is_published_and_then_acknowledged)
{
    board_publish(LINK_TOPIC_STATUS, 77, "{\"seq\":1}");
    BENCH_UNTIL(board->count[LINK_PUBLISHED]);
    cr_assert_eq(board->last[LINK_PUBLISHED].token, 77);
    BENCH_UNTIL(observer_saw("ota/status/" BOARD_ID));
    cr_assert_str_eq(observer_saw("ota/status/" BOARD_ID), "{\"seq\":1}");
    board_publish(LINK_TOPIC_TELEMETRY, 0, "{\"pong\":1}"); /* QoS 0: no answer */
    BENCH_UNTIL(observer_saw("telemetry/" BOARD_ID));
    cr_assert_eq(board->count[LINK_PUBLISHED], 1);
}

/* While the broker is gone nothing is told as published; MQTT_UP is the sign to say it again. */
Test(gateway_mqtt, nothing_is_published_before_the_broker_says_so)
{
    char why[300];
    agent_mqtt_drop(bench.observer.mqtt);
    agent_mqtt_drop(bench.service.mqtt);
    sim_broker_kill(&bench.servers.broker);
    board_publish(LINK_TOPIC_STATUS, 5, "{}");
    BENCH_UNTIL(board->count[LINK_MQTT_DOWN]);
    cr_assert_eq(sim_broker_start_again(&bench.servers.broker, SIM_MEMORY_KEPT, why, sizeof why),
                 0);
    BENCH_UNTIL(board->count[LINK_MQTT_UP] == 2);
    cr_assert_eq(board->count[LINK_PUBLISHED], 0);
    board_publish(LINK_TOPIC_STATUS, 5, "{}");
    BENCH_UNTIL(board->count[LINK_PUBLISHED]);
}

Test(gateway_mqtt, a_notification_and_a_command_arrive_as_they_are)
{
    char long_one[8193];
    service_publish(NOTIFICATION, "{\"campaign_id\":\"c\"}");
    BENCH_UNTIL(board->count[LINK_INCOMING]);
    cr_assert_eq(board->last[LINK_INCOMING].topic, LINK_TOPIC_NOTIFICATION);
    cr_assert_str_eq(board->text[LINK_INCOMING], "{\"campaign_id\":\"c\"}");
    memset(long_one, 'x', 8192);
    long_one[8192] = '\0';
    service_publish("ota/command/" BOARD_ID, long_one);
    BENCH_UNTIL(board->count[LINK_INCOMING] == 2);
    cr_assert_eq(board->last[LINK_INCOMING].topic, LINK_TOPIC_COMMAND);
    cr_assert_eq(board->last[LINK_INCOMING].len, 8192);
}

/* The board stops while it takes the message in: it has it in RAM, and is reset. */
static void lost_in_the_board(void (*how)(void))
{
    board->deaf = true;
    service_publish(NOTIFICATION, "{\"n\":1}");
    service_publish(NOTIFICATION, "{\"n\":2}");
    struct link_delivery got;
    BENCH_UNTIL(link_next(&board->channel, &got) == LINK_EV_MESSAGE); /* it looks at the first */
    cr_assert_eq(got.kind, LINK_INCOMING);
    bench_run_ms(300);
    how();
    board->deaf = false;
    BENCH_UNTIL(board->count[LINK_INCOMING] == 2);
    cr_assert_str_eq(board->text[LINK_INCOMING], "{\"n\":2}");
}

static void by_reset(void)
{
    board_reset();
}

static void by_power(void)
{
    gateway_power_lost(bench.gateway);
    gateway_power_on(bench.gateway);
    board_reset();
}

static void by_the_gateways_death(void)
{
    gateway_free(bench.gateway);
    cr_assert_eq(gateway_create(&bench.gateway, &bench.config), 0);
    gateway_power_on(bench.gateway);
    memset(board->count, 0, sizeof board->count);
}

Test(gateway_mqtt, a_board_that_is_reset_while_it_takes_a_message_in_is_told_again)
{
    lost_in_the_board(by_reset);
}

Test(gateway_mqtt, a_board_whose_power_goes_while_it_takes_a_message_in_is_told_again)
{
    lost_in_the_board(by_power);
}

Test(gateway_mqtt, a_gateway_that_dies_before_the_board_has_a_message_loses_none)
{
    lost_in_the_board(by_the_gateways_death);
}

Test(gateway_mqtt, what_the_board_has_dealt_with_does_not_come_again)
{
    service_publish(NOTIFICATION, "{\"n\":1}");
    BENCH_UNTIL(board->count[LINK_INCOMING] == 1);
    bench_run_ms(300); /* the acknowledgement is on its way */
    board_reset();
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
    service_publish(NOTIFICATION, "{\"n\":2}");
    BENCH_UNTIL(board->count[LINK_INCOMING]);
    cr_assert_str_eq(board->text[LINK_INCOMING], "{\"n\":2}");
    bench_run_ms(300);
    cr_assert_eq(board->count[LINK_INCOMING], 1);
}

Test(gateway_mqtt, power_that_goes_sends_the_will)
{
    BENCH_UNTIL(observer_count(PRESENCE) == 1);
    board->on = false;
    gateway_power_lost(bench.gateway);
    BENCH_UNTIL(observer_count(PRESENCE) == 2);
    cr_assert_str_eq(observer_saw(PRESENCE), "{\"device_id\":\"" BOARD_ID "\",\"online\":false}");
}

Test(gateway_mqtt, a_board_may_stay_away_and_come_back)
{
    board_send(&(struct link_message){.kind = LINK_MQTT, .flags = 0});
    BENCH_UNTIL(observer_count(PRESENCE) == 2);
    cr_assert_str_eq(observer_saw(PRESENCE), "{\"device_id\":\"" BOARD_ID "\",\"online\":false}");
    board_send(&(struct link_message){.kind = LINK_MQTT, .flags = 1});
    BENCH_UNTIL(board->count[LINK_MQTT_UP] == 2);
}

/* The line is cut for longer than it may be silent: offline, and back without a reset. */
Test(gateway_mqtt, a_silent_line_is_offline_until_it_speaks_again)
{
    board->on = false;
    BENCH_UNTIL(observer_count(PRESENCE) == 2);
    cr_assert(strstr(bench.notes, "line silent"));
    board->on = true;
    BENCH_UNTIL(board->count[LINK_MQTT_UP] == 2);
    cr_assert_eq(board->restarts, 0);
    BENCH_UNTIL(observer_count(PRESENCE) == 3);
}

static int64_t owes(const char **why)
{
    return gateway_owes_ms(bench.gateway, why);
}

static void lose_broker(void)
{
    agent_mqtt_drop(bench.observer.mqtt);
    agent_mqtt_drop(bench.service.mqtt);
    sim_broker_stop(&bench.servers.broker);
}

Test(gateway_mqtt, a_gateway_that_gets_no_connection_says_for_how_long_and_why)
{
    const char *why;
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
    cr_assert_eq(owes(&why), 0, "it is connected");
    lose_broker();
    BENCH_UNTIL(owes(&why) > 200);
    cr_assert_neq(*why, '\0', "the last attempt failed of something");
    int64_t before = owes(&why);
    BENCH_UNTIL(owes(&why) > before + 200); /* one failure more does not begin anew */
}

Test(gateway_mqtt, a_board_that_is_silent_or_wants_no_connection_is_owed_none)
{
    const char *why;
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
    lose_broker();
    BENCH_UNTIL(owes(&why) > 0);
    board_send(&(struct link_message){.kind = LINK_MQTT, .flags = 0});
    BENCH_UNTIL(owes(&why) == 0);
    board_send(&(struct link_message){.kind = LINK_MQTT, .flags = 1});
    BENCH_UNTIL(owes(&why) > 0);
    board->on = false;
    BENCH_UNTIL(strstr(bench.notes, "line silent"));
    cr_assert_eq(owes(&why), 0);
    board->on = true;
    BENCH_UNTIL(owes(&why) > 0);
    gateway_power_lost(bench.gateway);
    cr_assert_eq(owes(&why), 0);
}
