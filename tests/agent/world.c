#include "world.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct world_image world_v1, world_v2, world_v3;

enum { EVENT_MS = 5 };
static const int64_t noon_ms = 1774008000000; /* Friday 2026-03-20 12:00 UTC */
static const int64_t forever_ms = 40LL * 86400000;

static uint32_t world_random(void *ctx)
{
    struct world *world = ctx;
    world->flash.chance = world->flash.chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->flash.chance >> 32);
}

static void world_state(void *ctx, enum agent_state from, enum agent_state to)
{
    struct world *world = ctx;
    cr_assert(agent_transition_allowed(from, to), "%s -> %s is not drawn",
              agent_state_name((int)from), agent_state_name((int)to));
    world->edge[from][to] = true;
    uint32_t at = world->steps++ % WORLD_LOG;
    world->path[at].from = from;
    world->path[at].to = to;
    world->path[at].at_ms = world->now_ms;
}

void world_factory(struct world *world, int slot, const struct world_image *image, bool confirmed)
{
    struct boot_trailer trailer = {.signed_image = true,
                                   .image_bytes = image->header.image_bytes,
                                   .signature_bytes = image->signature_bytes};
    const struct boot_layout *layout = &world->flash.layout;
    uint32_t addr = layout->slot_addr[slot];
    memset(world->flash.cell + addr, 0xff, layout->slot_bytes);
    memcpy(world->flash.cell + addr, image->bytes, image->header.image_bytes);
    memcpy(trailer.signature, image->signature, sizeof trailer.signature);
    snprintf(trailer.cert_id, sizeof trailer.cert_id, "key-%d", image->key + 1);
    cr_assert_eq(boot_trailer_write(&world->flash.port, layout, slot, &trailer), BOOT_OK);
    if (confirmed)
        cr_assert_eq(boot_trailer_mark(&world->flash.port, layout, slot, 1), BOOT_OK);
}

static void make_images(void)
{
    world_image(&world_v1, "2.3.1", 3 * WORLD_SECTOR + 1000, 0);
    world_image(&world_v2, "2.4.0", 4 * WORLD_SECTOR + 300, 0);
    world_image(&world_v3, "2.5.0", 2 * WORLD_SECTOR, 1);
}

static void configure(struct world *world)
{
    world->config = (struct agent_config){
        .device_id = "dev-0001",
        .boot = &world->env,
        .window = {.kind = AGENT_WINDOW_DAILY, .utc = true, .start_min = 0, .end_min = 1439},
        .mqtt_within_ms = 30000,
        .fault_free_ms = 60000,
        .retry_first_ms = 60000,
        .retry_max_ms = 6 * 3600 * 1000,
        .retry_alert = 3,
        .retry_give_up = 10,
        .progress_sectors = 1,
        .random = world_random,
        .on_state = world_state,
        .ctx = world,
    };
    world->env = (struct boot_env){
        .flash = &world->flash.port,
        .layout = &world->flash.layout,
        .crypto = &world->crypto,
        .keys = &world->keys,
        .device_type = "pump_monitor_v2",
        .hw_revision = "Rev-C",
        .trial_boots = 3,
        .faulty_boots = 5,
        .watchdog_s = 120,
    };
}

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->keys = world_keys();
    if (!world_v1.signature_bytes)
        make_images();
    cr_assert_eq(boot_openssl_init(&world->openssl), 0);
    boot_openssl_port(&world->openssl, &world->crypto);
    world_flash_init(&world->flash);
    world->flash.power = &world->power;
    configure(world);
    world->now_ms = noon_ms;
    world->chunk = WORLD_SECTOR;
    world->healthy = (struct world_health){2000, true, true, true, -1, BOOT_RESET_POWER_ON};
    world->health = world->healthy;
    world_factory(world, BOOT_SLOT_A, &world_v1, true);
    world_power_on(world, BOOT_RESET_POWER_ON);
    world_run_for(world, 5000);
    world->flash.ops = 0;
}

void world_power_on(struct world *world, enum boot_reset reset)
{
    memset(&world->agent, 0xa5, sizeof world->agent);
    world_flash_reboot(&world->flash);
    world->boot_pending = true;
    world->reset = reset;
    world->ack = 0;
    world->http_open = false;
}

static void log_status(struct world *world, const struct agent_action *action)
{
    json_error_t error;
    json_t *root = json_loadb(action->payload, action->len, JSON_REJECT_DUPLICATES, &error);
    cr_assert(root, "status is no JSON: %.*s", (int)action->len, action->payload);
    cr_assert_lt(world->logged, WORLD_LOG);
    struct world_status *out = &world->log[world->logged++];
    const char *device, *at, *status, *reason, *campaign, *firmware, *version, *slot;
    json_int_t seq;
    int bad = json_unpack_ex(root, &error, JSON_STRICT, "{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s}",
                             "device_id", &device, "campaign_id", &campaign, "firmware_id",
                             &firmware, "seq", &seq, "at", &at, "status", &status, "reason",
                             &reason, "version", &version, "slot", &slot);
    cr_assert_not(bad, "%s", error.text);
    cr_assert_eq(seq, action->id);
    cr_assert_str_eq(device, world->config.device_id);
    cr_assert_eq(strlen(at), strlen("2026-03-20T12:00:00.000Z"));
    out->seq = (uint32_t)seq;
    snprintf(out->status, sizeof out->status, "%s", status);
    snprintf(out->reason, sizeof out->reason, "%s", reason);
    snprintf(out->campaign_id, sizeof out->campaign_id, "%s", campaign);
    snprintf(out->firmware_id, sizeof out->firmware_id, "%s", firmware);
    snprintf(out->version, sizeof out->version, "%s", version);
    snprintf(out->slot, sizeof out->slot, "%s", slot);
    json_decref(root);
}

static void perform(struct world *world, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_ACT_PUBLISH_STATUS:
        cr_assert(world->mqtt_told, "published while disconnected");
        log_status(world, action);
        world->ack = world->deaf ? 0 : action->id;
        break;
    case AGENT_ACT_PUBLISH_PONG:
        memcpy(world->pong, action->payload, action->len);
        world->pong[action->len] = '\0';
        world->pongs++;
        break;
    case AGENT_ACT_HTTP_GET:
        cr_assert_not(world->http_open, "a second transfer");
        world->get_offset[world->gets++ % 32] = action->offset;
        snprintf(world->get_url, sizeof world->get_url, "%s", action->url);
        world->http_open = true;
        world->http_head = false;
        world->http_at = action->offset;
        break;
    case AGENT_ACT_HTTP_CANCEL:
        cr_assert(world->http_open, "nothing to cancel");
        world->http_open = false;
        world->cancels++;
        break;
    case AGENT_ACT_CONFIRMED:
        world->confirms++;
        break;
    default:
        world->reboots++;
        world_power_on(world, BOOT_RESET_SOFTWARE);
        break;
    }
}

static void perform_all(struct world *world)
{
    struct agent_action action;
    while (!world->boot_pending && agent_next(&world->agent, &action))
        perform(world, &action);
}

static void feed(struct world *world, const struct agent_event *event)
{
    world->now_ms += EVENT_MS;
    agent_input(&world->agent, event, world->now_ms);
    perform_all(world);
}

static void boot(struct world *world)
{
    cr_assert_eq(boot_run(&world->env, world->reset, &world->outcome), BOOT_OK);
    cr_assert_neq(world->outcome.slot, BOOT_SLOT_NONE, "bricked");
    struct agent_boot how = {world->outcome.slot, world->outcome.trial, world->reset,
                             world->outcome.cause};
    world->boots++;
    world->booted_ms = world->now_ms;
    world->mqtt_told = world->telemetry_told = world->apps_told = world->time_told = false;
    world->boot_pending = false;
    agent_start(&world->agent, &world->config, &how, world->now_ms);
    perform_all(world);
}

static const struct world_health *health(const struct world *world)
{
    return world->outcome.trial ? &world->health : &world->healthy;
}

static bool mqtt_due(const struct world *world)
{
    int64_t after_ms = health(world)->mqtt_ms;
    return !world->mqtt_told && !world->broker_down && after_ms >= 0 &&
           world->now_ms >= world->booted_ms + after_ms;
}

static void applications(struct world *world)
{
    world->apps_told = true;
    feed(world, &(struct agent_event){.kind = AGENT_EV_DRIVERS, .ok = health(world)->drivers});
    if (!world->boot_pending)
        feed(world, &(struct agent_event){.kind = AGENT_EV_CONFIG, .ok = health(world)->config});
}

static void serve_head(struct world *world, enum world_http how)
{
    uint32_t size = world->served->header.image_bytes;
    struct agent_event event = {.kind = AGENT_EV_HTTP_HEAD,
                                .http_status = 206,
                                .total_bytes = size,
                                .offset = world->http_at};
    if (how == HTTP_REFUSED)
        event.kind = AGENT_EV_HTTP_ERROR;
    if (how == HTTP_500 || how == HTTP_404)
        event.http_status = how == HTTP_500 ? 500 : 404;
    if (how == HTTP_SIZE)
        event.total_bytes = size + 1;
    if (how == HTTP_WHOLE) {
        event.http_status = 200;
        event.offset = world->http_at = 0;
    }
    if (how == HTTP_ENDLESS)
        event.total_bytes = 0;
    world->http_head = true;
    world->http_open = how != HTTP_REFUSED;
    feed(world, &event);
}

static void serve(struct world *world)
{
    enum world_http how = world->http_times ? world->http : HTTP_GOOD;
    uint32_t size = world->served->header.image_bytes, at = world->http_at;
    uint32_t half = size / 2;
    uint8_t chunk[WORLD_IMAGE_MAX];
    if (!world->http_head) {
        serve_head(world, how);
    } else if ((how == HTTP_SHORT || how == HTTP_BROKEN) && at >= half) {
        world->http_open = false;
        feed(world, &(struct agent_event){.kind = how == HTTP_SHORT ? AGENT_EV_HTTP_END
                                                                    : AGENT_EV_HTTP_ERROR});
    } else if (at >= size && how != HTTP_ENDLESS) {
        world->http_open = false;
        feed(world, &(struct agent_event){.kind = AGENT_EV_HTTP_END});
    } else {
        uint32_t left = at < size ? size - at : WORLD_SECTOR;
        uint32_t len = left < world->chunk ? left : world->chunk;
        memset(chunk, 0x5a, sizeof chunk);
        if (at < size)
            memcpy(chunk, world->served->bytes + at, len);
        if (how == HTTP_FLIP && at <= half && half < at + len)
            chunk[half - at] ^= 4;
        world->http_at += len;
        feed(world, &(struct agent_event){.kind = AGENT_EV_HTTP_DATA, .bytes = chunk, .len = len});
    }
    if (!world->http_open && world->http_times)
        world->http_times--;
}

static void earlier(int64_t *next_ms, int64_t at_ms)
{
    if (at_ms < *next_ms)
        *next_ms = at_ms;
}

/* Jumps to whatever comes next. */
static bool wait(struct world *world)
{
    const struct world_health *how = health(world);
    int64_t next_ms = agent_deadline(&world->agent);
    int64_t fault_ms = how->fault_ms >= 0 ? world->booted_ms + how->fault_ms : INT64_MAX;
    if (!world->mqtt_told && !world->broker_down && how->mqtt_ms >= 0)
        earlier(&next_ms, world->booted_ms + how->mqtt_ms);
    if (world->interlock_until_ms)
        earlier(&next_ms, world->interlock_until_ms);
    earlier(&next_ms, fault_ms);
    if (next_ms > world->until_ms)
        return false;
    if (next_ms > world->now_ms)
        world->now_ms = next_ms;
    if (world->now_ms >= fault_ms) {
        world_power_on(world, how->fault);
    } else if (world->interlock_until_ms && world->now_ms >= world->interlock_until_ms) {
        world->interlock_until_ms = 0;
        feed(world, &(struct agent_event){.kind = AGENT_EV_INTERLOCK, .ok = false});
    } else if (!mqtt_due(world)) {
        agent_input(&world->agent, &(struct agent_event){.kind = AGENT_EV_TIME}, world->now_ms);
        perform_all(world);
    }
    return true;
}

static bool event(struct world *world)
{
    if (world->boot_pending) {
        boot(world);
    } else if (world->ack) {
        uint32_t id = world->ack;
        world->ack = 0;
        feed(world, &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = id});
    } else if (!world->apps_told) {
        applications(world);
    } else if (mqtt_due(world)) {
        world->mqtt_told = true;
        feed(world, &(struct agent_event){.kind = AGENT_EV_MQTT_UP});
    } else if (world->mqtt_told && !world->telemetry_told && health(world)->telemetry) {
        world->telemetry_told = true;
        feed(world, &(struct agent_event){.kind = AGENT_EV_TELEMETRY});
    } else if (world->http_open) {
        serve(world);
    } else {
        return wait(world);
    }
    return true;
}

bool world_step(struct world *world)
{
    if (setjmp(world->power)) {
        world->cuts++;
        world_power_on(world, BOOT_RESET_POWER_ON);
        return true;
    }
    return event(world);
}

void world_input(struct world *world, const struct agent_event *input)
{
    if (setjmp(world->power)) {
        world->cuts++;
        world_power_on(world, BOOT_RESET_POWER_ON);
        return;
    }
    feed(world, input);
}

void world_notify(struct world *world, const struct world_notice *notice)
{
    char json[4096];
    uint32_t len = world_notice_json(json, sizeof json, notice);
    world->served = notice->image;
    world_input(world,
                &(struct agent_event){.kind = AGENT_EV_NOTIFICATION, .bytes = json, .len = len});
}

void world_update(struct world *world, struct world_image *image)
{
    struct world_notice notice;
    world_notice(&notice, image);
    world_notify(world, &notice);
}

void world_order(struct world *world, const char *json)
{
    world_input(world, &(struct agent_event){
                           .kind = AGENT_EV_COMMAND, .bytes = json, .len = (uint32_t)strlen(json)});
}

void world_disconnect(struct world *world)
{
    world->broker_down = true;
    world->mqtt_told = false;
    world->ack = 0;
    world_input(world, &(struct agent_event){.kind = AGENT_EV_MQTT_DOWN});
}

void world_run(struct world *world)
{
    uint32_t steps = 0;
    world->until_ms = world->now_ms + forever_ms;
    while (world_step(world))
        cr_assert_lt(++steps, 20000, "the agent does not come to rest");
}

void world_run_to(struct world *world, enum agent_state state)
{
    uint32_t steps = 0;
    world->until_ms = world->now_ms + forever_ms;
    while (world->boot_pending || agent_state(&world->agent) != state) {
        cr_assert(world_step(world), "never came to %s", agent_state_name((int)state));
        cr_assert_lt(++steps, 20000, "never came to %s", agent_state_name((int)state));
    }
}

void world_run_for(struct world *world, int64_t ms)
{
    uint32_t steps = 0;
    world->until_ms = world->now_ms + ms;
    while (world_step(world) && world->now_ms < world->until_ms)
        cr_assert_lt(++steps, 20000, "time stands still");
    if (world->now_ms < world->until_ms)
        world->now_ms = world->until_ms;
}

int world_find(const struct world *world, const char *status, uint32_t from)
{
    for (uint32_t i = from; i < world->logged; i++)
        if (!strcmp(world->log[i].status, status))
            return (int)i;
    return -1;
}

uint32_t world_count(const struct world *world, const char *status)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->logged; i++) {
        bool again = false;
        for (uint32_t k = 0; k < i; k++)
            again |= world->log[k].seq == world->log[i].seq;
        count += !again && !strcmp(world->log[i].status, status);
    }
    return count;
}

const char *world_reason(const struct world *world, const char *status)
{
    int at = world_find(world, status, 0);
    return at < 0 ? "never told" : world->log[at].reason;
}

const char *world_story(const struct world *world)
{
    static char story[4096];
    uint32_t highest = 0;
    size_t len = 0;
    story[0] = '\0';
    for (uint32_t i = 0; i < world->logged; i++) {
        const struct world_status *status = &world->log[i];
        if (status->seq > highest) {
            highest = status->seq;
            len += (size_t)snprintf(story + len, sizeof story - len, "%s%s", len ? " " : "",
                                    status->status);
            continue;
        }
        uint32_t k = 0;
        while (k < i && world->log[k].seq != status->seq)
            k++;
        cr_assert(k < i && !strcmp(world->log[k].status, status->status),
                  "seq %u was used twice: %s and %s", status->seq, world->log[k].status,
                  status->status);
    }
    return story;
}
