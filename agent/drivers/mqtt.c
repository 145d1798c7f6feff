/* The interface: one connection after another. */
#include "mqtt_link.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int agent_mqtt_create(struct agent_mqtt **out, struct ev_loop *loop,
                      const struct agent_mqtt_config *config,
                      const struct agent_mqtt_events *events, void *ctx)
{
    assert(config->topics <= AGENT_MQTT_TOPICS_MAX);
    /* Counted by the library and never taken back: its clean-up unloads OpenSSL's modules, which
     * others of this process use. */
    mosquitto_lib_init();
    *out = calloc(1, sizeof **out);
    if (!*out)
        return AGENT_DRIVERS_EMEMORY;
    **out = (struct agent_mqtt){
        .loop = loop, .config = config, .events = events, .ctx = ctx, .link = NULL};
    return AGENT_DRIVERS_OK;
}

void agent_mqtt_destroy(struct agent_mqtt *mqtt)
{
    if (mqtt)
        agent_mqtt_drop(mqtt);
    free(mqtt);
}

int agent_mqtt_connect(struct agent_mqtt *mqtt, char *why, size_t len)
{
    char unread[8];
    assert(!mqtt->link);
    mqtt->link =
        why ? mqtt_link_begin(mqtt, why, len) : mqtt_link_begin(mqtt, unread, sizeof unread);
    return mqtt->link ? AGENT_DRIVERS_OK : AGENT_DRIVERS_ECONNECT;
}

static void end(struct agent_mqtt *mqtt, bool goodbye)
{
    struct mqtt_link *link = mqtt->link;
    mqtt->link = NULL;
    if (link)
        mqtt_link_end(link, goodbye);
}

void agent_mqtt_drop(struct agent_mqtt *mqtt)
{
    end(mqtt, false);
}

void agent_mqtt_disconnect(struct agent_mqtt *mqtt)
{
    end(mqtt, true);
}

void agent_mqtt_hold(struct agent_mqtt *mqtt, bool hold)
{
    struct mqtt_link *link = mqtt->link;
    if (!link || link->why[0])
        return;
    link->held = hold;
    mqtt_link_watch(link);
}

uint32_t agent_mqtt_retry_ms(uint32_t first_ms, uint32_t max_ms, uint32_t failed, uint32_t random)
{
    uint64_t step_ms = first_ms, most_ms = (uint64_t)max_ms * 2 / 3;
    for (uint32_t i = 1; i < failed && step_ms < most_ms; i++)
        step_ms *= 2;
    if (step_ms > most_ms)
        step_ms = most_ms;
    return (uint32_t)(step_ms + random % (step_ms / 2 + 1));
}

bool agent_mqtt_is_up(const struct agent_mqtt *mqtt)
{
    return mqtt->link && mqtt->link->up && !mqtt->link->why[0];
}

int agent_mqtt_publish(struct agent_mqtt *mqtt, const char *topic, const void *payload,
                       uint32_t len, int qos, bool retain, uint32_t token)
{
    struct mqtt_link *link = mqtt->link;
    struct mqtt_token *kept = NULL;
    int mid = 0;
    assert(qos == 0 || qos == 1);
    if (!agent_mqtt_is_up(mqtt))
        return AGENT_DRIVERS_ECONNECT;
    if (qos && !(kept = mqtt_token_add(link, token)))
        return AGENT_DRIVERS_EMEMORY;
    int error = mosquitto_publish(link->mosq, &mid, topic, (int)len, payload, qos, retain);
    assert(error != MOSQ_ERR_INVAL && error != MOSQ_ERR_PAYLOAD_SIZE &&
           error != MOSQ_ERR_MALFORMED_UTF8);
    if (kept)
        kept->mid = mid;
    if (error) {
        mqtt_link_lose(link, "%s", mosquitto_strerror(error));
        return error == MOSQ_ERR_NOMEM ? AGENT_DRIVERS_EMEMORY : AGENT_DRIVERS_ECONNECT;
    }
    mqtt_link_watch(link);
    return AGENT_DRIVERS_OK;
}

/* libmosquitto pings by its own clock only. */
int agent_mqtt_ask(struct agent_mqtt *mqtt)
{
    struct mqtt_link *link = mqtt->link;
    if (!agent_mqtt_is_up(mqtt))
        return AGENT_DRIVERS_ECONNECT;
    int error = mosquitto_unsubscribe(link->mosq, NULL, "nobody/has/subscribed/this");
    if (error) {
        mqtt_link_lose(link, "%s", mosquitto_strerror(error));
        return error == MOSQ_ERR_NOMEM ? AGENT_DRIVERS_EMEMORY : AGENT_DRIVERS_ECONNECT;
    }
    mqtt_link_watch(link);
    return AGENT_DRIVERS_OK;
}
