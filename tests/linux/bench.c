/* The board, its console and its cuts. */
#include "bench.h"
#include "bench_internal.h"
#include "flash_file/op.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WITHIN_S = 400 };

int64_t bench_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void bench_fail(struct bench *bench, const char *what)
{
    fflush(bench->console);
    cr_log_warn("seed %" PRIu64 ", after %u cuts; the console's end:\n", bench->seed,
                bench->counts.cuts);
    bench_run(bench, "tail -n 40 console.log >&2");
    cr_assert_fail("%s", what);
}

/* ---- Console ---- */

static void key_value(char *out, size_t max, const char *line, const char *key)
{
    const char *at = strstr(line, key);
    if (!at)
        return;
    at += strlen(key);
    const char *end = *at == '"' ? strchr(at + 1, '"') : at + strcspn(at, " ");
    at += *at == '"';
    if (end && (size_t)(end - at) < max)
        snprintf(out, max, "%.*s", (int)(end - at), at);
}

static void on_console(void *ctx, const char *line)
{
    struct bench *bench = ctx;
    fprintf(bench->console, "%8.3f %s\n", (double)(bench_now_us() - bench->on_us) / 1e6, line);
    int64_t since_us = bench_now_us() - bench->on_us;
    if (!bench->line_us)
        bench->line_us = since_us;
    if (strstr(line, "board: agent starts"))
        bench->agent_us = since_us;
    if (strstr(line, "event=mqtt_up"))
        bench->device_up = true, bench->mqtt_us = since_us;
    if (strstr(line, "event=flash_violation") || strstr(line, "event=no_boot") ||
        strstr(line, "refused_to_start"))
        bench_fail(bench, line);
    if (strstr(line, "event=boot ")) {
        bench->counts.boots++;
        key_value(bench->boot_reset, sizeof bench->boot_reset, line, "reset=");
        bench_saw_boot(bench, strstr(line, "slot=B") ? BOOT_SLOT_B : BOOT_SLOT_A);
    }
    if (strstr(line, "event=start "))
        key_value(bench->version, sizeof bench->version, line, "version=");
}

static void on_reset(void *ctx, enum rig_reset reset)
{
    struct bench *bench = ctx;
    bench->counts.resets[reset]++;
}

static void on_ended(void *ctx, int status)
{
    struct bench *bench = ctx;
    bench->ended = true;
    fprintf(bench->console, "QEMU ended, status %d\n", status);
}

/* ---- Cuts ---- */

/* Where the next one aims: boots, downloads, the way into the trial, the trial, or any time. */
static void plan(struct bench *bench)
{
    static const struct {
        const char *marker;
        uint32_t within_us;
    } row[] = {
        {"event=http_head", 5000000},     {"event=http_head", 3000000},
        {"event=http_head", 1000000},     {"to=Downloading", 500000},
        {"to=Verifying", 400000},         {"event=boot ", 300000},
        {"board: agent starts", 1000000}, {"to=HealthCheck", 1500000},
        {"to=Rebooting", 4000000},        {NULL, 8000000},
    };
    if (!bench->cuts_left)
        return;
    bench->cuts_left--;
    uint32_t which = sim_rng_below(&bench->rng, sizeof row / sizeof row[0]);
    uint32_t delay_us = sim_rng_below(&bench->rng, row[which].within_us);
    fprintf(bench->console, "next cut: '%s' + %u us\n",
            row[which].marker ? row[which].marker : "now", delay_us);
    rig_linux_plan(bench->board, row[which].marker, delay_us);
}

static void on_cut(void *ctx, const struct rig_linux_cut *cut)
{
    struct bench *bench = ctx;
    struct rig_linux_torn torn;
    char message[512];
    uint64_t seed = bench->seed * 1000 + bench->counts.cuts;
    if (rig_linux_tear(bench->board, SCN_TORN_ANY, seed, &torn, message, sizeof message))
        bench_fail(bench, message);
    bench->counts.cuts++;
    bench->counts.hits += torn.hit;
    bench->counts.rewound += torn.rewound;
    bench->counts.changed += torn.changed;
    bench->counts.unclean += !cut->clean;
    fprintf(bench->console, "cut: asked %" PRId64 " us, got %" PRId64 " us, %s\n", cut->asked_us,
            cut->got_us, torn.hit ? scn_torn_name((int)torn.form) : "no operation");
    if (torn.hit)
        fprintf(bench->console, "cut: operation %" PRIu64 ", %s 0x%08x +%u%s%s\n", torn.op.number,
                torn.op.erase ? "erase" : "program", torn.op.addr, torn.op.len,
                torn.rewound ? ", rewound" : "", torn.changed ? ", changed" : "");
    bench_saw_cut(bench);
    bench_on(bench);
    plan(bench);
}

void bench_cuts(struct bench *bench, unsigned cuts)
{
    bench->cuts_left = cuts;
    plan(bench);
}

/* ---- Power and waiting ---- */

void bench_make_board(struct bench *bench)
{
    static char kernel[512], initramfs[512], flash[96], records[96], config[96];
    char message[512];
    const char *source = getenv("BRICKYARD_SOURCE");
    snprintf(kernel, sizeof kernel, "%s/build-linux/Image", source);
    snprintf(initramfs, sizeof initramfs, "%s/build-linux/initramfs.cpio", source);
    snprintf(flash, sizeof flash, "%s/flash", bench->dir);
    snprintf(records, sizeof records, "%s/records", bench->dir);
    snprintf(config, sizeof config, "%s/config.tar", bench->dir);
    const struct rig_linux_config board = {.loop = bench->loop,
                                           .kernel = kernel,
                                           .initramfs = initramfs,
                                           .flash = flash,
                                           .records = records,
                                           .config = config,
                                           .folder = bench->dir,
                                           .layout = &bench->layout,
                                           .writes_per_s = 40, /* 25 ms: a NOR's erase takes 45 */
                                           .events = {on_console, on_reset, on_cut, on_ended},
                                           .ctx = bench};
    cr_assert_eq(rig_linux_create(&bench->board, &board, message, sizeof message), 0, "%s",
                 message);
}

void bench_on(struct bench *bench)
{
    char message[512];
    bench->on_us = bench_now_us();
    bench->line_us = bench->agent_us = bench->mqtt_us = 0;
    if (rig_linux_power_on(bench->board, message, sizeof message))
        bench_fail(bench, message);
}

void bench_forget(struct bench *bench)
{
    bench->acked = bench->device_up = false;
    bench->status[0] = bench->reason[0] = bench->boot_reset[0] = bench->version[0] = '\0';
}

static void out_of_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    *(bool *)timer->data = true;
}

static void run_until(struct bench *bench, bool (*reached)(const void *, const char *),
                      const void *what, const char *text)
{
    bool late = false;
    char message[160];
    ev_timer deadline;
    ev_now_update(bench->loop);
    ev_timer_init(&deadline, out_of_time, WITHIN_S, 0);
    deadline.data = &late;
    ev_timer_start(bench->loop, &deadline);
    while (!reached(what, text) && !late && !bench->ended)
        ev_run(bench->loop, EVRUN_ONCE);
    ev_timer_stop(bench->loop, &deadline);
    snprintf(message, sizeof message, "waited %d s for %s%s", WITHIN_S, text,
             bench->ended ? "; QEMU has ended" : "");
    if (!reached(what, text))
        bench_fail(bench, message);
}

static bool is_set(const void *what, const char *text)
{
    (void)text;
    return *(const bool *)what;
}

void bench_until(struct bench *bench, const bool *flag, const char *what)
{
    run_until(bench, is_set, flag, what);
}

static bool is_text(const void *what, const char *text)
{
    return !strcmp(what, text);
}

void bench_until_text(struct bench *bench, const char *out, const char *text)
{
    run_until(bench, is_text, out, text);
}

int64_t bench_memory_kb(const struct bench *bench)
{
    char path[64], line[128];
    int64_t kb = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)rig_linux_pid(bench->board));
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %" SCNd64, &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}
