/*
 * Telemetry over a link whose acknowledgements come later than the next message. The connection is
 * a fake: it stands in this program for agent/drivers, so that what the device says and when it is
 * answered is the test's; everything else is real, from the flash file to the agent's trial, and
 * the campaign service that hears it.
 */
#include "../campaign/world.h"
#include "camp.h"
#include "daemon/device.h"
#include "rig.h"
#include "session.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNDER_WAY_MAX = 1024 };

struct agent_mqtt {
    const struct agent_mqtt_config *config;
    const struct agent_mqtt_events *events;
    void *ctx;
    bool up;
    uint32_t token[UNDER_WAY_MAX], under_way, telemetries, resets_told;
    void (*heard)(const char *telemetry, uint32_t len); /* NULL: it does not arrive */
};
static struct agent_mqtt mqtt;

int agent_mqtt_create(struct agent_mqtt **out, struct ev_loop *loop,
                      const struct agent_mqtt_config *config,
                      const struct agent_mqtt_events *events, void *ctx)
{
    (void)loop;
    mqtt.config = config;
    mqtt.events = events;
    mqtt.ctx = ctx;
    *out = &mqtt;
    return 0;
}

void agent_mqtt_destroy(struct agent_mqtt *it)
{
    it->up = false;
}

int agent_mqtt_connect(struct agent_mqtt *it, char *why, size_t len)
{
    (void)it, (void)why, (void)len;
    return 0; /* the test says when it is up */
}

void agent_mqtt_drop(struct agent_mqtt *it)
{
    it->up = false;
}

void agent_mqtt_disconnect(struct agent_mqtt *it)
{
    it->up = false;
}

bool agent_mqtt_is_up(const struct agent_mqtt *it)
{
    return it->up;
}

uint32_t agent_mqtt_retry_ms(uint32_t first_ms, uint32_t max_ms, uint32_t failed, uint32_t random)
{
    (void)first_ms, (void)failed, (void)random;
    return max_ms;
}

int agent_mqtt_publish(struct agent_mqtt *it, const char *topic, const void *payload, uint32_t len,
                       int qos, bool retain, uint32_t token)
{
    char text[1024] = "";
    (void)retain;
    cr_assert(len < sizeof text && qos == 1 && it->under_way < UNDER_WAY_MAX);
    memcpy(text, payload, len);
    it->token[it->under_way++] = token;
    if (strncmp(topic, "telemetry/", 10))
        return 0;
    const char *resets = strstr(text, "\"resets\":");
    cr_assert(resets);
    it->telemetries++;
    it->resets_told += (uint32_t)strtoul(resets + 9, NULL, 10);
    if (it->heard)
        it->heard(text, len);
    return 0;
}

/* The broker's answers, in the order of the messages, except for the last `behind`. */
static void answer(uint32_t behind)
{
    while (mqtt.under_way > behind) {
        uint32_t token = mqtt.token[0];
        memmove(mqtt.token, mqtt.token + 1, --mqtt.under_way * sizeof mqtt.token[0]);
        mqtt.events->published(mqtt.ctx, token);
    }
}

static void connection(bool up)
{
    mqtt.up = up;
    mqtt.under_way = 0;
    if (up)
        mqtt.events->up(mqtt.ctx);
    else
        mqtt.events->down(mqtt.ctx, "lost");
}

/* ---- A device on it ---- */

static struct rig *rig;
static struct agent_settings settings;
static struct agent_session session;
static struct agent_device device;
static struct agent_device_config config;
static uint32_t told, told_times;
static bool was_reset;
static ev_timer limit;
static int64_t clock_ms; /* of the device, at this start */
static double started_at;

static void on_kick(void *ctx)
{
    (void)ctx;
}

static void on_reset(void *ctx, enum boot_reset reset)
{
    (void)ctx, (void)reset;
    was_reset = true;
}

static void on_told(void *ctx, uint32_t faults)
{
    (void)ctx;
    agent_session_told(&session, faults);
    told += faults;
    told_times++;
}

static int64_t utc_ms(void *ctx)
{
    (void)ctx;
    return clock_ms + (int64_t)((ev_time() - started_at) * 1000);
}

static void too_late(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    cr_assert(false, "what must come did not");
}

static void device_make(void)
{
    char message[AGENT_MESSAGE_MAX] = "";
    rig = calloc(1, sizeof *rig);
    rig_init(rig);
    cr_assert_eq(rig_factory(rig, "1.0.0"), 0);
    cr_assert(!chdir(rig->dir));
    cr_assert(!agent_settings_read(&settings, "agent.yaml", message), "%s", message);
    clock_ms = START / 1000;
}

static void device_unmake(void)
{
    cr_assert(!chdir("/"));
    rig_free(rig);
    free(rig);
}

static void device_start(bool by_watchdog, bool trial)
{
    static const struct agent_log silent = {.level = AGENT_LOG_ERROR};
    char message[AGENT_MESSAGE_MAX] = "";
    clock_ms += 60000;
    started_at = ev_time();
    cr_assert(!agent_session_open(&session, &settings, &silent, settings.flash.file, true, message),
              "%s", message);
    cr_assert(!agent_session_boot(&session, by_watchdog));
    session.boot.trial = trial;
    config = (struct agent_device_config){
        .loop = ev_loop_new(EVFLAG_AUTO),
        .agent = {.device_id = "dev-1",
                  .boot = &session.env,
                  .mqtt_within_ms = 30000,
                  .fault_free_ms = 100,
                  .retry_first_ms = 100,
                  .retry_max_ms = 1000,
                  .progress_sectors = 1},
        .boot = session.boot,
        .clock = {utc_ms, NULL},
        .reconnect_max_ms = 60000,
        .telemetry_every_ms = 2,
        .kick_every_ms = 1000,
        .faults = session.reset.faults,
        .faults_total = session.reset.total,
        .log = &silent,
        .hooks = {on_kick, on_reset, on_kick, on_told, on_kick},
    };
    cr_assert(!agent_device_start(&device, &config));
    ev_timer_init(&limit, too_late, RIG_WAIT_S, 0);
    ev_timer_start(config.loop, &limit);
}

/* Without a word, as by SIGKILL. */
static void device_drop(void)
{
    agent_device_free(&device);
    agent_session_close(&session);
    ev_loop_destroy(config.loop);
}

/* The reset record as somebody left it; its last end was sudden. */
static void put_record(const struct agent_reset *reset)
{
    uint8_t bytes[AGENT_RESET_BYTES];
    agent_reset_encode(bytes, reset);
    rig_write(rig, "flash.img.reset", bytes, sizeof bytes);
}

static void device_open(bool trial, uint32_t faults)
{
    device_make();
    put_record(&(struct agent_reset){.faults = faults, .total = faults});
    device_start(false, trial);
}

static void device_close(void)
{
    device_drop();
    device_unmake();
}

/* Until so many more telemetries were sent, each answered when `behind` others were. */
static void telemetries(uint32_t count, uint32_t behind)
{
    for (uint32_t until = mqtt.telemetries + count; mqtt.telemetries < until && !was_reset;) {
        ev_run(config.loop, EVRUN_ONCE);
        answer(behind);
    }
}

TestSuite(agentd_telemetry, .timeout = 300);

/* Each is sent before the last was answered, so no answer is ever that of the last. */
Test(agentd_telemetry, answers_that_come_late_fail_no_trial)
{
    bool confirmed = false;
    device_open(true, 0);
    ev_run(config.loop, EVRUN_ONCE);
    cr_assert_eq(agent_state(&device.agent), AGENT_HEALTH_CHECK);
    connection(true);
    while (!was_reset && !confirmed) {
        telemetries(1, 3);
        confirmed = !was_reset && agent_state(&device.agent) == AGENT_IDLE;
    }
    cr_expect(confirmed && !was_reset, "the trial's telemetry arrived");
    device_close();
}

Test(agentd_telemetry, a_reset_is_told_by_one_message_of_a_connection)
{
    device_open(false, 2);
    ev_run(config.loop, EVRUN_ONCE);
    connection(true);
    telemetries(20, 3);
    cr_expect_eq(mqtt.resets_told, 2, "%u", mqtt.resets_told);
    cr_expect(told == 2 && told_times == 1, "%u, %u times", told, told_times);
    device_close();
}

/* Nobody knows whether it arrived, so it is told again: at least once. */
Test(agentd_telemetry, what_was_not_answered_is_told_again_after_the_connection)
{
    device_open(false, 2);
    ev_run(config.loop, EVRUN_ONCE);
    connection(true);
    telemetries(5, UNDER_WAY_MAX);
    cr_expect_eq(mqtt.resets_told, 2, "%u", mqtt.resets_told);
    connection(false);
    cr_expect_eq(told_times, 0);
    connection(true);
    telemetries(5, 3);
    cr_expect_eq(mqtt.resets_told, 4, "%u", mqtt.resets_told);
    cr_expect(told == 2 && told_times == 1, "%u, %u times", told, told_times);
    device_close();
}

/* ---- The service that hears it ---- */

static struct world service;

static void service_hears(const char *telemetry, uint32_t len)
{
    service.now_us += SECOND;
    camp_telemetry_json(service.camp, 0, telemetry, len, service.now_us);
}

static int64_t counted(void)
{
    struct camp_counts counts;
    camp_counts(service.camp, &counts);
    cr_assert_eq(counts.dropped + counts.late, 0);
    const struct camp_measured *measured = &service.camp->device[0].measured;
    return measured->before.resets + measured->after.resets;
}

enum record { KEPT, LOST, OLD /* by a version without a total: one fault that is not told */ };

/* Each starts after the sudden end of the one before. */
static const struct life {
    const char *what;
    bool watchdog; /* it was the watchdog */
    enum record record;
    bool arrives, answered;
    uint32_t told; /* so many times it hears of an answer */
    int64_t counted;
} life[] = {
    {"its record is older than its total", false, OLD, true, false, 0, 1},
    {"that is told again", false, KEPT, true, true, 1, 1},
    {"the watchdog bites, and no answer comes", true, KEPT, true, false, 0, 2},
    {"it is killed before one comes", false, KEPT, true, false, 0, 2},
    {"both are told", true, KEPT, true, true, 1, 3},
    {"it is killed when nothing is owed", false, KEPT, true, true, 0, 3},
    {"its record is lost", false, LOST, true, true, 0, 3},
    {"the first of its new count", true, KEPT, true, false, 0, 4},
    {"that is told again", false, KEPT, true, true, 1, 4},
    {"nothing arrives, but the answers", true, KEPT, false, true, 1, 4},
    {"the next one tells of both", true, KEPT, true, true, 1, 6},
};

static void live(const struct life *it)
{
    if (it->record == LOST)
        cr_assert(!unlink("flash.img.reset"));
    if (it->record == OLD)
        put_record(&(struct agent_reset){.faults = 1, .boots = 3});
    told_times = 0;
    mqtt.heard = it->arrives ? service_hears : NULL;
    device_start(it->watchdog, false);
    ev_run(config.loop, EVRUN_ONCE);
    for (int connections = 0; connections < 2; connections++) {
        connection(true);
        telemetries(5, it->answered ? 2 : UNDER_WAY_MAX);
        connection(false);
    }
    device_drop();
}

Test(agentd_telemetry, each_reset_counts_once_whatever_becomes_of_answers_ends_and_records)
{
    world_init(&service, 0, 1);
    strcpy(service.info[0].id, "dev-1");
    world_open(&service);
    device_make();
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        live(&life[i]);
        cr_expect_eq(told_times, life[i].told, "%s: %u answers", life[i].what, told_times);
        int64_t resets = counted();
        cr_expect_eq(resets, life[i].counted, "%s: %ld", life[i].what, (long)resets);
    }
    cr_expect_eq(session.reset.faults, 0);
    cr_expect_eq(session.reset.total, 3, "%u", session.reset.total);
    world_free(&service);
    device_unmake();
}
