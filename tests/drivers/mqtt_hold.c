/* Messages that are handed on before they are acknowledged. */
#include "device.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(drivers_mqtt_hold, .init = world_open, .fini = world_close, .timeout = 300);

static struct device device, sender;

static void hold_it(struct device *at, enum device_event event)
{
    if (event == DEVICE_MESSAGE)
        agent_mqtt_hold(at->mqtt, true);
}

/* And as many turns as belong to it, if all of the time goes by at once. */
static void wait_ms(double ms)
{
    double until = ev_time() + ms / 1000;
    for (int rounds = 0; rounds < ms / 2 || ev_time() < until; rounds++) {
        world_turns(5);
        ev_sleep(0.002);
    }
}

static void one_is_held(void)
{
    world_broker("server", "");
    device_make(&device, "d", world.broker_port);
    device_make(&sender, "s", world.broker_port);
    device_up(&device);
    device_up(&sender);
    device.hook = hold_it;
    device_publish(&sender, "in/d", "first", 1);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    device_publish(&sender, "in/d", "second", 2);
    WORLD_UNTIL(sender.count[DEVICE_PUBLISHED] == 2);
    wait_ms(100);
    cr_assert_eq(device.count[DEVICE_MESSAGE], 1); /* nothing is read */
    device.hook = NULL;
}

static void close_both(void)
{
    agent_mqtt_destroy(device.mqtt);
    agent_mqtt_destroy(sender.mqtt);
}

Test(drivers_mqtt_hold, a_held_message_comes_again_after_a_drop)
{
    one_is_held();
    agent_mqtt_drop(device.mqtt);
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE] == 3); /* both, of which one is told again */
    cr_assert_str_eq((const char *)device.payload, "second");
    close_both();
}

/* A clean end is no acknowledgement either. */
Test(drivers_mqtt_hold, a_held_message_comes_again_after_a_disconnect)
{
    one_is_held();
    agent_mqtt_disconnect(device.mqtt);
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE] == 3);
    close_both();
}

Test(drivers_mqtt_hold, what_waited_goes_out_when_the_hold_ends)
{
    one_is_held();
    device_publish(&device, "status/d", "{}", 9);
    wait_ms(100);
    cr_assert_eq(device.count[DEVICE_PUBLISHED], 0); /* nothing is written */
    agent_mqtt_hold(device.mqtt, false);
    WORLD_UNTIL(device.count[DEVICE_PUBLISHED] && device.count[DEVICE_MESSAGE] == 2);
    wait_ms(100);
    agent_mqtt_drop(device.mqtt);
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_UP] == 2);
    wait_ms(100);
    cr_assert_eq(device.count[DEVICE_MESSAGE], 2); /* acknowledged, and not told again */
    agent_mqtt_drop(device.mqtt);
    agent_mqtt_hold(device.mqtt, true); /* without a connection it does nothing */
    close_both();
}
