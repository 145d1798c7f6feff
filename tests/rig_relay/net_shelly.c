/* Shelly's RPC over HTTP, from its API's pages (Switch, Authentication). */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static struct {
    bool on[4];
    const char *password;
    const char *status, *body; /* instead of its own; {id} is not replaced */
    double toggle_after;
} plug;
static char last_id[16];

static const char *body_of(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    return body ? body + 4 : "";
}

static void rpc(char *out, size_t room, const char *body)
{
    unsigned id = 0, at = 0;
    char word[8] = "";
    plug.toggle_after = 0;
    if (sscanf(body, "{\"id\":%u,\"method\":\"Switch.Set\",\"params\":{\"id\":%u,\"on\":%5[a-z]",
               &id, &at, word) == 3 &&
        at < 2) {
        const char *after = strstr(body, "\"toggle_after\":");
        if (after)
            sscanf(after + 15, "%lf", &plug.toggle_after);
        snprintf(out, room,
                 "{\"id\":%u,\"src\":\"shellyplus2pm-a8032ab12345\",\"result\":{\"was_on\":%s}}",
                 id, plug.on[at] ? "true" : "false");
        plug.on[at] = !strcmp(word, "true");
    } else if (sscanf(body, "{\"id\":%u,\"method\":\"Switch.GetStatus\",\"params\":{\"id\":%u}}",
                      &id, &at) == 2 &&
               at < 2) {
        snprintf(
            out, room,
            "{\"id\":%u,\"src\":\"shellyplus2pm-a8032ab12345\",\"result\":{\"id\":%u,\"source\":"
            "\"HTTP_in\",\"output\":%s,\"temperature\":{\"tC\":52.1,\"tF\":125.8}}}",
            id, at, plug.on[at] ? "true" : "false");
    } else {
        snprintf(out, room,
                 "{\"id\":%u,\"src\":\"shellyplus2pm-a8032ab12345\",\"error\":{\"code\":-105,"
                 "\"message\":\"Argument 'id', value %u not found!\"}}",
                 id, at);
    }
    snprintf(last_id, sizeof last_id, "%u", id);
}

/* ---- RFC 7616 by hand: response = H(H(A1):nonce:nc:cnonce:qop:H(A2)) ---- */

static void sha256(char hex[65], const char *text)
{
    unsigned char bytes[32];
    EVP_Digest(text, strlen(text), bytes, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void field(char out[128], const char *from, const char *key)
{
    const char *at = strstr(from, key);
    out[0] = '\0';
    if (at)
        sscanf(at + strlen(key), "%127[^\",\r ]", out);
}

static bool logged_in(const char *request)
{
    const char *line = strstr(request, "Authorization: Digest ");
    char a1[200], a2[65], ha1[65], all[600], want[65], cnonce[128], nc[128], response[128];
    if (!line)
        return false;
    field(cnonce, line, "cnonce=\"");
    field(nc, line, "nc=");
    field(response, line, "response=\"");
    snprintf(a1, sizeof a1, "admin:shellyplus2pm-a8032ab12345:%s", plug.password);
    sha256(ha1, a1);
    sha256(a2, "POST:/rpc");
    snprintf(all, sizeof all, "%s:60dc2c69:%s:%s:auth:%s", ha1, nc, cnonce, a2);
    sha256(want, all);
    return !strcmp(want, response);
}

static void device(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    static char challenge[] =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest qop=\"auth\", "
        "realm=\"shellyplus2pm-a8032ab12345\", nonce=\"60dc2c69\", algorithm=SHA-256\r\n"
        "Content-Length: 0\r\n\r\n";
    char text[NET_BYTES_MAX + 1], out[600];
    (void)ctx;
    snprintf(text, sizeof text, "%.*s", (int)len, (const char *)bytes);
    if (plug.password && !logged_in(text)) {
        *reply = (struct net_reply){.bytes = challenge, .len = sizeof challenge - 1};
        return;
    }
    if (strncmp(text, "POST /rpc HTTP/1.1\r\n", 20) != 0) {
        net_http(reply, "404 Not Found", "Not Found");
        return;
    }
    rpc(out, sizeof out, body_of(text));
    net_http(reply, plug.status ? plug.status : "200 OK", plug.body ? plug.body : out);
}

static struct rig_relay *opened(void)
{
    return net_open(&rig_relay_shelly,
                    (const char *[]){"host", "127.0.0.1", "port", net_server.port, NULL},
                    NET_PATIENT_MS);
}

static bool posted(int at, const char *body)
{
    return at < net_server.taken_n &&
           !strcmp(body_of((const char *)net_server.taken[at].bytes), body);
}

static int set(struct rig_relay *relay, uint32_t channel, bool on)
{
    return rig_relay_shelly.set(relay, channel, on, NET_SAID);
}

Test(net_shelly, frames_are_the_documented_ones)
{
    net_start(NET_HTTP, device, NULL);
    struct rig_relay *relay = opened();
    bool on = true;
    plug.on[0] = plug.on[1] = true;
    cr_expect_eq(set(relay, 0, false), 0, "%s", net_message);
    cr_expect_eq(rig_relay_shelly.get(relay, &on, 0, NET_SAID), 0, "%s", net_message);
    cr_expect_not(on);
    cr_expect_eq(rig_relay_shelly.get(relay, &on, 1, NET_SAID), 0, "%s", net_message);
    cr_expect(on);
    cr_expect_eq(rig_relay_shelly.pulse(relay, 0, false, 2000, NET_SAID), 0);
    cr_expect(posted(0, "{\"id\":1,\"method\":\"Switch.Set\",\"params\":{\"id\":0,\"on\":false}}"));
    cr_expect(posted(1, "{\"id\":2,\"method\":\"Switch.GetStatus\",\"params\":{\"id\":0}}"));
    cr_expect(posted(3, "{\"id\":4,\"method\":\"Switch.Set\",\"params\":{\"id\":0,\"on\":false,"
                        "\"toggle_after\":2}}"));
    cr_expect(strstr((const char *)net_server.taken[0].bytes,
                     "\r\nContent-Type: application/json\r\n") != NULL);
    rig_relay_shelly.close(relay);
}

Test(net_shelly, pulse_is_rounded_up_to_seconds)
{
    static const struct {
        uint32_t ms;
        double seconds;
    } rows[] = {{0, 1}, {1, 1}, {1000, 1}, {1001, 2}, {60000, 60}};
    net_start(NET_HTTP, device, NULL);
    struct rig_relay *relay = opened();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(rig_relay_shelly.pulse(relay, 1, true, rows[i].ms, NET_SAID), 0);
        cr_expect_float_eq(plug.toggle_after, rows[i].seconds, 1e-9);
    }
    cr_expect_eq(rig_relay_shelly.pulse(relay, 1, true, 86400001, NET_SAID), RIG_EUNSUPPORTED);
    rig_relay_shelly.close(relay);
}

Test(net_shelly, digest_login_of_rfc_7616)
{
    plug.password = "mysecretpassword";
    net_start(NET_HTTP, device, NULL);
    struct rig_relay *relay;
    const char *right[] = {
        "host", "127.0.0.1", "port", net_server.port, "password", net_secret("mysecretpassword"),
        NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_shelly, right, NET_PATIENT_MS), 0);
    cr_expect_eq(set(relay, 1, true), 0, "%s", net_message);
    cr_expect(plug.on[1]);
    for (int i = 0; i < net_server.taken_n; i++)
        cr_expect(strstr((const char *)net_server.taken[i].bytes, "mysecret") == NULL);
    rig_relay_shelly.close(relay);
    const char *wrong[] = {
        "host", "127.0.0.1", "port", net_server.port, "password", net_secret("guessed-one"), NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_shelly, wrong, NET_PATIENT_MS), 0);
    cr_expect_eq(set(relay, 1, false), RIG_EREFUSED);
    cr_expect(plug.on[1]);
    cr_expect(strstr(net_message, "guessed") == NULL, "%s", net_message);
    rig_relay_shelly.close(relay);
    relay = opened();
    cr_expect_eq(set(relay, 1, false), RIG_EREFUSED, "no password at all");
    rig_relay_shelly.close(relay);
}

Test(net_shelly, error_frame_is_a_refusal_with_its_words)
{
    net_start(NET_HTTP, device, NULL);
    struct rig_relay *relay = opened();
    cr_expect_eq(set(relay, 3, true), RIG_EREFUSED);
    cr_expect(strstr(net_message, "-105 Argument 'id', value 3 not found!") != NULL, "%s",
              net_message);
    plug.status = "500 Internal Server Error";
    cr_expect_eq(set(relay, 3, true), RIG_EREFUSED, "with any status");
    cr_expect_eq(set(relay, 4, true), RIG_EUNSUPPORTED);
    rig_relay_shelly.close(relay);
}

Test(net_shelly, wrong_answers)
{
    static const struct {
        const char *status, *body;
    } rows[] = {
        {"200 OK", "{\"id\":9,\"result\":{\"was_on\":true}}"}, /* to another request */
        {"200 OK", "{\"id\":1,\"result\":{}}"},
        {"200 OK", "{\"id\":1,\"result\":{\"was_on\":\"true\"}}"},
        {"200 OK", "{\"id\":\"1\",\"result\":{\"was_on\":true}}"},
        {"200 OK", "{\"result\":{\"was_on\":true}}"},
        {"200 OK", "<html><body>Shelly</body></html>"},
        {"200 OK", ""},
        {"404 Not Found", "Not Found"},
        {"500 Internal Server Error", "{\"id\":1,\"result\":{\"was_on\":true}}"},
    };
    net_start(NET_HTTP, device, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_relay *relay = opened();
        plug.status = rows[i].status;
        plug.body = rows[i].body;
        cr_expect_eq(set(relay, 0, true), RIG_EANSWER, "%s: %s", rows[i].body, net_message);
        rig_relay_shelly.close(relay);
    }
}

Test(net_shelly, state_of_another_switch_is_no_answer)
{
    static const char *const rows[] = {
        "{\"id\":1,\"result\":{\"id\":1,\"output\":true}}",
        "{\"id\":1,\"result\":{\"output\":true}}",
        "{\"id\":1,\"result\":{\"id\":0,\"output\":1}}",
        "{\"id\":1,\"result\":{\"id\":0}}",
    };
    net_start(NET_HTTP, device, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_relay *relay = opened();
        bool on = false;
        plug.body = rows[i];
        cr_expect_eq(rig_relay_shelly.get(relay, &on, 0, NET_SAID), RIG_EANSWER, "%s", rows[i]);
        cr_expect_not(on);
        rig_relay_shelly.close(relay);
    }
}
