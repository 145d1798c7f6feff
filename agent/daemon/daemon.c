/* Session, drivers, device, control socket and signals on one loop. */
#include "daemon.h"
#include "control.h"
#include "ending.h"
#include "notify.h"
#include "session.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct daemon {
    const struct agent_settings *settings;
    const struct agent_log *log;
    struct agent_session session;
    struct ev_loop *loop;
    struct agent_tls *mqtt_tls, *http_tls;
    struct agent_identity *mqtt_identity, *http_identity;
    struct agent_http *http;
    struct agent_device_config device_config;
    struct agent_device device;
    bool device_up;
    struct agent_control *control;
    ev_signal terminate, interrupt, hang_up, tell;
    ev_timer alive;
    bool reboot, leave; /* leave: a signal asked for the end */
    enum agent_end end;
};

static int64_t utc_ms(void *ctx)
{
    const struct daemon *daemon = ctx;
    return agent_time_now_ms() + daemon->settings->clock_offset_ms;
}

static void on_kick(void *ctx)
{
    (void)ctx;
    agent_watchdog_kick();
}

static void on_reset(void *ctx, enum boot_reset reset)
{
    struct daemon *daemon = ctx;
    daemon->reboot = true;
    daemon->end = reset == BOOT_RESET_SOFTWARE ? AGENT_END_SOFTWARE : AGENT_END_HARD_FAULT;
    ev_break(daemon->loop, EVBREAK_ALL);
}

static void on_stopped(void *ctx)
{
    struct daemon *daemon = ctx;
    daemon->end = AGENT_END_STOPPED;
    ev_break(daemon->loop, EVBREAK_ALL);
}

static void on_told(void *ctx, uint32_t faults)
{
    struct daemon *daemon = ctx;
    agent_session_told(&daemon->session, faults);
    agent_ending_update(&daemon->session.reset);
}

static void on_changed(void *ctx)
{
    struct daemon *daemon = ctx;
    const struct agent *agent = &daemon->device.agent;
    char text[160];
    snprintf(text, sizeof text, "STATUS=%s, %s, %s", agent_running_version(agent),
             agent_state_name((int)agent_state(agent)),
             agent_mqtt_is_up(daemon->device.mqtt) ? "connected" : "not connected");
    agent_notify(text);
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static void configure_mqtt(struct daemon *daemon)
{
    const struct agent_settings *s = daemon->settings;
    daemon->device_config.mqtt = (struct agent_mqtt_config){
        .tls = daemon->mqtt_tls,
        .identity = daemon->mqtt_identity,
        .host = s->mqtt.host,
        .server_name = s->mqtt.server_name,
        .bind_address = or_null(s->mqtt.bind),
        .user = or_null(s->mqtt.user),
        .secret = or_null(s->mqtt.secret),
        .port = (uint16_t)s->mqtt.port,
        .keepalive_s = (uint16_t)(s->mqtt.keepalive_ms / 1000),
        .connect_within_s = 30,
        .clock = {utc_ms, daemon},
    };
}

static void configure_agent(struct daemon *daemon)
{
    const struct agent_settings *s = daemon->settings;
    uint32_t sectors = s->flash.layout.slot_bytes / s->flash.layout.sector_bytes;
    daemon->device_config.agent = (struct agent_config){
        .device_id = s->device_id,
        .boot = &daemon->session.env,
        .window = s->window,
        .zone = s->zone,
        .approval = s->approval,
        .mqtt_within_ms = s->mqtt_within_ms,
        .fault_free_ms = s->fault_free_ms,
        .retry_first_ms = s->retry_first_ms,
        .retry_max_ms = s->retry_max_ms,
        .retry_alert = 3,
        .retry_give_up = 10,
        .progress_sectors = sectors < 16 ? 1 : 16,
    };
}

/* The version in the slot that boots decides what is to go wrong. */
static void configure_behaviour(struct daemon *daemon)
{
    struct agent_device_config *to = &daemon->device_config;
    const struct agent_settings *s = daemon->settings;
    const struct boot_env *env = &daemon->session.env;
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    if (env->flash->read(env->flash->ctx, env->layout->slot_addr[to->boot.slot], header,
                         sizeof header) ||
        boot_image_decode(&image, header))
        return;
    to->hang = agent_settings_behaves(s, AGENT_BEHAVE_HANG, image.version);
    to->hard_fault = agent_settings_behaves(s, AGENT_BEHAVE_HARD_FAULT, image.version);
    to->no_mqtt = agent_settings_behaves(s, AGENT_BEHAVE_NO_MQTT, image.version);
    to->no_drivers = agent_settings_behaves(s, AGENT_BEHAVE_NO_DRIVERS, image.version);
    to->no_config = agent_settings_behaves(s, AGENT_BEHAVE_NO_CONFIG, image.version);
    to->no_telemetry = agent_settings_behaves(s, AGENT_BEHAVE_NO_TELEMETRY, image.version);
}

static void configure(struct daemon *daemon)
{
    const struct agent_settings *s = daemon->settings;
    daemon->device_config = (struct agent_device_config){
        .loop = daemon->loop,
        .boot = daemon->session.boot,
        .http = daemon->http,
        .request = {.bind_address = or_null(s->http.bind),
                    .connect_to = or_null(s->http.connect_to),
                    .identity = daemon->http_identity,
                    .clock = {utc_ms, daemon}},
        .clock = {utc_ms, daemon},
        .reconnect_first_ms = s->reconnect_first_ms,
        .reconnect_max_ms = s->reconnect_max_ms,
        .telemetry_every_ms = s->telemetry_every_ms,
        .kick_every_ms = s->watchdog_ms / 4,
        .faults = daemon->session.reset.faults,
        .faults_total = daemon->session.reset.total,
        .energy_file = or_null(s->energy_file),
        .log = daemon->log,
        .hooks = {on_kick, on_reset, on_stopped, on_told, on_changed},
        .ctx = daemon,
    };
    configure_agent(daemon);
    configure_mqtt(daemon);
    configure_behaviour(daemon);
}

/* What the drivers need of the file system, before anything is written. */
static int open_drivers(struct daemon *daemon, char message[AGENT_MESSAGE_MAX])
{
    const struct agent_settings *s = daemon->settings;
    if (agent_tls_create(&daemon->mqtt_tls, s->mqtt.ca, message, AGENT_MESSAGE_MAX) ||
        agent_tls_create(&daemon->http_tls, s->http.ca, message, AGENT_MESSAGE_MAX) ||
        (s->mqtt.certificate[0] && agent_identity_load(&daemon->mqtt_identity, s->mqtt.certificate,
                                                       s->mqtt.key, message, AGENT_MESSAGE_MAX)) ||
        (s->http.certificate[0] && agent_identity_load(&daemon->http_identity, s->http.certificate,
                                                       s->http.key, message, AGENT_MESSAGE_MAX)))
        return -1;
    const struct agent_http_config http = {
        .tls = daemon->http_tls,
        .connect_within_s = (s->http.connect_within_ms + 999) / 1000,
        .stall_s = (s->http.stall_ms + 999) / 1000,
        .header_bytes_max = 65536,
        .buffer_bytes = 16384,
    };
    daemon->loop = ev_loop_new(EVFLAG_AUTO);
    if (daemon->loop && !agent_http_create(&daemon->http, daemon->loop, &http))
        return 0;
    snprintf(message, AGENT_MESSAGE_MAX, "out of memory");
    return -1;
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct daemon *daemon = signal->data;
    (void)loop, (void)events;
    AGENT_LOG(daemon->log, AGENT_LOG_INFO, "stopping", AGENT_NUMBER("signal", signal->signum));
    agent_notify("STOPPING=1");
    daemon->leave = true;
    if (!daemon->reboot)
        agent_device_stop(&daemon->device);
}

static void on_tell(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct daemon *daemon = signal->data;
    char text[AGENT_STATUS_TEXT];
    (void)loop, (void)events;
    agent_device_status(&daemon->device, text);
    AGENT_LOG(daemon->log, AGENT_LOG_INFO, "status", AGENT_TEXT("status", text));
}

/* systemd asks whether the loop lives; the trial is the other watchdog's matter. */
static void on_alive(struct ev_loop *loop, ev_timer *timer, int events)
{
    const struct daemon *daemon = timer->data;
    (void)loop, (void)events;
    if (!daemon->device_config.hang)
        agent_notify("WATCHDOG=1");
}

static void watch(struct daemon *daemon)
{
    double alive_s = agent_notify_watchdog_ms() / 1000.0;
    ev_signal_init(&daemon->terminate, on_terminate, SIGTERM);
    ev_signal_init(&daemon->interrupt, on_terminate, SIGINT);
    ev_signal_init(&daemon->hang_up, on_terminate, SIGHUP);
    ev_signal_init(&daemon->tell, on_tell, SIGUSR1);
    daemon->terminate.data = daemon->interrupt.data = daemon->hang_up.data = daemon;
    daemon->tell.data = daemon;
    ev_signal_start(daemon->loop, &daemon->terminate);
    ev_signal_start(daemon->loop, &daemon->interrupt);
    ev_signal_start(daemon->loop, &daemon->hang_up);
    ev_signal_start(daemon->loop, &daemon->tell);
    agent_ending_hold(false);
    if (alive_s <= 0)
        return;
    ev_timer_init(&daemon->alive, on_alive, 0, alive_s);
    daemon->alive.data = daemon;
    ev_timer_start(daemon->loop, &daemon->alive);
}

static int start(struct daemon *daemon, char **argv, char message[AGENT_MESSAGE_MAX])
{
    const struct agent_settings *s = daemon->settings;
    const struct agent_reset *reset = &daemon->session.reset;
    if (agent_ending_install(daemon->session.reset_fd, reset, argv,
                             s->exit_to_reboot ? AGENT_EXIT_REBOOT : -1) ||
        agent_watchdog_arm(s->watchdog_ms)) {
        snprintf(message, AGENT_MESSAGE_MAX, "watchdog: %s", strerror(errno));
        return -1;
    }
    configure(daemon);
    watch(daemon);
    if (agent_device_start(&daemon->device, &daemon->device_config)) {
        snprintf(message, AGENT_MESSAGE_MAX, "out of memory");
        return -1;
    }
    daemon->device_up = true;
    if (!s->control_socket[0])
        return 0;
    return agent_control_open(&daemon->control, daemon->loop, s->control_socket, &daemon->device,
                              daemon->log, message, AGENT_MESSAGE_MAX);
}

static void shut(struct daemon *daemon)
{
    agent_control_close(daemon->control);
    if (daemon->device_up)
        agent_device_free(&daemon->device);
    agent_http_free(daemon->http);
    agent_identity_free(daemon->mqtt_identity);
    agent_identity_free(daemon->http_identity);
    agent_tls_free(daemon->mqtt_tls);
    agent_tls_free(daemon->http_tls);
    if (daemon->loop)
        ev_loop_destroy(daemon->loop);
}

/* The end that was decided on, after the loop. */
static int finish(struct daemon *daemon)
{
    AGENT_LOG(daemon->log, AGENT_LOG_INFO, "end",
              AGENT_TEXT("how", agent_end_name((int)daemon->end)),
              AGENT_NUMBER("operations", agent_flash_file_operations(&daemon->session.file)),
              AGENT_NUMBER("violations", daemon->session.file.violations));
    if (daemon->reboot && !daemon->leave) {
        agent_ending_reboot(daemon->end);
        AGENT_LOG(daemon->log, AGENT_LOG_ERROR, "reboot", AGENT_TEXT("error", strerror(errno)));
        return AGENT_EXIT_ERROR;
    }
    agent_ending_note(daemon->end);
    agent_watchdog_disarm();
    return AGENT_EXIT_OK;
}

/* Armed before the bootloader runs. What the hardware says of the last boot is this session's only
 * where each start of the program is one of the machine. */
static int open_watchdog(struct daemon *daemon, bool *by_watchdog, char message[AGENT_MESSAGE_MAX])
{
    const struct agent_settings *s = daemon->settings;
    *by_watchdog = false;
    if (!s->watchdog_device[0])
        return 0;
    if (agent_watchdog_open(s->watchdog_ms, s->watchdog_device, by_watchdog)) {
        snprintf(message, AGENT_MESSAGE_MAX, "watchdog %s: %s", s->watchdog_device,
                 strerror(errno));
        return -1;
    }
    *by_watchdog = *by_watchdog && s->exit_to_reboot;
    return 0;
}

static int live(struct daemon *daemon, char **argv, char message[AGENT_MESSAGE_MAX])
{
    bool by_watchdog;
    int code = AGENT_EXIT_ERROR;
    if (open_watchdog(daemon, &by_watchdog, message)) {
        agent_watchdog_disarm();
        shut(daemon);
        return code;
    }
    code = AGENT_EXIT_NO_BOOT;
    if (!agent_session_boot(&daemon->session, by_watchdog)) {
        code = AGENT_EXIT_ERROR;
        if (!start(daemon, argv, message)) {
            agent_notify("READY=1");
            ev_run(daemon->loop, 0);
            agent_ending_hold(true);
            ev_run(daemon->loop, EVRUN_NOWAIT); /* a signal that came with a reboot */
            code = AGENT_EXIT_OK;
        }
    }
    shut(daemon);
    if (!code)
        return finish(daemon);
    agent_watchdog_disarm();
    return code;
}

int agent_daemon_run(const struct agent_settings *settings, const struct agent_log *log,
                     char **argv)
{
    char message[AGENT_MESSAGE_MAX] = "";
    struct daemon *daemon = calloc(1, sizeof *daemon);
    int code = AGENT_EXIT_ERROR;
    if (!daemon)
        return code;
    daemon->settings = settings;
    daemon->log = log;
    if (open_drivers(daemon, message) ||
        agent_session_open(&daemon->session, settings, log, settings->flash.file, true, message)) {
        shut(daemon);
    } else {
        code = live(daemon, argv, message);
        agent_session_close(&daemon->session);
    }
    if (message[0])
        AGENT_LOG(log, AGENT_LOG_ERROR, "refused_to_start", AGENT_TEXT("reason", message));
    free(daemon);
    return code;
}
