/* What the report says of a bench. */
#include "site_internal.h"
#include <inttypes.h>
#include <stdlib.h>

static int say_times(const struct rig_site *site, struct rep_result *result)
{
    const struct rig_site_facts *facts = &site->facts;
    double wall_s = ev_time() - site->began_at;
    return rep_fact_add(result, "power cycles", "%" PRIu64 " in %.1f s, %.2f each second",
                        facts->offs, wall_s, wall_s > 0 ? (double)facts->offs / wall_s : 0) ||
           rep_fact_add(result, "boot",
                        "%.1f ms median, %.1f ms at the most, from power to the firmware's first "
                        "line",
                        (double)rig_histogram_quantile(&facts->boot, 500) / 1e3,
                        (double)facts->boot.most_us / 1e3) ||
           rep_fact_add(result, "resets",
                        "%" PRIu64 " by the watchdog, %" PRIu64 " by software, %" PRIu64
                        " hard faults, %" PRIu64 " by the pin",
                        facts->resets[RIG_SITE_WATCHDOG], facts->resets[RIG_SITE_SOFTWARE],
                        facts->resets[RIG_SITE_HARD_FAULT], facts->resets[RIG_SITE_PIN]) ||
           (site->bounces &&
            rep_fact_add(result, "bounces", "%" PRIu64 " boots more within 1 s of power on",
                         site->bounces));
}

static double ms(const struct rig_histogram *histogram, uint32_t per_mille)
{
    return (double)rig_histogram_quantile(histogram, per_mille) / 1e3;
}

static int say_relays(const struct rig_site *site, struct rep_result *result)
{
    const struct rig_site_facts *facts = &site->facts;
    return (facts->send.samples &&
            rep_fact_add(result, "off",
                         "%.1f ms median, %.1f ms in 19 of 20, from asking for it to its first "
                         "byte on the wire",
                         ms(&facts->send, 500), ms(&facts->send, 950))) ||
           (facts->latency.samples &&
            rep_fact_add(result, "off to last word",
                         "%.1f ms median, %.1f ms in 19 of 20, of %" PRIu64
                         " boards that were talking without a pause of 10 ms",
                         ms(&facts->latency, 500), ms(&facts->latency, 950),
                         facts->latency.samples)) ||
           (site->silent_starts &&
            rep_fact_add(result, "silent starts",
                         "%" PRIu64 " times a board said nothing of its boot and was switched off "
                         "and on again",
                         site->silent_starts));
}

/* ---- Cuts of its own ---- */

static uint64_t wanted_cuts(const struct rig_site *site)
{
    return (uint64_t)site->config.aimed_cuts * site->places;
}

/* As a fault of the scenario would be told. An aim lies in wait on every board from power on: one
 * that never struck at all did not take effect, whatever else came true. A board whose campaign was
 * over before all of its cuts could come is no reason to fail a run. */
static int add_fault(const struct rig_site *site, struct rep_result *result)
{
    uint64_t cuts = site->facts.precision.cuts;
    struct rep_fault *grown = realloc(result->fault, (result->faults + 1) * sizeof *result->fault);
    if (!grown)
        return -1;
    result->fault = grown;
    struct rep_fault *row = &grown[result->faults++];
    *row = (struct rep_fault){.kind = "aimed_cut",
                              .number = result->faults,
                              .scheduled = wanted_cuts(site),
                              .armed = cuts ? cuts : wanted_cuts(site),
                              .fired = cuts};
    return 0;
}

static int say_none(const struct rig_site *site, struct rep_result *result)
{
    if (site->aims)
        return rep_fact_add(result, "aimed cuts",
                            "none of %" PRIu64 ": %" PRIu64 " were on their way when something "
                            "else took the power, or the run was over",
                            wanted_cuts(site), site->aims);
    return rep_fact_add(result, "aimed cuts", "none of %" PRIu64 ": %s", wanted_cuts(site),
                        site->config.aim->pattern ? "its expression matched no line of a console"
                                                  : "no board was on");
}

/* PCRE2 has a bound on the work of each match; a line that hits it is none that matches. */
static int say_given_up(const struct rig_site *site, struct rep_result *result)
{
    return site->given_up &&
           rep_fact_add(result, "aimed cuts missed",
                        "%" PRIu64 " lines were too much work for --aim's expression, and were "
                        "not looked through",
                        site->given_up);
}

/* When the command went, which is certain; and when the last word came, of those that were talking.
 */
static int say_precision(const struct rig_site *site, struct rep_result *result)
{
    const struct rig_precision *precision = &site->facts.precision;
    const struct rig_precision *recorded = &site->facts.recorded;
    const struct rig_histogram *sent = &site->facts.aim_send;
    int error = rep_fact_add(result, "aimed cuts",
                             "%" PRIu64 " of %" PRIu64 "; %" PRIu64
                             " nearer than the relay's latency, and too late for that; of %" PRIu64
                             " the command went off by %.1f ms median, %.1f ms in 19 of 20",
                             precision->cuts, wanted_cuts(site), precision->late, sent->samples,
                             ms(sent, 500), ms(sent, 950));
    if (!error && precision->measured)
        error = rep_fact_add(result, "aimed cuts measured",
                             "%" PRIu64 " boards were talking: the last word came off by %.1f ms "
                             "median, %.1f ms in 19 of 20, %+.1f ms on average",
                             precision->measured, ms(&precision->error, 500),
                             ms(&precision->error, 950),
                             (double)precision->sum_us / 1e3 / (double)precision->measured);
    if (!error && !precision->measured)
        error = rep_fact_add(result, "aimed cuts measured",
                             "none: no board was talking when its power went");
    if (!error && recorded->cuts)
        error = rep_fact_add(result, "aimed cuts recorded",
                             "%" PRIu64 ", by the emulator: power went off by %.1f ms median, "
                             "%.1f ms in 19 of 20, %+.1f ms on average",
                             recorded->cuts, ms(&recorded->error, 500), ms(&recorded->error, 950),
                             (double)recorded->sum_us / 1e3 / (double)recorded->cuts);
    if (!error && site->uncalibrated)
        error =
            rep_fact_add(result, "aimed cuts blind",
                         "%" PRIu64 " at boards whose latency is not known yet, and was taken as 0",
                         site->uncalibrated);
    return error;
}

static int say_aimed(const struct rig_site *site, struct rep_result *result)
{
    if (!site->config.aim)
        return 0;
    return add_fault(site, result) || say_given_up(site, result) ||
           (site->facts.precision.cuts ? say_precision(site, result) : say_none(site, result));
}

static int say_controllers(struct rig_site *site, struct rep_result *result)
{
    const struct rig_bench *bench = site->config.bench;
    int error = 0;
    for (uint32_t c = 0; c < bench->controllers && !error; c++) {
        struct rig_controller_facts facts;
        struct rig_controller *controller = rig_wiring_controller(site->wiring, c);
        if (!controller)
            continue;
        rig_controller_facts(controller, &facts);
        char name[80];
        snprintf(name, sizeof name, "relay %.60s", bench->controller[c].name);
        error = rep_fact_add(
            result, name, "%s, %" PRIu64 " commands, %" PRIu64 " tried again, %" PRIu64 " failed",
            bench->controller[c].driver->name, facts.done, facts.retried, facts.failed);
    }
    return error;
}

/* A contact that is worn sticks or does not close: said before it does. */
static int say_wear(struct rig_site *site, struct rep_result *result)
{
    const struct rig_bench *bench = site->config.bench;
    int error = 0;
    for (uint32_t p = 0; p < site->places && !error; p++) {
        const struct rig_bench_contact *contact = &site->place[p].board->power;
        const struct rig_bench_controller *controller = &bench->controller[contact->controller];
        uint64_t cycles = 0;
        if (!controller->rated_cycles ||
            rig_odometer_read(rig_wiring_odometer(site->wiring), controller->name, contact->channel,
                              &cycles) ||
            cycles * 2 < controller->rated_cycles)
            continue;
        error = rep_fact_add(result, "worn relay",
                             "%s channel %u (board %s): %" PRIu64 " of %" PRIu64
                             " rated cycles; change it",
                             controller->name, contact->channel, site->place[p].board->name, cycles,
                             controller->rated_cycles);
    }
    return error;
}

/* A contact cuts what it can't see: between two darks nobody looks at the flash, and at none where
 * it can't be read. */
static int say_legible(const struct rig_site *site, struct rep_result *result)
{
    uint32_t legible = 0;
    for (uint32_t p = 0; p < site->places; p++)
        legible += site->place[p].board->flash_file != NULL;
    rep_promise_unchecked(result, REP_PROMISE_FLASH_DISCIPLINE,
                          "a bench sees no flash operation, only what they leave");
    if (legible < site->places) {
        static const enum rep_promise by_flash[] = {REP_PROMISE_VERIFIED_CODE,
                                                    REP_PROMISE_RUNNING_IMAGE};
        for (size_t i = 0; i < sizeof by_flash / sizeof *by_flash; i++)
            rep_promise_unchecked(result, by_flash[i],
                                  "the flash of %u of %u boards can't be read (no flash_file)",
                                  site->places - legible, site->places);
    }
    return rep_fact_add(result, "oracle",
                        "flash of %u of %u boards read while they were off; of the others it knows "
                        "what console and broker told",
                        legible, site->places);
}

int rs_report(void *ctx, struct rep_result *result)
{
    struct rig_site *site = ctx;
    int error =
        rs_emulated_report(site, result) || say_times(site, result) || say_relays(site, result) ||
        say_aimed(site, result) || say_controllers(site, result) || say_wear(site, result) ||
        say_legible(site, result) || rep_fact_add(result, "transcripts", "%s", site->folder);
    return error ? -1 : 0;
}
