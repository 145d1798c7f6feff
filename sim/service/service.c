/*
 * The loop: what devices say goes into the campaign and is committed before the broker hears that
 * it arrived; what the campaign says is in the database until the broker has it.
 */
#include "service.h"
#include "daemon_kit/control.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double LOOK_S = 0.05, HOSTILE_EVERY_S = 1;
enum { DOWN_TOLD_EVERY = 60 };

/* Test aid: it can be made to die at any step. */
static void step(struct svc *svc)
{
    if (++svc->steps == svc->settings->die_at)
        kill(getpid(), SIGKILL);
}

/* ---- Time ---- */

/* The campaign's time goes time_scale times as fast as the real one, from the first start on. It
 * never goes back, whatever is done to the host's clock. */
int64_t svc_now_us(const struct svc *svc)
{
    int64_t passed_us = (int64_t)(ev_time() * 1e6) - svc->state.started_us;
    int64_t now_us = svc->state.started_us + passed_us * svc->camp_config.pace;
    return now_us > svc->now_us ? now_us : svc->now_us;
}

/* ---- The campaign ---- */

static void on_event(void *ctx, int64_t at_us, const char *kind, const char *text)
{
    char at[AGENT_TIME_TEXT];
    (void)ctx;
    agent_time_text(at, at_us / 1000);
    SVC_LOG(strcmp(kind, "alert") ? AGENT_LOG_INFO : AGENT_LOG_WARN, kind, AGENT_TEXT("at", at),
            AGENT_TEXT("text", text));
}

static int send_all(struct svc *svc)
{
    struct camp_out out;
    while (camp_next_out(svc->camp, &out)) {
        if (sim_desk_send(svc->desk, &out)) {
            SVC_LOG(AGENT_LOG_ERROR, "failed", AGENT_TEXT("text", "no memory for messages"));
            svc->failed = true;
            return -1;
        }
        step(svc);
    }
    return 0;
}

int svc_tick(struct svc *svc)
{
    if (svc->failed)
        return -1;
    svc->now_us = svc_now_us(svc);
    camp_keep_from(svc->camp, sim_desk_outstanding_from(svc->desk));
    step(svc);
    if (camp_tick(svc->camp, svc->now_us)) {
        SVC_LOG(AGENT_LOG_ERROR, "failed", AGENT_TEXT("text", camp_message(svc->camp)));
        svc->failed = true;
        ev_break(svc->loop, EVBREAK_ONE);
        return -1;
    }
    svc->heard = false;
    step(svc);
    return send_all(svc);
}

static bool stopped(const struct svc *svc)
{
    struct rep_result result;
    bool found = false;
    rep_result_init(&result);
    if (!camp_report(svc->camp, &result))
        for (uint32_t p = 0; p < result.phases; p++)
            found |= result.phase[p].result == REP_PHASE_STOPPED;
    rep_result_free(&result);
    return found;
}

/* A pause by the operator has no end of its own. */
bool svc_is_over(const struct svc *svc, bool *by_gate)
{
    enum camp_state state = camp_state(svc->camp);
    *by_gate = false;
    if (!camp_done(svc->camp))
        return false;
    *by_gate = state != CAMP_FINISHED && stopped(svc);
    return state != CAMP_PAUSED || (*by_gate && !svc->settings->wait_when_stopped);
}

const char *svc_state_name(enum camp_state state)
{
    static const char *const names[] = {
        [CAMP_RUNNING] = "running", [CAMP_OBSERVING] = "observing",
        [CAMP_PAUSED] = "paused",   [CAMP_ROLLING_BACK] = "rolling_back",
        [CAMP_STOPPED] = "stopped", [CAMP_FINISHED] = "finished",
    };
    return names[state];
}

/* ---- The desk ---- */

static void look_for_backlog(struct svc *svc)
{
    uint64_t backlog = camp_backlog(svc->camp);
    if (backlog != svc->backlog)
        svc->settle.backlog_at = ev_now(svc->loop);
    svc->backlog = backlog;
}

static void said(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len)
{
    struct svc *svc = ctx;
    step(svc);
    svc->now_us++; /* two messages never come at the same time */
    svc->now_us = svc_now_us(svc);
    if (what == SIM_SAID_STATUS)
        camp_status(svc->camp, device, json, len, svc->now_us);
    else
        camp_telemetry_json(svc->camp, device, json, len, svc->now_us);
    svc->heard = true;
    svc->said_us = svc->now_us;
    svc->settle.heard_at = ev_now(svc->loop);
    look_for_backlog(svc);
}

static bool keep(void *ctx)
{
    struct svc *svc = ctx;
    return !svc->heard || !svc_tick(svc);
}

static void on_up(struct svc *svc)
{
    double now = ev_now(svc->loop);
    svc->settle = (struct svc_settle){.up_at = now, .heard_at = now, .backlog_at = now};
    camp_connected(svc->camp, svc_now_us(svc));
    SVC_LOG(AGENT_LOG_INFO, "connected", AGENT_TEXT("host", svc->settings->broker.host),
            AGENT_NUMBER("port", svc->settings->broker.port),
            AGENT_NUMBER("again", sim_desk_outstanding(svc->desk)));
    svc->downs = 0;
    svc->why[0] = '\0';
}

/* The same reason again and again is told once a minute. */
static void on_down(struct svc *svc, const char *why)
{
    svc->now_us = svc_now_us(svc);
    svc->settled = false;
    camp_deaf(svc->camp, svc_heard_until_us(svc->said_us, svc->now_us, svc->camp_config.pace));
    if (svc->downs++ % DOWN_TOLD_EVERY == 0 || strcmp(svc->why, why))
        SVC_LOG(AGENT_LOG_WARN, "disconnected", AGENT_TEXT("host", svc->settings->broker.host),
                AGENT_NUMBER("port", svc->settings->broker.port), AGENT_TEXT("why", why),
                AGENT_NUMBER("in_a_row", svc->downs), AGENT_TEXT("next", "tried again"));
    snprintf(svc->why, sizeof svc->why, "%s", why);
}

static void link_changed(void *ctx, bool up, const char *why)
{
    struct svc *svc = ctx;
    if (up)
        on_up(svc);
    else
        on_down(svc, why);
}

/* True when all has come just now, and can be judged. */
static bool settle(struct svc *svc)
{
    if (svc->settled || !sim_desk_is_up(svc->desk))
        return false;
    double now = ev_now(svc->loop);
    if (!svc_has_settled(&svc->settle, svc->settings->settle_ms / 1e3, now))
        return false;
    svc->settled = true;
    camp_hears(svc->camp);
    SVC_LOG(AGENT_LOG_INFO, "settled", AGENT_NUMBER("after_ms", (now - svc->settle.up_at) * 1e3));
    return true;
}

static void tell_hostile(struct svc *svc, double *told_at)
{
    struct camp_counts counts;
    struct sim_desk_counts desk;
    camp_counts(svc->camp, &counts);
    sim_desk_counts(svc->desk, &desk);
    uint64_t hostile = counts.dropped + desk.foreign;
    if (hostile == svc->hostile_told || ev_now(svc->loop) - *told_at < HOSTILE_EVERY_S)
        return;
    svc->hostile_told = hostile;
    *told_at = ev_now(svc->loop);
    SVC_LOG(AGENT_LOG_WARN, "dropped", AGENT_NUMBER("unreadable", counts.dropped),
            AGENT_NUMBER("of_nobody", desk.foreign));
}

/* ---- Up ---- */

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct svc *svc = watcher->data;
    (void)events;
    if (watcher->signum == SIGUSR1)
        svc->asked = true;
    else
        svc->signal = watcher->signum;
    ev_break(loop, EVBREAK_ONE);
}

static void on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static int open_loop(struct svc *svc)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    struct ev_signal *watcher[] = {&svc->stop[0], &svc->stop[1], &svc->ask};
    svc->loop = ev_loop_new(EVFLAG_AUTO);
    if (!svc->loop)
        return -1;
    for (int i = 0; i < 3; i++) {
        ev_signal_init(watcher[i], on_signal, signals[i]);
        watcher[i]->data = svc;
        ev_signal_start(svc->loop, watcher[i]);
    }
    ev_timer_init(&svc->wake, on_wake, 0, 0);
    return 0;
}

static int open_tls(struct svc *svc, const struct sim_service_settings *settings,
                    char message[SIM_SERVICE_MESSAGE_MAX])
{
    if (agent_tls_create(&svc->tls, settings->broker.ca, message, SIM_SERVICE_MESSAGE_MAX))
        return -1;
    return *settings->broker.certificate
               ? agent_identity_load(&svc->identity, settings->broker.certificate,
                                     settings->broker.key, message, SIM_SERVICE_MESSAGE_MAX)
               : 0;
}

static const char *given(const char *text)
{
    return *text ? text : NULL;
}

static int open_desk(struct svc *svc)
{
    const struct sim_service_settings *settings = svc->settings;
    const struct sim_desk_config config = {.loop = svc->loop,
                                           .tls = svc->tls,
                                           .identity = svc->identity,
                                           .host = settings->broker.host,
                                           .server_name = given(settings->broker.server_name),
                                           .client_id = settings->broker.client_id,
                                           .user = given(settings->broker.user),
                                           .secret = given(settings->broker.secret),
                                           .port = (uint16_t)settings->broker.port,
                                           .device = svc->plan.registry,
                                           .devices = svc->plan.roster.count,
                                           .said = said,
                                           .keep = keep,
                                           .link = link_changed,
                                           .ctx = svc};
    return sim_desk_create(&svc->desk, &config);
}

static int open_campaign(struct svc *svc, char message[SIM_SERVICE_MESSAGE_MAX])
{
    const struct scn *scn = svc->plan.scn;
    svc->camp_config = (struct camp_config){.plan = &scn->campaign,
                                            .device = svc->plan.registry,
                                            .devices = svc->plan.roster.count,
                                            .campaign_id = scn->name,
                                            .manifest = svc->plan.manifest,
                                            .candidate = scn->campaign.to,
                                            .rollback_version = scn->campaign.rollback_version,
                                            .seed = scn->seed,
                                            .start_us = svc->state.started_us,
                                            .pace = scn->campaign.time_scale};
    if (camp_open(&svc->camp, &svc->camp_config, svc->state.db)) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.400s: %s", svc->settings->database,
                 svc->camp ? camp_message(svc->camp) : "no memory");
        return -1;
    }
    camp_on_event(svc->camp, on_event, svc);
    svc->now_us = camp_latest_us(svc->camp);
    camp_deaf(svc->camp, svc->now_us);
    return 0;
}

static int open_all(struct svc *svc, char message[SIM_SERVICE_MESSAGE_MAX])
{
    if (svc_plan_load(&svc->plan, svc->settings, message) ||
        open_tls(svc, svc->settings, message) ||
        svc_state_open(&svc->state, svc->settings, &svc->plan, message) ||
        open_campaign(svc, message))
        return -1;
    if (open_loop(svc) || open_desk(svc)) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX, "no event loop, or no memory");
        return -1;
    }
    return svc_control_open(svc, message);
}

static void close_all(struct svc *svc)
{
    agent_kit_control_close(svc->control);
    sim_desk_free(svc->desk);
    if (svc->loop) {
        ev_signal_stop(svc->loop, &svc->stop[0]);
        ev_signal_stop(svc->loop, &svc->stop[1]);
        ev_signal_stop(svc->loop, &svc->ask);
        ev_loop_destroy(svc->loop);
    }
    if (svc->camp)
        camp_close(svc->camp);
    svc_state_close(&svc->state);
    agent_identity_free(svc->identity);
    agent_tls_free(svc->tls);
    svc_plan_free(&svc->plan);
}

/* ---- The run ---- */

/* Until the campaign has something to do by itself, or it is to be seen whether all has come. */
static double wait_s(const struct svc *svc, double ticked_at)
{
    int64_t due_us = camp_next_at(svc->camp);
    if (!svc->settled)
        return sim_desk_is_up(svc->desk) ? LOOK_S : -1;
    if (due_us == INT64_MAX)
        return -1;
    double due_s = (double)(due_us - svc_now_us(svc)) / 1e6 / svc->camp_config.pace;
    double tick_s = ticked_at + svc->settings->tick_ms / 1e3 - ev_time();
    double until_s = due_s > tick_s ? due_s : tick_s;
    return until_s > 0 ? until_s : 0;
}

static void run_once(struct svc *svc, double ticked_at)
{
    double wait = wait_s(svc, ticked_at);
    ev_now_update(svc->loop);
    if (wait >= 0) {
        ev_timer_set(&svc->wake, wait, 0);
        ev_timer_start(svc->loop, &svc->wake);
    }
    ev_run(svc->loop, EVRUN_ONCE);
    ev_timer_stop(svc->loop, &svc->wake);
}

static void act_when_due(struct svc *svc, double *ticked_at)
{
    bool due = svc->settled && camp_next_at(svc->camp) <= svc_now_us(svc) &&
               ev_time() - *ticked_at >= svc->settings->tick_ms / 1e3;
    if (settle(svc) || due) {
        *ticked_at = ev_time();
        svc_tick(svc);
    }
    if (svc->asked)
        svc_report_write(svc);
    svc->asked = false;
}

/* Over, and the broker has all that was said. */
static bool ends(struct svc *svc)
{
    bool by_gate;
    return svc->failed || svc->signal ||
           (svc_is_over(svc, &by_gate) && !sim_desk_outstanding(svc->desk) && !svc->heard);
}

static int run(struct svc *svc)
{
    double ticked_at = 0, told_at = 0;
    if (!send_all(svc)) /* what an earlier life did not get rid of */
        while (!ends(svc)) {
            run_once(svc, ticked_at);
            if (!svc->failed)
                act_when_due(svc, &ticked_at);
            tell_hostile(svc, &told_at);
        }
    if (!svc->failed && !svc->signal)
        svc_tick(svc); /* forgets what the broker has acknowledged */
    if (svc->failed)
        return SIM_SERVICE_BROKEN;
    bool by_gate;
    int code = svc_is_over(svc, &by_gate) ? svc_report_write(svc) : SIM_SERVICE_BROKEN;
    return code < 0 ? SIM_SERVICE_BROKEN : code;
}

static void tell_start(const struct svc *svc)
{
    char at[AGENT_TIME_TEXT];
    const struct scn *scn = svc->plan.scn;
    agent_time_text(at, svc->state.started_us / 1000);
    SVC_LOG(AGENT_LOG_INFO, svc->state.resumed ? "resumed" : "started",
            AGENT_TEXT("campaign", scn->name), AGENT_TEXT("to", scn->campaign.to),
            AGENT_NUMBER("devices", svc->plan.roster.count), AGENT_TEXT("start", at),
            AGENT_NUMBER("time_scale", scn->campaign.time_scale),
            AGENT_TEXT("state", svc_state_name(camp_state(svc->camp))),
            AGENT_TEXT("database", svc->settings->database));
    if (scn->faults || scn->campaign.orders || scn->expect.given)
        SVC_LOG(AGENT_LOG_INFO, "note",
                AGENT_TEXT("text", "faults, orders and expectations of the scenario are for "
                                   "simulated fleets: ignored"));
}

static void tell_end(const struct svc *svc, int code)
{
    struct camp_counts counts;
    camp_counts(svc->camp, &counts);
    SVC_LOG(code == SIM_SERVICE_BROKEN && !svc->signal ? AGENT_LOG_ERROR : AGENT_LOG_INFO, "ended",
            AGENT_TEXT("state", svc_state_name(camp_state(svc->camp))),
            AGENT_TEXT("by", svc->failed   ? "failure"
                             : svc->signal ? strsignal(svc->signal)
                                           : "campaign"),
            AGENT_NUMBER("exit_code", code), AGENT_NUMBER("statuses", counts.statuses),
            AGENT_NUMBER("dropped", counts.dropped), AGENT_NUMBER("steps", svc->steps));
}

int sim_service_run(const struct sim_service_settings *settings)
{
    struct svc svc = {.settings = settings, .state.lock = -1};
    char message[SIM_SERVICE_MESSAGE_MAX] = "";
    int code = SIM_SERVICE_USAGE;
    if (open_all(&svc, message)) {
        fprintf(stderr, "brickyard service: %s\n", message);
    } else {
        tell_start(&svc);
        code = run(&svc);
        tell_end(&svc, code);
    }
    close_all(&svc);
    return code;
}

int sim_service_check(const struct sim_service_settings *settings)
{
    struct svc svc = {.settings = settings, .state.lock = -1};
    char message[SIM_SERVICE_MESSAGE_MAX] = "";
    int error = svc_plan_load(&svc.plan, settings, message) || open_tls(&svc, settings, message);
    if (error)
        fprintf(stderr, "brickyard service: %s\n", message);
    close_all(&svc);
    return error ? SIM_SERVICE_USAGE : SIM_SERVICE_OK;
}
