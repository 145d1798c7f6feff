/* Messages of the service on their way to the device: what waits at the broker, in which order, and
 * what becomes of it. */
#include "device_internal.h"
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void dev_post_free(struct sim_device *dev)
{
    while (dev->inbox) {
        struct sim_letter *next = dev->inbox->next;
        if (dev->inbox->fault)
            dev->inbox->fault->taken = false;
        free(dev->inbox);
        dev->inbox = next;
    }
}

/* QoS 1 keeps the order of one topic, the broker's session keeps it across topics; what is late is
 * overtaken by what came to the broker before it. */
static void put(struct sim_device *dev, struct sim_letter *letter)
{
    struct sim_letter **place = &dev->inbox;
    for (struct sim_letter **at = &dev->inbox; *at; at = &(*at)->next) {
        bool before = (*at)->at_us <= letter->at_us;
        if (before || (!(*at)->late && !letter->late))
            place = &(*at)->next;
    }
    letter->next = *place;
    *place = letter;
}

static int post(struct sim_device *dev, const struct sim_letter *head, const char *payload)
{
    struct sim_letter *letter = malloc(sizeof *letter + head->len + 1);
    if (!letter)
        return -1;
    *letter = *head;
    memcpy(letter->payload, payload, head->len);
    letter->payload[head->len] = 0;
    put(dev, letter);
    return 0;
}

static int post_spoiled(struct sim_device *dev, struct sim_letter head, const char *payload,
                        struct sim_fault *fault)
{
    int error = fault->how == SCN_HOW_DUPLICATE ? post(dev, &head, payload) : 0;
    fault->taken = true;
    head.fault = fault;
    head.late = true;
    head.at_us += dev->world->scn->fault[fault->fault].delay_us;
    return error ? error : post(dev, &head, payload);
}

int sim_device_deliver(struct sim_device *dev, bool command, const char *payload, uint32_t len,
                       int64_t at_us, int64_t *next_us)
{
    struct sim_letter head = {.at_us = at_us + sim_link_delay_us(dev->link, &dev->link_rng, len) +
                                       dev_slow_us(dev, len, false),
                              .command = command,
                              .len = len};
    struct sim_fault *fault = sim_fault_message(&dev->faults, at_us);
    int error = dev->forgotten ? 0
                : fault        ? post_spoiled(dev, head, payload, fault)
                               : post(dev, &head, payload);
    if (dev->connected && !dev->holed && dev->inbox)
        dev->timer[TIMER_INBOX] = dev->inbox->at_us;
    *next_us = sim_device_next(dev);
    return error;
}

void dev_inbox(struct sim_device *dev)
{
    struct sim_letter *letter = dev->inbox;
    if (!letter || !dev->connected || dev->holed)
        return;
    dev_log(dev, SIM_EV_RECEIVED, XXH3_64bits(letter->payload, letter->len), letter->len, "%s %s",
            letter->command ? "command" : "notification", letter->payload);
    if (letter->fault) {
        dev_fired(dev, letter->fault);
        letter->fault = NULL;
    }
    dev_agent_input(dev, &(struct agent_event){.kind = letter->command ? AGENT_EV_COMMAND
                                                                       : AGENT_EV_NOTIFICATION,
                                               .bytes = letter->payload,
                                               .len = letter->len});
    /* Acknowledged only now: after a power cut in the middle of it the broker delivers it again. */
    dev->inbox = letter->next;
    free(letter);
    if (dev->inbox && dev->connected && dev->timer[TIMER_INBOX] == SIM_NEVER)
        dev->timer[TIMER_INBOX] = dev->inbox->at_us > dev->now_us ? dev->inbox->at_us : dev->now_us;
}

/* ---- The broker is started anew ---- */

void sim_device_broker_restarts(struct sim_device *dev, bool forgets, int64_t at_us,
                                int64_t *next_us)
{
    if (forgets) {
        dev_post_free(dev);
        dev->timer[TIMER_INBOX] = SIM_NEVER;
        dev->forgotten = true;
    }
    dev->timer[TIMER_BROKER] = at_us;
    *next_us = sim_device_next(dev);
}

/* ---- On a wire ---- */

enum scn_how sim_device_spoil(struct sim_device *dev, const char *payload, uint32_t len,
                              int64_t now_us, int64_t *delay_us)
{
    struct sim_fault *fault = dev->letter_fault ? NULL : sim_fault_message(&dev->faults, now_us);
    if (!fault)
        return SCN_HOW_ANY;
    fault->taken = true;
    dev->letter_fault = fault;
    dev->letter_hash = XXH3_64bits(payload, len);
    dev->letter_copies = fault->how == SCN_HOW_DUPLICATE ? 2 : 1;
    *delay_us = dev->world->scn->fault[fault->fault].delay_us;
    return fault->how;
}

void sim_device_spoilt(struct sim_device *dev)
{
    if (dev->letter_fault && dev->connected)
        sim_fault_arm(dev->letter_fault);
}

void dev_post_arrived(struct sim_device *dev, const char *payload, uint32_t len)
{
    struct sim_fault *fault = dev->letter_fault;
    if (!fault || XXH3_64bits(payload, len) != dev->letter_hash || --dev->letter_copies > 0)
        return;
    dev->letter_fault = NULL;
    dev_fired(dev, fault);
}
