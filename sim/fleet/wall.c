/* The run on a ground of its own: time goes by itself, messages come when they come. */
#include "fleet_internal.h"

/* Once the campaign is over: so many seconds for stragglers, and after all have come to rest for
 * what is still on its way from the broker to the service. */
enum { SETTLE_S = 120, QUIET_S = 1 };
enum { FOLLOW_EVERY_US = 50000 }; /* of the wall's clock */

static int64_t own_us(const struct sim_fleet *fleet, int64_t seconds)
{
    return seconds * 1000000 * fleet->world.pace;
}

static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len,
                 int64_t at_us)
{
    struct sim_fleet *fleet = ctx;
    if (what == SIM_SAID_STATUS)
        camp_status(fleet->camp, device, json, len, at_us);
    else
        camp_telemetry_json(fleet->camp, device, json, len, at_us);
    fleet->said = true;
}

int sim_wall_open(struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    const struct sim_ground_fleet all = {
        .device = fleet->device,
        .unit = fleet->world.roster.unit,
        .registry = fleet->registry,
        .devices = fleet->devices,
        .shard = &fleet->part[0].shard,
        .sink = {said, fleet},
        .traced = fleet->traced,
        .trace = fleet->traced == UINT32_MAX ? NULL : fleet->options->trace};
    switch (ground->open(ground->ctx, &all, fleet->message, fleet->message_len)) {
    case 0:
        return 0;
    case SIM_GROUND_TOUCHED:
        return SIM_FLEET_ELOST;
    default:
        return SIM_FLEET_EGROUND;
    }
}

static void note_changes(struct sim_fleet *fleet)
{
    struct sim_part *part = &fleet->part[0];
    for (uint32_t d = 0; d < fleet->devices; d++) {
        uint32_t changes = sim_fleet_changes(fleet, d);
        if (changes == fleet->seen_changes[d])
            continue;
        fleet->seen_changes[d] = changes;
        part->changed[part->changes++] = d;
    }
}

static int send_all(struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    struct camp_out out;
    while (camp_next_out(fleet->camp, &out))
        if (ground->send(ground->ctx, &out))
            return sim_fleet_say(fleet, "a message could not be handed to the broker",
                                 SIM_FLEET_ELOST);
    return 0;
}

/* What was heard is committed before the service is killed: the broker has its acknowledgements,
 * and nobody would say it again. (The program `brickyard service` commits before it acknowledges.)
 */
static int service_acts(struct sim_fleet *fleet)
{
    bool due = fleet->said || camp_next_at(fleet->camp) <= fleet->now_us;
    fleet->said = false;
    if (due && camp_tick(fleet->camp, fleet->now_us))
        return sim_fleet_say(fleet, camp_message(fleet->camp), SIM_FLEET_EDB);
    int error = send_all(fleet);
    return error ? error : sim_fleet_service_events(fleet);
}

static int64_t next_due(const struct sim_fleet *fleet)
{
    int64_t act = camp_next_at(fleet->camp), event = sim_schedule_next(fleet);
    return event < act ? event : act;
}

/* As in virtual time (fleet.c), but looked at whenever the ground comes back. */
static bool over(struct sim_fleet *fleet)
{
    if (sim_fleet_goes_on(fleet))
        return fleet->gave_up;
    if (fleet->done_at_us == SIM_NEVER)
        fleet->done_at_us = fleet->quiet_at_us = fleet->now_us;
    if (fleet->said || !sim_fleet_settled(fleet))
        fleet->quiet_at_us = fleet->now_us;
    return fleet->now_us - fleet->quiet_at_us > own_us(fleet, QUIET_S) ||
           fleet->now_us - fleet->done_at_us > own_us(fleet, SETTLE_S);
}

/* All devices are looked through for it, and the ground comes back for every message. */
static void follow(struct sim_fleet *fleet)
{
    int64_t since_us = fleet->now_us - fleet->followed_at_us;
    if (since_us >= 0 && since_us < FOLLOW_EVERY_US * fleet->world.pace)
        return; /* the clock is set back when the scenario's time begins */
    fleet->followed_at_us = fleet->now_us;
    note_changes(fleet);
    sim_belief_follow(fleet);
}

int sim_wall_run(struct sim_fleet *fleet)
{
    const struct sim_ground *ground = fleet->options->ground;
    while (!over(fleet)) {
        if (ground->run(ground->ctx, next_due(fleet), &fleet->now_us, fleet->message,
                        fleet->message_len))
            return SIM_FLEET_ELOST;
        /* What is not acknowledged by the broker would be lost with the service. */
        int error = ground->taken(ground->ctx) ? service_acts(fleet) : 0;
        if (error)
            return error;
        follow(fleet);
        if (fleet->options->progress)
            sim_fleet_show(fleet);
    }
    return 0;
}
