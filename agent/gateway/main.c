/* `ota-gateway`: the gateway of one board on a serial port or a Unix socket. */
#include "gateway/gateway.h"
#include "line.h"
#include "settings.h"
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ota-gateway --config FILE           until SIGTERM\n"
    "       ota-gateway --config FILE --check   only read the configuration\n";

struct program {
    struct gateway_settings settings;
    struct agent_log log;
    struct ev_loop *loop;
    struct agent_tls *mqtt_tls, *http_tls;
    struct agent_identity *mqtt_identity, *http_identity;
    struct agent_http *http;
    struct gateway_config config;
    struct gateway *gateway;
    struct line_config line_config;
    struct line line;
    ev_signal terminate[3];
};

static void on_bytes(void *ctx, const void *bytes, size_t len)
{
    struct program *program = ctx;
    line_write(&program->line, bytes, len);
}

static void on_note(void *ctx, const char *text)
{
    const struct program *program = ctx;
    enum agent_log_level level = strncmp(text, "refused", 7) ? AGENT_LOG_INFO : AGENT_LOG_WARN;
    AGENT_LOG(&program->log, level, "gateway", AGENT_TEXT("what", text));
}

static void on_line_up(void *ctx)
{
    struct program *program = ctx;
    AGENT_LOG(&program->log, AGENT_LOG_INFO, "line_up", AGENT_TEXT("path", program->settings.line));
    gateway_power_on(program->gateway);
}

static void on_line_down(void *ctx, const char *why)
{
    struct program *program = ctx;
    AGENT_LOG(&program->log, AGENT_LOG_WARN, "line_down",
              AGENT_TEXT("path", program->settings.line), AGENT_TEXT("reason", why));
    gateway_line_lost(program->gateway);
}

static void on_input(void *ctx, const void *bytes, size_t len)
{
    struct program *program = ctx;
    gateway_input(program->gateway, bytes, len);
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
    const struct program *program = signal->data;
    (void)events;
    AGENT_LOG(&program->log, AGENT_LOG_INFO, "stopping", AGENT_NUMBER("signal", signal->signum));
    ev_break(loop, EVBREAK_ALL);
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static void configure(struct program *program)
{
    const struct gateway_settings *s = &program->settings;
    program->config = (struct gateway_config){
        .loop = program->loop,
        .device_id = s->device_id,
        .http = program->http,
        .http_connect_to = or_null(s->http.connect_to),
        .http_identity = program->http_identity,
        .bind_address = or_null(s->http.bind),
        .mqtt = {.tls = program->mqtt_tls,
                 .identity = program->mqtt_identity,
                 .host = s->mqtt.host,
                 .server_name = s->mqtt.server_name,
                 .bind_address = or_null(s->mqtt.bind),
                 .user = or_null(s->mqtt.user),
                 .secret = or_null(s->mqtt.secret),
                 .port = (uint16_t)s->mqtt.port,
                 .keepalive_s = (uint16_t)(s->mqtt.keepalive_ms / 1000),
                 .connect_within_s = 30},
        .reconnect_first_ms = s->mqtt.first_ms,
        .reconnect_max_ms = s->mqtt.max_ms,
        .write = on_bytes,
        .note = on_note,
        .ctx = program,
    };
    program->line_config = (struct line_config){.loop = program->loop,
                                                .path = s->line,
                                                .baud = s->baud,
                                                .up = on_line_up,
                                                .down = on_line_down,
                                                .input = on_input,
                                                .ctx = program};
}

static int open_all(struct program *program, char message[GATEWAY_MESSAGE_MAX])
{
    const struct gateway_settings *s = &program->settings;
    if (agent_tls_create(&program->mqtt_tls, s->mqtt.ca, message, GATEWAY_MESSAGE_MAX) ||
        agent_tls_create(&program->http_tls, s->http.ca, message, GATEWAY_MESSAGE_MAX) ||
        (s->mqtt.certificate[0] &&
         agent_identity_load(&program->mqtt_identity, s->mqtt.certificate, s->mqtt.key, message,
                             GATEWAY_MESSAGE_MAX)) ||
        (s->http.certificate[0] && agent_identity_load(&program->http_identity, s->http.certificate,
                                                       s->http.key, message, GATEWAY_MESSAGE_MAX)))
        return -1;
    const struct agent_http_config http = {.tls = program->http_tls,
                                           .connect_within_s =
                                               (s->http.connect_within_ms + 999) / 1000,
                                           .stall_s = (s->http.stall_ms + 999) / 1000,
                                           .header_bytes_max = 65536,
                                           .buffer_bytes = 16384};
    snprintf(message, GATEWAY_MESSAGE_MAX, "out of memory");
    program->loop = ev_loop_new(EVFLAG_AUTO);
    if (!program->loop || agent_http_create(&program->http, program->loop, &http))
        return -1;
    configure(program);
    return gateway_create(&program->gateway, &program->config);
}

static void watch_signals(struct program *program)
{
    static const int number[3] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        ev_signal_init(&program->terminate[i], on_terminate, number[i]);
        program->terminate[i].data = program;
        ev_signal_start(program->loop, &program->terminate[i]);
    }
}

/* The board is out of reach now: no goodbye, its will is sent. */
static void close_all(struct program *program)
{
    if (program->line.config)
        line_close(&program->line);
    gateway_free(program->gateway);
    agent_http_free(program->http);
    agent_identity_free(program->mqtt_identity);
    agent_identity_free(program->http_identity);
    agent_tls_free(program->mqtt_tls);
    agent_tls_free(program->http_tls);
    if (program->loop)
        ev_loop_destroy(program->loop);
}

static int run(struct program *program)
{
    char message[GATEWAY_MESSAGE_MAX] = "";
    int error = open_all(program, message);
    if (error) {
        fprintf(stderr, "ota-gateway: %s\n", message);
    } else {
        watch_signals(program);
        line_open(&program->line, &program->line_config);
        ev_run(program->loop, 0);
    }
    close_all(program);
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static struct program program;
    const char *config = NULL;
    char message[GATEWAY_MESSAGE_MAX] = "";
    bool check = false;
    int option;
    setvbuf(stderr, NULL, _IOLBF, 4096);
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == '?') {
            fputs(usage, stderr);
            return 1;
        }
        if (option == 'c')
            config = optarg;
        else
            check = true;
    }
    if (!config || optind < argc) {
        fprintf(stderr, "ota-gateway: --config is missing, or there is more\n%s", usage);
        return 1;
    }
    if (gateway_settings_read(&program.settings, config, message)) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    program.log = (struct agent_log){stderr, program.settings.device_id,
                                     (enum agent_log_level)program.settings.log_level};
    return check ? 0 : run(&program);
}
