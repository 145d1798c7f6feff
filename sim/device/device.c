/* The device as a node: its timers, its inbox, and the loop that runs whatever is due. */
#include "device_internal.h"
#include <stdlib.h>
#include <string.h>

static uint32_t agent_random(void *ctx)
{
    struct sim_device *dev = ctx;
    return sim_rng_u32(&dev->agent_rng);
}

int64_t dev_own_us(const struct sim_device *dev, int64_t us)
{
    return us * dev->world->pace;
}

/* What does not fit (6 h at a pace beyond 198) lasts as long as it can. */
static uint32_t own_ms(const struct sim_device *dev, int64_t ms)
{
    int64_t own = ms * dev->world->pace;
    return own < UINT32_MAX ? (uint32_t)own : UINT32_MAX;
}

static int configure_agent(struct sim_device *dev)
{
    const struct scn *scn = dev->world->scn;
    struct agent_config *config = &dev->agent_config;
    *config = (struct agent_config){
        .device_id = dev->unit->id,
        .boot = &dev->env,
        .approval = scn->campaign.approval,
        .mqtt_within_ms = own_ms(dev, scn->device.mqtt_within_us / 1000),
        .fault_free_ms = own_ms(dev, scn->device.fault_free_us / 1000),
        .retry_first_ms = own_ms(dev, scn->device.retry_first_us / 1000),
        .retry_max_ms = own_ms(dev, scn->device.retry_max_us / 1000),
        .retry_alert = 3,
        .retry_give_up = 10,
        .progress_sectors = 16,
        .random = agent_random,
        .on_state = dev_state,
        .ctx = dev,
    };
    if (agent_zone_parse(&config->zone, dev->unit->zone_posix))
        return -1;
    return agent_window_parse(&config->window, dev->group->ota_window);
}

static void configure_boot(struct sim_device *dev)
{
    const struct scn *scn = dev->world->scn;
    dev->env = (struct boot_env){
        .flash = &dev->flash.port,
        .layout = &dev->world->layout,
        .keys = &dev->world->keys,
        .device_type = dev->group->device_type,
        .hw_revision = dev->unit->hw_revision,
        .trial_boots = (uint8_t)scn->device.trial_boots,
        .faulty_boots = 5,
        .watchdog_s = (uint32_t)(scn->device.watchdog_us / 1000000),
    };
}

struct sim_device *sim_device_create(const struct sim_world *world, uint32_t number, FILE *trace)
{
    struct sim_device *dev = calloc(1, sizeof *dev);
    if (!dev)
        return NULL;
    uint64_t seed = world->scn->seed;
    dev->world = world;
    dev->unit = &world->roster.unit[number];
    dev->group = &world->scn->group[dev->unit->group];
    dev->link = sim_link_find(dev->unit->link);
    dev->now_us = world->born_us;
    sim_log_init(&dev->log, number, world->scn->start_us);
    dev->log.trace = trace;
    dev->faults = sim_faults_of(&world->faults, number);
    sim_rng_init(&dev->agent_rng, seed, number, SIM_RNG_AGENT, 0);
    sim_rng_init(&dev->link_rng, seed, number, SIM_RNG_LINK, 0);
    for (int t = 0; t < TIMERS; t++)
        dev->timer[t] = SIM_NEVER;
    dev->agent = calloc(1, sizeof *dev->agent);
    configure_boot(dev);
    if (!dev->link || !dev->agent || configure_agent(dev) ||
        sim_flash_init(&dev->flash, &world->base[dev->unit->group], &world->known, &world->timing,
                       &dev->now_us, seed, number)) {
        sim_device_free(dev);
        return NULL;
    }
    dev_flash_hooks(dev);
    dev->running_slot = -1;
    dev->firmware = UINT32_MAX;
    dev->confirmed_us = -1;
    dev->counter_floor = 1;
    dev->telemetry_from_us = dev->now_us;
    /* The fleet runs since long: no boot, the application of the factory image (slot A) is just up.
     */
    dev->power = POWER_ROM;
    dev->outcome = (struct boot_outcome){.slot = BOOT_SLOT_A};
    dev->timer[TIMER_APP] = dev->now_us + dev_own_us(dev, sim_rng_below(&dev->link_rng, 1000000));
    dev->timer[TIMER_FLUSH] = dev->now_us + 86400000000;
    dev_arm_timer(dev);
    return dev;
}

void sim_device_free(struct sim_device *device)
{
    if (!device)
        return;
    dev_unfold(device);
    dev_post_free(device);
    if (device->flash.leaf)
        sim_flash_free(&device->flash);
    free(device->agent);
    free(device);
}

int64_t dev_delay_us(struct sim_device *dev, uint32_t bytes)
{
    return sim_link_delay_us(dev->link, &dev->link_rng, bytes) + dev_slow_us(dev, bytes, true);
}

static void perform(struct sim_device *dev, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_ACT_PUBLISH_STATUS:
    case AGENT_ACT_PUBLISH_PONG:
        dev_publish(dev, action);
        break;
    case AGENT_ACT_HTTP_GET:
        dev_http_get(dev, action->url, action->offset);
        break;
    case AGENT_ACT_HTTP_CANCEL:
        dev_http_lost(dev);
        break;
    case AGENT_ACT_CONFIRMED:
        dev_confirmed(dev);
        break;
    case AGENT_ACT_REBOOT:
        dev_reset(dev, BOOT_RESET_SOFTWARE, 100000);
        break;
    default:
        break;
    }
}

void dev_agent_drain(struct sim_device *dev)
{
    struct agent_action action;
    while (dev->power == POWER_APP && agent_next(dev->agent, &action))
        perform(dev, &action);
    if (dev->power != POWER_APP)
        return;
    int64_t deadline_ms = agent_deadline(dev->agent);
    dev->timer[TIMER_AGENT] =
        deadline_ms == INT64_MAX ? SIM_NEVER : deadline_ms * 1000 - dev->skew_us;
}

void dev_agent_input(struct sim_device *dev, const struct agent_event *event)
{
    dev_clock_used(dev);
    agent_input(dev->agent, event, dev_clock_ms(dev));
    dev_agent_drain(dev);
}

static void strike_due(struct sim_device *dev)
{
    struct sim_fault *fault = sim_fault_next_timed(&dev->faults);
    if (fault)
        dev_strike(dev, fault);
    dev_arm_timer(dev);
}

static void watchdog_bites(struct sim_device *dev)
{
    dev_reset(dev, BOOT_RESET_WATCHDOG, 1000);
    dev_telemetry_reset(dev);
}

/* A boot_failure fault that resets the application again and again, without a fault of its own. */
static void reset_from_outside(struct sim_device *dev)
{
    bool sagged = dev->ailment.fault == SCN_HOW_BROWN_OUT;
    dev_reset(dev, sagged ? BOOT_RESET_BROWN_OUT : BOOT_RESET_PIN, 1000);
}

static void status_acknowledged(struct sim_device *dev)
{
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = dev->puback_id});
}

static void agent_due(struct sim_device *dev)
{
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_TIME});
}

/* All devices tell their telemetry at the same hour, once a day, so that ticks between are left
 * out; on a wire each message goes by itself. */
static void telemetry_due(struct sim_device *dev)
{
    if (dev->wire) {
        dev_telemetry_message(dev);
        return;
    }
    const int64_t hour = 3600000000, day = 24 * hour;
    dev_telemetry_flush(dev);
    dev->timer[TIMER_FLUSH] = dev->now_us - dev->now_us % hour + day;
}

static void (*const due[TIMERS])(struct sim_device *) = {
    [TIMER_POWER_ON] = dev_power_on,
    [TIMER_BOOT] = dev_boot,
    [TIMER_APP] = dev_app_start,
    [TIMER_FAULT] = strike_due,
    [TIMER_LINK_UP] = dev_link_up,
    [TIMER_WATCHDOG] = watchdog_bites,
    [TIMER_CRASH] = dev_crash,
    [TIMER_RESET] = reset_from_outside,
    [TIMER_CONFIG] = dev_config_loaded,
    [TIMER_DRIVERS] = dev_drivers_ready,
    [TIMER_LINK_LOST] = dev_link_lost,
    [TIMER_MQTT] = dev_mqtt_connect,
    [TIMER_TELEMETRY_ACK] = dev_telemetry_acknowledged,
    [TIMER_PUBACK] = status_acknowledged,
    [TIMER_PONG] = dev_wire_pong,
    [TIMER_INBOX] = dev_inbox,
    [TIMER_INTERLOCK] = dev_interlock,
    [TIMER_HTTP] = dev_http_step,
    [TIMER_AGENT] = agent_due,
    [TIMER_FLUSH] = telemetry_due,
    [TIMER_BROKER] = dev_broker_restarted,
    [TIMER_CLOCK] = dev_clock_set,
};

static enum sim_timer earliest(const struct sim_device *dev)
{
    enum sim_timer first = 0;
    for (int t = 1; t < TIMERS; t++)
        if (dev->timer[t] < dev->timer[first])
            first = (enum sim_timer)t;
    return first;
}

int64_t sim_device_run(struct sim_device *dev, struct sim_shard *shard, int64_t until_us)
{
    dev->shard = shard;
    dev->env.crypto = &shard->crypto;
    /* A power cut anywhere below continues here, whatever was on the stack of agent or bootloader.
     */
    if (setjmp(dev->off))
        dev_power_was_cut(dev);
    for (;;) {
        enum sim_timer timer = earliest(dev);
        if (dev->timer[timer] >= until_us)
            return dev->timer[timer];
        /* Flash operations may have taken the device past the time at which this was due. */
        if (dev->timer[timer] > dev->now_us)
            dev->now_us = dev->timer[timer];
        dev->timer[timer] = SIM_NEVER;
        due[timer](dev);
    }
}

static int64_t away_until_us(const struct sim_device *dev)
{
    if (dev->power == POWER_DEAD)
        return 0;
    int64_t off = dev->power == POWER_OFF ? dev->timer[TIMER_POWER_ON] : 0;
    return off > dev->mqtt_down_until_us ? off : dev->mqtt_down_until_us;
}

void sim_device_truth(const struct sim_device *dev, struct sim_truth *out)
{
    *out = (struct sim_truth){
        .version = dev->truth_version,
        .state = dev->state,
        .powered = dev->power == POWER_APP,
        .connected = dev->connected && !dev->holed,
        .away_until_us = away_until_us(dev),
        .lost_us = dev->lost_us > dev->mqtt_down_until_us ? dev->lost_us : dev->mqtt_down_until_us,
        .brick = dev->brick,
        .boots = dev->boots,
        .cuts = dev->cuts,
        .changes = dev->changes,
        .changed_us = dev->changed_us,
        .crashes_after_confirm = dev->crashes_after_confirm,
        .flash = dev->flash.stats,
    };
    out->settled = out->powered && out->connected && dev->running_confirmed &&
                   dev->state == AGENT_IDLE && !dev->inbox && dev->agent->journal.outbox_count == 0;
    memcpy(out->broken, dev->broken, sizeof out->broken);
    memcpy(out->broken_what, dev->broken_what, sizeof out->broken_what);
}

uint32_t sim_device_changes(const struct sim_device *device)
{
    return device->changes;
}

const struct sim_log *sim_device_log(const struct sim_device *device)
{
    return &device->log;
}

struct sim_log *sim_device_log_for_test(struct sim_device *device)
{
    return &device->log;
}
