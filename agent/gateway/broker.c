/*
 * The board's MQTT connection. A message of the broker's is acknowledged when the board has dealt
 * with it (link_taken), not before: meanwhile the connection is held. If the board is reset or cut
 * off, or the gateway dies, the connection goes without acknowledgement, and the broker's session
 * delivers it again.
 */
#include "daemon_kit/log.h"
#include "inside.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A connection which lasts less counts as failed, or as hasty where the board ended it. So many
 * hasty ones in a row cost no delay (an update and its trial boots reset a board a few times within
 * seconds), and no delay that the board asked for comes near the 30 s that it has to connect. */
enum { LASTING_MS = 10000, HASTY_FREE = 4, HASTY_DELAY_MS_MAX = 15000 };

static uint32_t chance(void)
{
    uint32_t bits = 0;
    ssize_t got = getrandom(&bits, sizeof bits, GRND_NONBLOCK);
    return got == (ssize_t)sizeof bits ? bits : (uint32_t)agent_time_since_ms() * 2654435761u;
}

static void forget_letters(struct gateway *gateway)
{
    while (gateway->letters) {
        struct gateway_letter *letter = gateway->letters;
        gateway->letters = letter->next;
        free(letter);
    }
    gateway->letters_end = &gateway->letters;
}

static void tell_down(struct gateway *gateway, const char *why)
{
    gateway_text(gateway->down_why, sizeof gateway->down_why, why);
    gateway->tell_down = true;
    gateway->tell_up = false;
}

static uint32_t hasty_max_ms(const struct gateway *gateway)
{
    uint32_t max_ms = gateway->config->reconnect_max_ms;
    return max_ms < HASTY_DELAY_MS_MAX ? max_ms : HASTY_DELAY_MS_MAX;
}

static bool lasted(const struct gateway *gateway)
{
    return gateway->up_since_ms && agent_time_since_ms() - gateway->up_since_ms >= LASTING_MS;
}

/* The board's doing: its reset, its silence, its wish. One that does so again and again must not
 * hammer the broker with handshakes. */
static void board_ended(struct gateway *gateway)
{
    const struct gateway_config *config = gateway->config;
    gateway->hasty = lasted(gateway) ? 0 : gateway->hasty + 1;
    if (gateway->hasty > HASTY_FREE)
        gateway->not_before_ms =
            agent_time_since_ms() + agent_mqtt_retry_ms(config->reconnect_first_ms,
                                                        hasty_max_ms(gateway),
                                                        gateway->hasty - HASTY_FREE, chance());
}

/* What the connection leaves behind when it is gone, however. */
static void gone(struct gateway *gateway, const char *why)
{
    gateway->connecting = false;
    gateway->unanswered = 0;
    forget_letters(gateway);
    tell_down(gateway, why);
}

static void owe(struct gateway *gateway)
{
    if (!gateway->owes_since_ms)
        gateway->owes_since_ms = agent_time_since_ms();
}

int64_t gateway_owes_ms(const struct gateway *gateway, const char **why)
{
    *why = gateway->down_why;
    return gateway->owes_since_ms ? agent_time_since_ms() - gateway->owes_since_ms : 0;
}

static void try_later(struct gateway *gateway, const char *why)
{
    owe(gateway);
    const struct gateway_config *config = gateway->config;
    uint32_t delay_ms = agent_mqtt_retry_ms(config->reconnect_first_ms, config->reconnect_max_ms,
                                            ++gateway->failed, chance());
    gateway->not_before_ms = agent_time_since_ms() +
                             (delay_ms < hasty_max_ms(gateway) ? delay_ms : hasty_max_ms(gateway));
    gateway_note(gateway, "mqtt down: %s, again in %u ms", why, delay_ms);
    gateway_after(gateway, &gateway->retry_timer, delay_ms / 1000.0);
}

static void connect(struct gateway *gateway)
{
    char why[160] = "";
    owe(gateway);
    if (!agent_mqtt_connect(gateway->mqtt, why, sizeof why)) {
        gateway->connecting = true;
        return;
    }
    tell_down(gateway, why);
    try_later(gateway, why);
}

/* At once, unless a delay is under way that the board can't shorten by asking anew. */
static void connect_soon(struct gateway *gateway)
{
    int64_t wait_ms = gateway->not_before_ms - agent_time_since_ms();
    if (wait_ms <= 0) {
        connect(gateway);
        return;
    }
    gateway_note(gateway, "mqtt: again in %u ms, not sooner", (uint32_t)wait_ms);
    gateway_after(gateway, &gateway->retry_timer, (double)wait_ms / 1000.0);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct gateway *gateway = timer->data;
    (void)loop, (void)events;
    if (gateway->wants_mqtt && !gateway->connecting)
        connect(gateway);
    gateway_pump(gateway);
}

static void on_up(void *ctx)
{
    struct gateway *gateway = ctx;
    gateway_note(gateway, "mqtt up");
    gateway->up_since_ms = agent_time_since_ms();
    gateway->owes_since_ms = 0;
    agent_mqtt_publish(gateway->mqtt, gateway->presence, gateway->online,
                       (uint32_t)strlen(gateway->online), 1, true, 0);
    gateway->tell_up = true;
    gateway_pump(gateway);
}

static void on_down(void *ctx, const char *why)
{
    struct gateway *gateway = ctx;
    if (lasted(gateway))
        gateway->failed = gateway->hasty = 0;
    gateway->up_since_ms = 0;
    gone(gateway, why);
    try_later(gateway, why);
    gateway_pump(gateway);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct gateway *gateway = ctx;
    bool notification = !strcmp(topic, gateway->notification);
    if (!notification && strcmp(topic, gateway->command)) {
        gateway_note(gateway, "refused: topic %s, which was not asked for", topic);
        return;
    }
    agent_mqtt_hold(gateway->mqtt, true);
    struct gateway_letter *letter = malloc(sizeof *letter + len);
    if (!letter) { /* it comes again with the next connection */
        gateway_broker_drop(gateway);
        try_later(gateway, "no memory");
        gateway_pump(gateway);
        return;
    }
    *letter = (struct gateway_letter){
        .topic = notification ? LINK_TOPIC_NOTIFICATION : LINK_TOPIC_COMMAND, .len = len};
    memcpy(letter->bytes, payload, len);
    *gateway->letters_end = letter;
    gateway->letters_end = &letter->next;
    gateway_pump(gateway);
}

static void on_dropped(void *ctx, const char *topic, uint32_t len)
{
    gateway_note(ctx, "refused: %u bytes on %s", len, topic);
}

static void on_published(void *ctx, uint32_t token)
{
    struct gateway *gateway = ctx;
    if (!token) /* presence */
        return;
    if (gateway->unanswered)
        gateway->unanswered--;
    if (gateway->published_count < GATEWAY_TOKENS_MAX)
        gateway->published[gateway->published_count++] = token;
    gateway_pump(gateway);
}

static void topic(char out[GATEWAY_TOPIC_MAX], const char *prefix, const char *device_id)
{
    snprintf(out, GATEWAY_TOPIC_MAX, "%s/%s", prefix, device_id);
}

int gateway_broker_create(struct gateway *gateway)
{
    static const struct agent_mqtt_events events = {
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .published = on_published,
        .dropped = on_dropped,
    };
    const char *id = gateway->config->device_id;
    struct agent_mqtt_config *mqtt = &gateway->mqtt_config;
    topic(gateway->notification, "ota/notification", id);
    topic(gateway->command, "ota/command", id);
    topic(gateway->status, "ota/status", id);
    topic(gateway->telemetry, "telemetry", id);
    topic(gateway->presence, "ota/presence", id);
    snprintf(gateway->online, sizeof gateway->online, "{\"device_id\":\"%s\",\"online\":true}", id);
    snprintf(gateway->offline, sizeof gateway->offline, "{\"device_id\":\"%s\",\"online\":false}",
             id);
    *mqtt = gateway->config->mqtt;
    mqtt->client_id = id;
    mqtt->will_topic = gateway->presence;
    mqtt->will_payload = gateway->offline;
    mqtt->topic[0] = gateway->notification;
    mqtt->topic[1] = gateway->command;
    mqtt->topics = 2;
    mqtt->message_bytes_max = LINK_JSON_MAX;
    ev_init(&gateway->retry_timer, on_retry);
    gateway->retry_timer.data = gateway;
    return agent_mqtt_create(&gateway->mqtt, gateway->config->loop, mqtt, &events, gateway);
}

void gateway_broker_want(struct gateway *gateway, bool wanted)
{
    gateway->wants_mqtt = wanted;
    if (wanted && agent_mqtt_is_up(gateway->mqtt)) {
        gateway->tell_up = true; /* a board that asks again does not know it */
    } else if (wanted && !gateway->connecting && !ev_is_active(&gateway->retry_timer)) {
        connect_soon(gateway);
    } else if (!wanted && gateway->connecting) { /* a clean end, as it was asked for */
        agent_mqtt_publish(gateway->mqtt, gateway->presence, gateway->offline,
                           (uint32_t)strlen(gateway->offline), 1, true, 0);
        agent_mqtt_disconnect(gateway->mqtt);
        board_ended(gateway);
        gateway->up_since_ms = 0;
        gone(gateway, "as the board asked");
        gateway_note(gateway, "mqtt down: as the board asked");
    }
    if (!wanted) {
        ev_timer_stop(gateway->config->loop, &gateway->retry_timer);
        gateway->owes_since_ms = 0;
    }
}

void gateway_broker_drop(struct gateway *gateway)
{
    ev_timer_stop(gateway->config->loop, &gateway->retry_timer);
    agent_mqtt_drop(gateway->mqtt);
    if (gateway->connecting) {
        board_ended(gateway);
        gone(gateway, "the line was silent");
    }
    gateway->up_since_ms = gateway->owes_since_ms = 0;
}

void gateway_broker_forgive(struct gateway *gateway)
{
    gateway->hasty = 0;
    gateway->not_before_ms = 0;
}

/* QoS 0 has no answer by which it could be held back: it is short and rare, or dropped. */
static bool too_loose(struct gateway *gateway, const struct link_message *message)
{
    int64_t now_ms = agent_time_since_ms();
    if (now_ms - gateway->loose_since_ms >= 1000) {
        gateway->loose_since_ms = now_ms;
        gateway->loose = 0;
    }
    return message->len > GATEWAY_LOOSE_BYTES || ++gateway->loose > GATEWAY_LOOSE_PER_S;
}

void gateway_broker_publish(struct gateway *gateway, const struct link_message *message)
{
    const char *to = message->topic == LINK_TOPIC_STATUS ? gateway->status : gateway->telemetry;
    const void *bytes = message->len ? (const void *)message->bytes : "";
    if (!agent_mqtt_is_up(gateway->mqtt))
        return; /* MQTT_UP is the board's sign to say it again */
    if (!message->token && too_loose(gateway, message)) {
        gateway_note(gateway, "refused: too much without acknowledgement");
        return;
    }
    if (!agent_mqtt_publish(gateway->mqtt, to, bytes, message->len, message->token ? 1 : 0, false,
                            message->token) &&
        message->token)
        gateway->unanswered++;
}

static void say_letters(struct gateway *gateway)
{
    bool all = true;
    for (struct gateway_letter *letter = gateway->letters; letter; letter = letter->next) {
        if (!letter->sent) {
            const struct link_message message = {.kind = LINK_INCOMING,
                                                 .topic = letter->topic,
                                                 .bytes = letter->bytes,
                                                 .len = letter->len};
            letter->sent = all && gateway_send(gateway, &message);
            letter->number = link_sent(&gateway->channel);
        }
        all = all && letter->sent;
    }
    while (gateway->letters && gateway->letters->sent &&
           (int32_t)(link_taken(&gateway->channel) - gateway->letters->number) >= 0) {
        struct gateway_letter *letter = gateway->letters;
        gateway->letters = letter->next;
        free(letter);
        if (gateway->letters)
            continue;
        gateway->letters_end = &gateway->letters;
        agent_mqtt_hold(gateway->mqtt, false);
    }
}

void gateway_broker_say(struct gateway *gateway)
{
    const char *why = gateway->down_why;
    if (gateway->tell_down)
        gateway->tell_down =
            !gateway_send(gateway, &(struct link_message){.kind = LINK_MQTT_DOWN,
                                                          .bytes = (const uint8_t *)why,
                                                          .len = (uint32_t)strlen(why)});
    if (gateway->tell_up && !gateway->tell_down)
        gateway->tell_up = !gateway_send(gateway, &(struct link_message){.kind = LINK_MQTT_UP});
    while (gateway->published_count &&
           gateway_send(gateway, &(struct link_message){.kind = LINK_PUBLISHED,
                                                        .token = gateway->published[0]}))
        memmove(gateway->published, gateway->published + 1,
                --gateway->published_count * sizeof gateway->published[0]);
    say_letters(gateway);
}
