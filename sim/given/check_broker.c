/*
 * Is the given broker fit for this fleet? For each device, several at a time:
 *
 *   device              broker              service
 *     | CONNECT, SUBSCRIBE |                    |    its account, and its certificate's name
 *     |                    | <- ota/command/ID  |    the service writes, the device reads
 *     | ota/presence/ID -> |                 -> |    the device writes, the service reads
 *
 * Sessions are clean, so that nothing of a run before comes out of them; the presence is empty and
 * retained, which takes the last one away.
 *
 * Before them an intruder: a device's account under the client id of the service. It may be
 * refused, or get another id; what it must not do is end the service's connection.
 */
#include "drivers/mqtt.h"
#include "sim/given.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { AT_ONCE = 64, CONNECT_WITHIN_S = 15, TOPIC_BYTES = 96, PAYLOAD_MAX = 65536 };
enum { FILES_SPARE = 16 }; /* for whatever else is opened meanwhile */
static const double STEP_WITHIN_S = 15, LOOK_EVERY_S = 0.1;

enum stage { CONNECTING, AWAITS_COMMAND, AWAITS_PRESENCE };

struct probe {
    struct broker_check *in;
    const char *id;
    enum stage stage;
    double until;
    struct agent_mqtt_config config;
    struct agent_mqtt *mqtt; /* NULL: the place is free */
    char command[TOPIC_BYTES], presence[TOPIC_BYTES];
};

struct broker_check {
    const struct sim_given_check *check;
    char ip[INET_ADDRSTRLEN];
    struct agent_mqtt_config service_config;
    struct agent_mqtt *service;
    bool service_up;
    struct agent_mqtt_config intruder_config;
    struct agent_mqtt *intruder; /* NULL: not yet, or no more */
    double intruder_until;
    bool intruder_up, closed; /* closed: it was kept out */
    struct probe probe[AT_ONCE];
    uint32_t places;     /* of them */
    uint32_t next, done; /* devices that were begun, that are through */
    char why[512];       /* the first thing that is wrong; "": nothing yet */
};

/* ---- One device ---- */

static void on_up(void *ctx)
{
    struct probe *probe = ctx;
    probe->stage = AWAITS_COMMAND;
    probe->until = ev_time() + STEP_WITHIN_S;
    agent_mqtt_publish(probe->in->service, probe->command, "", 0, 1, false, 0);
}

static void on_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct probe *probe = ctx;
    (void)payload;
    if (len || probe->stage != AWAITS_COMMAND || strcmp(topic, probe->command) != 0)
        return;
    probe->stage = AWAITS_PRESENCE;
    probe->until = ev_time() + STEP_WITHIN_S;
    agent_mqtt_publish(probe->mqtt, probe->presence, "", 0, 1, true, 0);
}

static void fail(struct broker_check *in, const char *who, const char *why)
{
    if (!*in->why)
        snprintf(in->why, sizeof in->why, "%s: %s", who, why);
}

static void on_down(void *ctx, const char *why)
{
    struct probe *probe = ctx;
    fail(probe->in, probe->id, why);
}

static void no_publish(void *ctx, uint32_t token)
{
    (void)ctx;
    (void)token;
}

static const struct agent_mqtt_events probe_events = {
    .up = on_up, .down = on_down, .message = on_message, .published = no_publish};

static struct agent_mqtt_config config_of(const struct broker_check *in, const char *user)
{
    const struct sim_given_server *server = &in->check->given->server[SIM_GIVEN_BROKER];
    return (struct agent_mqtt_config){.tls = in->check->tls,
                                      .host = in->ip,
                                      .server_name = server->host,
                                      .port = server->port,
                                      .client_id = user,
                                      .user = user,
                                      .secret = sim_given_secret(in->check->given, user),
                                      .clean_session = true,
                                      .one_of_many = true, /* before and after the fleet */
                                      .message_bytes_max = PAYLOAD_MAX,
                                      .keepalive_s = 60,
                                      .connect_within_s = CONNECT_WITHIN_S};
}

static void begin(struct probe *probe, struct broker_check *in, const char *id)
{
    char why[128];
    *probe = (struct probe){.in = in, .id = id, .until = ev_time() + 2 * CONNECT_WITHIN_S};
    snprintf(probe->command, sizeof probe->command, "ota/command/%s", id);
    snprintf(probe->presence, sizeof probe->presence, "ota/presence/%s", id);
    probe->config = config_of(in, id);
    probe->config.topic[0] = probe->command;
    probe->config.topics = 1;
    if (!probe->config.secret)
        fail(in, id, "it has no line in the file of --accounts");
    else if (agent_mqtt_create(&probe->mqtt, in->check->loop, &probe->config, &probe_events, probe))
        fail(in, id, "no memory");
    else if (agent_mqtt_connect(probe->mqtt, why, sizeof why))
        fail(in, id, why);
}

static void end(struct probe *probe)
{
    if (!probe->mqtt)
        return;
    if (agent_mqtt_is_up(probe->mqtt))
        agent_mqtt_disconnect(probe->mqtt);
    agent_mqtt_destroy(probe->mqtt);
    probe->mqtt = NULL;
}

static void look_at(struct probe *probe)
{
    static const char *const stuck[] = {
        [CONNECTING] = "no connection in time",
        [AWAITS_COMMAND] = "what `service` writes to its ota/command does not come to it: does the "
                           "broker's access list let `service` write it, and the device read it?",
        [AWAITS_PRESENCE] = "what it writes to its ota/presence does not come to `service`: does "
                            "the broker's access list let the device write it, and `service` "
                            "read it?",
    };
    if (probe->mqtt && ev_time() > probe->until)
        fail(probe->in, probe->id, stuck[probe->stage]);
}

/* ---- The service ---- */

static void service_up(void *ctx)
{
    ((struct broker_check *)ctx)->service_up = true;
}

static void service_down(void *ctx, const char *why)
{
    struct broker_check *in = ctx;
    if (!in->intruder || in->closed)
        fail(in, "service", why);
    else
        fail(in, in->intruder_config.user,
             "it can take the client id `service` and end the service's session, and so any "
             "other's: the broker has to tie client ids to users; mosquitto: "
             "use_username_as_clientid true");
}

static void service_answered(void *ctx)
{
    ((struct broker_check *)ctx)->closed = true;
}

/* What a device left retained in a run before comes here too, and is not empty. */
static void service_heard(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    struct broker_check *in = ctx;
    (void)payload;
    for (int i = 0; i < (int)in->places && !len; i++) {
        struct probe *probe = &in->probe[i];
        if (!probe->mqtt || probe->stage != AWAITS_PRESENCE || strcmp(topic, probe->presence) != 0)
            continue;
        end(probe);
        in->done++;
    }
}

static const struct agent_mqtt_events service_events = {.up = service_up,
                                                        .down = service_down,
                                                        .message = service_heard,
                                                        .published = no_publish,
                                                        .answered = service_answered};

static void begin_service(struct broker_check *in)
{
    char why[128];
    in->service_config = config_of(in, "service");
    in->service_config.topic[0] = "ota/presence/+";
    in->service_config.topics = 1;
    if (agent_mqtt_create(&in->service, in->check->loop, &in->service_config, &service_events, in))
        fail(in, "service", "no memory");
    else if (agent_mqtt_connect(in->service, why, sizeof why))
        fail(in, "service", why);
}

/* ---- The intruder ---- */

static void intruder_up(void *ctx)
{
    struct broker_check *in = ctx;
    in->intruder_up = true;
    agent_mqtt_ask(in->service);
}

/* Refused, or thrown out: the broker ties ids to users in its own way. */
static void intruder_down(void *ctx, const char *why)
{
    struct broker_check *in = ctx;
    (void)why;
    in->closed = !in->intruder_up;
}

static void no_message(void *ctx, const char *topic, const void *payload, uint32_t len)
{
    (void)ctx, (void)topic, (void)payload, (void)len;
}

static const struct agent_mqtt_events intruder_events = {
    .up = intruder_up, .down = intruder_down, .message = no_message, .published = no_publish};

static void begin_intruder(struct broker_check *in)
{
    in->intruder_config = config_of(in, in->check->world->roster.unit[0].id);
    in->intruder_config.client_id = "service";
    in->intruder_until = ev_time() + CONNECT_WITHIN_S + STEP_WITHIN_S;
    if (!in->intruder_config.secret) /* the walk says so */
        in->closed = true;
    else if (agent_mqtt_create(&in->intruder, in->check->loop, &in->intruder_config,
                               &intruder_events, in))
        fail(in, in->intruder_config.user, "no memory");
    else if (agent_mqtt_connect(in->intruder, NULL, 0))
        in->closed = true;
}

static void end_intruder(struct broker_check *in)
{
    if (in->intruder && agent_mqtt_is_up(in->intruder))
        agent_mqtt_disconnect(in->intruder);
    agent_mqtt_destroy(in->intruder);
    in->intruder = NULL;
}

/* True: the devices' turn. */
static bool is_closed(struct broker_check *in)
{
    if (in->closed || in->check->tidies) {
        end_intruder(in);
        return true;
    }
    if (!in->intruder)
        begin_intruder(in);
    else if (ev_time() > in->intruder_until)
        fail(in, "service", "no answer of the broker in time");
    return false;
}

/* ---- All of them ---- */

static uint32_t places(void)
{
    struct rlimit files;
    uint64_t open = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        open++;
    if (dir)
        closedir(dir);
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur <= open + FILES_SPARE)
        return 1;
    uint64_t left = files.rlim_cur - open - FILES_SPARE;
    return left < AT_ONCE ? (uint32_t)left : AT_ONCE;
}

static void look(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct broker_check *in = timer->data;
    const struct sim_roster *roster = &in->check->world->roster;
    (void)loop;
    (void)events;
    if (!in->service_up || *in->why || !is_closed(in))
        return;
    for (uint32_t i = 0; i < in->places && !*in->why; i++) {
        look_at(&in->probe[i]);
        if (!in->probe[i].mqtt && in->next < roster->count)
            begin(&in->probe[i], in, roster->unit[in->next++].id);
    }
}

static void run(struct broker_check *in)
{
    const struct sim_given_check *check = in->check;
    ev_timer timer;
    ev_timer_init(&timer, look, 0, LOOK_EVERY_S);
    timer.data = in;
    begin_service(in);
    ev_timer_start(check->loop, &timer);
    while (!*in->why && in->done < check->world->roster.count && !*check->stop)
        ev_run(check->loop, EVRUN_ONCE);
    ev_timer_stop(check->loop, &timer);
    if (*check->stop)
        snprintf(in->why, sizeof in->why, "interrupted");
    for (uint32_t i = 0; i < in->places; i++)
        end(&in->probe[i]);
    end_intruder(in);
    if (in->service && agent_mqtt_is_up(in->service))
        agent_mqtt_disconnect(in->service);
    agent_mqtt_destroy(in->service);
}

int sim_given_check_broker(const struct sim_given_check *check, char *message, size_t len)
{
    const struct sim_given_server *server = &check->given->server[SIM_GIVEN_BROKER];
    struct broker_check in = {.check = check, .places = places()};
    inet_ntop(AF_INET, &server->address.sin_addr, in.ip, sizeof in.ip);
    run(&in);
    if (!*in.why)
        return 0;
    snprintf(message, len, "the broker, %s: %s", server->url, in.why);
    return -1;
}
