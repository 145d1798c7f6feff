/* Tasmota's web requests, and what HTTP itself can do wrong. */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The plug: as the firmware, it takes an index too high for 1, and says POWER when it has one. */
static struct plug {
    unsigned relays;
    bool on[4], stuck;
    const char *login; /* "user=admin&password=s3cret%26&"; NULL: none */
    const char *body;  /* instead of its own, from the second request on if `later` */
    const char *status;
    bool later;
} plug;

static const char *state(unsigned at)
{
    return plug.on[at - 1] ? "ON" : "OFF";
}

static void power(char *out, size_t room, unsigned at, const char *word)
{
    if (at < 1 || at > plug.relays)
        at = 1;
    if (*word && !plug.stuck)
        plug.on[at - 1] = !strncmp(word, "%20On", 5);
    if (plug.relays == 1)
        snprintf(out, room, "{\"POWER\":\"%s\"}", state(1));
    else
        snprintf(out, room, "{\"POWER%u\":\"%s\"}", at, state(at));
}

static void status_11(char *out, size_t room)
{
    int n = snprintf(out, room,
                     "{\"StatusSTS\":{\"Time\":\"2024-01-01T10:00:00\",\"Uptime\":\"0T00:03:29\","
                     "\"UptimeSec\":209,\"Heap\":25,\"SleepMode\":\"Dynamic\",");
    for (unsigned at = 1; at <= plug.relays; at++)
        n += plug.relays == 1
                 ? snprintf(out + n, room - (size_t)n, "\"POWER\":\"%s\",", state(1))
                 : snprintf(out + n, room - (size_t)n, "\"POWER%u\":\"%s\",", at, state(at));
    snprintf(out + n, room - (size_t)n, "\"Wifi\":{\"AP\":1,\"RSSI\":78,\"Signal\":-61}}}");
}

static void device(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    (void)ctx, (void)len;
    static char out[600];
    char text[NET_BYTES_MAX];
    unsigned at;
    snprintf(text, sizeof text, "%.*s", (int)len, (const char *)bytes);
    const char *command = strstr(text, "cmnd=");
    bool first = net_server.taken_n == 1;
    if (plug.login && !strstr(text, plug.login))
        snprintf(out, sizeof out, "{\"WARNING\":\"Need user=<username>&password=<password>\"}");
    else if (command && !strncmp(command, "cmnd=Status%2011 ", 17))
        status_11(out, sizeof out);
    else if (command && sscanf(command, "cmnd=Power%u", &at) == 1)
        power(out, sizeof out, at, command + 11);
    else
        snprintf(out, sizeof out, "{\"Command\":\"Unknown\"}");
    bool own = !plug.body || (plug.later && first);
    net_http(reply, own || !plug.status ? "200 OK" : plug.status, own ? out : plug.body);
}

static struct rig_relay *opened_for(uint32_t timeout_ms)
{
    return net_open(&rig_relay_tasmota,
                    (const char *[]){"host", "127.0.0.1", "port", net_server.port, NULL},
                    timeout_ms);
}

static struct rig_relay *opened(void)
{
    return opened_for(NET_PATIENT_MS);
}

static void start(unsigned relays)
{
    plug.relays = relays;
    net_start(NET_HTTP, device, NULL);
}

static bool asked(int at, const char *line)
{
    return at < net_server.taken_n &&
           !strncmp((const char *)net_server.taken[at].bytes, line, strlen(line));
}

static int set(struct rig_relay *relay, uint32_t channel, bool on)
{
    return rig_relay_tasmota.set(relay, channel, on, NET_SAID);
}

Test(net_tasmota, requests_are_the_documented_ones)
{
    start(2);
    struct rig_relay *relay = opened();
    bool on = true;
    plug.on[0] = plug.on[1] = true;
    cr_expect_eq(set(relay, 1, false), 0, "%s", net_message);
    cr_expect_eq(rig_relay_tasmota.get(relay, &on, 1, NET_SAID), 0, "%s", net_message);
    cr_expect_not(on);
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    cr_expect_eq(rig_relay_tasmota.get(relay, &on, 2, NET_SAID), 0, "%s", net_message);
    cr_expect(on);
    cr_expect(asked(0, "GET /cm?cmnd=Status%2011 HTTP/1.1\r\n"));
    cr_expect(asked(1, "GET /cm?cmnd=Power1%20Off HTTP/1.1\r\n"));
    cr_expect(asked(2, "GET /cm?cmnd=Status%2011 HTTP/1.1\r\n"));
    cr_expect(asked(3, "GET /cm?cmnd=Power1%20On HTTP/1.1\r\n"));
    cr_expect_eq(net_server.taken_n, 5);
    rig_relay_tasmota.close(relay);
}

Test(net_tasmota, one_relay_says_power_without_a_number)
{
    start(1);
    struct rig_relay *relay = opened();
    bool on = false;
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    cr_expect_eq(rig_relay_tasmota.get(relay, &on, 1, NET_SAID), 0, "%s", net_message);
    cr_expect(on);
    rig_relay_tasmota.close(relay);
}

Test(net_tasmota, relay_that_is_not_there_switches_none)
{
    start(1);
    struct rig_relay *relay = opened();
    plug.on[0] = true;
    cr_expect_eq(set(relay, 2, false), RIG_EANSWER);
    cr_expect(plug.on[0], "the firmware would have switched relay 1");
    cr_expect_eq(set(relay, 33, false), RIG_EUNSUPPORTED);
    cr_expect_eq(set(relay, 0, false), RIG_EUNSUPPORTED);
    rig_relay_tasmota.close(relay);
}

Test(net_tasmota, login_is_escaped_and_never_said)
{
    plug.login = "user=admin&password=s3cret%26&";
    start(2);
    struct rig_relay *relay = NULL;
    const char *right[] = {"host",     "127.0.0.1",           "port", net_server.port,
                           "password", net_secret("s3cret&"), NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_tasmota, right, NET_PATIENT_MS), 0);
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    cr_expect(asked(1, "GET /cm?user=admin&password=s3cret%26&cmnd=Power1%20On HTTP/1.1\r\n"));
    rig_relay_tasmota.close(relay);
    const char *wrong[] = {"host",     "127.0.0.1",           "port", net_server.port,
                           "password", net_secret("guessed"), NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_tasmota, wrong, NET_PATIENT_MS), 0);
    cr_expect_eq(set(relay, 1, true), RIG_EREFUSED);
    cr_expect(strstr(net_message, "Need user") != NULL, "%s", net_message);
    cr_expect(strstr(net_message, "guessed") == NULL, "%s", net_message);
    rig_relay_tasmota.close(relay);
}

Test(net_tasmota, relay_that_stays_is_told_by_its_answer)
{
    start(2);
    struct rig_relay *relay = opened();
    plug.on[0] = plug.stuck = true;
    cr_expect_eq(set(relay, 1, false), RIG_EREADBACK, "%s", net_message);
    rig_relay_tasmota.close(relay);
}

Test(net_tasmota, wrong_answers)
{
    static const struct {
        const char *status, *body;
        int error;
    } rows[] = {
        {"200 OK", "{\"POWER2\":\"ON\"}", RIG_EANSWER},
        {"200 OK", "{\"POWER1\":\"BLINK\"}", RIG_EANSWER},
        {"200 OK", "{\"POWER1\":1}", RIG_EANSWER},
        {"200 OK", "{\"POWER1\":\"ON\",\"POWER1\":\"OFF\"}", RIG_EANSWER},
        {"200 OK", "{\"POWER1\":\"ON\"", RIG_EANSWER},
        {"200 OK", "{\"Command\":\"Unknown\"}", RIG_EREFUSED},
        {"200 OK", "<!DOCTYPE html><html><head><title>Login</title></head></html>", RIG_EANSWER},
        {"200 OK", "", RIG_EANSWER},
        {"200 OK", "[]", RIG_EANSWER},
        {"302 Found", "{\"POWER1\":\"ON\"}", RIG_EANSWER},
        {"401 Unauthorized", "", RIG_EREFUSED},
        {"403 Forbidden", "", RIG_EREFUSED},
        {"500 Internal Server Error", "{\"POWER1\":\"ON\"}", RIG_EANSWER},
    };
    start(2);
    plug.later = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_server.taken_n = 0;
        struct rig_relay *relay = opened();
        plug.body = rows[i].body;
        plug.status = rows[i].status;
        cr_expect_eq(set(relay, 1, true), rows[i].error, "%s: %s", rows[i].body, net_message);
        cr_expect(net_message[0] != '\0');
        rig_relay_tasmota.close(relay);
    }
}

/* ---- HTTP itself ---- */

enum fault { SILENT, SHUT, HALF, HUGE, ENDLESS_HEAD, NO_HTTP, NO_BODY };

static void faulty(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"POWER1\"";
    static const char huge[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    static const char line[] = "X-Filler: 0123456789012345678901234567890123456789012345678\r\n";
    static const char ssh[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n";
    static const char none[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    static char much[sizeof huge + 1024];
    (void)bytes, (void)len;
    switch (*(enum fault *)ctx) {
    case SILENT:
        break;
    case SHUT:
        reply->close = true;
        break;
    case HALF:
        *reply = (struct net_reply){.bytes = half, .len = sizeof half - 1, .close = true};
        break;
    case HUGE: /* 64 KiB and some more, in heads and all */
        memset(much, ' ', sizeof much);
        memcpy(much, huge, sizeof huge - 1);
        *reply = (struct net_reply){.bytes = much, .len = sizeof much, .repeat = 70};
        break;
    case ENDLESS_HEAD:
        *reply = (struct net_reply){.bytes = line, .len = sizeof line - 1, .repeat = 100000};
        break;
    case NO_HTTP:
        *reply = (struct net_reply){.bytes = ssh, .len = sizeof ssh - 1, .close = true};
        break;
    case NO_BODY:
        *reply = (struct net_reply){.bytes = none, .len = sizeof none - 1};
        break;
    }
}

Test(net_tasmota, faults_below_http)
{
    static const struct {
        enum fault fault;
        int error;
    } rows[] = {{SILENT, RIG_ESILENT}, {SHUT, RIG_EGONE},           {HALF, RIG_EGONE},
                {HUGE, RIG_EANSWER},   {ENDLESS_HEAD, RIG_EANSWER}, {NO_HTTP, RIG_EANSWER},
                {NO_BODY, RIG_ESILENT}};
    enum fault fault;
    net_start(NET_HTTP, faulty, &fault);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fault = rows[i].fault;
        struct rig_relay *relay =
            opened_for(rows[i].error == RIG_ESILENT ? NET_SHORT_MS : NET_PATIENT_MS);
        cr_expect_eq(set(relay, 1, true), rows[i].error, "%zu: %s", i, net_message);
        rig_relay_tasmota.close(relay);
    }
}

/* So many bytes, of which the first are an answer. */
static void long_body(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    static const char json[] = "{\"StatusSTS\":{\"POWER1\":\"ON\"}}";
    static char out[64 * 1024 + 200];
    size_t body = *(const size_t *)ctx;
    (void)bytes, (void)len;
    memset(out, ' ', sizeof out);
    int n = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);
    memcpy(out + n, json, sizeof json - 1);
    *reply = (struct net_reply){.bytes = out, .len = (size_t)n + body};
}

Test(net_tasmota, body_of_64_kib_is_read_and_one_byte_more_is_not)
{
    static const struct {
        size_t len;
        int error;
    } rows[] = {{65536, RIG_OK}, {65537, RIG_EANSWER}};
    size_t len;
    net_start(NET_HTTP, long_body, &len);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        len = rows[i].len;
        struct rig_relay *relay = opened();
        bool on = false;
        cr_expect_eq(rig_relay_tasmota.get(relay, &on, 1, NET_SAID), rows[i].error, "%s",
                     net_message);
        cr_expect_eq(on, rows[i].error == RIG_OK);
        rig_relay_tasmota.close(relay);
    }
}

Test(net_tasmota, nobody_listens_and_no_host)
{
    struct rig_relay *relay;
    const char *nobody[] = {"host", "127.0.0.1", "port", net_nobody(), NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_tasmota, nobody, NET_PATIENT_MS), 0);
    cr_expect_eq(set(relay, 1, true), RIG_EOPEN);
    cr_expect(strstr(net_message, nobody[3]) != NULL, "%s", net_message);
    rig_relay_tasmota.close(relay);
    const char *odd[] = {"host", "plug/../x@evil", NULL};
    cr_expect_eq(net_try(&relay, &rig_relay_tasmota, odd, NET_PATIENT_MS), RIG_EOPEN);
}

Test(net_tasmota, proxy_of_the_environment_is_not_asked)
{
    start(2);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    struct rig_relay *relay = opened();
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    rig_relay_tasmota.close(relay);
}
