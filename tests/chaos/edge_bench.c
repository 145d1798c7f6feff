#include "edge_bench.h"
#include "bench.h"
#include "certs.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint32_t descriptors_before;

static void plan(void *ctx, const struct sockaddr_in *source, const struct sim_edge_file *file,
                 uint32_t offset, struct sim_edge_plan *out)
{
    struct edge_bench *bench = ctx;
    cr_assert_eq(source->sin_family, AF_INET);
    cr_assert(file == &bench->file[0] || file == &bench->file[1] || file == &bench->file[2]);
    bench->asked_offset = offset;
    *out = bench->plan;
}

static void on_effect(void *ctx, const struct sim_edge_effect *effect)
{
    struct edge_bench *bench = ctx;
    cr_assert_lt(bench->effects, EDGE_EFFECTS);
    bench->effect[bench->effects++] = *effect;
}

static void listen_on(struct edge_bench *bench, enum bench_cert cert, const char *name)
{
    char cert_file[128], key_file[128];
    snprintf(cert_file, sizeof cert_file, "%s/%s.pem", bench->folder, name);
    snprintf(key_file, sizeof key_file, "%s/%s.key", bench->folder, name);
    cr_assert_eq(sim_edge_listen(bench->edge, &bench->address[cert], cert_file, key_file),
                 (int)cert);
}

void edge_bench_begin(struct edge_bench *bench, const struct sim_edge_config *config)
{
    struct sim_edge_config full = config ? *config : (struct sim_edge_config){0};
    memset(bench, 0, sizeof *bench);
    descriptors_before = bench_descriptors();
    strcpy(bench->folder, "/tmp/brickyard-chaos-XXXXXX");
    cr_assert(mkdtemp(bench->folder));
    certs_make(bench->folder);
    bench->file[0] = (struct sim_edge_file){"/new", bench_pattern(EDGE_NEW_BYTES), EDGE_NEW_BYTES};
    bench->file[1] = (struct sim_edge_file){"/old", bench_pattern(1 << 20) + 77777, EDGE_OLD_BYTES};
    bench->file[2] = (struct sim_edge_file){"/empty", "", 0};
    bench->loop = ev_loop_new(0);
    full.loop = bench->loop;
    full.file = bench->file;
    full.files = 3;
    full.ctx = bench;
    full.plan = plan;
    full.effect = on_effect;
    cr_assert_eq(sim_edge_create(&bench->edge, &full), SIM_CHAOS_OK);
    listen_on(bench, CERT_GOOD, "good");
    listen_on(bench, CERT_EXPIRED, "expired");
    listen_on(bench, CERT_WRONG_NAME, "wrong_name");
    listen_on(bench, CERT_UNKNOWN_CA, "unknown_ca");
}

void edge_bench_end(struct edge_bench *bench)
{
    char command[128];
    sim_edge_free(bench->edge);
    ev_loop_destroy(bench->loop);
    snprintf(command, sizeof command, "rm -r %s", bench->folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(bench_descriptors(), descriptors_before);
}

struct job {
    void (*client)(void *ctx);
    void *ctx;
    struct ev_loop *loop;
    ev_async done;
    bool is_done;
};

static void *work(void *argument)
{
    struct job *job = argument;
    job->client(job->ctx);
    ev_async_send(job->loop, &job->done);
    return NULL;
}

static void on_done(struct ev_loop *loop, ev_async *done, int events)
{
    struct job *job = done->data;
    (void)loop;
    (void)events;
    job->is_done = true;
}

void edge_bench_run(struct edge_bench *bench, void (*client)(void *ctx), void *ctx)
{
    struct job job = {.client = client, .ctx = ctx, .loop = bench->loop};
    pthread_t thread;
    ev_async_init(&job.done, on_done);
    job.done.data = &job;
    ev_async_start(bench->loop, &job.done);
    cr_assert_eq(pthread_create(&thread, NULL, work, &job), 0);
    while (!job.is_done)
        ev_run(bench->loop, EVRUN_ONCE);
    pthread_join(thread, NULL);
    ev_async_stop(bench->loop, &job.done);
}

void edge_bench_until(struct edge_bench *bench, enum sim_edge_effect_kind kind, uint32_t count)
{
    while (edge_bench_count(bench, kind) < count)
        ev_run(bench->loop, EVRUN_ONCE);
}

uint32_t edge_bench_count(const struct edge_bench *bench, enum sim_edge_effect_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < bench->effects; i++)
        count += bench->effect[i].kind == kind;
    return count;
}

const struct sim_edge_effect *edge_bench_spoiled(const struct edge_bench *bench)
{
    const struct sim_edge_effect *found = NULL;
    for (uint32_t i = 0; i < bench->effects; i++) {
        if (bench->effect[i].kind != SIM_EDGE_SPOILED)
            continue;
        cr_assert(!found, "told once");
        found = &bench->effect[i];
    }
    cr_assert(found, "nothing was told");
    return found;
}

struct curl_job {
    char command[512];
    uint8_t *out;
    size_t *len;
    int status;
};

static void run_curl(void *ctx)
{
    struct curl_job *job = ctx;
    size_t capacity = *job->len;
    FILE *pipe = popen(job->command, "r");
    *job->len = fread(job->out, 1, capacity, pipe);
    job->status = pclose(pipe);
}

bool patience_ends(double *max_s)
{
    *max_s *= 2;
    return *max_s > 100;
}

int curl(struct edge_bench *bench, enum bench_cert cert, const char *arguments, const char *path,
         uint8_t *out, size_t *len)
{
    static uint8_t unused[1 << 20];
    size_t unused_len = sizeof unused;
    struct curl_job job = {.out = out ? out : unused, .len = out ? len : &unused_len};
    snprintf(job.command, sizeof job.command,
             "curl -s --max-time 200 --cacert %s/ca.pem --connect-to edge.test:443:127.0.0.1:%u %s "
             "https://edge.test%s",
             bench->folder, ntohs(bench->address[cert].sin_port), arguments, path);
    edge_bench_run(bench, run_curl, &job);
    cr_assert(WIFEXITED(job.status));
    return WEXITSTATUS(job.status);
}
