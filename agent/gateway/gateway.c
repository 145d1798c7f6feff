/* The line: bytes of the UART to messages and back, and the order of what is said. */
#include "daemon_kit/log.h"
#include "inside.h"
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { TIME_EVERY_S = 60, OUT_BYTES = 4096 };

static uint32_t now_ms(void)
{
    return (uint32_t)agent_time_since_ms();
}

void gateway_text(char *out, size_t size, const char *text)
{
    size_t len = 0;
    for (; text[len] && len + 1 < size; len++)
        out[len] = text[len] >= 0x20 && text[len] < 0x7F ? text[len] : '?';
    out[len] = '\0';
}

void gateway_note(const struct gateway *gateway, const char *format, ...)
{
    char text[700], line[700];
    va_list args;
    if (!gateway->config->note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gateway_text(line, sizeof line, text);
    gateway->config->note(gateway->config->ctx, line);
}

void gateway_after(const struct gateway *gateway, ev_timer *timer, double s)
{
    struct ev_loop *loop = gateway->config->loop;
    ev_timer_stop(loop, timer);
    ev_now_update(loop);
    ev_timer_set(timer, s, 0);
    ev_timer_start(loop, timer);
}

bool gateway_send(struct gateway *gateway, const struct link_message *message)
{
    uint8_t bytes[LINK_MESSAGE_MAX];
    uint32_t len = link_encode(bytes, sizeof bytes, message);
    assert(len);
    return link_send(&gateway->channel, (uint8_t)message->kind, bytes, len);
}

/* The board was reset, or its power is gone: nothing of it lives on. */
static void forget(struct gateway *gateway)
{
    gateway->greeted = gateway->wants_mqtt = false;
    gateway_broker_drop(gateway);
    gateway_download_cancel(gateway);
    gateway->tell_time = gateway->tell_up = gateway->tell_down = false;
    gateway->published_count = 0;
}

/* More publishes than the broker answers, or than can be told: the board waits. A restart does not.
 */
static bool may_hear(const struct gateway *gateway)
{
    const struct link_channel *channel = &gateway->channel;
    return gateway->unanswered + gateway->published_count < GATEWAY_TOKENS_MAX ||
           channel->tell_restart || channel->tell_down || channel->tell_up;
}

static void hear(struct gateway *gateway)
{
    struct link_delivery got;
    while (may_hear(gateway) && link_next(&gateway->channel, &got)) {
        switch (got.event) {
        case LINK_EV_MESSAGE:
            gateway_heed(gateway, &got);
            break;
        case LINK_EV_RESTARTED:
            gateway_note(gateway, "board restarted");
            forget(gateway);
            break;
        case LINK_EV_UP:
            gateway_note(gateway, "line up");
            if (gateway->greeted) /* it was only silent, and is who it was */
                gateway_broker_want(gateway, gateway->wants_mqtt);
            break;
        default:
            gateway_note(gateway, "line silent");
            gateway_broker_drop(gateway); /* who can't be reached is not online */
            break;
        }
    }
}

static void say(struct gateway *gateway)
{
    const struct agent_clock *clock = &gateway->config->clock;
    if (!gateway->greeted)
        return;
    if (gateway->tell_time) {
        int64_t utc_ms = clock->utc_ms ? clock->utc_ms(clock->ctx) : agent_time_now_ms();
        gateway->tell_time =
            !gateway_send(gateway, &(struct link_message){.kind = LINK_TIME, .utc_ms = utc_ms});
    }
    gateway_broker_say(gateway);
    gateway_download_say(gateway);
}

static void speak(struct gateway *gateway)
{
    uint8_t bytes[OUT_BYTES];
    size_t len;
    while ((len = link_output(&gateway->channel, bytes, sizeof bytes, now_ms())))
        gateway->config->write(gateway->config->ctx, bytes, len);
}

void gateway_pump(struct gateway *gateway)
{
    gateway->again = true;
    if (gateway->pumping || !gateway->powered)
        return;
    gateway->pumping = true;
    while (gateway->again && gateway->powered) {
        gateway->again = false;
        hear(gateway);
        say(gateway);
        speak(gateway);
    }
    gateway->pumping = false;
    if (!gateway->powered)
        return;
    uint32_t wait_ms = link_wait_ms(&gateway->channel, now_ms());
    gateway_after(gateway, &gateway->link_timer, (wait_ms < 60000 ? wait_ms : 60000) / 1000.0);
}

static void on_link_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    gateway_pump(timer->data);
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct gateway *gateway = timer->data;
    (void)loop, (void)events;
    gateway->tell_time = true;
    gateway_after(gateway, timer, TIME_EVERY_S);
    gateway_pump(gateway);
}

int gateway_create(struct gateway **out, const struct gateway_config *config)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    *out = NULL;
    if (!gateway)
        return -1;
    gateway->config = config;
    gateway->letters_end = &gateway->letters;
    ev_init(&gateway->link_timer, on_link_timer);
    ev_init(&gateway->time_timer, on_time);
    gateway->link_timer.data = gateway->time_timer.data = gateway;
    if (strlen(config->device_id) > LINK_DEVICE_ID_MAX || gateway_broker_create(gateway)) {
        free(gateway);
        return -1;
    }
    *out = gateway;
    return 0;
}

void gateway_free(struct gateway *gateway)
{
    if (!gateway)
        return;
    gateway_power_lost(gateway);
    agent_mqtt_destroy(gateway->mqtt);
    free(gateway);
}

void gateway_power_on(struct gateway *gateway)
{
    struct link_config config = {0};
    gateway_line_lost(gateway);
    if (getrandom(&config.session, sizeof config.session, 0) != sizeof config.session)
        config.session = now_ms();
    link_init(&gateway->channel, &config, now_ms());
    gateway->powered = true;
    gateway_after(gateway, &gateway->time_timer, TIME_EVERY_S);
    gateway_pump(gateway);
}

void gateway_line_lost(struct gateway *gateway)
{
    gateway->powered = false;
    ev_timer_stop(gateway->config->loop, &gateway->link_timer);
    ev_timer_stop(gateway->config->loop, &gateway->time_timer);
    forget(gateway);
}

void gateway_power_lost(struct gateway *gateway)
{
    gateway_line_lost(gateway);
    gateway_broker_forgive(gateway);
}

void gateway_input(struct gateway *gateway, const void *bytes, size_t len)
{
    if (!gateway->powered)
        return;
    link_input(&gateway->channel, bytes, len, now_ms());
    gateway_pump(gateway);
}

void gateway_clock_set(struct gateway *gateway)
{
    gateway->tell_time = true;
    gateway_pump(gateway);
}

const struct link_counters *gateway_counters(const struct gateway *gateway)
{
    return link_counters(&gateway->channel);
}
