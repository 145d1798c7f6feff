/* The result of a run, from the service's books, the oracle's, and the crypto ports. */
#include "fleet_internal.h"
#include "sim/token.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Out of reach for so long, with power and a working link: it will not come back by itself. */
static const int64_t UNREACHABLE_AFTER_US = 43200000000;
/* On the wall's clock nobody waits so long: within so much of a device's own time it tries three
 * times and more (sim/device/wire.c), and the run's end gives it that time (wall.c). */
static const int64_t UNREACHABLE_AFTER_OWN_US = 100000000;

static int64_t unreachable_after_us(const struct sim_fleet *fleet)
{
    return fleet->options->ground ? UNREACHABLE_AFTER_OWN_US * fleet->world.pace
                                  : UNREACHABLE_AFTER_US;
}

/* A broker that did not answer kept its devices away until it did. */
static bool is_out_of_reach(const struct sim_fleet *fleet, const struct sim_truth *truth)
{
    const struct sim_ground *ground = fleet->options->ground;
    int64_t from_us = truth->lost_us;
    if (ground && ground->answered_from && ground->answered_from(ground->ctx) > from_us)
        from_us = ground->answered_from(ground->ctx);
    return !truth->brick && truth->powered && !truth->connected &&
           fleet->now_us - from_us > unreachable_after_us(fleet);
}

double sim_fleet_wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void hash_hex(const struct scn *scn, char out[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", scn->content_hash[i]);
}

static void device_token(const struct sim_fleet *fleet, uint32_t device, char *out, size_t len)
{
    struct sim_token token = {.seed = fleet->scn->seed,
                              .devices = fleet->options->devices_override};
    hash_hex(fleet->scn, token.hash);
    snprintf(token.device, sizeof token.device, "%s", fleet->world.roster.unit[device].id);
    snprintf(token.scenario, sizeof token.scenario, "%s", fleet->scn->path);
    for (; token.sets < fleet->options->sets && token.sets < SIM_TOKEN_SETS_MAX; token.sets++)
        token.set[token.sets] = fleet->options->set[token.sets];
    sim_token_write(out, len, &token);
}

static int64_t seconds(const struct sim_fleet *fleet, int64_t at_us)
{
    return at_us < 0 ? -1 : (at_us - fleet->scn->start_us) / 1000000;
}

void sim_fleet_identify(const struct sim_fleet *fleet, struct rep_result *out)
{
    const struct scn *scn = fleet->scn;
    time_t start = (time_t)(scn->start_us / 1000000);
    struct tm tm;
    gmtime_r(&start, &tm);
    strftime(out->start, sizeof out->start, "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(out->scenario, sizeof out->scenario, "%s", scn->name);
    snprintf(out->summary, sizeof out->summary, "%s", scn->summary);
    hash_hex(scn, out->scenario_hash);
    const struct sim_ground *ground = fleet->options->ground;
    snprintf(out->world, sizeof out->world, "%s", ground ? ground->name : "virtual");
    snprintf(out->candidate, sizeof out->candidate, "%s", scn->campaign.to);
    out->seed = scn->seed;
    out->devices = fleet->devices;
    out->jobs = fleet->parts;
    out->virtual_s = (fleet->now_us - scn->start_us) / 1000000;
    out->wall_s = sim_fleet_wall_s() - fleet->wall_start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    out->memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

static int digest(const struct sim_fleet *fleet, struct rep_result *out)
{
    const struct sim_log **logs = calloc(fleet->devices + 1, sizeof *logs);
    uint8_t bytes[16];
    if (!logs)
        return SIM_FLEET_EMEMORY;
    for (uint32_t d = 0; d < fleet->devices; d++)
        logs[d] = sim_device_log(fleet->device[d]);
    logs[fleet->devices] = &fleet->log;
    sim_log_digest(logs, fleet->devices + 1, bytes);
    free(logs);
    for (int i = 0; i < 16; i++)
        snprintf(out->digest + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static void device_row(const struct sim_fleet *fleet, uint32_t d, struct rep_device *row,
                       struct rep_result *out)
{
    const struct sim_unit *unit = &fleet->world.roster.unit[d];
    struct camp_belief belief;
    struct sim_truth truth;
    camp_belief(fleet->camp, d, &belief);
    sim_fleet_truth(fleet, d, &truth);
    snprintf(row->id, sizeof row->id, "%s", unit->id);
    snprintf(row->group, sizeof row->group, "%s", fleet->scn->group[unit->group].name);
    snprintf(row->site, sizeof row->site, "%s", unit->site);
    snprintf(row->version, sizeof row->version, "%s", truth.version);
    snprintf(row->believed, sizeof row->believed, "%s", belief.version);
    snprintf(row->reason, sizeof row->reason, "%s", belief.reason);
    row->number = d;
    row->brick = truth.brick;
    /* A device that has not answered for long, though nothing stands between it and the broker. */
    if (is_out_of_reach(fleet, &truth))
        row->brick = REP_BRICK_UNREACHABLE;
    row->outcome = belief.enrolled_us < 0 ? REP_OUT_NONE
                   : row->brick           ? REP_OUT_BRICKED
                                          : belief.outcome;
    if (row->outcome == REP_OUT_NONE && belief.enrolled_us >= 0)
        row->outcome = REP_OUT_PENDING;
    row->phase = belief.phase;
    row->enrolled_s = seconds(fleet, belief.enrolled_us);
    row->outcome_s = seconds(fleet, belief.outcome_us);
    row->boots = truth.boots;
    row->cuts = truth.cuts;
    bool disbelief = strcmp(row->version, row->believed) != 0;
    if ((row->outcome != REP_OUT_NONE && row->outcome != REP_OUT_CONFIRMED) || row->brick ||
        disbelief)
        device_token(fleet, d, row->token, sizeof row->token);
    out->enrolled += row->outcome != REP_OUT_NONE;
    if (row->outcome != REP_OUT_NONE)
        out->updates[row->outcome]++;
    if (row->brick)
        out->bricks[row->brick]++;
    out->flash_programs += truth.flash.programs;
    out->flash_erases += truth.flash.erases;
    out->power_cuts += truth.cuts;
    if (truth.flash.wear_max > out->wear_max)
        out->wear_max = truth.flash.wear_max;
}

static int device_rows(const struct sim_fleet *fleet, struct rep_result *out)
{
    out->device = calloc(fleet->devices, sizeof *out->device);
    if (!out->device)
        return SIM_FLEET_EMEMORY;
    out->device_rows = fleet->devices;
    for (uint32_t d = 0; d < fleet->devices; d++)
        device_row(fleet, d, &out->device[d], out);
    return 0;
}

static int fault_rows(const struct sim_fleet *fleet, struct rep_result *out)
{
    out->fault = calloc(fleet->scn->faults ? fleet->scn->faults : 1, sizeof *out->fault);
    if (!out->fault)
        return SIM_FLEET_EMEMORY;
    for (uint32_t f = 0; f < fleet->scn->faults; f++) {
        struct rep_fault *row = &out->fault[out->faults++];
        enum scn_fault_kind kind = fleet->scn->fault[f].kind;
        snprintf(row->kind, sizeof row->kind, "%s", scn_fault_kind_name((int)kind));
        row->number = f + 1;
        sim_faults_count(&fleet->world.faults, f, &row->scheduled, &row->armed, &row->fired);
        if (kind == SCN_FAULT_SERVICE_RESTART || kind == SCN_FAULT_BROKER_RESTART) {
            row->scheduled = 1;
            row->armed = row->fired = sim_schedule_restarted(fleet, f);
        }
    }
    return 0;
}

/* The promise that a run is the same each time is checked only against the digest of another run.
 */
static void same_run_row(const struct sim_fleet *fleet, struct rep_result *out)
{
    struct rep_promise_row *row = &out->promise[REP_PROMISE_SAME_RUN];
    const char *digest = fleet->options->check_digest;
    if (!digest)
        snprintf(row->first_what, sizeof row->first_what, "no --check-digest was given");
    else if (strcmp(digest, out->digest)) {
        row->broken = 1;
        snprintf(row->first_what, sizeof row->first_what, "the digest is %s, not %.64s",
                 out->digest, digest);
    }
}

static int promise_rows(const struct sim_fleet *fleet, struct rep_result *out)
{
    out->promise = calloc(REP_PROMISES, sizeof *out->promise);
    if (!out->promise)
        return SIM_FLEET_EMEMORY;
    out->promises = REP_PROMISES;
    for (uint32_t p = 0; p < REP_PROMISES; p++)
        out->promise[p].promise = (enum rep_promise)p;
    for (uint32_t d = 0; d < fleet->devices; d++) {
        struct sim_truth truth;
        sim_fleet_truth(fleet, d, &truth);
        if (out->device[d].brick == REP_BRICK_UNREACHABLE) {
            truth.broken[REP_PROMISE_NO_BRICK]++;
            truth.broken_what[REP_PROMISE_NO_BRICK] = "it runs, but can't be reached any more";
        }
        for (uint32_t p = 0; p < REP_PROMISES; p++) {
            struct rep_promise_row *row = &out->promise[p];
            if (truth.broken[p] && !row->broken) {
                device_token(fleet, d, row->first_token, sizeof row->first_token);
                snprintf(row->first_what, sizeof row->first_what, "%s: %s",
                         fleet->world.roster.unit[d].id, truth.broken_what[p]);
            }
            row->broken += truth.broken[p];
        }
    }
    if (fleet->diverged) {
        struct rep_promise_row *row = &out->promise[REP_PROMISE_CONVERGENCE];
        row->broken += fleet->diverged;
        snprintf(row->first_what, sizeof row->first_what, "%u devices came to no rest",
                 fleet->diverged);
    }
    same_run_row(fleet, out);
    return 0;
}

static const char *cut_state(uint32_t state)
{
    return state == SIM_CUT_BOOT  ? "Bootloader"
           : state == SIM_CUT_OFF ? "Application start"
                                  : agent_state_name((int)state);
}

static int cut_rows(const struct sim_fleet *fleet, struct rep_result *out)
{
    out->cut = calloc(SIM_CUT_STATES * SIM_CUT_REGIONS * SCN_TORNS, sizeof *out->cut);
    if (!out->cut)
        return SIM_FLEET_EMEMORY;
    for (uint32_t s = 0; s < SIM_CUT_STATES; s++)
        for (uint32_t r = 0; r < SIM_CUT_REGIONS; r++)
            for (uint32_t f = 0; f < SCN_TORNS; f++) {
                uint64_t cuts = 0;
                for (uint32_t p = 0; p < fleet->parts; p++)
                    cuts += fleet->part[p].shard.cuts[s][r][f];
                if (!cuts)
                    continue;
                struct rep_cuts *row = &out->cut[out->cuts++];
                bool idle = r == SIM_CUT_NO_OP;
                snprintf(row->state, sizeof row->state, "%s", cut_state(s));
                snprintf(row->region, sizeof row->region, "%s",
                         idle ? "none" : scn_region_name((int)r));
                snprintf(row->form, sizeof row->form, "%s", idle ? "none" : scn_torn_name((int)f));
                row->cuts = cuts;
            }
    return 0;
}

static uint32_t crashed_devices(const struct sim_fleet *fleet)
{
    uint32_t crashed = 0;
    for (uint32_t d = 0; d < fleet->devices; d++) {
        struct sim_truth truth;
        sim_fleet_truth(fleet, d, &truth);
        crashed += truth.crashes_after_confirm > 0;
    }
    return crashed;
}

static void tell_figures(const struct sim_fleet *fleet)
{
    const struct sim_fleet_options *options = fleet->options;
    for (uint32_t d = 0; options->figures && d < fleet->devices; d++) {
        struct camp_figures figures;
        camp_figures(fleet->camp, d, &figures);
        options->figures(options->figures_ctx, d, &figures);
    }
}

int sim_fleet_collect(struct sim_fleet *fleet, struct rep_result *out)
{
    sim_fleet_identify(fleet, out);
    if (fleet->options->crashed)
        *fleet->options->crashed = crashed_devices(fleet);
    for (uint32_t p = 0; p < fleet->parts; p++) {
        out->sha256_bytes += fleet->part[p].shard.openssl.sha256_bytes;
        out->ecdsa_verifies += fleet->part[p].shard.openssl.ecdsa_verifies;
    }
    out->belief_wrong_at_end = fleet->belief_wrong;
    out->belief_wrong_longest_s = fleet->belief_wrong_longest_us / 1000000;
    int error = camp_report(fleet->camp, out) ? SIM_FLEET_EMEMORY : 0;
    const struct sim_burn_in *burn_in = fleet->options->burn_in;
    if (!error && burn_in &&
        rep_fact_add(out, "burn-in", "%.100s: %.150s", burn_in->file, burn_in->figures))
        error = SIM_FLEET_EMEMORY;
    const struct sim_ground *ground = fleet->options->ground;
    if (!error && !ground)
        error = digest(fleet, out);
    if (!error)
        error = device_rows(fleet, out);
    if (!error)
        error = fault_rows(fleet, out);
    if (!error)
        error = promise_rows(fleet, out);
    if (!error)
        error = cut_rows(fleet, out);
    if (!error && ground)
        error = ground->report(ground->ctx, out);
    if (!error)
        tell_figures(fleet);
    if (!error)
        sim_fleet_judge(fleet, out);
    return error;
}
