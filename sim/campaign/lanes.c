/*
 * Lanes: the queued devices of one site, window and zone wait together, because they open together.
 * A lane remembers until when its state holds, so that a tick asks the calendar only when something
 * can change.
 */
#include "camp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a window has to be this much to be a fair chance: the slowest links take most of
 * it for an image, and no device does everything in its first minute. */
enum { CHANCE_MINUTES = 60 };

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static int lane_order(const struct camp_device_info *a, const struct camp_device_info *b)
{
    int order = strcmp(text_or_empty(a->site), text_or_empty(b->site));
    if (!order)
        order = strcmp(text_or_empty(a->ota_window), text_or_empty(b->ota_window));
    if (!order)
        order = strcmp(text_or_empty(a->zone_posix), text_or_empty(b->zone_posix));
    return order;
}

static int by_lane(const void *a, const void *b, void *ctx)
{
    const struct camp_device_info *device = ctx;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int order = lane_order(&device[left], &device[right]);
    return order ? order : (left > right) - (left < right);
}

static int lane_parse(struct camp *camp, struct camp_lane *lane,
                      const struct camp_device_info *info)
{
    const char *window = text_or_empty(info->ota_window);
    *lane = (struct camp_lane){.site = text_or_empty(info->site), .until_us = INT64_MIN};
    lane->always = camp->config->plan->force || window[0] == '\0';
    if (agent_window_parse(&lane->window, window) == 0 &&
        agent_zone_parse(&lane->zone, text_or_empty(info->zone_posix)) == 0)
        return CAMP_OK;
    snprintf(camp->message, sizeof camp->message,
             "device %s: window \"%.60s\" or zone \"%.60s\" cannot be read", info->id, window,
             text_or_empty(info->zone_posix));
    return CAMP_ECONFIG;
}

int camp_lanes_open(struct camp *camp)
{
    uint32_t devices = camp->config->devices;
    uint32_t *order = malloc(sizeof *order * (devices ? devices : 1));
    camp->lane = malloc(sizeof *camp->lane * (devices ? devices : 1));
    if (!order || !camp->lane) {
        free(order);
        return CAMP_EMEMORY;
    }
    for (uint32_t i = 0; i < devices; i++)
        order[i] = i;
    qsort_r(order, devices, sizeof *order, by_lane, (void *)(uintptr_t)camp->config->device);
    int error = CAMP_OK;
    for (uint32_t i = 0; i < devices && !error; i++) {
        const struct camp_device_info *info = &camp->config->device[order[i]];
        if (i == 0 || lane_order(&camp->config->device[order[i - 1]], info) != 0)
            error = lane_parse(camp, &camp->lane[camp->lanes++], info);
        camp->device[order[i]].lane = camp->lanes - 1;
    }
    free(order);
    return error;
}

/* When the lane opens first, seen from the start of the phase: that moment if it is open already.
 */
static int64_t first_opening_us(const struct camp_lane *lane, int64_t from_us)
{
    int64_t next_ms;
    if (lane->always || agent_window_open(&lane->window, &lane->zone, from_us / 1000, &next_ms))
        return from_us;
    return next_ms * 1000;
}

int64_t camp_chance_us(const struct camp *camp, uint32_t device)
{
    const struct camp_lane *lane = &camp->lane[camp->device[device].lane];
    int64_t now_us = camp->now_us, next_ms, opens_ms;
    if (lane->always)
        return now_us;
    if (!agent_window_open(&lane->window, &lane->zone, now_us / 1000, &next_ms))
        return next_ms * 1000;
    if (next_ms * 1000 - now_us >= CHANCE_MINUTES * 60 * CAMP_SECOND)
        return now_us;
    bool again = agent_window_open(&lane->window, &lane->zone, next_ms, &opens_ms);
    return again ? now_us : opens_ms * 1000;
}

struct sun {
    int64_t opens_us;
    uint32_t lane;
};

/* Lanes are in the order of their sites' names, which decides between equals. */
static int by_opening(const void *a, const void *b)
{
    const struct sun *left = a, *right = b;
    if (left->opens_us != right->opens_us)
        return left->opens_us < right->opens_us ? -1 : 1;
    return (left->lane > right->lane) - (left->lane < right->lane);
}

static void lanes_rank(struct camp *camp, int64_t from_us)
{
    struct sun *sun = malloc(sizeof *sun * (camp->lanes ? camp->lanes : 1));
    for (uint32_t i = 0; i < camp->lanes; i++) {
        camp->lane[i].rank = i;
        if (sun)
            sun[i] = (struct sun){first_opening_us(&camp->lane[i], from_us), i};
    }
    if (!sun)
        return; /* then the sites follow their names */
    qsort(sun, camp->lanes, sizeof *sun, by_opening);
    for (uint32_t i = 0; i < camp->lanes; i++)
        camp->lane[sun[i].lane].rank = i;
    free(sun);
}

static int by_lane_position(const void *a, const void *b, void *ctx)
{
    const struct camp_device *device = ctx;
    const struct camp_device *left = &device[*(const uint32_t *)a];
    const struct camp_device *right = &device[*(const uint32_t *)b];
    if (left->lane != right->lane)
        return left->lane < right->lane ? -1 : 1;
    return (left->position > right->position) - (left->position < right->position);
}

void camp_lanes_fill(struct camp *camp)
{
    camp->waiting_count = 0;
    for (uint32_t i = 0; i < camp->lanes; i++)
        camp->lane[i].head = camp->lane[i].end = 0;
    for (uint32_t i = 0; i < camp->config->devices; i++)
        if (camp->device[i].phase == camp->at_phase && camp->device[i].enrolled_us < 0)
            camp->waiting[camp->waiting_count++] = i;
    qsort_r(camp->waiting, camp->waiting_count, sizeof *camp->waiting, by_lane_position,
            camp->device);
    for (uint32_t i = 0; i < camp->waiting_count; i++) {
        struct camp_lane *lane = &camp->lane[camp->device[camp->waiting[i]].lane];
        if (lane->end == 0)
            lane->head = i;
        lane->end = i + 1;
    }
    lanes_rank(camp, camp->phase[camp->at_phase].started_us);
    camp->enrol_next_us = camp->waiting_count ? INT64_MIN : CAMP_NEVER;
}
