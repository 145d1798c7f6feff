/* What libmosquitto tells of a connection. It holds a lock meanwhile: nothing here closes or frees
 * a connection. An event's receiver may end this one: its owner is asked for again after each. */
#include "mqtt_link.h"
#include <stdlib.h>

/* Behind the others: a broker acknowledges in the order of sending, so that the first is found. */
struct mqtt_token *mqtt_token_add(struct mqtt_link *link, uint32_t token)
{
    struct mqtt_token *new = calloc(1, sizeof *new);
    if (new) {
        new->token = token;
        *link->token_end = new;
        link->token_end = &new->next;
    }
    return new;
}

bool mqtt_token_take(struct mqtt_link *link, int mid, uint32_t *token)
{
    for (struct mqtt_token **at = &link->token; *at; at = &(*at)->next) {
        struct mqtt_token *found = *at;
        if (found->mid != mid)
            continue;
        *token = found->token;
        *at = found->next;
        if (!found->next)
            link->token_end = at;
        free(found);
        return true;
    }
    return false;
}

static void subscribe(struct mqtt_link *link, const struct agent_mqtt_config *config)
{
    char *topic[AGENT_MQTT_TOPICS_MAX];
    for (uint32_t i = 0; i < config->topics; i++)
        topic[i] = (char *)(uintptr_t)config->topic[i]; /* the library only reads it */
    int error = mosquitto_subscribe_multiple(link->mosq, &link->subscription, (int)config->topics,
                                             topic, 1, 0, NULL);
    if (error)
        mqtt_link_lose(link, "subscribing: %s", mosquitto_strerror(error));
}

static void on_connect(struct mosquitto *mosq, void *ctx, int code)
{
    struct mqtt_link *link = ctx;
    (void)mosq;
    link->packet_bytes = 0;
    if (!link->owner)
        return;
    if (code)
        mqtt_link_lose(link, "%s", mosquitto_connack_string(code));
    else if (link->owner->config->topics)
        subscribe(link, link->owner->config);
    else
        mqtt_link_is_up(link);
}

static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int count, const int *granted)
{
    struct mqtt_link *link = ctx;
    (void)mosq;
    link->packet_bytes = 0;
    if (!link->owner || link->up || mid != link->subscription)
        return;
    const struct agent_mqtt_config *config = link->owner->config;
    for (uint32_t i = 0; i < config->topics; i++) {
        if (i >= (uint32_t)count || granted[i] > 2) {
            mqtt_link_lose(link, "subscription refused: %s", config->topic[i]);
            return;
        }
    }
    mqtt_link_is_up(link);
}

static void on_unsubscribe(struct mosquitto *mosq, void *ctx, int mid)
{
    struct mqtt_link *link = ctx;
    (void)mosq, (void)mid;
    link->packet_bytes = 0;
    struct agent_mqtt *owner = link->owner;
    if (owner && !link->why[0] && owner->events->answered)
        owner->events->answered(owner->ctx);
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
    struct mqtt_link *link = ctx;
    uint32_t len = (uint32_t)message->payloadlen;
    (void)mosq;
    link->packet_bytes = 0;
    struct agent_mqtt *owner = link->owner;
    if (!owner || link->why[0])
        return;
    link->unkept = true;
    if (len <= owner->config->message_bytes_max)
        owner->events->message(owner->ctx, message->topic, len ? message->payload : "", len);
    else if (owner->events->dropped)
        owner->events->dropped(owner->ctx, message->topic, len);
}

static void on_publish(struct mosquitto *mosq, void *ctx, int mid)
{
    struct mqtt_link *link = ctx;
    uint32_t token;
    (void)mosq;
    link->packet_bytes = 0;
    /* Of a QoS 0 message, which has no token, this tells that it was written. */
    if (!mqtt_token_take(link, mid, &token) || !link->owner)
        return;
    link->owner->events->published(link->owner->ctx, token);
}

void mqtt_calls_set(struct mosquitto *mosq)
{
    mosquitto_connect_callback_set(mosq, on_connect);
    mosquitto_subscribe_callback_set(mosq, on_subscribe);
    mosquitto_unsubscribe_callback_set(mosq, on_unsubscribe);
    mosquitto_message_callback_set(mosq, on_message);
    mosquitto_publish_callback_set(mosq, on_publish);
}
