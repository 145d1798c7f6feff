/* The board on a bench as a kind of body, and the site's life. */
#include "rig/world.h"
#include "site_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int check(void *ctx, const struct sim_world *world, char *message, size_t len)
{
    struct rig_site *site = ctx;
    return rig_site_refuse(world->scn, message, len) ||
                   rig_world_refuse_built(world, message, len) ||
                   rs_places_take(site, world, message, len) ||
                   rig_emulated_start(&site->emulated.bench, site->config.bench, world->scn->seed,
                                      message, len)
               ? -1
               : 0;
}

/* Transcripts are kept with the run, each run's by itself. */
static int make_folder(struct rig_site *site, char *message, size_t len)
{
    const char *state = site->config.bench->state, *given = site->config.folder;
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    if (given) {
        snprintf(site->folder, sizeof site->folder, "%s", given);
    } else {
        snprintf(site->folder, sizeof site->folder, "%.600s/runs", state);
        mkdir(site->folder, 0700);
        snprintf(site->folder, sizeof site->folder, "%.600s/runs/%s-%d", state, stamp, getpid());
    }
    if (!mkdir(site->folder, 0700) || errno == EEXIST)
        return 0;
    snprintf(message, len, "%s: %s; the transcripts of consoles are kept there", site->folder,
             strerror(errno));
    return -1;
}

/* Nobody knows how a bench was left. */
static int all_off(struct rig_site *site, char *message, size_t len)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    for (uint32_t i = 0; i < site->places; i++) {
        struct rig_answer answer;
        const struct rig_bench_board *board = site->place[i].board;
        site->touched = true;
        if (rig_wiring_do(site->wiring, &answer, board, RIG_FUNCTION_POWER, 0, &off)) {
            snprintf(message, len, "%s: it can't be switched off: relay %s, channel %u: %s",
                     board->name, site->config.bench->controller[board->power.controller].name,
                     board->power.channel, answer.message);
            return -1;
        }
        site->place[i].dark_since_us = answer.done_us;
    }
    return 0;
}

static int begin(void *ctx, const struct sim_body_run *run, char *message, size_t len)
{
    struct rig_site *site = ctx;
    char store[RS_PATH_MAX + 16];
    site->run = run;
    site->began_at = ev_time();
    snprintf(store, sizeof store, "%.600s/rig.db", site->config.bench->state);
    rs_emulated_watch(site);
    return rs_flashing_begin(site, message, len) ||
                   rig_factory_http(&site->http, run, message, len) ||
                   make_folder(site, message, len) ||
                   rig_aim_store_open(&site->latencies, store, message, len) ||
                   rig_wiring_open(&site->wiring, site->config.bench, run->loop, message, len) ||
                   all_off(site, message, len)
               ? -1
               : 0;
}

/* A relay that does not answer may have moved all the same. */
static bool touched(void *ctx)
{
    const struct rig_site *site = ctx;
    return site->touched;
}

static void end(void *ctx)
{
    struct rig_site *site = ctx;
    rs_flashing_end(site);
    rig_wiring_close(site->wiring);
    rs_latency_store(site);
    rig_aim_store_close(site->latencies);
    agent_http_free(site->http);
    site->wiring = NULL;
    site->latencies = NULL;
    site->http = NULL;
    rs_emulated_end(site);
    rs_places_release(site);
}

static int make(struct sim_body *body, uint8_t *bootloader, uint32_t len, char *message,
                size_t message_len)
{
    return rig_factory_make(body->given, bootloader, len, message, message_len);
}

static const struct sim_body_kind board_on_a_bench = {
    .name = "board",
    .what = "board on a bench",
    .devices = "boards",
    .cuts = "power cuts",
    .faults = "power_loss, corrupt_download, network_drop, broker_down, cdn_down, service_restart",
    .waits = true,
    .free = true,
    .starting_max = 8,
    /* Console, line, MQTT and a download; a controller's port and thread at the most. */
    .needs = {.memory_bytes = 4 << 20, .descriptors = 10, .processes = 2},
    .check = check,
    .begin = begin,
    .touched = touched,
    .end = end,
    .open = rs_open,
    .close = rs_close,
    .made = rs_made,
    .flash = rs_flash,
    .make = make,
    .on = rs_on,
    .off = rs_off,
    .dark_within_ms = rs_dark_within_ms,
    .watch = rs_watch,
    .report = rs_report,
};

int rig_site_create(struct rig_site **out, const struct rig_site_config *config)
{
    struct rig_site *site = *out = calloc(1, sizeof *site);
    if (site && !sim_stepped_create(&site->stepped, config->scn, &board_on_a_bench, site)) {
        site->config = *config;
        site->stop[0] = site->stop[1] = site->emulated.control = -1;
        return 0;
    }
    free(site);
    *out = NULL;
    return -1;
}

void rig_site_free(struct rig_site *site)
{
    if (!site)
        return;
    sim_stepped_free(site->stepped);
    free(site);
}

const struct sim_ground *rig_site_ground(struct rig_site *site)
{
    return sim_stepped_ground(site->stepped);
}

bool rig_site_board(const struct rig_site *site, uint32_t device, struct rig_site_board *out)
{
    if (device >= site->places)
        return false;
    *out = site->place[device].facts;
    out->name = site->place[device].board->name;
    return true;
}

void rig_site_facts(const struct rig_site *site, struct rig_site_facts *out)
{
    *out = site->facts;
    out->interrupted = site->interrupted;
}
