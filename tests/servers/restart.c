/* What the broker remembers over stop, crash and a lost file. */
#include "world.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOPIC "ota/notification/dev-00001"

static struct sim_servers servers;
static char message[1024];

static void start(void)
{
    struct sim_servers_config config = world_config();
    world_start(&servers, &config);
}

static void stop(void)
{
    sim_servers_stop(&servers);
}

TestSuite(broker_restart, .init = start, .fini = stop);

static struct client device(void)
{
    return as_user(&servers, "dev-00001", NULL);
}

static void queue_one(const char *payload)
{
    subscribe(device(), TOPIC);
    publish(as_service(&servers), TOPIC, payload);
}

/* The message that the device gets first, when one more is sent to it. */
static struct answer first_after(const char *payload)
{
    queue_one(payload);
    return receive(device(), TOPIC, 1);
}

static void start_again(enum sim_memory memory)
{
    uint16_t port = servers.broker.port[SIM_CERT_GOOD];
    int error = sim_broker_start_again(&servers.broker, memory, message, sizeof message);
    cr_assert_eq(error, 0, "%s", message);
    cr_assert_eq(servers.broker.port[SIM_CERT_GOOD], port);
}

Test(broker_restart, keeps_a_queued_message)
{
    queue_one("before");
    cr_assert_eq(sim_broker_restart(&servers.broker, SIM_MEMORY_KEPT, message, sizeof message), 0,
                 "%s", message);
    cr_assert_str_eq(receive(device(), TOPIC, 1).text, TOPIC " before\n");
}

Test(broker_restart, forgets_every_session_when_told)
{
    queue_one("before");
    cr_assert_eq(sim_broker_restart(&servers.broker, SIM_MEMORY_LOST, message, sizeof message), 0,
                 "%s", message);
    cr_assert_str_eq(first_after("after").text, TOPIC " after\n");
}

Test(broker_restart, crash_loses_what_was_not_saved)
{
    queue_one("before");
    sim_broker_kill(&servers.broker);
    cr_assert_not(sim_broker_runs(&servers.broker));
    start_again(SIM_MEMORY_KEPT);
    cr_assert_str_eq(first_after("after").text, TOPIC " after\n");
}

Test(broker_restart, crash_keeps_what_was_saved)
{
    for (int round = 0; round < 2; round++) {
        queue_one("saved");
        cr_assert_eq(sim_broker_save(&servers.broker, message, sizeof message), 0, "%s", message);
        publish(as_service(&servers), TOPIC, "not saved");
        sim_broker_kill(&servers.broker);
        start_again(SIM_MEMORY_KEPT);
        publish(as_service(&servers), TOPIC, "after");
        cr_assert_str_eq(receive(device(), TOPIC, 2).text, TOPIC " saved\n" TOPIC " after\n");
    }
}

Test(broker_restart, count_of_connections_goes_on)
{
    publish(device(), "telemetry/dev-00001", "1");
    cr_assert_eq(sim_broker_restart(&servers.broker, SIM_MEMORY_KEPT, message, sizeof message), 0);
    publish(device(), "telemetry/dev-00001", "2");
    cr_assert_eq(sim_broker_connected(&servers.broker), 2);
    cr_assert_eq(sim_broker_connected(&servers.broker), 2);
}

static void presence_is(const char *expected)
{
    publish_retained(as_user(&servers, "dev-00002", NULL), "ota/presence/dev-00002", "marker");
    struct answer got = run("mosquitto_sub %s -W 120 -C 1 -v -t ota/presence/dev-00001 "
                            "-t ota/presence/dev-00002",
                            as_service(&servers).text);
    cr_assert_str_eq(got.text, expected);
}

Test(broker_restart, will_of_a_lost_device_is_sent)
{
    publish_retained(as_service(&servers), TOPIC, "retained");
    end_client(stay_connected(&servers, "dev-00001"));
    struct answer got =
        run("mosquitto_sub %s -W 120 -C 1 -v -t ota/presence/+", as_service(&servers).text);
    cr_assert_str_eq(got.text, "ota/presence/dev-00001 gone\n");
}

Test(broker_restart, stop_sends_the_wills_and_a_crash_does_not)
{
    publish_retained(as_service(&servers), TOPIC, "retained");
    cr_assert_eq(sim_broker_save(&servers.broker, message, sizeof message), 0, "%s", message);
    pid_t client = stay_connected(&servers, "dev-00001");
    sim_broker_kill(&servers.broker);
    end_client(client);
    start_again(SIM_MEMORY_KEPT);
    presence_is("ota/presence/dev-00002 marker\n");
    client = stay_connected(&servers, "dev-00001");
    sim_broker_stop(&servers.broker);
    end_client(client);
    start_again(SIM_MEMORY_KEPT);
    presence_is("ota/presence/dev-00001 gone\n");
}

Test(broker_restart, port_taken_while_it_was_down_is_told)
{
    sim_broker_stop(&servers.broker);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(servers.broker.port[SIM_CERT_GOOD]),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int one = 1, thief = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(thief, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    cr_assert_eq(bind(thief, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(thief, 1), 0);
    cr_assert_eq(sim_broker_start_again(&servers.broker, SIM_MEMORY_KEPT, message, sizeof message),
                 SIM_SERVERS_EPORT);
    cr_assert(strstr(message, "already in use"), "%s", message);
    cr_assert_eq(servers.broker.process.pid, 0);
    close(thief);
    start_again(SIM_MEMORY_KEPT);
    publish(device(), "telemetry/dev-00001", "x");
}

Test(broker_restart, save_of_a_stopped_broker_is_an_error)
{
    sim_broker_stop(&servers.broker);
    sim_broker_stop(&servers.broker);
    cr_assert_eq(sim_broker_save(&servers.broker, message, sizeof message), SIM_SERVERS_EEXITED);
}
