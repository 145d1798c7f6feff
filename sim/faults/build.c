/* From the scenario's faults to instances on devices. */
#include "faults_internal.h"
#include "sim/faults.h"
#include "sim/queue.h"
#include <stdlib.h>
#include <string.h>

/* What `how: any` may become, for each kind that has a how. Newer ways are left out: a longer table
 * would draw other ones for every seed that there is. */
static const enum scn_how corrupt_hows[] = {
    SCN_HOW_BIT_FLIP,     SCN_HOW_TRUNCATED, SCN_HOW_WRONG_FILE, SCN_HOW_STALE_FILE,
    SCN_HOW_WRONG_LENGTH, SCN_HOW_GARBAGE,   SCN_HOW_HTTP_403,   SCN_HOW_HTTP_404,
    SCN_HOW_HTTP_500,     SCN_HOW_ENDLESS,   SCN_HOW_DISCONNECT};
static const enum scn_how boot_hows[] = {
    SCN_HOW_HANG,          SCN_HOW_HARD_FAULT,       SCN_HOW_RESET_LOOP,
    SCN_HOW_BROWN_OUT,     SCN_HOW_HEALTH_MQTT,      SCN_HOW_HEALTH_DRIVERS,
    SCN_HOW_HEALTH_CONFIG, SCN_HOW_HEALTH_TELEMETRY, SCN_HOW_HEALTH_HARD_FAULT};
static const enum scn_how drop_hows[] = {SCN_HOW_RESET, SCN_HOW_BLACK_HOLE, SCN_HOW_CLOSE,
                                         SCN_HOW_SLOW_CLOSE};
static const enum scn_how certificate_hows[] = {SCN_HOW_EXPIRED, SCN_HOW_NOT_YET_VALID,
                                                SCN_HOW_WRONG_NAME, SCN_HOW_UNKNOWN_CA};
static const enum scn_how message_hows[] = {SCN_HOW_DUPLICATE, SCN_HOW_LATE};
static const enum scn_how damage_hows[] = {SCN_HOW_BIT_ROT, SCN_HOW_STUCK, SCN_HOW_WORN};

static enum scn_how draw_how(struct sim_rng *rng, const struct scn_fault *fault)
{
    if (fault->how != SCN_HOW_ANY)
        return fault->how;
    switch (fault->kind) {
    case SCN_FAULT_CORRUPT_DOWNLOAD:
        return corrupt_hows[sim_rng_below(rng, sizeof corrupt_hows / sizeof *corrupt_hows)];
    case SCN_FAULT_BOOT_FAILURE:
        return boot_hows[sim_rng_below(rng, sizeof boot_hows / sizeof *boot_hows)];
    case SCN_FAULT_FLASH_DAMAGE:
        return damage_hows[sim_rng_below(rng, sizeof damage_hows / sizeof *damage_hows)];
    case SCN_FAULT_NETWORK_DROP:
        return drop_hows[sim_rng_below(rng, sizeof drop_hows / sizeof *drop_hows)];
    case SCN_FAULT_BAD_CERTIFICATE:
        return certificate_hows[sim_rng_below(rng,
                                              sizeof certificate_hows / sizeof *certificate_hows)];
    case SCN_FAULT_MESSAGE:
        return message_hows[sim_rng_below(rng, sizeof message_hows / sizeof *message_hows)];
    default:
        return SCN_HOW_ANY;
    }
}

static enum scn_torn draw_form(struct sim_rng *rng, enum scn_torn form)
{
    if (form != SCN_TORN_ANY)
        return form;
    return (enum scn_torn)(SCN_TORN_BEFORE +
                           sim_rng_below(rng, SCN_TORN_AFTER - SCN_TORN_BEFORE + 1));
}

/* Where the cut strikes: a cell for `any`, the staging slot for flash_write and flash_erase, else
 * any flash operation of the state. */
static void draw_target(struct sim_fault *out, struct sim_rng *rng, enum scn_during during)
{
    out->during = during;
    out->pinned = out->op_given = false;
    out->span = 4;
    if (during == SCN_DURING_ANY) {
        uint32_t count;
        const struct sim_fault_cell *cell = sim_fault_cells(&count);
        cell += sim_rng_below(rng, count);
        out->during = cell->during;
        out->pinned = out->op_given = true;
        out->region = cell->region;
        out->op = cell->op;
        out->span = cell->span;
    } else if (during == SCN_DURING_FLASH_WRITE || during == SCN_DURING_FLASH_ERASE) {
        out->during = SCN_DURING_DOWNLOADING;
        out->pinned = out->op_given = true;
        out->region = SCN_REGION_STAGING_SLOT;
        out->op = during == SCN_DURING_FLASH_WRITE ? SIM_FLASH_PROGRAM : SIM_FLASH_ERASE;
        out->span = 0;
    }
}

void sim_fault_draw(struct sim_fault *out, const struct scn *scn, uint32_t fault, uint32_t device,
                    const uint32_t image_units[2])
{
    const struct scn_fault *from = &scn->fault[fault];
    struct sim_rng rng;
    sim_rng_init(&rng, scn->seed, device, SIM_RNG_FAULT_DETAIL, fault * 64 + out->rounds);
    out->how = draw_how(&rng, from);
    out->form = draw_form(&rng, from->torn);
    draw_target(out, &rng, from->during);
    uint32_t span = out->span ? out->span : image_units[out->op];
    /* Most states write once: half of the cuts aim at the first operation, the rest at any of the
     * span. */
    bool first = !out->pinned && sim_rng_below(&rng, 2) == 0;
    out->skip = first ? 0 : sim_rng_below(&rng, span ? span : 1);
    out->draw[0] = sim_rng_u32(&rng);
    out->draw[1] = sim_rng_u32(&rng);
    out->rounds++;
}

static void instance(struct sim_fault *out, const struct sim_faults *all, uint32_t f,
                     uint32_t device)
{
    const struct scn_fault *from = &all->scn->fault[f];
    *out =
        (struct sim_fault){.fault = f, .kind = from->kind, .left = from->times ? from->times : 1};
    out->region = from->region;
    out->for_us = from->kind == SCN_FAULT_POWER_LOSS ? from->off_for_us : from->for_us;
    out->at_us = from->has_at ? all->scn->start_us + from->at_us : SIM_NEVER;
    if (from->kind == SCN_FAULT_SLOW_LINK && !from->has_at) { /* the whole run */
        out->at_us = all->scn->start_us;
        out->for_us = SIM_NEVER;
    }
    if (from->kind == SCN_FAULT_MESSAGE)
        out->at_us = SIM_NEVER; /* it waits for a message */
    sim_fault_draw(out, all->scn, f, device, all->image_units);
    if (from->kind == SCN_FAULT_FLASH_DAMAGE)
        out->region = from->region;
}

/* Marks the devices that fault f strikes: exactly the nearest whole number of those that match. */
static void select_devices(uint8_t *hit, uint32_t *scratch, const struct sim_roster *roster,
                           uint32_t f)
{
    const struct scn_fault *fault = &roster->scn->fault[f];
    uint32_t *order = scratch, *match = scratch + roster->count;
    /* The broker and the artifact store are everybody's, labs included. */
    bool everybody = fault->kind == SCN_FAULT_BROKER_DOWN || fault->kind == SCN_FAULT_CDN_DOWN;
    uint32_t n = 0;
    memset(hit, 0, roster->count);
    for (uint32_t d = 0; d < roster->count; d++)
        if (everybody || sim_roster_matches(roster, &roster->unit[d], &fault->where))
            match[n++] = d;
    sim_roster_shuffle(order, n, roster->scn->seed, SIM_RNG_FAULT_SELECT, f);
    const struct scn_shares split = {
        2,
        {{"hit", fault->devices},
         {"spared", {fault->devices.den - fault->devices.num, fault->devices.den}}}};
    uint32_t count[2];
    scn_shares_apportion(&split, n, count);
    for (uint32_t k = 0; k < count[0]; k++)
        hit[match[order[k]]] = 1;
}

/* Counts (fault NULL) or fills the instances; first[d] ends as the end of device d's. */
static void distribute(struct sim_faults *all, const struct sim_roster *roster, uint8_t *hit,
                       uint32_t *scratch, bool fill)
{
    for (uint32_t f = 0; f < all->scn->faults; f++) {
        if (all->scn->fault[f].kind == SCN_FAULT_SERVICE_RESTART ||
            all->scn->fault[f].kind == SCN_FAULT_BROKER_RESTART)
            continue;
        select_devices(hit, scratch, roster, f);
        for (uint32_t d = 0; d < all->devices; d++) {
            if (!hit[d])
                continue;
            if (fill)
                instance(&all->fault[all->first[d]], all, f, d);
            all->first[d]++;
        }
    }
}

int sim_faults_build(struct sim_faults *out, const struct sim_roster *roster, uint32_t image_bytes)
{
    const struct scn_flash *flash = &roster->scn->flash;
    uint32_t n = roster->count;
    *out = (struct sim_faults){.scn = roster->scn, .devices = n};
    out->image_units[SIM_FLASH_PROGRAM] = (image_bytes + flash->page_bytes - 1) / flash->page_bytes;
    out->image_units[SIM_FLASH_ERASE] =
        (image_bytes + flash->sector_bytes - 1) / flash->sector_bytes;
    out->first = calloc((size_t)n + 1, sizeof *out->first);
    uint8_t *hit = calloc(n ? n : 1, 1);
    uint32_t *scratch = calloc((size_t)n * 2 + 1, sizeof *scratch);
    uint32_t total = 0;
    if (out->first && hit && scratch) {
        distribute(out, roster, hit, scratch, false);
        for (uint32_t d = 0; d <= n; d++) { /* counts become starts */
            uint32_t count = d < n ? out->first[d] : 0;
            out->first[d] = total;
            total += count;
        }
        out->fault = calloc(total ? total : 1, sizeof *out->fault);
        if (out->fault) {
            distribute(out, roster, hit, scratch, true);
            memmove(out->first + 1, out->first,
                    n * sizeof *out->first); /* ends become starts again */
            out->first[0] = 0;
        }
    }
    free(hit);
    free(scratch);
    if (out->fault)
        return 0;
    sim_faults_free(out);
    return -1;
}

void sim_faults_free(struct sim_faults *faults)
{
    free(faults->first);
    free(faults->fault);
    *faults = (struct sim_faults){0};
}

struct sim_fault_set sim_faults_of(const struct sim_faults *faults, uint32_t device)
{
    return (struct sim_fault_set){.all = faults,
                                  .fault = faults->fault + faults->first[device],
                                  .count = faults->first[device + 1] - faults->first[device],
                                  .device = device};
}

void sim_faults_count(const struct sim_faults *faults, uint32_t fault, uint64_t *scheduled,
                      uint64_t *armed, uint64_t *fired)
{
    *scheduled = *armed = *fired = 0;
    for (uint32_t i = 0; i < faults->first[faults->devices]; i++) {
        const struct sim_fault *one = &faults->fault[i];
        if (one->fault != fault)
            continue;
        *scheduled += faults->scn->fault[fault].times ? faults->scn->fault[fault].times : 1;
        *armed += one->armed_count;
        *fired += one->fired_count;
    }
}
