/* A calibration for people, and as JSON. */
#include "calibrate.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum { ROWS_MAX = 24 };

static double ms(int64_t us)
{
    return (double)us / 1e3;
}

static double quantile_ms(const struct rig_histogram *histogram, uint32_t per_mille)
{
    return ms(rig_histogram_quantile(histogram, per_mille));
}

static const struct rig_bench_controller *controller_of(const struct rig_cli_seat *seat)
{
    return &seat->bench->controller[seat->board->power.controller];
}

static void print_latency(const struct rig_cli_seat *seat, const struct rig_calibration *found)
{
    const struct rig_histogram *latency = &found->latency;
    printf("%s: %" PRIu64 " cuts by %s channel %u (%s), from the command to the console's last "
           "byte\n\n",
           seat->board->name, latency->samples, controller_of(seat)->name,
           seat->board->power.channel, controller_of(seat)->driver->name);
    rig_histogram_bars(stdout, latency, ROWS_MAX);
    printf("\n  median %.1f ms, p5 %.1f ms, p95 %.1f ms, most %.1f ms, least %.1f ms\n",
           quantile_ms(latency, 500), quantile_ms(latency, 50), quantile_ms(latency, 950),
           ms(latency->most_us), ms(latency->least_us));
    if (found->kept.samples > latency->samples)
        printf("  of all runs: %" PRIu64 " cuts, median %.1f ms; --forget begins anew\n",
               found->kept.samples, quantile_ms(&found->kept, 500));
    if (found->useless)
        printf("  %u cuts more told nothing: the console stood still when they came\n",
               found->useless);
    if (found->tries)
        printf("  %u commands were tried again\n", found->tries);
}

/* RIG-FACTS, section 3: an offset is taken out by the median, jitter stays. */
static void print_limits(const struct rig_calibration *found)
{
    const struct rig_histogram *latency = &found->latency;
    double spread = quantile_ms(latency, 950) - quantile_ms(latency, 50);
    printf("\nWhat no aim can take out:\n"
           "  spread         %.1f ms between p5 and p95: the contact and its bounce, and how long "
           "the board's\n"
           "                 capacitors hold up, which goes with its load; of what is shorter, a "
           "cut hits some\n"
           "                 part by chance (a page program takes 0.7 to 3 ms, an erase 30 to 400 "
           "ms)\n"
           "  too near       what comes less than %.1f ms after its marker can't be hit at all\n"
           "  console pause  %.1f ms median, %.1f ms in 99 of 100: power was gone after the last "
           "byte, by less\n"
           "                 than that\n"
           "  UART, USB      the delay of console and marker: 0.09 ms a character at 115200 Bd, 1 "
           "ms a USB frame,\n"
           "                 up to 16 ms where an adapter's latency timer could not be set\n",
           spread, quantile_ms(latency, 500), quantile_ms(&found->pauses, 500),
           quantile_ms(&found->pauses, 990));
}

static void print_check(const struct rig_calibration *found)
{
    const struct rig_precision *check = &found->check;
    if (!check->cuts)
        return;
    printf("\n%" PRIu64 " aimed cuts, a line of the console plus %.1f ms and more, sent %.1f ms "
           "before: ",
           check->cuts, quantile_ms(&found->kept, 950), ms(found->aimed_with_us));
    if (!check->measured) {
        printf("none could be measured\n");
        return;
    }
    printf("got minus asked\n  %.1f ms mean; off by %.1f ms median, %.1f ms p95, %.1f ms most; "
           "%" PRIu64 " were measured, %" PRIu64 " too near\n",
           ms(check->sum_us) / (double)check->measured, quantile_ms(&check->error, 500),
           quantile_ms(&check->error, 950), ms(check->error.most_us), check->measured, check->late);
}

void rig_cli_print_calibration(const struct rig_cli_seat *seat, const struct rig_calibration *found)
{
    print_latency(seat, found);
    print_limits(found);
    print_check(found);
    printf("\n%s is off; kept in %s/rig.db, for runs with --aim\n", seat->board->name,
           seat->bench->state);
}

/* ---- JSON ---- */

/* The last bin has no end but its longest sample. */
static int64_t to_us(const struct rig_histogram *histogram, uint32_t bin)
{
    int64_t end_us = rig_histogram_from_us(bin + 1);
    bool longer = bin == RIG_HISTOGRAM_BINS - 1 && histogram->most_us > end_us;
    return longer ? histogram->most_us : end_us;
}

static json_t *bins(const struct rig_histogram *histogram)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < RIG_HISTOGRAM_BINS; i++)
        if (histogram->bin[i])
            json_array_append_new(all, json_pack("{s:I, s:I, s:I}", "from_us",
                                                 (json_int_t)rig_histogram_from_us(i), "to_us",
                                                 (json_int_t)to_us(histogram, i), "count",
                                                 (json_int_t)histogram->bin[i]));
    return all;
}

static json_t *of_histogram(const struct rig_histogram *histogram)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "samples",
                     (json_int_t)histogram->samples, "median_us",
                     (json_int_t)rig_histogram_quantile(histogram, 500), "p5_us",
                     (json_int_t)rig_histogram_quantile(histogram, 50), "p95_us",
                     (json_int_t)rig_histogram_quantile(histogram, 950), "p99_us",
                     (json_int_t)rig_histogram_quantile(histogram, 990), "least_us",
                     (json_int_t)histogram->least_us, "most_us", (json_int_t)histogram->most_us,
                     "bins", bins(histogram));
}

static json_t *of_check(const struct rig_calibration *found)
{
    const struct rig_precision *check = &found->check;
    int64_t mean_us = check->measured ? check->sum_us / (int64_t)check->measured : 0;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "cuts", (json_int_t)check->cuts, "measured",
                     (json_int_t)check->measured, "late", (json_int_t)check->late, "latency_us",
                     (json_int_t)found->aimed_with_us, "mean_us", (json_int_t)mean_us, "error",
                     of_histogram(&check->error));
}

int rig_cli_json_calibration(const struct rig_cli_seat *seat, const struct rig_calibration *found)
{
    json_t *all =
        json_pack("{s:s, s:s, s:i, s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "board", seat->board->name,
                  "controller", controller_of(seat)->name, "channel",
                  (int)seat->board->power.channel, "driver", controller_of(seat)->driver->name,
                  "useless", (int)found->useless, "tried_again", (int)found->tries, "pauses",
                  of_histogram(&found->pauses), "latency", of_histogram(&found->latency), "kept",
                  of_histogram(&found->kept), "check", of_check(found));
    int error = all ? json_dumpf(all, stdout, JSON_INDENT(2)) : -1;
    putchar('\n');
    json_decref(all);
    return error;
}
