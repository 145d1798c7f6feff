/* Every function inside every event. AddressSanitizer is the oracle, beside the counts. */
#include "device.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

TestSuite(drivers_inside, .init = world_open, .fini = world_close, .timeout = 300);

enum deed { DESTROY, DROP, DISCONNECT, AGAIN, DEEDS };

static struct device device, operator_side;
static enum deed deed;

static void do_it(struct device *who, enum device_event event)
{
    if (event != who->strike_at || who->strike++)
        return;
    if (deed == DESTROY) {
        agent_mqtt_destroy(who->mqtt);
        who->mqtt = NULL;
    } else if (event != DEVICE_DOWN) {
        deed == DISCONNECT ? agent_mqtt_disconnect(who->mqtt) : agent_mqtt_drop(who->mqtt);
    }
    if (deed == AGAIN)
        device_connect(who);
}

/* Has the broker and the operator bring about the event. */
static void provoke(enum device_event event)
{
    static char large[20000];
    if (event == DEVICE_DOWN)
        /* Another client of this name pushes it out. */
        device_up(&operator_side);
    else if (event == DEVICE_MESSAGE)
        device_publish(&operator_side, "in/d", "x", 1);
    else if (event == DEVICE_PUBLISHED)
        device_publish(&device, "status/d", "x", 1);
    else if (event == DEVICE_ANSWERED)
        agent_mqtt_ask(device.mqtt);
    else if (event == DEVICE_DROPPED)
        agent_mqtt_publish(operator_side.mqtt, "in/d", large, sizeof large, 1, false, 1);
}

static void one(enum device_event event)
{
    device_make(&device, "d", world.broker_port);
    device_make(&operator_side, event == DEVICE_DOWN ? "d" : "operator", world.broker_port);
    operator_side.config.topics = 0;
    device.hook = do_it;
    device.strike_at = event;
    if (event != DEVICE_DOWN)
        device_up(&operator_side);
    device_connect(&device);
    WORLD_UNTIL(device.count[DEVICE_UP]);
    provoke(event);
    WORLD_UNTIL(device.strike);
    if (deed == AGAIN)
        WORLD_UNTIL(device.count[DEVICE_UP] > 1);
    world_turns(20);
    int told = device.count[event];
    cr_assert(deed == AGAIN || told == 1, "event %d deed %d: told %d times", event, deed, told);
    cr_assert_eq(device.count[DEVICE_DOWN], event == DEVICE_DOWN, "event %d deed %d", event, deed);
    agent_mqtt_destroy(device.mqtt);
    agent_mqtt_destroy(operator_side.mqtt);
}

static void all_events(void)
{
    world_broker("server", "");
    for (int event = 0; event < DEVICE_EVENTS; event++)
        one((enum device_event)event);
}

Test(drivers_inside, destroy)
{
    deed = DESTROY;
    all_events();
}

Test(drivers_inside, drop)
{
    deed = DROP;
    all_events();
}

Test(drivers_inside, disconnect)
{
    deed = DISCONNECT;
    all_events();
}

Test(drivers_inside, connect_again)
{
    deed = AGAIN;
    all_events();
}

static void answer(struct device *who, enum device_event event)
{
    if (event == DEVICE_MESSAGE && who->count[DEVICE_MESSAGE] <= 50)
        device_publish(who, "in/d", "again", 1);
}

Test(drivers_inside, publish)
{
    world_broker("server", "");
    device_make(&device, "d", world.broker_port);
    device.hook = answer;
    device_up(&device);
    device_publish(&device, "in/d", "first", 1);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE] == 51 && device.count[DEVICE_PUBLISHED] == 51);
    agent_mqtt_destroy(device.mqtt);
}
