/* Keys, images, servers, the service's end of MQTT, the factory, and the judge. */
#include "agent/agent.h"
#include "bench_internal.h"
#include "flash_file/op.h"
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IMAGE_BYTES = 256 * 1024, DEVICE_COUNTER_FLOOR = 0 };
#define DEVICE_ID "linux-1"
#define DEVICE_TYPE "pump_monitor_v2"

const char bench_base[] = "2.3.1", bench_good[] = "2.4.0", bench_bad[] = "2.5.0";

int bench_run(const struct bench *bench, const char *fmt, ...)
{
    char command[2048];
    int len = snprintf(command, sizeof command, "cd %s && ", bench->dir);
    va_list args;
    va_start(args, fmt);
    len += vsnprintf(command + len, sizeof command - (size_t)len, fmt, args);
    va_end(args);
    cr_assert(len < (int)sizeof command);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_text(const struct bench *bench, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", bench->dir, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && !fclose(file), "%s", path);
}

static uint8_t *read_file(const struct bench *bench, const char *name, size_t *len)
{
    char path[160];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", bench->dir, name);
    FILE *file = fopen(path, "r");
    cr_assert(file && !fstat(fileno(file), &status), "%s", path);
    uint8_t *bytes = calloc(1, (size_t)status.st_size + 1);
    *len = fread(bytes, 1, (size_t)status.st_size, file);
    cr_assert_eq(*len, (size_t)status.st_size);
    fclose(file);
    return bytes;
}

/* ---- Firmware ---- */

static void make_image(const struct bench *bench, const char *version, unsigned seed)
{
    const char *brickyard = getenv("BRICKYARD_BIN");
    cr_assert_eq(bench_run(bench,
                           "%s firmware build --size %d --seed %u --version %s --device-type "
                           "%s --min-hw Rev-A --out %s.bin >/dev/null && "
                           "%s firmware sign --key rel.pem --image %s.bin --out %s.sig >/dev/null",
                           brickyard, IMAGE_BYTES, seed, version, DEVICE_TYPE, version, brickyard,
                           version, version),
                 0);
}

static void make_oracle(struct bench *bench)
{
    char path[160];
    size_t len = 0;
    struct sim_oracle_trust trust = {.keys = 1};
    strcpy(trust.key[0].cert_id, "rel");
    snprintf(path, sizeof path, "%s/rel.pub", bench->dir);
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    cr_assert(key &&
              EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, trust.key[0].public_key,
                                              65, &len) == 1 &&
              len == 65);
    EVP_PKEY_free(key);
    fclose(file);
    bench->layout = (struct boot_layout){.sector_bytes = 4096,
                                         .page_bytes = 256,
                                         .bootloader_bytes = 65536,
                                         .config_addr = 65536,
                                         .slot_addr = {73728, 73728 + 524288},
                                         .slot_bytes = 524288,
                                         .data_addr = 73728 + 2 * 524288,
                                         .data_bytes = 131072,
                                         .journal_bytes = 65536};
    cr_assert_eq(sim_oracle_create(&bench->oracle, &bench->layout, &trust), 0);
}

/* ---- The service ---- */

static void on_up(void *ctx)
{
    struct bench *bench = ctx;
    bench->up = true;
}

static void on_down(void *ctx, const char *why)
{
    bench_fail(ctx, why);
}

static void take_text(char *out, size_t max, const char *json, const char *key)
{
    const char *at = strstr(json, key), *end = at ? strchr(at + strlen(key), '"') : NULL;
    if (end)
        snprintf(out, max, "%.*s", (int)(end - at - (long)strlen(key)), at + strlen(key));
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct bench *bench = ctx;
    char text[1024], status[32] = "";
    snprintf(text, sizeof text, "%.*s", (int)(len < 1000 ? len : 1000), (const char *)payload);
    fprintf(bench->console, "broker: %s %s\n", topic, text);
    if (strncmp(topic, "ota/status/", 11))
        return;
    take_text(status, sizeof status, text, "\"status\":\"");
    if (strcmp(status, "confirmed") && strcmp(status, "rolled_back"))
        return;
    memcpy(bench->status, status, sizeof status);
    bench->reason[0] = '\0';
    take_text(bench->reason, sizeof bench->reason, text, "\"reason\":\"");
}

static void on_published(void *ctx, uint32_t token)
{
    struct bench *bench = ctx;
    (void)token;
    bench->acked = true;
}

static void start_service(struct bench *bench)
{
    static const struct agent_mqtt_events events = {
        .up = on_up, .down = on_down, .message = on_message, .published = on_published};
    char ca[SIM_PKI_PATH_MAX], why[256] = "";
    sim_pki_ca_path(&bench->servers.pki, ca);
    cr_assert_eq(bench_run(bench, "cp '%s' ca.crt", ca), 0);
    cr_assert_eq(agent_tls_create(&bench->tls, ca, why, sizeof why), 0, "%s", why);
    bench->mqtt_config = (struct agent_mqtt_config){
        .tls = bench->tls,
        .host = "127.0.0.1",
        .server_name = SIM_BROKER_NAME,
        .client_id = "service",
        .user = "service",
        .secret = "service-secret",
        .topic = {"ota/status/+", "telemetry/+"},
        .topics = 2,
        .message_bytes_max = 65536,
        .port = bench->servers.broker.port[SIM_CERT_GOOD],
        .keepalive_s = 60,
        .connect_within_s = 30,
    };
    cr_assert_eq(agent_mqtt_create(&bench->mqtt, bench->loop, &bench->mqtt_config, &events, bench),
                 0);
    cr_assert_eq(agent_mqtt_connect(bench->mqtt, why, sizeof why), 0, "%s", why);
    bench_until(bench, &bench->up, "the service's connection");
}

static void account(void *ctx, struct sim_account *out, uint32_t index)
{
    (void)ctx, (void)index;
    *out = (struct sim_account){DEVICE_ID, "device-secret"};
}

static void put_artifact(struct bench *bench, const char *version)
{
    char name[64], message[512];
    size_t len;
    snprintf(name, sizeof name, "%s.bin", version);
    uint8_t *bytes = read_file(bench, name, &len);
    cr_assert_eq(sim_store_put(&bench->servers.store, name, bytes, len, message, sizeof message), 0,
                 "%s", message);
    free(bytes);
}

void bench_notify(struct bench *bench, const char *version)
{
    char url[SIM_URL_MAX], name[64], text[4096], topic[64];
    size_t len;
    snprintf(name, sizeof name, "%s.bin", version);
    sim_store_url(&bench->servers.store, url, SIM_CERT_GOOD, name, time(NULL) + 3600);
    cr_assert_eq(bench_run(bench,
                           "rm -f manifest.json; %s firmware manifest --image %s.bin --signature "
                           "%s.sig --cert-id rel --url '%s' --out manifest.json >/dev/null",
                           getenv("BRICKYARD_BIN"), version, version, url),
                 0);
    char *manifest = (char *)read_file(bench, "manifest.json", &len);
    int all = snprintf(text, sizeof text,
                       "{\"campaign_id\":\"c-%s\",\"manifest\":%s,\"force\":true,"
                       "\"deadline\":\"2199-01-01T00:00:00Z\"}",
                       version, manifest);
    free(manifest);
    cr_assert(all < (int)sizeof text);
    snprintf(topic, sizeof topic, "ota/notification/%s", DEVICE_ID);
    bench->acked = false;
    cr_assert_eq(agent_mqtt_publish(bench->mqtt, topic, text, (uint32_t)all, 1, false, 1), 0);
    bench_until(bench, &bench->acked, "the notification's acknowledgement");
}

/* ---- Factory ---- */

static void write_config(struct bench *bench, const char *name, const char *flash,
                         const char *records, const char *more)
{
    char text[2048];
    int len =
        snprintf(text, sizeof text,
                 "device_id: " DEVICE_ID "\ndevice_type: " DEVICE_TYPE "\nhw_revision: Rev-B\n"
                 "flash: {file: %s, records: %s, slot: 512KiB, data: 128KiB}\n"
                 "keys: [{cert_id: rel, public_key: rel.pub}]\n"
                 "mqtt: {host: 10.0.2.2, port: %u, server_name: %s, ca: ca.crt,\n"
                 "       user: " DEVICE_ID ", secret: device-secret,\n"
                 "       reconnect: {first: 200ms, max: 2s}}\n"
                 "http: {connect_to: \"10.0.2.2:%u\"}\n"
                 "retry: {first: 200ms, max: 2s}\ntelemetry_every: 5s\n"
                 "exit_to_reboot: yes\n%s",
                 flash, records, bench->servers.broker.port[SIM_CERT_GOOD], SIM_BROKER_NAME,
                 bench->servers.store.port[SIM_CERT_GOOD], more);
    cr_assert(len < (int)sizeof text);
    write_text(bench, name, text);
}

void bench_configure(struct bench *bench, const char *more)
{
    write_config(bench, "agent.yaml", "/dev/flash", "/dev/records", more);
    cr_assert_eq(bench_run(bench, "tar -cf config.tar agent.yaml ca.crt rel.pub"), 0);
}

void bench_factory(struct bench *bench)
{
    char program[512];
    size_t len;
    snprintf(program, sizeof program, "%s", getenv("BRICKYARD_BIN"));
    strcpy(strrchr(program, '/') + 1, "ota-agent");
    write_config(bench, "factory.yaml", "flash", "records", "");
    cr_assert_eq(bench_run(bench,
                           "rm -f flash records && truncate -s %d records && "
                           "%s --config factory.yaml --factory %s.bin --signature %s.sig "
                           "--cert-id rel",
                           AGENT_RECORDS_BYTES, program, bench_base, bench_base),
                 0);
    free(bench->fresh);
    bench->fresh = read_file(bench, "flash", &len);
}

void bench_init(struct bench *bench, uint64_t seed)
{
    char message[1024];
    const char *brickyard = getenv("BRICKYARD_BIN");
    memset(bench, 0, sizeof *bench);
    bench->seed = seed;
    sim_rng_init(&bench->rng, seed, 0, SIM_RNG_FAULT_SELECT, 0);
    strcpy(bench->dir, "/tmp/linux-board-XXXXXX");
    cr_assert(mkdtemp(bench->dir));
    snprintf(message, sizeof message, "%s/console.log", bench->dir);
    bench->console = fopen(message, "w");
    bench->loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert(bench->console && bench->loop);
    cr_assert_eq(bench_run(bench,
                           "%s firmware keygen --id rel --out rel.pem --pub rel.pub >/dev/null",
                           brickyard),
                 0);
    make_image(bench, bench_base, 1);
    make_image(bench, bench_good, 2);
    make_image(bench, bench_bad, 3);
    make_oracle(bench);
    const struct sim_servers_config servers = {
        .now_ms = (int64_t)time(NULL) * 1000,
        .broker = {.account = account, .account_count = 1, .service_secret = "service-secret"},
        .store = {.secret = "urlsecret"}};
    cr_assert_eq(sim_servers_start(&bench->servers, &servers, message, sizeof message), 0, "%s",
                 message);
    put_artifact(bench, bench_good);
    put_artifact(bench, bench_bad);
    start_service(bench);
    bench_make_board(bench);
}

void bench_free(struct bench *bench)
{
    rig_linux_free(bench->board);
    agent_mqtt_destroy(bench->mqtt);
    agent_tls_free(bench->tls);
    sim_servers_stop(&bench->servers);
    sim_oracle_free(bench->oracle);
    ev_loop_destroy(bench->loop);
    fclose(bench->console);
    free(bench->fresh);
    if (getenv("LINUX_BOARD_KEEP"))
        printf("kept: %s\n", bench->dir);
    else
        bench_run(bench, "rm -rf %s", bench->dir);
}

/* ---- Judge ---- */

struct evidence {
    struct sim_flash_base base;
    struct sim_flash flash;
    int64_t now_us;
};

static void take_evidence(struct bench *bench, struct evidence *out, uint8_t **bytes)
{
    static const struct sim_flash_timing timing = {0};
    size_t len;
    *bytes = read_file(bench, "flash", &len);
    cr_assert_eq(sim_flash_base_init(&out->base, (uint32_t)len, bench->layout.sector_bytes,
                                     bench->layout.page_bytes),
                 0);
    cr_assert_eq(sim_flash_base_put(&out->base, 0, *bytes, (uint32_t)len), 0);
    cr_assert_eq(sim_flash_init(&out->flash, &out->base, NULL, &timing, &out->now_us, 0, 0), 0);
}

static void drop_evidence(struct evidence *evidence, uint8_t *bytes)
{
    sim_flash_free(&evidence->flash);
    sim_flash_base_free(&evidence->base);
    free(bytes);
}

static const char *may_run(struct bench *bench, const struct evidence *evidence, int slot,
                           struct sim_oracle_slot *held)
{
    sim_oracle_slot(bench->oracle, &evidence->flash, slot, held);
    return sim_oracle_may_run(held, DEVICE_TYPE, "Rev-B", DEVICE_COUNTER_FLOOR);
}

void bench_saw_boot(struct bench *bench, int slot)
{
    struct evidence evidence;
    struct sim_oracle_slot held;
    uint8_t *bytes;
    take_evidence(bench, &evidence, &bytes);
    const char *why = may_run(bench, &evidence, slot, &held);
    drop_evidence(&evidence, bytes);
    if (why)
        bench_fail(bench, why);
}

/* Some slot may run; and what is never written is as it was. */
static const char *survives(struct bench *bench, const struct evidence *evidence,
                            const uint8_t *bytes)
{
    const struct boot_layout *layout = &bench->layout;
    struct sim_oracle_slot held;
    uint32_t data = layout->data_addr + layout->journal_bytes;
    if (may_run(bench, evidence, BOOT_SLOT_A, &held) &&
        may_run(bench, evidence, BOOT_SLOT_B, &held))
        return "no slot would boot";
    if (memcmp(bytes, bench->fresh, layout->bootloader_bytes))
        return "the bootloader was written";
    if (memcmp(bytes + data, bench->fresh + data, layout->data_bytes - layout->journal_bytes))
        return "the application's data was written";
    return NULL;
}

void bench_saw_cut(struct bench *bench)
{
    struct evidence evidence;
    uint8_t *bytes;
    take_evidence(bench, &evidence, &bytes);
    const char *why = survives(bench, &evidence, bytes);
    drop_evidence(&evidence, bytes);
    if (why)
        bench_fail(bench, why);
}

void bench_judge(struct bench *bench, const char *version)
{
    struct evidence evidence;
    struct sim_oracle_config config;
    struct sim_oracle_slot held = {0};
    uint8_t *bytes;
    take_evidence(bench, &evidence, &bytes);
    const char *why = survives(bench, &evidence, bytes);
    sim_oracle_config(bench->oracle, &evidence.flash, &config);
    if (!why && (!config.valid || config.active != config.next))
        why = "the boot config is not at rest";
    if (!why)
        why = may_run(bench, &evidence, config.active, &held);
    if (!why && (!held.confirmed || strcmp(held.version, version)))
        why = "another version is active, or it is not confirmed";
    drop_evidence(&evidence, bytes);
    if (why)
        bench_fail(bench, why);
}
