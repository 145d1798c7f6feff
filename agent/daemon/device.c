/* The core's driver: events in, actions carried out, its deadline as a timer. */
#include "device_internal.h"
#include <assert.h>
#include <string.h>
#include <sys/random.h>

/* A deadline that stays in the past must not stop the loop; one that is far is looked at again,
 * because the clock may be set meanwhile. */
enum { DEADLINE_LEAST_MS = 10, DEADLINE_MOST_MS = 60000 };

int64_t device_utc_ms(const struct agent_device *device)
{
    return device->config->clock.utc_ms(device->config->clock.ctx);
}

/*
 * The agent's time. A clock that is set during a trial (by NTP after a boot, by years) must not
 * decide its checks, so that a trial's time passes as the monotonic clock does; otherwise it is
 * UTC.
 */
static int64_t agent_now_ms(struct agent_device *device)
{
    int64_t since_ms = agent_time_since_ms();
    if (agent_state(&device->agent) == AGENT_HEALTH_CHECK)
        device->now_ms += since_ms - device->now_since_ms;
    else
        device->now_ms = device_utc_ms(device);
    device->now_since_ms = since_ms;
    return device->now_ms;
}

void device_after(struct agent_device *device, ev_timer *timer, int64_t ms)
{
    struct ev_loop *loop = device->config->loop;
    ev_timer_stop(loop, timer);
    ev_now_update(loop);
    ev_timer_set(timer, (double)ms / 1000, 0);
    ev_timer_start(loop, timer);
}

uint32_t device_random(void *ctx)
{
    uint32_t bits = 0;
    (void)ctx;
    ssize_t got = getrandom(&bits, sizeof bits, GRND_NONBLOCK);
    return got == (ssize_t)sizeof bits ? bits : (uint32_t)agent_time_since_ms() * 2654435761u;
}

static void arm_deadline(struct agent_device *device)
{
    int64_t deadline_ms = agent_deadline(&device->agent);
    ev_timer_stop(device->config->loop, &device->agent_timer);
    if (deadline_ms == INT64_MAX)
        return;
    int64_t left_ms = deadline_ms - agent_now_ms(device);
    if (left_ms < DEADLINE_LEAST_MS)
        left_ms = DEADLINE_LEAST_MS;
    device_after(device, &device->agent_timer,
                 left_ms < DEADLINE_MOST_MS ? left_ms : DEADLINE_MOST_MS);
}

static void stop_timers(struct agent_device *device)
{
    ev_timer *const timer[] = {&device->agent_timer,     &device->reconnect_timer,
                               &device->telemetry_timer, &device->kick_timer,
                               &device->fault_timer,     &device->http_timer,
                               &device->stop_timer};
    for (size_t i = 0; i < sizeof timer / sizeof timer[0]; i++)
        ev_timer_stop(device->config->loop, timer[i]);
}

void device_reset(struct agent_device *device, enum boot_reset reset)
{
    if (!device->running)
        return;
    device->running = false;
    stop_timers(device);
    device_http_cancel(device);
    agent_mqtt_drop(device->mqtt);
    device->config->hooks.reset(device->config->ctx, reset);
}

static void confirmed(struct agent_device *device)
{
    DEVICE_LOG(device, AGENT_LOG_INFO, "confirmed",
               AGENT_TEXT("version", agent_running_version(&device->agent)),
               AGENT_TEXT("slot", device->config->boot.slot == BOOT_SLOT_B ? "B" : "A"));
    device->trial = false;
    ev_timer_stop(device->config->loop, &device->fault_timer);
    device->config->hooks.kick(device->config->ctx);
}

static void perform(struct agent_device *device, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_ACT_PUBLISH_STATUS:
        device_publish_status(device, action);
        break;
    case AGENT_ACT_PUBLISH_PONG:
        device_publish(device, device->telemetry_topic, action->payload, action->len, 0, false);
        break;
    case AGENT_ACT_HTTP_GET:
        device_http_get(device, action->url, action->offset);
        break;
    case AGENT_ACT_HTTP_CANCEL:
        device_http_cancel(device);
        break;
    case AGENT_ACT_CONFIRMED:
        confirmed(device);
        break;
    case AGENT_ACT_REBOOT:
        device_reset(device, BOOT_RESET_SOFTWARE);
        break;
    default:
        break;
    }
}

static void drain(struct agent_device *device)
{
    struct agent_action action;
    while (device->running && agent_next(&device->agent, &action))
        perform(device, &action);
    if (device->running)
        arm_deadline(device);
}

void device_input(struct agent_device *device, const struct agent_event *event)
{
    if (!device->running || device->stopping)
        return;
    enum agent_state before = agent_state(&device->agent);
    agent_input(&device->agent, event, agent_now_ms(device));
    drain(device);
    if (device->running && agent_state(&device->agent) != before)
        device->config->hooks.changed(device->config->ctx);
}

static void on_state(void *ctx, enum agent_state from, enum agent_state to)
{
    struct agent_device *device = ctx;
    DEVICE_LOG(device, AGENT_LOG_INFO, "state", AGENT_TEXT("from", agent_state_name((int)from)),
               AGENT_TEXT("to", agent_state_name((int)to)));
}

static void deadline_came(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    (void)loop, (void)events;
    if (agent_now_ms(device) >= agent_deadline(&device->agent))
        device_input(device, &(struct agent_event){.kind = AGENT_EV_TIME});
    else
        arm_deadline(device);
}

static void kick_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    (void)loop, (void)events;
    if (!device->trial)
        device->config->hooks.kick(device->config->ctx);
    device_after(device, timer, device->config->kick_every_ms);
}

static void fault_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    (void)loop, (void)events;
    DEVICE_LOG(device, AGENT_LOG_WARN, "behaviour", AGENT_TEXT("what", "hard_fault"));
    device_reset(device, BOOT_RESET_HARD_FAULT);
}

static void stop_now(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    (void)loop, (void)events;
    stop_timers(device);
    device->running = false;
    agent_mqtt_disconnect(device->mqtt);
    device->config->hooks.stopped(device->config->ctx);
}

static void topic(char out[AGENT_TOPIC_MAX], const char *prefix, const char *device_id)
{
    int len = snprintf(out, AGENT_TOPIC_MAX, "%s/%s", prefix, device_id);
    assert(len < AGENT_TOPIC_MAX);
    (void)len;
}

static void init_timer(struct agent_device *device, ev_timer *timer,
                       void (*due)(struct ev_loop *, ev_timer *, int))
{
    ev_init(timer, due);
    timer->data = device;
}

static void init(struct agent_device *device, const struct agent_device_config *config)
{
    const char *id = config->agent.device_id;
    memset(device, 0, sizeof *device);
    device->config = config;
    device->trial = config->boot.trial;
    device->faults = config->faults;
    device->agent_config = config->agent;
    device->agent_config.random = device_random;
    device->agent_config.on_state = on_state;
    device->agent_config.ctx = device;
    topic(device->notification_topic, "ota/notification", id);
    topic(device->command_topic, "ota/command", id);
    topic(device->status_topic, "ota/status", id);
    topic(device->telemetry_topic, "telemetry", id);
    topic(device->presence_topic, "ota/presence", id);
    init_timer(device, &device->agent_timer, deadline_came);
    init_timer(device, &device->kick_timer, kick_due);
    init_timer(device, &device->fault_timer, fault_due);
    init_timer(device, &device->stop_timer, stop_now);
    device_http_init(device);
    device_telemetry_init(device);
}

/* The two checks that the application makes by itself, each after what the one before asked for. */
static void start_agent(struct agent_device *device)
{
    const struct agent_device_config *config = device->config;
    device->now_since_ms = agent_time_since_ms();
    device->now_ms = device_utc_ms(device);
    int error = agent_start(&device->agent, &device->agent_config, &config->boot, device->now_ms);
    DEVICE_LOG(device, error ? AGENT_LOG_ERROR : AGENT_LOG_INFO, "start",
               AGENT_TEXT("version", agent_running_version(&device->agent)),
               AGENT_TEXT("state", agent_state_name((int)agent_state(&device->agent))),
               AGENT_TEXT("journal", agent_error_name(error)));
    device->running = true;
    drain(device);
    device_input(device,
                 &(struct agent_event){.kind = AGENT_EV_DRIVERS, .ok = !config->no_drivers});
    device_input(device, &(struct agent_event){.kind = AGENT_EV_CONFIG, .ok = !config->no_config});
}

/* Later than agent_device_start, so that no hook is called from there. */
static void begin(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_device *device = timer->data;
    const struct agent_device_config *config = device->config;
    (void)loop, (void)events;
    init_timer(device, &device->agent_timer, deadline_came);
    start_agent(device);
    if (!device->running)
        return;
    if (config->hard_fault && device->trial)
        device_after(device, &device->fault_timer, config->agent.fault_free_ms / 2);
    kick_due(loop, &device->kick_timer, 0);
    if (!config->no_mqtt)
        device_mqtt_connect(device);
}

int agent_device_start(struct agent_device *device, const struct agent_device_config *config)
{
    init(device, config);
    if (device_mqtt_create(device))
        return -1;
    if (config->hang) {
        DEVICE_LOG(device, AGENT_LOG_WARN, "behaviour", AGENT_TEXT("what", "hang"));
        return 0;
    }
    init_timer(device, &device->agent_timer, begin);
    device_after(device, &device->agent_timer, 0);
    return 0;
}

void agent_device_command(struct agent_device *device, const char *json, uint32_t len)
{
    device_input(device,
                 &(struct agent_event){.kind = AGENT_EV_COMMAND, .bytes = json, .len = len});
}

void agent_device_stop(struct agent_device *device)
{
    enum { FLUSH_MS = 1000 };
    if (device->stopping)
        return;
    device->stopping = true;
    device_http_cancel(device);
    device->presence_token = 0;
    if (agent_mqtt_is_up(device->mqtt))
        device->presence_token = device_publish(device, device->presence_topic, device->offline,
                                                (uint32_t)strlen(device->offline), 1, true);
    device_after(device, &device->stop_timer, device->presence_token ? FLUSH_MS : 0);
}

void agent_device_free(struct agent_device *device)
{
    stop_timers(device);
    device->running = false;
    device_http_cancel(device);
    agent_mqtt_destroy(device->mqtt);
    device->mqtt = NULL;
}
