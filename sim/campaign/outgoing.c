/*
 * What the service sends. A message waits in memory and in camp_outgoing; it may leave once the
 * transaction that knows of it is committed, and its row goes with the first commit after it left,
 * or was acknowledged, where somebody says so. Killed in between, the service sends it twice, which
 * devices tolerate. Payloads are composed when taken.
 */
#include "camp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A pause has no end of its own: far beyond any campaign, and well inside 32 bits. */
enum { DEFER_S = 30 * 24 * 3600, SENDS_FIRST = 64, PAYLOAD_MARGIN = 256 };

static const char *const command_names[] = {"", "apply", "defer", "rollback", "ping"};

const char *camp_command_name(int command)
{
    return command > CAMP_CMD_NONE && command <= CAMP_CMD_PING ? command_names[command]
                                                               : "command?";
}

static bool ring_grow(struct camp *camp)
{
    uint32_t room = camp->sends_room ? camp->sends_room * 2 : SENDS_FIRST;
    struct camp_send *ring = malloc(sizeof *ring * room);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < camp->sends; i++)
        ring[i] = camp->send[(camp->send_head + i) % camp->sends_room];
    free(camp->send);
    camp->send = ring;
    camp->send_head = 0;
    camp->sends_room = room;
    return true;
}

void camp_send_restore(struct camp *camp, const struct camp_send *send)
{
    if (camp->sends == camp->sends_room && !ring_grow(camp)) {
        camp->broken = true; /* the next tick says so and ends the run */
        return;
    }
    camp->send[(camp->send_head + camp->sends++) % camp->sends_room] = *send;
}

void camp_send(struct camp *camp, uint32_t device, enum camp_command command)
{
    camp->dirty = true; /* the number is in camp_state */
    struct camp_send send = {++camp->send_number, camp->now_us, device, command};
    camp_send_restore(camp, &send);
}

static void iso8601(char *out, size_t room, int64_t at_us)
{
    time_t at = (time_t)(at_us / CAMP_SECOND);
    struct tm utc;
    gmtime_r(&at, &utc);
    strftime(out, room, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static int compose_notification(struct camp *camp, const struct camp_send *send)
{
    const struct camp_config *config = camp->config;
    char deadline[32];
    iso8601(deadline, sizeof deadline, camp->device[send->device].silent_us);
    return snprintf(camp->payload, camp->payload_room,
                    "{\"campaign_id\":\"%s\",\"manifest\":%s,\"force\":%s,\"deadline\":\"%s\"}",
                    config->campaign_id, config->manifest, config->plan->force ? "true" : "false",
                    deadline);
}

static int compose_command(struct camp *camp, const struct camp_send *send)
{
    char extra[64] = "";
    if (send->command == CAMP_CMD_DEFER)
        snprintf(extra, sizeof extra, ",\"defer_s\":%d", DEFER_S);
    return snprintf(camp->payload, camp->payload_room,
                    "{\"command_id\":\"c%lld\",\"command\":\"%s\"%s}", (long long)send->number,
                    camp_command_name((int)send->command), extra);
}

bool camp_next_out(struct camp *camp, struct camp_out *out)
{
    if (camp->broken || camp->sends_committed == 0)
        return false;
    const struct camp_send *send = &camp->send[camp->send_head];
    bool command = send->command != CAMP_CMD_NONE;
    int len = command ? compose_command(camp, send) : compose_notification(camp, send);
    *out = (struct camp_out){
        .kind = command ? CAMP_OUT_COMMAND : CAMP_OUT_NOTIFICATION,
        .device = send->device,
        .payload = camp->payload,
        .len = (uint32_t)len,
        .number = send->number,
    };
    camp->taken_number = send->number;
    camp->send_head = (camp->send_head + 1) % camp->sends_room;
    camp->sends--;
    camp->sends_committed--;
    return true;
}

void camp_keep_from(struct camp *camp, int64_t number)
{
    camp->keep_from = number;
}

/* Rows go in the order of their numbers: one that is kept keeps those behind it, acknowledged or
 * not, so that a restart sends each device its messages in their order. */
int64_t camp_sent_up_to(const struct camp *camp)
{
    int64_t up_to =
        camp->keep_from <= camp->taken_number ? camp->keep_from - 1 : camp->taken_number;
    return up_to > camp->taken_stored ? up_to : camp->taken_stored;
}

/* Room for any payload, once: the manifest is embedded as it is. */
int camp_outgoing_open(struct camp *camp)
{
    camp->payload_room =
        strlen(camp->config->manifest) + strlen(camp->config->campaign_id) + PAYLOAD_MARGIN;
    camp->payload = malloc(camp->payload_room);
    return camp->payload ? CAMP_OK : CAMP_EMEMORY;
}
