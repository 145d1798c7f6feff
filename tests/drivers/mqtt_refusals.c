/* Who is refused, and with which phrase. */
#include "../soak/soak.h"
#include "device.h"
#include <criterion/criterion.h>
#include <sched.h>
#include <string.h>

TestSuite(drivers_refusal, .init = world_open, .fini = world_close, .timeout = 300);

static struct device device;

static void expect_refusal(const char *phrase)
{
    device_refused(&device);
    cr_assert(strstr(device.why, phrase), "told: %s", device.why);
    cr_assert_not(agent_mqtt_is_up(device.mqtt));
    agent_mqtt_destroy(device.mqtt);
}

static int64_t shifted_ms(void *ctx)
{
    return (int64_t)(ev_time() * 1000) + *(const int64_t *)ctx;
}

static void expect_refusal_of(const char *certificate, const char *phrase)
{
    world_broker(certificate, "");
    device_make(&device, "d", world.broker_port);
    expect_refusal(phrase);
}

Test(drivers_refusal, another_name)
{
    expect_refusal_of("wrong", "IP address mismatch");
}

Test(drivers_refusal, another_name_than_asked_for_by_name)
{
    world_broker("server", "");
    device_make(&device, "d", world.broker_port);
    device.config.server_name = "other.test";
    expect_refusal("hostname mismatch");
}

Test(drivers_refusal, the_common_name_is_no_name)
{
    world_broker("wrong", "");
    device_make(&device, "d", world.broker_port);
    device.config.server_name = "server.test";
    expect_refusal("hostname mismatch");
}

Test(drivers_refusal, an_expired_certificate)
{
    expect_refusal_of("expired", "certificate has expired");
}

Test(drivers_refusal, an_unknown_authority)
{
    expect_refusal_of("unknown", "unable to get local issuer certificate");
}

Test(drivers_refusal, a_device_clock_ten_years_off)
{
    int64_t ten_years_ms = INT64_C(315576000000), shift;
    world_broker("server", "");
    device_make(&device, "late", world.broker_port);
    device.config.clock = (struct agent_clock){shifted_ms, &shift};
    shift = ten_years_ms;
    expect_refusal("certificate has expired");
    device_make(&device, "early", world.broker_port);
    device.config.clock = (struct agent_clock){shifted_ms, &shift};
    shift = -ten_years_ms;
    expect_refusal("certificate is not yet valid");
    device_make(&device, "right", world.broker_port);
    device.config.clock = (struct agent_clock){shifted_ms, &shift};
    shift = 0;
    device_up(&device);
    agent_mqtt_destroy(device.mqtt);
}

/* Broker and client share a processor on which the client gets what is left: as soon as its first
 * bytes are out, the broker runs and answers, and the client reads the certificate while it is
 * still inside the connect call. */
static void let_the_broker_run_first(const char *certificate, const char *settings)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    world_broker(certificate, settings);
    cr_assert_eq(sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}), 0);
}

/* Until it was inside often enough: on a processor that others use too, each takes its time. */
Test(drivers_refusal, no_handshake_is_fast_enough_to_pass)
{
    int inside = 0, enough = (int)soak(5, 50);
    let_the_broker_run_first("wrong", "");
    for (int i = 0; i < 50 && inside < enough; i++) {
        device_make(&device, "d", world.broker_port);
        device_refused(&device);
        inside += !device.count[DEVICE_DOWN];
        cr_assert(strstr(device.why, "IP address mismatch"), "told: %s", device.why);
        agent_mqtt_destroy(device.mqtt);
    }
    cr_assert_gt(inside, 0, "not once inside the connect call");
}

Test(drivers_refusal, a_wrong_password)
{
    char settings[200];
    snprintf(settings, sizeof settings, "password_file %s", world_path("passwords"));
    world_password("device", "right");
    world_broker("server", settings);
    device_make(&device, "d", world.broker_port);
    device.config.user = "device";
    device.config.secret = "right";
    device_up(&device);
    agent_mqtt_destroy(device.mqtt);
    device_make(&device, "d", world.broker_port);
    device.config.user = "device";
    device.config.secret = "wrong";
    expect_refusal("not authorised");
}

Test(drivers_refusal, nobody_listens)
{
    device_make(&device, "d", world_free_port());
    expect_refusal("Connection refused");
}

Test(drivers_refusal, an_address_that_is_not_ours)
{
    device_make(&device, "d", world_free_port());
    device.config.bind_address = "192.0.2.1";
    expect_refusal("Cannot assign requested address");
}

static const char mutual[] = "require_certificate true\nuse_identity_as_username true";

/* The broker's alert is there, and its reset too, before CONNECT is written. The reason is told all
 * the same. */
Test(drivers_refusal, no_client_certificate_where_one_is_required)
{
    let_the_broker_run_first("server", mutual);
    for (uint32_t i = 0; i < soak(4, 10); i++) {
        device_make(&device, "d", world.broker_port);
        expect_refusal("certificate required");
    }
}

/* The broker's rules know the user by the certificate's common name: what comes back proves it. */
Test(drivers_refusal, not_with_a_client_certificate)
{
    static const char rules[] = "user device-7\ntopic readwrite in/d\n";
    char settings[300], cert[160], key[160], why[160] = "";
    struct agent_identity *identity;
    world_write("acl", rules, strlen(rules));
    snprintf(settings, sizeof settings, "%s\nacl_file %s", mutual, world_path("acl"));
    world_broker("server", settings);
    strcpy(cert, world_path("client.pem"));
    strcpy(key, world_path("client.key"));
    cr_assert_eq(agent_identity_load(&identity, cert, key, why, sizeof why), 0, "%s", why);
    device_make(&device, "d", world.broker_port);
    device.config.identity = identity;
    device_up(&device);
    device_publish(&device, "in/d", "it is me", 1);
    WORLD_UNTIL(device.count[DEVICE_MESSAGE]);
    agent_mqtt_destroy(device.mqtt);
    agent_identity_free(identity);
}
