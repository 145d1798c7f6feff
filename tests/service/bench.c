#include "bench.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char scenario[] =
    "scenario: rollout\n"
    "summary: twelve devices elsewhere\n"
    "seed: 7\n"
    "start: 2026-03-19T10:00:00Z\n"
    "fleet:\n"
    "  - {group: k%02u, count: %u, firmware: 2.3.1, telemetry_every: 5m}\n"
    "firmware:\n"
    "  2.3.1: {size: 64KiB}\n"
    "  2.4.0: {size: 64KiB}\n"
    "campaign:\n"
    "  to: 2.4.0\n"
    "  force: true\n"
    "  time_scale: 3600\n"
    "  observe: 10m\n"
    "  silent_after: %s\n"
    "  presumed_brick_after: 12h\n"
    "  phases:\n"
    "    - name: canary\n"
    "      share: 25%%\n"
    "      hold: 10m\n"
    "      gates: [{metric: success, stop_if: \"< 40%%\", of: reported}]\n"
    "    - name: everybody\n"
    "      share: 100%%\n"
    "      hold: 10m\n"
    "      gates:\n"
    "        - {metric: success, stop_if: \"< 40%%\", of: reported}\n"
    "        - {metric: brick, stop_if: \"> 0%%\"}\n"
    "        - {metric: rollback, stop_if: \"> 60%%\"}\n";

static const char manifest[] =
    "{\"firmware_id\": \"pump-2.4.0\", \"version\": \"2.4.0\",\n"
    " \"device_type\": \"pump_monitor_v2\", \"min_hw_revision\": \"Rev-A\",\n"
    " \"binary_url\": \"https://artifacts.example/pump-2.4.0.bin\", \"binary_size_bytes\": 65536,\n"
    " \"checksum_sha256\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\n"
    " \"signature_ecdsa\": \"3006020101020101\", \"signing_cert_id\": \"rel\",\n"
    " \"release_notes_url\": \"https://artifacts.example/notes\", \"rollback_version\": "
    "\"2.3.1\",\n"
    " \"published_at\": \"2026-03-19T09:00:00Z\"}\n";

static void account(void *context, struct sim_account *out, uint32_t index)
{
    uint32_t round = index / BENCH_DEVICES, number = index % BENCH_DEVICES + 1;
    (void)context;
    snprintf(out->device_id, sizeof out->device_id, "k%02u-%05u", round, number);
    snprintf(out->secret, sizeof out->secret, "secret-k%02u-%05u", round, number);
}

/* A hang fails the test; nothing else is decided by time. */
static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    const struct bench *bench = timer->data;
    (void)loop, (void)events;
    cr_assert_fail("nothing came within %d s; the service said:\n%s", BENCH_WITHIN_S, bench->said);
}

void bench_open(struct bench *bench)
{
    char message[1024], folder[SIM_PKI_FOLDER_MAX], ca[SIM_PKI_PATH_MAX];
    *bench = (struct bench){.fd = -1};
    strcpy(bench->dir, "/tmp/brickyard-service-XXXXXX");
    cr_assert_not_null(mkdtemp(bench->dir));
    snprintf(bench->config, sizeof bench->config, "%s/service.yaml", bench->dir);
    snprintf(folder, sizeof folder, "%s/pki", bench->dir);
    cr_assert(!mkdir(folder, 0700));
    cr_assert(!sim_pki_create(&bench->pki, folder, 30, (int64_t)time(NULL) * 1000, message,
                              sizeof message),
              "%s", message);
    snprintf(folder, sizeof folder, "%s/broker", bench->dir);
    cr_assert(!mkdir(folder, 0755));
    const struct sim_broker_config config = {.account = account,
                                             .account_count = BENCH_DEVICES * BENCH_ROUNDS,
                                             .service_secret = "desk"};
    cr_assert(
        !sim_broker_start(&bench->broker, folder, &bench->pki, &config, message, sizeof message),
        "%s", message);
    bench->loop = ev_loop_new(EVFLAG_AUTO);
    ev_timer_init(&bench->deadline, on_deadline, 0, BENCH_WITHIN_S);
    bench->deadline.data = bench;
    sim_pki_ca_path(&bench->pki, ca);
    cr_assert(!agent_tls_create(&bench->tls, ca, message, sizeof message), "%s", message);
}

void bench_close(struct bench *bench)
{
    char command[128];
    if (bench->pid) {
        kill(bench->pid, SIGKILL);
        bench_wait_end(bench);
    }
    ev_loop_destroy(bench->loop);
    agent_tls_free(bench->tls);
    sim_broker_stop(&bench->broker);
    sim_pki_close(&bench->pki);
    snprintf(command, sizeof command, "rm -rf %s", bench->dir);
    cr_expect_eq(system(command), 0);
}

void bench_write(const struct bench *bench, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", bench->dir, name);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

void bench_config(struct bench *bench, const char *ca, const char *secret, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text,
             "scenario: scenario.yaml\n"
             "manifest: manifest.json\n"
             "database: service.db\n"
             "broker:\n"
             "  host: 127.0.0.1\n"
             "  port: %u\n"
             "  server_name: %s\n"
             "  ca: pki/%s\n"
             "  user: service\n"
             "  secret: %s\n"
             "report: {json: report.json, junit: report.xml, db: report.db}\n"
             "tick: 20ms\n"
             "settle: %s\n"
             "%s",
             bench->broker.port[SIM_CERT_GOOD], SIM_BROKER_NAME, ca ? ca : "ca.pem",
             secret ? secret : "desk", bench->settle ? bench->settle : "100ms", more);
    bench_write(bench, "service.yaml", text);
}

void bench_round(struct bench *bench, uint32_t round, bench_script script)
{
    char text[sizeof scenario + 64];
    bench->round = round;
    bench->script = script;
    bench->devices = BENCH_DEVICES;
    bench->acknowledged = bench->up = 0;
    bench->on_acknowledged = NULL;
    snprintf(text, sizeof text, "rm -f %s/service.db* %s/report.*", bench->dir, bench->dir);
    cr_assert_eq(system(text), 0);
    snprintf(text, sizeof text, scenario, round, BENCH_DEVICES,
             bench->silent_after ? bench->silent_after : "12h");
    bench_write(bench, "scenario.yaml", text);
    bench_write(bench, "manifest.json", manifest);
    bench_config(bench, NULL, NULL, "");
    for (uint32_t d = 0; d < bench->devices; d++)
        bench_device_open(bench, d);
    ev_timer_again(bench->loop, &bench->deadline);
    while (bench->up < bench->devices)
        ev_run(bench->loop, EVRUN_ONCE);
    ev_timer_stop(bench->loop, &bench->deadline);
}

void bench_round_end(struct bench *bench)
{
    for (uint32_t d = 0; d < bench->devices; d++)
        bench_device_close(&bench->device[d]);
    bench->devices = 0;
}

/* ---- The service ---- */

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct bench *bench = io->data;
    (void)events;
    size_t room = sizeof bench->said - 1 - bench->len;
    ssize_t got = room ? read(bench->fd, bench->said + bench->len, room) : 0;
    if (got <= 0) {
        ev_io_stop(loop, io);
        close(bench->fd);
        bench->fd = -1;
        bench->ended = true;
    } else {
        bench->len += (size_t)got;
        bench->said[bench->len] = '\0';
    }
    ev_break(loop, EVBREAK_ONE);
}

void bench_spawn(struct bench *bench)
{
    int end[2];
    const char *program = getenv("BRICKYARD_BIN");
    cr_assert_not_null(program, "BRICKYARD_BIN is set by CTest");
    cr_assert(!bench->pid && !pipe2(end, O_CLOEXEC));
    bench->len = bench->seen = 0;
    bench->said[0] = '\0';
    bench->ended = false;
    pid_t parent = getpid();
    bench->pid = fork();
    if (!bench->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(126);
        dup2(end[1], STDERR_FILENO);
        dup2(end[1], STDOUT_FILENO);
        execl(program, program, "service", "--config", bench->config, (char *)NULL);
        _exit(127);
    }
    close(end[1]);
    bench->fd = end[0];
    fcntl(bench->fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&bench->readable, on_readable, bench->fd, EV_READ);
    bench->readable.data = bench;
    ev_io_start(bench->loop, &bench->readable);
}

bool bench_wait(struct bench *bench, const char *text)
{
    char *found;
    ev_timer_again(bench->loop, &bench->deadline);
    while (!(found = strstr(bench->said + bench->seen, text)) && !bench->ended)
        ev_run(bench->loop, EVRUN_ONCE);
    ev_timer_stop(bench->loop, &bench->deadline);
    if (found)
        bench->seen = (size_t)(found - bench->said) + strlen(text);
    return found != NULL;
}

int bench_wait_end(struct bench *bench)
{
    int status = 0;
    ev_timer_again(bench->loop, &bench->deadline);
    while (!bench->ended)
        ev_run(bench->loop, EVRUN_ONCE);
    ev_timer_stop(bench->loop, &bench->deadline);
    cr_assert_eq(waitpid(bench->pid, &status, 0), bench->pid);
    bench->pid = 0;
    return status;
}

int bench_exit_code(struct bench *bench)
{
    int status = bench_wait_end(bench);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int bench_run(const struct bench *bench, const char *options, char *out, size_t len)
{
    char command[512];
    snprintf(command, sizeof command, "exec timeout 120 %s service --config %s %s 2>&1",
             getenv("BRICKYARD_BIN"), bench->config, options);
    FILE *said = popen(command, "re");
    cr_assert_not_null(said);
    size_t got = fread(out, 1, len - 1, said);
    out[got] = '\0';
    int status = pclose(said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- What it left ---- */

json_t *bench_json(const struct bench *bench)
{
    char path[160];
    json_error_t error;
    snprintf(path, sizeof path, "%s/report.json", bench->dir);
    json_t *json = json_load_file(path, 0, &error);
    cr_assert_not_null(json, "%s: %s", path, error.text);
    return json;
}

long long bench_number(const json_t *json, const char *path)
{
    char copy[128], *rest = copy;
    const json_t *at = json;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key; (key = strsep(&rest, "/"));)
        at = json_object_get(at, key);
    cr_assert(json_is_integer(at), "%s", path);
    return json_integer_value(at);
}

long long bench_ask(const struct bench *bench, const char *db, const char *sql)
{
    char path[160];
    sqlite3 *file;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/%s", bench->dir, db);
    cr_assert_eq(sqlite3_open_v2(path, &file, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(file, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(file));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s", sql);
    long long number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(file);
    return number;
}
