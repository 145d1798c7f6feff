/* What the board says. Whoever it is: its own topics, and https. */
#include "inside.h"
#include <string.h>

static void refuse(const struct gateway *gateway, const char *what)
{
    gateway_note(gateway, "refused: %s", what);
}

static void on_hello(struct gateway *gateway, const struct link_message *message)
{
    const char *id = gateway->config->device_id;
    bool right = message->len == strlen(id) && !memcmp(message->bytes, id, message->len);
    if (!right) {
        gateway_note(gateway, "refused: hello of %.*s", (int)message->len,
                     (const char *)message->bytes);
        gateway->greeted = gateway->wants_mqtt = false;
        gateway_broker_drop(gateway);
        gateway_download_cancel(gateway);
        return;
    }
    gateway_note(gateway, "hello");
    gateway->greeted = true;
    gateway->tell_time = true;
    gateway_broker_want(gateway, message->flags & 1);
}

void gateway_heed(struct gateway *gateway, const struct link_delivery *got)
{
    struct link_message message;
    if (!link_decode(&message, got->kind, got->bytes, got->len)) {
        refuse(gateway, "a message that can't be understood");
        return;
    }
    if (!gateway->greeted && message.kind != LINK_HELLO) {
        refuse(gateway, "a message before hello");
        return;
    }
    switch (message.kind) {
    case LINK_HELLO:
        on_hello(gateway, &message);
        break;
    case LINK_PUBLISH:
        gateway_broker_publish(gateway, &message);
        break;
    case LINK_GET:
        gateway_download_get(gateway, &message);
        break;
    case LINK_CANCEL:
        if (gateway->download.wanted && gateway->download.id == message.id)
            gateway_download_cancel(gateway);
        break;
    case LINK_MQTT:
        gateway_broker_want(gateway, message.flags & 1);
        break;
    default:
        refuse(gateway, "a message that only a gateway says");
        break;
    }
}
