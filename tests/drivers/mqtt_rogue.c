/* Brokers that no one would run. */
#include "device.h"
#include "rogue.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(drivers_mqtt_rogue, .init = world_open, .fini = world_close, .timeout = 300);

static struct device device;
static struct rogue rogue;

static bool let_in(SSL *ssl, unsigned char granted)
{
    unsigned char packet[256];
    static const unsigned char connack[] = {0x20, 2, 0, 0};
    if (SSL_read(ssl, packet, sizeof packet) <= 0 || !rogue_send(ssl, connack, sizeof connack) ||
        !rogue_read(ssl, packet, 4)) /* SUBSCRIBE: its head and its number */
        return false;
    const unsigned char suback[] = {0x90, 3, packet[2], packet[3], granted};
    return rogue_read(ssl, packet + 4, packet[1] - 2u) && rogue_send(ssl, suback, sizeof suback);
}

static void open_with(void (*serve)(struct rogue *, SSL *, int))
{
    rogue_start(&rogue, serve);
    device_make(&device, "d", rogue.port);
}

static void end(void)
{
    agent_mqtt_destroy(device.mqtt);
    rogue_stop(&rogue);
}

static void expect_down(const char *phrase)
{
    WORLD_UNTIL(device.count[DEVICE_DOWN]);
    cr_assert(strstr(device.why, phrase), "told: %s", device.why);
    cr_assert_eq(device.count[DEVICE_DOWN], 1);
    end();
}

static void serve_refused_subscription(struct rogue *server, SSL *ssl, int nth)
{
    (void)server, (void)nth;
    if (let_in(ssl, 0x80))
        rogue_wait(ssl);
}

Test(drivers_mqtt_rogue, a_subscription_refused)
{
    open_with(serve_refused_subscription);
    device_connect(&device);
    expect_down("subscription refused: in/d");
    cr_assert_eq(device.count[DEVICE_UP], 0);
}

static void serve_silence(struct rogue *server, SSL *ssl, int nth)
{
    (void)server, (void)nth;
    rogue_wait(ssl);
}

Test(drivers_mqtt_rogue, a_broker_that_says_nothing)
{
    open_with(serve_silence);
    device.config.connect_within_s = 1;
    device_connect(&device);
    expect_down("not up within 1 s");
}

static void serve_without_pings(struct rogue *server, SSL *ssl, int nth)
{
    (void)server, (void)nth;
    if (let_in(ssl, 1))
        rogue_wait(ssl);
}

Test(drivers_mqtt_rogue, a_broker_that_answers_no_ping)
{
    open_with(serve_without_pings);
    device.config.keepalive_s = 5; /* the least that the library takes */
    device_up(&device);
    expect_down("no answer to a ping");
}

/* One PUBLISH of 200 MB, as long as it is read. */
static void serve_endless_packet(struct rogue *server, SSL *ssl, int nth)
{
    static const unsigned char head[] = {0x30, 0x80, 0x80, 0x80, 0x60, 0, 4, 'i', 'n', '/', 'd'};
    static const unsigned char block[16000];
    (void)server, (void)nth;
    bool ok = let_in(ssl, 1) && rogue_send(ssl, head, sizeof head);
    while (ok)
        ok = rogue_send(ssl, block, sizeof block);
}

Test(drivers_mqtt_rogue, a_packet_that_would_fill_the_memory)
{
    open_with(serve_endless_packet);
    device_up(&device);
    expect_down("a packet of more than");
}

/* Small messages without end, never at the end of a TLS record: the library alone would read on. */
static void serve_flood(struct rogue *server, SSL *ssl, int nth)
{
    static const unsigned char message[] = {0x30, 7, 0, 4, 'i', 'n', '/', 'd', 'x'};
    static unsigned char block[9 * 1000];
    (void)server, (void)nth;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = message[i % sizeof message];
    bool ok = let_in(ssl, 1) && rogue_send(ssl, block, 5);
    while (ok)
        ok = rogue_send(ssl, block + 5, sizeof block - sizeof message);
}

static int ticks;

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    ticks++;
}

Test(drivers_mqtt_rogue, a_flood_does_not_starve_the_loop)
{
    ev_timer tick;
    open_with(serve_flood);
    device_up(&device);
    ev_timer_init(&tick, on_tick, 0.001, 0.001);
    ev_timer_start(world.loop, &tick);
    WORLD_UNTIL(ticks >= 50 && device.count[DEVICE_MESSAGE] > 1000);
    ev_timer_stop(world.loop, &tick);
    end();
}

/* Five messages in one TLS record: the socket tells of it once. */
static void serve_five(struct rogue *server, SSL *ssl, int nth)
{
    static const unsigned char message[] = {0x30, 7, 0, 4, 'i', 'n', '/', 'd', 'x'};
    unsigned char block[45];
    (void)server, (void)nth;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = message[i % sizeof message];
    if (let_in(ssl, 1) && rogue_send(ssl, block, sizeof block))
        rogue_wait(ssl);
}

static void leave_errno(struct device *who, enum device_event event)
{
    (void)who, (void)event;
    errno = EAGAIN; /* as flash or another socket may */
}

Test(drivers_mqtt_rogue, what_tls_has_read_already_is_not_left_there)
{
    open_with(serve_five);
    device.hook = leave_errno;
    device_up(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE] == 5);
    end();
}

static int acknowledged;

/* Five of QoS 1 in one record, and what the device says to them. */
static void serve_five_to_acknowledge(struct rogue *server, SSL *ssl, int nth)
{
    static const unsigned char message[] = {0x32, 9, 0, 4, 'i', 'n', '/', 'd', 0, 1, 'x'};
    unsigned char block[5 * sizeof message], answer[4];
    (void)server, (void)nth;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = message[i % sizeof message];
    for (unsigned char i = 0; i < 5; i++)
        block[i * sizeof message + 9] = i + 1;
    if (!let_in(ssl, 1) || !rogue_send(ssl, block, sizeof block))
        return;
    while (rogue_read(ssl, answer, sizeof answer))
        acknowledged += answer[0] == 0x40;
}

static void cut_the_power(struct device *who, enum device_event event)
{
    if (event == DEVICE_MESSAGE)
        agent_mqtt_drop(who->mqtt);
}

Test(drivers_mqtt_rogue, what_is_not_handed_over_when_the_power_goes_is_not_acknowledged)
{
    open_with(serve_five_to_acknowledge);
    device.hook = cut_the_power;
    device_up(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    world_turns(5);
    cr_assert_eq(device.count[DEVICE_MESSAGE], 1);
    end();
    cr_assert_leq(acknowledged, 1);
}

static void serve_nonsense(struct rogue *server, SSL *ssl, int nth)
{
    static const unsigned char nonsense[64] = {0xf7, 0xff, 0xff, 0xff, 0xff, 0xff};
    (void)server, (void)nth;
    if (let_in(ssl, 1) && rogue_send(ssl, nonsense, sizeof nonsense))
        rogue_wait(ssl);
}

Test(drivers_mqtt_rogue, no_mqtt_at_all)
{
    open_with(serve_nonsense);
    device_up(&device);
    expect_down("protocol");
}

static void serve_reset(struct rogue *server, SSL *ssl, int nth)
{
    (void)server, (void)nth;
    if (let_in(ssl, 1))
        rogue_reset(ssl);
}

Test(drivers_mqtt_rogue, a_connection_reset)
{
    open_with(serve_reset);
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_DOWN]);
    cr_assert_neq(device.why[0], 0);
    end();
}
