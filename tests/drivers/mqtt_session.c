/* A connection that works, with a real broker. */
#include "../soak/soak.h"
#include "device.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

TestSuite(drivers_mqtt, .init = world_open, .fini = world_close, .timeout = 300);

static struct device device, operator_side;

static void with_operator(const char *settings)
{
    world_broker("server", settings);
    device_make(&device, "d", world.broker_port);
    device_make(&operator_side, "operator", world.broker_port);
    operator_side.config.topic[0] = "#";
    device_up(&operator_side);
}

static void close_both(void)
{
    agent_mqtt_destroy(device.mqtt);
    agent_mqtt_destroy(operator_side.mqtt);
}

Test(drivers_mqtt, a_status_is_acknowledged_and_arrives)
{
    with_operator("");
    device_up(&device);
    cr_assert(agent_mqtt_is_up(device.mqtt));
    device_publish(&device, "status/d", "{}", 77);
    WORLD_UNTIL(device.count[DEVICE_PUBLISHED] && operator_side.count[DEVICE_MESSAGE]);
    cr_assert_eq(device.token, 77);
    cr_assert_str_eq(operator_side.topic, "status/d");
    cr_assert_eq(operator_side.len, 2);
    close_both();
}

Test(drivers_mqtt, tokens_come_back_each_once_and_in_order)
{
    with_operator("");
    device_up(&device);
    for (uint32_t token = 1; token <= 100; token++) { /* more than the library has in flight */
        device_publish(&device, "status/d", "x", token);
        cr_assert_eq(agent_mqtt_publish(device.mqtt, "telemetry/d", "y", 1, 0, false, 1000), 0);
    }
    WORLD_UNTIL(device.count[DEVICE_PUBLISHED] == 100);
    cr_assert_eq(device.token, 100);
    WORLD_UNTIL(operator_side.count[DEVICE_MESSAGE] == 200);
    close_both();
}

/* A broker that is stopped keeps the connection, and says nothing. */
Test(drivers_mqtt, a_broker_that_lives_answers_when_it_is_asked)
{
    with_operator("");
    cr_assert_eq(agent_mqtt_ask(device.mqtt), AGENT_DRIVERS_ECONNECT);
    device_up(&device);
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(agent_mqtt_ask(device.mqtt), 0);
        WORLD_UNTIL(device.count[DEVICE_ANSWERED] == i);
    }
    device_publish(&operator_side, "in/d", "still subscribed", 1);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE] == 1);
    close_both();
}

Test(drivers_mqtt, a_name_is_asked_for_and_checked)
{
    with_operator("");
    device.config.server_name = "server.test";
    device_up(&device);
    close_both();
}

Test(drivers_mqtt, nothing_is_published_while_not_up)
{
    with_operator("");
    cr_assert_eq(agent_mqtt_publish(device.mqtt, "status/d", "x", 1, 1, false, 1),
                 AGENT_DRIVERS_ECONNECT);
    device_connect(&device);
    cr_assert_eq(agent_mqtt_publish(device.mqtt, "status/d", "x", 1, 1, false, 1),
                 AGENT_DRIVERS_ECONNECT);
    close_both();
}

Test(drivers_mqtt, what_could_not_be_kept_is_delivered_again)
{
    with_operator("");
    device_up(&device);
    device.refuse_keep = 1;
    device_publish(&operator_side, "in/d", "x", 1);
    WORLD_UNTIL(device.count[DEVICE_DOWN]);
    cr_assert_str_eq(device.why, "what came could not be kept");
    cr_assert_eq(device.count[DEVICE_MESSAGE], 1);
    cr_assert_eq(device.kept, 0);
    device_up(&device);
    WORLD_UNTIL(device.kept);
    cr_assert_eq(device.count[DEVICE_MESSAGE], 2);
    close_both();
}

Test(drivers_mqtt, a_message_sent_while_away_is_delivered_later)
{
    with_operator("");
    device_up(&device);
    agent_mqtt_drop(device.mqtt);
    device_publish(&operator_side, "in/d", "later", 1);
    WORLD_UNTIL(operator_side.count[DEVICE_PUBLISHED]);
    device_up(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    cr_assert_eq(memcmp(device.payload, "later", 5), 0);
    close_both();
}

static char heard[32];

static void drop_inside(struct device *who, enum device_event event)
{
    if (event != DEVICE_MESSAGE)
        return;
    if (strlen(heard) + 1 < sizeof heard)
        heard[strlen(heard)] = (char)who->payload[0];
    if (who->count[DEVICE_MESSAGE] == 1)
        agent_mqtt_drop(who->mqtt);
}

/* Nothing that was read when the power went is acknowledged, the one that was being taken in
 * neither: all of it comes again. */
Test(drivers_mqtt, messages_behind_the_one_that_cuts_the_power_come_again)
{
    with_operator("");
    device_up(&device);
    agent_mqtt_drop(device.mqtt);
    for (uint32_t i = 0; i < 5; i++)
        device_publish(&operator_side, "in/d", &"e\0d\0c\0b\0a"[8 - 2 * i], i);
    WORLD_UNTIL(operator_side.count[DEVICE_PUBLISHED] == 5);
    device.hook = drop_inside;
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    device_connect(&device);
    WORLD_UNTIL(strchr(heard, 'e'));
    cr_assert_str_eq(heard, "aabcde");
    close_both();
}

static void with_will(void)
{
    with_operator("");
    device.config.will_topic = "gone/d";
    device.config.will_payload = "bye";
    device_up(&device);
}

Test(drivers_mqtt, the_will_is_published_at_a_drop)
{
    with_will();
    agent_mqtt_drop(device.mqtt);
    WORLD_UNTIL(operator_side.count[DEVICE_MESSAGE]);
    cr_assert_str_eq(operator_side.topic, "gone/d");
    close_both();
}

/* A message that is sent after the disconnect was seen is the proof that no will came before. */
Test(drivers_mqtt, no_will_is_published_at_a_disconnect)
{
    with_will();
    agent_mqtt_disconnect(device.mqtt);
    device_up(&device);
    device_publish(&device, "status/d", "back", 1);
    WORLD_UNTIL(operator_side.count[DEVICE_MESSAGE]);
    cr_assert_str_eq(operator_side.topic, "status/d");
    close_both();
}

Test(drivers_mqtt, a_megabyte_is_dropped_and_the_connection_lives)
{
    enum { MEGABYTE = 1 << 20 };
    char *payload = calloc(1, MEGABYTE);
    with_operator("");
    device_up(&device);
    int error = agent_mqtt_publish(operator_side.mqtt, "in/d", payload, MEGABYTE, 1, false, 1);
    cr_assert_eq(error, 0);
    WORLD_UNTIL(device.count[DEVICE_DROPPED]);
    cr_assert_eq(device.len, MEGABYTE);
    cr_assert_eq(device.count[DEVICE_MESSAGE], 0);
    device_publish(&operator_side, "in/d", "small", 2);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    cr_assert_eq(device.count[DEVICE_DOWN], 0);
    free(payload);
    close_both();
}

Test(drivers_mqtt, a_payload_is_any_bytes_and_as_long_as_allowed)
{
    unsigned char payload[8192];
    with_operator("");
    device_up(&device);
    for (uint32_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * i + i / 7);
    for (uint32_t len = 0; len <= sizeof payload; len += 4096) {
        int before = device.count[DEVICE_MESSAGE];
        agent_mqtt_publish(operator_side.mqtt, "in/d", payload, len, 1, false, 1);
        WORLD_UNTIL(device.count[DEVICE_MESSAGE] > before);
        cr_assert_eq(device.len, len);
        cr_assert_eq(memcmp(device.payload, payload, len), 0);
    }
    close_both();
}

Test(drivers_mqtt, a_broker_that_goes_is_told_and_one_that_comes_back_is_found)
{
    const int how[] = {SIGTERM, SIGKILL};
    world_broker("server", "");
    device_make(&device, "d", world.broker_port);
    for (int i = 0; i < 2; i++) {
        device_up(&device);
        world_broker_stop(how[i]);
        WORLD_UNTIL(device.count[DEVICE_DOWN] == i + 1);
        cr_assert(strstr(device.why, "lost"), "told: %s", device.why);
        cr_assert_not(agent_mqtt_is_up(device.mqtt));
        world_broker_again();
    }
    device_up(&device);
    agent_mqtt_destroy(device.mqtt);
}

Test(drivers_mqtt, our_address_is_the_one_that_was_asked_for)
{
    world_broker("server", "connection_messages true\nlog_type notice");
    device_make(&device, "d", world.broker_port);
    device.config.bind_address = "127.99.98.97";
    device_up(&device);
    agent_mqtt_destroy(device.mqtt);
    char text[20000] = "";
    FILE *log = fopen(world_path("mosquitto.log"), "r");
    cr_assert(log && fread(text, 1, sizeof text - 1, log));
    fclose(log);
    cr_assert(strstr(text, "from 127.99.98.97:"), "%s", text);
}

/* Bytes that wait in this process's socket pairs. */
static int waiting_in_pairs(void)
{
    int sum = 0;
    for (int fd = 3; fd < 256; fd++) {
        int domain = 0, bytes = 0;
        socklen_t len = sizeof domain;
        if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_UNIX &&
            !ioctl(fd, FIONREAD, &bytes))
            sum += bytes;
    }
    return sum;
}

/* Each byte takes most of a kilobyte of the kernel's memory, for each of thousands. */
Test(drivers_mqtt, one_of_many_piles_up_no_wake_ups_for_a_thread_that_is_not_there)
{
    with_operator("");
    device.config.one_of_many = operator_side.config.one_of_many = true;
    agent_mqtt_drop(operator_side.mqtt);
    device_up(&operator_side);
    device_up(&device);
    for (uint32_t token = 1; token <= 300; token++)
        device_publish(&device, "status/d", "x", token);
    WORLD_UNTIL(device.count[DEVICE_PUBLISHED] == 300);
    cr_assert_lt(waiting_in_pairs(), 64);
    close_both();
}

Test(drivers_mqtt, hundreds_of_connections_leave_no_file_open)
{
    world_broker("server", "");
    device_make(&device, "d", world.broker_port);
    device_up(&device);
    agent_mqtt_drop(device.mqtt);
    int before = world_fds();
    for (uint32_t i = 0; i < soak(200, 1000); i++) {
        device_connect(&device);
        world_turns((int)i % 4); /* dropped in all phases of the handshake */
        agent_mqtt_drop(device.mqtt);
    }
    cr_assert_eq(world_fds(), before);
    cr_assert_eq(device.count[DEVICE_DOWN], 0);
    device_up(&device);
    agent_mqtt_destroy(device.mqtt);
}
