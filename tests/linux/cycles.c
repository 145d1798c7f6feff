/*
 * The Linux board, cut and updated; cut and rolled back. LINUX_BOARD_CYCLES=N: so many of each,
 * with LINUX_BOARD_CUTS=N cuts in each (two at most, because a trial has three boots), drawn from
 * LINUX_BOARD_SEED; one of each by default, for ./dev test. LINUX_BOARD_KEEP=1 keeps the folder,
 * with the console's log.
 */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the bad version does wrong, and the reason that the service must hear. A hang is ended by
 * the hardware, whose time has to be longer than the MQTT check, shortened for it: that image never
 * comes to it. */
#define CALM "health: {fault_free: 2s}\n"
static const struct {
    const char *behaviour, *reason, *more;
} bad[] = {
    {"hard_fault", "health_hard_fault", CALM},
    {"hang", "watchdog", "health: {fault_free: 2s, mqtt_within: 10s}\nwatchdog: 12s\n"},
    {"no_config", "health_config", CALM},
    {"no_drivers", "health_drivers", CALM},
};
enum { KINDS = sizeof bad / sizeof bad[0] };

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static void start(struct bench *bench)
{
    bench_forget(bench);
    bench_on(bench);
    bench_until(bench, &bench->device_up, "MQTT");
}

static void configure(struct bench *bench, unsigned kind, const char *more)
{
    char text[256];
    snprintf(text, sizeof text, "watchdog_device: /dev/watchdog\n%sbehaviour: {%s: [%s]}\n", more,
             bad[kind].behaviour, bench_bad);
    bench_configure(bench, text);
}

/* What runs after it was switched off and on. */
static void rest(struct bench *bench, const char *version)
{
    rig_linux_power_off(bench->board);
    bench_judge(bench, version);
    start(bench);
    cr_assert_str_eq(bench->version, version);
}

static void roll_back(struct bench *bench, unsigned kind, unsigned cuts)
{
    bench_forget(bench);
    bench_notify(bench, bench_bad);
    bench_cuts(bench, cuts);
    bench_until_text(bench, bench->status, "rolled_back");
    cr_assert_str_eq(bench->reason, bad[kind].reason, "%s: %s", bad[kind].behaviour, bench->reason);
    bench_judge(bench, bench_base);
}

static void update(struct bench *bench, unsigned cuts)
{
    bench_forget(bench);
    bench_notify(bench, bench_good);
    bench_cuts(bench, cuts);
    bench_until_text(bench, bench->status, "confirmed");
    rest(bench, bench_good);
}

static void tell(const struct bench *bench, long cycle, double seconds)
{
    const struct bench_counts *n = &bench->counts;
    printf("cycle %ld, seed %llu: %.1f s; so far %u cuts, %u within an operation (%u written "
           "already, %u changed), %u boots, resets: watchdog %u, own %u\n",
           cycle, (unsigned long long)bench->seed, seconds, n->cuts, n->hits, n->rewound,
           n->changed, n->boots, n->resets[RIG_RESET_WATCHDOG], n->resets[RIG_RESET_GUEST]);
    printf("  last boot: first line %.2f s, agent %.2f s, MQTT up %.2f s; %lld MiB\n",
           (double)bench->line_us / 1e6, (double)bench->agent_us / 1e6,
           (double)bench->mqtt_us / 1e6, (long long)bench_memory_kb(bench) / 1024);
    fflush(stdout);
}

Test(linux_board, is_cut_updated_and_rolled_back, .timeout = 3600)
{
    static struct bench bench;
    long cycles = number("LINUX_BOARD_CYCLES", 1);
    unsigned cuts = (unsigned)number("LINUX_BOARD_CUTS", 1);
    bench_init(&bench, (uint64_t)number("LINUX_BOARD_SEED", 1));
    for (long cycle = 0; cycle < cycles; cycle++) {
        unsigned kind = (unsigned)cycle % KINDS, bitten = bench.counts.resets[RIG_RESET_WATCHDOG];
        double begin = ev_time();
        bench_factory(&bench);
        configure(&bench, kind, bad[kind].more);
        start(&bench);
        roll_back(&bench, kind, cuts);
        if (strcmp(bad[kind].more, CALM)) {
            rig_linux_power_off(bench.board);
            configure(&bench, kind, CALM);
            start(&bench);
        }
        update(&bench, cuts);
        tell(&bench, cycle, ev_time() - begin);
        if (!strcmp(bad[kind].behaviour, "hang"))
            cr_expect_gt(bench.counts.resets[RIG_RESET_WATCHDOG], bitten, "the hardware did it");
        rig_linux_power_off(bench.board);
    }
    cr_expect_gt(bench.counts.cuts, 0, "power never went");
    /* One may be, where the host held QEMU up: rig/linux has a limit of time for it. */
    cr_log_info("%u of %u cuts without a clean stop", bench.counts.unclean, bench.counts.cuts);
    cr_expect_leq(bench.counts.unclean, bench.counts.cuts / 2, "QEMU does not stop");
    bench_free(&bench);
}

/* By itself, and so in every run: the base version hangs, nobody kicks, the i6300esb resets the
 * machine, and the next boot is told so by the driver. */
Test(linux_board, a_hang_is_ended_by_the_hardware, .timeout = 1800)
{
    static struct bench bench;
    char more[256];
    bench_init(&bench, 1);
    bench_factory(&bench);
    snprintf(more, sizeof more,
             "watchdog_device: /dev/watchdog\nhealth: {fault_free: 2s, mqtt_within: 3s}\n"
             "watchdog: 4s\nbehaviour: {hang: [%s]}\n",
             bench_base);
    bench_configure(&bench, more);
    bench_on(&bench);
    bench_until_text(&bench, bench.boot_reset, "watchdog");
    cr_expect_geq(bench.counts.resets[RIG_RESET_WATCHDOG], 1, "more where this test was held up");
    cr_expect_eq(bench.counts.resets[RIG_RESET_GUEST], 0);
    bench_free(&bench);
}
