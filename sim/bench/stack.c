/* The table of the real protocol stack: servers up, each measurement in turns, servers down. */
#include "stack.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3, DOWNLOADS = 400, MESSAGES = 8000, MEMORY_ROUNDS = 300, FILES_MIN = 4096 };
enum { SKIP = 1 };
static const double WITHIN_S = 30;

/* ---- Measures ---- */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bench_begin(struct bench_cost *cost)
{
    cost->wall_begin = seconds(CLOCK_MONOTONIC);
    cost->cpu_begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_end(struct bench_cost *cost, uint32_t count)
{
    cost->cpu_s += seconds(CLOCK_PROCESS_CPUTIME_ID) - cost->cpu_begin;
    cost->wall_s += seconds(CLOCK_MONOTONIC) - cost->wall_begin;
    cost->count += count;
}

void bench_memory_mark(struct bench_memory *out)
{
    unsigned long size, resident = 0;
    malloc_trim(0); /* what is free is to be taken anew, or it would not count as resident */
    struct mallinfo2 heap = mallinfo2();
    FILE *in = fopen("/proc/self/statm", "r");
    if (in && fscanf(in, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (in)
        fclose(in);
    out->heap_bytes = heap.uordblks + heap.hblkhd;
    out->resident_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t growth(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

void bench_memory_grown(struct bench_memory *in_out)
{
    struct bench_memory now;
    bench_memory_mark(&now);
    in_out->heap_bytes = growth(in_out->heap_bytes, now.heap_bytes);
    in_out->resident_bytes = growth(in_out->resident_bytes, now.resident_bytes);
}

void bench_fail(struct bench_stack *stack, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!stack->why[0])
        vsnprintf(stack->why, sizeof stack->why, format, args);
    va_end(args);
}

int bench_until(struct bench_stack *stack, const uint32_t *count, uint32_t want)
{
    double until = ev_time() + WITHIN_S;
    while (*count < want && !stack->why[0]) {
        ev_run(stack->loop, EVRUN_ONCE);
        if (ev_time() > until)
            bench_fail(stack, "only %u of %u within %.0f s", *count, want, WITHIN_S);
    }
    return stack->why[0] ? -1 : 0;
}

/* ---- Up and down ---- */

static void account(void *context, struct sim_account *out, uint32_t index)
{
    (void)context;
    snprintf(out->device_id, sizeof out->device_id, "bench-%04u", index);
    snprintf(out->secret, sizeof out->secret, "bench-secret-%04u", index);
}

static void turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static int open_files(struct bench_stack *stack)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max >= FILES_MIN)
        return 0;
    bench_fail(stack, "the limit of open files (ulimit -Hn) is below %d", FILES_MIN);
    return SKIP;
}

static int put_image(struct bench_stack *stack)
{
    uint8_t *image = malloc(BENCH_IMAGE_BYTES);
    for (uint32_t i = 0; image && i < BENCH_IMAGE_BYTES; i++)
        image[i] = (uint8_t)(i * 2654435761u >> 24);
    int error = !image || sim_store_put(&stack->servers.store, BENCH_IMAGE, image,
                                        BENCH_IMAGE_BYTES, stack->why, sizeof stack->why);
    free(image);
    return error ? -1 : 0;
}

/* SKIP: it can't be on this machine, which is no failure. */
static int open_stack(struct bench_stack *stack)
{
    const struct sim_servers_config config = {
        .now_ms = (int64_t)time(NULL) * 1000,
        .broker = {.account = account,
                   .account_count = BENCH_DEVICES + 1, /* and one for stack_plain.c */
                   .service_secret = BENCH_SERVICE_SECRET},
        .store = {.secret = "benchurls", .workers = 1},
    };
    int error = open_files(stack);
    if (error)
        return error;
    error = sim_servers_start(&stack->servers, &config, stack->why, sizeof stack->why);
    if (error)
        return error == SIM_SERVERS_EPROGRAM ? SKIP : -1;
    sim_pki_ca_path(&stack->servers.pki, stack->ca);
    stack->loop = ev_loop_new(EVFLAG_AUTO);
    if (!stack->loop) {
        bench_fail(stack, "no event loop");
        return -1;
    }
    ev_timer_init(&stack->guard, turn, 0.1, 0.1);
    ev_timer_start(stack->loop, &stack->guard);
    if (put_image(stack) || agent_tls_create(&stack->tls, stack->ca, stack->why, sizeof stack->why))
        return -1;
    stack->why[0] = '\0';
    return 0;
}

static void close_stack(struct bench_stack *stack)
{
    agent_tls_free(stack->tls);
    if (stack->loop) {
        ev_timer_stop(stack->loop, &stack->guard);
        ev_loop_destroy(stack->loop);
    }
    sim_servers_stop(&stack->servers);
}

/* ---- The table ---- */

/* ours: NULL in the stack's own row. */
static void print_row(const char *what, const struct bench_cost *cost,
                      const struct bench_cost *ours)
{
    double each_us = cost->cpu_s * 1e6 / cost->count;
    printf("%-62s %7u %9.0f %9.1f", what, cost->count, cost->count / cost->wall_s, each_us);
    if (ours)
        printf(" %7.2f", each_us / (ours->cpu_s * 1e6 / ours->count));
    printf("\n");
    fflush(stdout);
}

static int print_connects(struct bench_stack *stack, struct bench_devices *devices,
                          struct bench_memory *memory)
{
    struct bench_cost ours = {0}, plain = {0}, bare = {0};
    for (int i = 0; i < ROUNDS; i++)
        if (bench_devices_connect(devices, &ours, i ? NULL : memory) ||
            bench_devices_leave(devices) || bench_plain_handshakes(stack, &plain, BENCH_DEVICES) ||
            bench_memory_handshakes(stack, &bare, MEMORY_ROUNDS))
            return -1;
    print_row("MQTT connects, agent_mqtt: TLS, CONNECT, SUBSCRIBE of 2", &ours, NULL);
    print_row("  OpenSSL alone: TLS handshakes with the same listener", &plain, &ours);
    print_row("  OpenSSL alone: the client's half of one, in memory", &bare, &ours);
    return 0;
}

static int print_downloads(struct bench_stack *stack)
{
    struct bench_cost ours = {0}, plain = {0}, bare = {0};
    for (int i = 0; i < ROUNDS; i++)
        if (bench_downloads(stack, &ours, DOWNLOADS) ||
            bench_plain_downloads(stack, &plain, DOWNLOADS) ||
            bench_memory_images(stack, &bare, MEMORY_ROUNDS))
            return -1;
    print_row("downloads of 512 KiB, agent_http: signed URL, new TLS each", &ours, NULL);
    print_row("  libcurl alone: the same by its own loop (curl_multi_poll)", &plain, &ours);
    print_row("  OpenSSL alone: AES-256-GCM of them, and a copy, in memory", &bare, &ours);
    return 0;
}

static int print_messages(struct bench_stack *stack, struct bench_devices *devices)
{
    struct bench_cost ours = {0}, plain = {0};
    if (bench_devices_connect(devices, &(struct bench_cost){0}, NULL))
        return -1;
    for (int i = 0; i < ROUNDS; i++)
        if (bench_devices_say(devices, &ours, MESSAGES) || bench_plain_say(stack, &plain, MESSAGES))
            return -1;
    print_row("status messages, agent_mqtt: QoS 1, 64 devices to a subscriber", &ours, NULL);
    print_row("  libmosquitto alone: one client, 64 in flight, to a subscriber", &plain, &ours);
    return bench_devices_leave(devices);
}

static void print_memory(const char *what, const struct bench_memory *memory)
{
    printf("%-62s %7d %9llu %9llu\n", what, BENCH_DEVICES,
           (unsigned long long)(memory->heap_bytes / BENCH_DEVICES),
           (unsigned long long)(memory->resident_bytes / BENCH_DEVICES));
}

static int print_all(struct bench_stack *stack, struct bench_devices *devices)
{
    struct bench_memory connections, transfers;
    printf("%-62s %7s %9s %9s %7s\n", "what", "count", "per s", "CPU us", "ratio");
    if (print_connects(stack, devices, &connections) || print_downloads(stack) ||
        print_messages(stack, devices) || bench_transfers_memory(stack, &transfers, BENCH_DEVICES))
        return -1;
    printf("\n%-62s %7s %9s %9s\n", "bytes for each", "count", "heap", "resident");
    print_memory("MQTT connection that is up", &connections);
    print_memory("transfer in progress", &transfers);
    printf("\nratio = plain CPU / whole CPU, of this process: 1.00 would be a driver that costs "
           "nothing.\nper s: by the clock, with the servers on the same cores.\n");
    return 0;
}

int bench_stack_print(void)
{
    struct bench_stack stack = {.why = ""};
    struct bench_devices *devices = NULL;
    printf("\nreal protocol stack: mosquitto and nginx on 127.0.0.1, TLS, one thread, %d under "
           "way at once\n",
           BENCH_UNDER_WAY);
    int error = open_stack(&stack);
    if (error == SKIP) {
        printf("skipped: %s\n", stack.why);
        return 0;
    }
    if (!error)
        error = bench_devices_open(&devices, &stack) || print_all(&stack, devices);
    bench_devices_close(devices);
    close_stack(&stack);
    if (error)
        fprintf(stderr, "brickyard-bench: %s\n", stack.why[0] ? stack.why : "no memory");
    return error ? -1 : 0;
}
