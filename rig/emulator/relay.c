/* A relay board: frames from its pty move its coils. */
#include "emulator.h"
#include <errno.h>
#include <string.h>

static void tell_state(struct em_relay *relay, const struct em_contact *contact)
{
    char line[32];
    int len =
        snprintf(line, sizeof line, "CH%u: %s\r\n", contact->channel, contact->coil ? "ON" : "OFF");
    if (relay->em->options.talking)
        em_port_write(&relay->port, line, (size_t)len);
}

static void set(struct em_relay *relay, uint8_t channel, bool on)
{
    if (!channel || channel > relay->em->options.channels)
        return;
    em_contact_command(&relay->contact[channel - 1], on);
    tell_state(relay, &relay->contact[channel - 1]);
}

static void on_input(void *ctx, const void *bytes, size_t len)
{
    struct em_relay *relay = ctx;
    uint8_t channel;
    bool on;
    for (size_t i = 0; i < len && !relay->silent; i++) {
        switch (em_lcus_byte(&relay->lcus, ((const uint8_t *)bytes)[i], &channel, &on)) {
        case EM_LCUS_SET:
            set(relay, channel, on);
            break;
        case EM_LCUS_STATUS:
            for (uint32_t c = 0; c < relay->em->options.channels; c++)
                tell_state(relay, &relay->contact[c]);
            break;
        case EM_LCUS_NOTHING:
            break;
        }
    }
}

void em_relay_unplug(struct em_relay *relay, bool dead)
{
    em_port_unplug(&relay->port);
    relay->lcus = (struct em_lcus){0};
    for (uint32_t i = 0; dead && i < relay->em->options.channels; i++)
        if (relay->contact[i].coil)
            em_contact_command(&relay->contact[i], false);
}

void em_relay_heal(struct em_relay *relay)
{
    relay->silent = false;
    for (uint32_t i = 0; i < relay->em->options.channels; i++) {
        struct em_contact *contact = &relay->contact[i];
        contact->stuck = contact->welded = false;
        contact->bounces = 0;
        if (contact->closed != contact->coil && !contact->bounce_left)
            em_contact_command(contact, contact->coil);
    }
}

int em_relay_open(struct em_relay *relay, struct em *em, uint32_t number, char *message, size_t len)
{
    char path[PATH_MAX];
    *relay = (struct em_relay){.em = em, .number = number, .port.fd = -1};
    snprintf(relay->name, sizeof relay->name, "relay-%u", number);
    for (uint32_t i = 0; i < em->options.channels; i++) {
        uint32_t board = (number - 1) * em->options.channels + i;
        em_contact_init(&relay->contact[i], relay, i + 1,
                        board < em->options.boards ? &em->board[board] : NULL);
    }
    int room = snprintf(path, sizeof path, "%s/%s", em->options.folder, relay->name);
    const struct em_port_config config = {
        .path = path, .out_max = 4096, .input = on_input, .ctx = relay};
    if (room < (int)sizeof path && !em_port_open(&relay->port, &em->hub, &config))
        return 0;
    snprintf(message, len, "%.400s: %s", path, strerror(errno));
    return -1;
}

void em_relay_close(struct em_relay *relay)
{
    if (!relay->em)
        return;
    for (uint32_t i = 0; i < relay->em->options.channels; i++)
        em_contact_stop(&relay->contact[i]);
    em_port_close(&relay->port);
    relay->em = NULL;
}
