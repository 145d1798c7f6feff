/*
 * What each gate counts. The arithmetic is rep_gate_judge's; this file only says which devices,
 * intervals or answers go into the numerator and the denominator, and how silence is treated:
 *   success        silent devices are failures
 *   brick          silence after rebooting is what it counts; other silence is no brick
 *   rollback       a silent device has not rolled back (success judges it)
 *   crash          of those that confirmed; one which fell silent since shows in telemetry_gap
 *   telemetry_gap  silence is missed intervals
 *   command_ms     no answer within 60 s is a bad answer
 *   memory, cpu    means of the devices that have values before and after
 */
#include "camp.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)SCN_LESS == (int)REP_LESS && (int)SCN_MORE == (int)REP_MORE &&
                   (int)SCN_LESS_EQUAL == (int)REP_LESS_EQUAL &&
                   (int)SCN_MORE_EQUAL == (int)REP_MORE_EQUAL,
               "scenario and gate arithmetic name comparisons in the same order");

typedef struct rep_gate_counts counts_fn(const struct camp *camp,
                                         const struct camp_phase_now *phase);

static const struct camp_tally *tally_for(const struct camp *camp,
                                          const struct camp_phase_now *phase)
{
    return &camp->tally[phase->lab];
}

static struct rep_gate_counts count_success(const struct camp *camp,
                                            const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    int64_t silent = tally->outcome[REP_OUT_SILENT] - tally->presumed;
    return (struct rep_gate_counts){tally->outcome[REP_OUT_CONFIRMED],
                                    camp_tally_decided(tally) - silent, silent, phase->cohort};
}

static struct rep_gate_counts count_brick(const struct camp *camp,
                                          const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    return (struct rep_gate_counts){tally->presumed, camp_tally_decided(tally), 0, phase->cohort};
}

static struct rep_gate_counts count_rollback(const struct camp *camp,
                                             const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    return (struct rep_gate_counts){tally->outcome[REP_OUT_ROLLED_BACK], camp_tally_decided(tally),
                                    0, phase->cohort};
}

static struct rep_gate_counts count_crash(const struct camp *camp,
                                          const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    return (struct rep_gate_counts){tally->crashed, tally->confirmed_ever, 0, phase->cohort};
}

/* How long a phase will still be held, at most as far as it can be known. */
static int64_t hold_left_us(const struct camp *camp, const struct camp_phase_now *phase)
{
    if (phase->hold_from_us < 0)
        return phase->plan->hold_us + camp->config->plan->silent_after_us;
    int64_t left = camp_hold_end_us(phase) - camp->now_us;
    return left > 0 ? left : 0;
}

/* All that will be judged: what is expected so far and, at the most, of the whole cohort until the
 * end. */
static struct rep_gate_counts count_gap(const struct camp *camp, const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    int64_t most = 0;
    if (camp->telemetry_every_min_us > 0)
        most = (hold_left_us(camp, phase) + 2 * CAMP_DAY) / camp->telemetry_every_min_us + 3;
    return (struct rep_gate_counts){tally->missed, tally->expected, 0,
                                    tally->expected + most * phase->cohort};
}

static struct rep_gate_counts count_answers(const struct camp *camp,
                                            const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    int64_t most = (hold_left_us(camp, phase) / CAMP_HOUR + 1) * phase->cohort;
    return (struct rep_gate_counts){tally->answers_bad, tally->answers, 0,
                                    tally->answers + tally->pings_open + most};
}

/* Growth as (after - before) / before; a mean that fell has not grown. */
static struct rep_gate_counts growth(int64_t before, int64_t after)
{
    return (struct rep_gate_counts){after > before ? after - before : 0, before, 0, before};
}

static struct rep_gate_counts count_memory(const struct camp *camp,
                                           const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    return growth(tally->memory_before, tally->memory_after);
}

static struct rep_gate_counts count_cpu(const struct camp *camp, const struct camp_phase_now *phase)
{
    const struct camp_tally *tally = tally_for(camp, phase);
    return growth(tally->cpu_before, tally->cpu_after);
}

static const struct {
    counts_fn *count;
    const char *words;
} metric_table[SCN_METRICS] = {
    [SCN_METRIC_SUCCESS] = {count_success, "confirmed / %s, silent count as failures"},
    [SCN_METRIC_CRASH] = {count_crash, "devices with an unplanned reset within 48 h / confirmed"},
    [SCN_METRIC_TELEMETRY_GAP] = {count_gap, "missed / expected intervals since confirming"},
    [SCN_METRIC_BRICK] = {count_brick, "presumed bricks / %s"},
    [SCN_METRIC_ROLLBACK] = {count_rollback, "rolled back / %s"},
    [SCN_METRIC_COMMAND_MS] = {count_answers, "late or missing answers / pings; red if any"},
    [SCN_METRIC_MEMORY] = {count_memory, "growth of the mean / mean before (kB)"},
    [SCN_METRIC_CPU] = {count_cpu, "growth of the mean / mean before (permille)"},
};

const char *camp_gate_words(const struct scn_gate *gate, char *out, size_t room)
{
    const char *words = metric_table[gate->metric].words,
               *of = gate->of_cohort ? "cohort" : "reported";
    char text[128] = "";
    for (size_t i = 0; *words && i + 16 < sizeof text;) {
        if (words[0] == '%' && words[1] == 's') {
            i += (size_t)snprintf(text + i, sizeof text - i, "%s", of);
            words += 2;
        } else {
            text[i++] = *words++;
        }
    }
    /* It changes what is compared also where the words have no place for it. */
    const char *more =
        gate->of_cohort && !strstr(metric_table[gate->metric].words, "%s") ? ", of the cohort" : "";
    if (gate->metric == SCN_METRIC_COMMAND_MS)
        snprintf(out, room, "%s %s%s", text, gate->text, more);
    else
        snprintf(out, room, "%s%s; red if %s", text, more, gate->text);
    return out;
}

const struct scn_gate *camp_gate_ping(const struct camp_phase_now *phase)
{
    for (uint32_t i = 0; i < phase->plan->gates; i++)
        if (phase->plan->gate[i].metric == SCN_METRIC_COMMAND_MS)
            return &phase->plan->gate[i];
    return NULL;
}

int64_t camp_ping_limit_us(const struct camp *camp)
{
    const struct scn_gate *gate =
        camp->at_phase >= 0 ? camp_gate_ping(&camp->phase[camp->at_phase]) : NULL;
    return gate ? (int64_t)gate->limit_value * 1000 : CAMP_NEVER;
}

bool camp_gate_is_mean(enum scn_metric metric)
{
    return metric == SCN_METRIC_MEMORY || metric == SCN_METRIC_CPU;
}

struct rep_gate_rule camp_gate_rule(const struct scn_gate *gate)
{
    struct rep_gate_rule rule = {
        .compare = (enum rep_compare)gate->compare,
        .limit_num = gate->limit.num,
        .limit_den = gate->limit.den,
        .numerator_is_good = gate->metric == SCN_METRIC_SUCCESS,
        .of_cohort = gate->of_cohort,
        .min_sample = camp_gate_is_mean(gate->metric) ? 1 : gate->min_sample,
    };
    if (gate->metric == SCN_METRIC_COMMAND_MS) {
        rule.compare = REP_MORE; /* the limit is in the answers; one bad answer is too many */
        rule.limit_num = 0;
        rule.limit_den = 1;
    }
    return rule;
}

static struct rep_gate_result judge_one(const struct camp *camp, const struct camp_phase_now *phase,
                                        const struct scn_gate *gate, bool final)
{
    struct rep_gate_counts counts = metric_table[gate->metric].count(camp, phase);
    struct rep_gate_rule rule = camp_gate_rule(gate);
    const struct camp_tally *tally = tally_for(camp, phase);
    bool too_few = camp_gate_is_mean(gate->metric) && tally->compared < (int64_t)gate->min_sample;
    /* `download_failed` comes with the third attempt, and the device goes on trying: until the end
     * of the hold it may still succeed. */
    if (gate->metric == SCN_METRIC_SUCCESS && !final)
        counts.reported -= tally->outcome[REP_OUT_DOWNLOAD_FAILED];
    /* A mean is judged at the end only: nothing bounds what the rest may still bring. */
    if (too_few || (camp_gate_is_mean(gate->metric) && !final))
        return (struct rep_gate_result){REP_GATE_HOLD, counts.numerator, counts.reported};
    return rep_gate_judge(&rule, &counts, final);
}

const struct scn_gate *camp_gates_judge(struct camp *camp, struct camp_phase_now *phase, bool final,
                                        bool *all_green)
{
    const struct scn_gate *red = NULL;
    *all_green = true;
    for (uint32_t i = 0; i < phase->plan->gates; i++) {
        const struct scn_gate *gate = &phase->plan->gate[i];
        struct camp_gate_now *now = &phase->gate[i];
        if (now->overruled)
            continue;
        struct rep_gate_result result = judge_one(camp, phase, gate, final);
        if (result.state != now->state || final) {
            now->at_us = camp->now_us;
            phase->dirty = true;
        }
        now->state = result.state;
        now->numerator = result.numerator;
        now->denominator = result.denominator;
        *all_green = *all_green && result.state == REP_GATE_GREEN;
        if (result.state == REP_GATE_RED && !red)
            red = gate;
    }
    return red;
}

void camp_gates_refresh(struct camp *camp, struct camp_phase_now *phase)
{
    for (uint32_t i = 0; i < phase->plan->gates; i++) {
        if (phase->gate[i].overruled)
            continue;
        struct rep_gate_result result = judge_one(camp, phase, &phase->plan->gate[i], false);
        phase->gate[i].numerator = result.numerator;
        phase->gate[i].denominator = result.denominator;
    }
}
