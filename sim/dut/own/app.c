/*
 * The application in one power session: the world around the agent's core, as tests/agent/world.c
 * and sim/device are it. Events go in, actions are carried out, time passes by sleeping until the
 * agent's deadline.
 */
#include "own.h"
#include <string.h>

enum { CONNECTED_MS = 2000, HTTP_PARTIAL = 206 };

static int64_t now(const struct own_app *app)
{
    return app->port->now_ms(app->port->ctx);
}

static void input(struct own_app *app, const struct agent_event *event)
{
    agent_input(&app->agent, event, now(app));
}

static bool check(const struct own_app *app, enum dut_check what)
{
    return app->port->check(app->port->ctx, what);
}

/* Jitter is no matter here, and what is random would make equal states unequal. */
static uint32_t steady(void *ctx)
{
    (void)ctx;
    return 0x5a5a5a5a;
}

static void on_state(void *ctx, enum agent_state from, enum agent_state to)
{
    const struct own_app *app = ctx;
    own_tell_state(app->port, from, to);
}

/* Times and limits are those of sim/device/device.c. The window is open for the whole day, so that
 * the time of day is no part of a device's state. */
static void configure(struct own_app *app, const struct boot_env *env)
{
    const struct dut_unit *unit = app->port->unit;
    uint32_t sectors = env->layout->slot_bytes / env->layout->sector_bytes;
    app->config = (struct agent_config){
        .device_id = "dut",
        .boot = env,
        .window = {.kind = AGENT_WINDOW_DAILY, .utc = true, .start_min = 0, .end_min = 1440},
        .mqtt_within_ms = unit->mqtt_within_ms,
        .fault_free_ms = unit->fault_free_ms,
        .retry_first_ms = 60000,
        .retry_max_ms = 6 * 3600 * 1000,
        .retry_alert = 3,
        .retry_give_up = 10,
        .progress_sectors = sectors < 16 ? 1 : 16,
        .random = steady,
        .on_state = on_state,
        .ctx = app,
    };
}

/* The watchdog is kicked where time passes, but never by an image that is on trial. */
static void kick(const struct own_app *app)
{
    if (!app->trial)
        app->port->kick(app->port->ctx, 0);
}

static void publish(struct own_app *app, const struct agent_action *action)
{
    own_tell_status(app->port, action->payload, action->len);
    app->reports++;
    app->ack = action->id;
}

static void perform(struct own_app *app, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_ACT_PUBLISH_STATUS:
        publish(app, action);
        break;
    case AGENT_ACT_HTTP_GET:
        app->transfer = (struct own_transfer){.open = true, .offset = action->offset};
        break;
    case AGENT_ACT_HTTP_CANCEL:
        app->transfer.open = false;
        break;
    case AGENT_ACT_CONFIRMED:
        app->trial = false;
        kick(app);
        break;
    case AGENT_ACT_REBOOT:
        app->reset = true;
        break;
    default: /* a pong: nobody listens */
        break;
    }
}

/* The broker acknowledges each status at once. False when the agent asks for a reset. */
static bool perform_all(struct own_app *app)
{
    struct agent_action action;
    do {
        app->ack = 0;
        while (agent_next(&app->agent, &action))
            perform(app, &action);
        if (app->ack)
            input(app, &(struct agent_event){.kind = AGENT_EV_PUBLISHED, .id = app->ack});
    } while (app->ack);
    return !app->reset;
}

/* One step of the transfer: its head, then pieces that end at multiples of their size. */
static void serve(struct own_app *app)
{
    struct own_transfer *transfer = &app->transfer;
    struct agent_event event = {.kind = AGENT_EV_HTTP_HEAD,
                                .http_status = HTTP_PARTIAL,
                                .total_bytes = app->wish.image_bytes,
                                .offset = transfer->offset};
    if (transfer->headed) {
        uint32_t len = OWN_PIECE_BYTES - transfer->offset % OWN_PIECE_BYTES;
        int32_t got = app->port->fetch(app->port->ctx, transfer->offset, app->piece, len);
        event = (struct agent_event){.kind = got > 0    ? AGENT_EV_HTTP_DATA
                                             : got == 0 ? AGENT_EV_HTTP_END
                                                        : AGENT_EV_HTTP_ERROR,
                                     .bytes = app->piece,
                                     .len = got > 0 ? (uint32_t)got : 0};
        transfer->open = got > 0;
        transfer->offset += event.len;
    }
    transfer->headed = true;
    kick(app);
    input(app, &event);
}

/* FNV-1a, 64 bits: only to know a message again. */
static uint64_t digest(const struct dut_offer *offer)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)offer->kind;
    for (uint32_t i = 0; i < offer->message_len; i++)
        hash = (hash ^ (uint8_t)offer->message[i]) * 0x100000001b3u;
    return hash;
}

/*
 * At the start of a session, and whenever the agent has come to rest. What it has to tell goes
 * first: a service that knows an outcome does not order it again.
 */
static bool may_listen(const struct own_app *app)
{
    bool at_rest = agent_state(&app->agent) == AGENT_IDLE && !app->transfer.open;
    return app->connected && !app->agent.journal.outbox_count && (!app->wish.asked || at_rest);
}

/* Delivers what the service wants. Not twice the same without a word of the agent in between: it
 * would say it nothing. False when there is nothing to deliver. */
static bool listen(struct own_app *app)
{
    struct own_wish *wish = &app->wish;
    struct dut_offer offer;
    if (!may_listen(app))
        return false;
    wish->asked = true;
    wish->image_bytes = 0;
    memset(&offer, 0, sizeof offer);
    if (!app->port->offer(app->port->ctx, &offer))
        return false;
    bool update = offer.kind == DUT_OFFER_UPDATE;
    uint64_t told = digest(&offer);
    if (update)
        wish->image_bytes = offer.image.len;
    if ((wish->fed && wish->told == told && wish->reports == app->reports) ||
        wish->feeds == OWN_FEEDS_MAX)
        return false;
    wish->fed = true;
    wish->told = told;
    wish->reports = app->reports;
    wish->feeds++;
    input(app, &(struct agent_event){.kind = update ? AGENT_EV_NOTIFICATION : AGENT_EV_COMMAND,
                                     .bytes = offer.message,
                                     .len = offer.message_len});
    return true;
}

static int64_t mqtt_at(const struct own_app *app)
{
    return app->mqtt_asked ? INT64_MAX : app->started_ms + CONNECTED_MS;
}

static int64_t fault_at(const struct own_app *app)
{
    return !app->trial || app->fault_asked ? INT64_MAX
                                           : app->started_ms + app->port->unit->fault_free_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* In steps that the watchdog allows, unless it may not be kicked. */
static void sleep_until(struct own_app *app, int64_t until_ms)
{
    int64_t step_ms = (int64_t)app->watchdog_s * 500, at_ms;
    while ((at_ms = now(app)) < until_ms) {
        kick(app);
        bool all = app->trial || !step_ms || until_ms - at_ms <= step_ms;
        app->port->sleep_until(app->port->ctx, all ? until_ms : at_ms + step_ms);
    }
}

static void connect(struct own_app *app)
{
    app->mqtt_asked = true;
    app->connected = check(app, DUT_CHECK_MQTT);
    if (!app->connected)
        return;
    input(app, &(struct agent_event){.kind = AGENT_EV_MQTT_UP});
    if (perform_all(app) && check(app, DUT_CHECK_TELEMETRY))
        input(app, &(struct agent_event){.kind = AGENT_EV_TELEMETRY});
}

enum wait { WAIT_DONE, WAIT_FOR_EVER, WAIT_FAULT };

/*
 * Until something is due. A confirmed image without a connection has nothing to wait for: it would
 * look at its deadlines for ever.
 */
static enum wait wait(struct own_app *app)
{
    int64_t next_ms = earlier(agent_deadline(&app->agent), earlier(mqtt_at(app), fault_at(app)));
    if (next_ms == INT64_MAX || (app->mqtt_asked && !app->connected && !app->trial))
        return WAIT_FOR_EVER;
    /* A deadline that stays in the past must not stop the time. */
    if (next_ms <= app->timed_ms)
        next_ms = app->timed_ms + 1;
    sleep_until(app, next_ms);
    app->timed_ms = now(app);
    if (app->timed_ms >= fault_at(app)) {
        app->fault_asked = true;
        if (!check(app, DUT_CHECK_NO_FAULT))
            return WAIT_FAULT;
    }
    if (app->timed_ms >= mqtt_at(app))
        connect(app);
    else
        input(app, &(struct agent_event){.kind = AGENT_EV_TIME});
    return WAIT_DONE;
}

/* The two checks which the application makes by itself. */
static void begin(struct own_app *app, const struct agent_boot *boot)
{
    agent_start(&app->agent, &app->config, boot, app->started_ms);
    if (perform_all(app))
        input(app,
              &(struct agent_event){.kind = AGENT_EV_DRIVERS, .ok = check(app, DUT_CHECK_DRIVERS)});
    if (perform_all(app))
        input(app,
              &(struct agent_event){.kind = AGENT_EV_CONFIG, .ok = check(app, DUT_CHECK_CONFIG)});
}

enum dut_run own_app_run(struct own_app *app, const struct dut_port *port,
                         const struct boot_env *env, const struct agent_boot *boot,
                         uint32_t watchdog_s)
{
    enum wait waited = WAIT_DONE;
    memset(app, 0, offsetof(struct own_app, piece));
    app->port = port;
    app->trial = boot->trial;
    app->watchdog_s = watchdog_s;
    app->started_ms = app->timed_ms = now(app);
    configure(app, env);
    begin(app, boot);
    while (waited == WAIT_DONE && perform_all(app)) {
        if (listen(app))
            continue;
        if (app->transfer.open)
            serve(app);
        else
            waited = wait(app);
    }
    return waited == WAIT_FOR_EVER ? DUT_RUN_IDLE : DUT_RUN_RESET;
}
