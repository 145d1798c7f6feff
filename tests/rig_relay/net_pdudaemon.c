/* pdudaemon's HTTP interface: the requests as its README and httplistener.py have them. */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <string.h>

static const char *status, *body;

static void device(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    (void)ctx, (void)bytes, (void)len;
    net_http(reply, status ? status : "200 OK", body ? body : "OK - accepted request\n");
}

static bool asked(int at, const char *line)
{
    return at < net_server.taken_n &&
           !strncmp((const char *)net_server.taken[at].bytes, line, strlen(line));
}

Test(net_pdudaemon, requests)
{
    net_start(NET_HTTP, device, NULL);
    const struct rig_relay_driver *driver = &rig_relay_pdudaemon;
    struct rig_relay *relay = net_open(
        driver, (const char *[]){"port", net_server.port, "pdu", "pdu 3", NULL}, NET_PATIENT_MS);
    cr_expect_eq(driver->set(relay, 5, true, NET_SAID), 0, "%s", net_message);
    cr_expect_eq(driver->set(relay, 5, false, NET_SAID), 0, "%s", net_message);
    cr_expect(asked(0, "GET /power/control/on?hostname=pdu%203&port=5 HTTP/1.1\r\n"));
    cr_expect(asked(1, "GET /power/control/off?hostname=pdu%203&port=5 HTTP/1.1\r\n"));
    cr_expect(strstr((const char *)net_server.taken[0].bytes, "Authorization") == NULL);
    cr_expect_eq((void *)driver->get, NULL);
    driver->close(relay);
}

Test(net_pdudaemon, token_of_a_rig_is_sent_and_never_said)
{
    net_start(NET_HTTP, device, NULL);
    const char *pairs[] = {"port",  net_server.port,       "pdu", "bank-1",
                           "token", net_secret("t0ken-x"), NULL};
    struct rig_relay *relay = net_open(&rig_relay_pdudaemon, pairs, NET_PATIENT_MS);
    status = "401 Unauthorized";
    cr_expect_eq(rig_relay_pdudaemon.set(relay, 1, true, NET_SAID), RIG_EREFUSED);
    cr_expect(strstr((const char *)net_server.taken[0].bytes,
                     "\r\nAuthorization: Bearer t0ken-x\r\n") != NULL);
    cr_expect(strstr(net_message, "t0ken") == NULL, "%s", net_message);
    rig_relay_pdudaemon.close(relay);
}

Test(net_pdudaemon, refusals_and_wrong_answers)
{
    static const struct {
        const char *status, *body;
        int error;
    } rows[] = {
        {"500 Internal Server Error", "Invalid request\n", RIG_EREFUSED},
        {"503 Service Unavailable", "pump-1 power off: gone: unplugged", RIG_EREFUSED},
        {"409 Conflict", "pump-1 is in use by alice", RIG_EBUSY},
        {"404 Not Found", "404: Not Found", RIG_EANSWER},
        {"200 OK", "<html>router</html>", RIG_EANSWER},
        {"200 OK", "", RIG_EANSWER},
        {"301 Moved", "OK", RIG_EANSWER},
    };
    net_start(NET_HTTP, device, NULL);
    struct rig_relay *relay =
        net_open(&rig_relay_pdudaemon, (const char *[]){"port", net_server.port, "pdu", "a", NULL},
                 NET_PATIENT_MS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        status = rows[i].status;
        body = rows[i].body;
        cr_expect_eq(rig_relay_pdudaemon.set(relay, 1, true, NET_SAID), rows[i].error, "%s",
                     net_message);
    }
    rig_relay_pdudaemon.close(relay);
}
