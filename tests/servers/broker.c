/* Who may do what at the broker. */
#include "world.h"
#include <stdio.h>
#include <string.h>

static struct sim_servers servers;

static void start(void)
{
    struct sim_servers_config config = world_config();
    config.broker.mutual_tls = true;
    config.broker.bad_certificates = true;
    world_start(&servers, &config);
}

static void stop(void)
{
    sim_servers_stop(&servers);
}

TestSuite(broker, .init = start, .fini = stop);

Test(broker, device_reads_its_own_notification_and_no_others)
{
    struct client device = as_user(&servers, "dev-00001", NULL);
    subscribe(device, "#");
    publish(as_service(&servers), "ota/notification/dev-00002", "for 2");
    publish(as_service(&servers), "ota/command/dev-00002", "for 2");
    publish(as_service(&servers), "ota/notification/dev-00001", "for 1");
    publish(as_service(&servers), "ota/command/dev-00001", "also for 1");
    struct answer got = receive(device, "#", 2);
    cr_assert_str_eq(got.text,
                     "ota/notification/dev-00001 for 1\nota/command/dev-00001 also for 1\n");
}

Test(broker, device_writes_its_own_topics_and_no_others)
{
    struct client device = as_user(&servers, "dev-00001", NULL);
    subscribe(as_service(&servers), "ota/status/+");
    subscribe(as_service(&servers), "telemetry/+");
    subscribe(as_service(&servers), "ota/presence/+");
    publish(device, "ota/status/dev-00002", "forged");
    publish(device, "telemetry/dev-00002", "forged");
    publish(device, "ota/presence/dev-00002", "forged");
    publish(device, "ota/status/dev-00001", "1");
    publish(device, "telemetry/dev-00001", "2");
    publish(device, "ota/presence/dev-00001", "3");
    struct answer got = receive(as_service(&servers), "ota/status/+", 3);
    cr_assert_str_eq(got.text,
                     "ota/status/dev-00001 1\ntelemetry/dev-00001 2\nota/presence/dev-00001 3\n");
}

/* What was retained before it subscribes comes before what is sent later. */
Test(broker, device_gives_no_orders)
{
    struct client victim = as_user(&servers, "dev-00002", NULL);
    publish_retained(as_user(&servers, "dev-00001", NULL), "ota/command/dev-00002", "forged");
    publish_retained(victim, "ota/command/dev-00002", "its own");
    subscribe(victim, "ota/command/dev-00002");
    publish(as_service(&servers), "ota/command/dev-00002", "true");
    cr_assert_str_eq(receive(victim, "ota/command/dev-00002", 1).text,
                     "ota/command/dev-00002 true\n");
}

Test(broker, observer_reads_everything_and_writes_nothing)
{
    struct client observer = as_user(&servers, "observer", SERVICE_SECRET);
    publish_retained(observer, "ota/command/dev-00001", "forged");
    publish_retained(observer, "ota/status/dev-00001", "forged");
    subscribe(observer, "#");
    publish(as_service(&servers), "ota/command/dev-00001", "ping");
    publish(as_user(&servers, "dev-00001", NULL), "ota/status/dev-00001", "notified");
    cr_assert_str_eq(receive(observer, "#", 2).text,
                     "ota/command/dev-00001 ping\nota/status/dev-00001 notified\n");
}

Test(broker, wrong_secret_unknown_user_and_anonymous_are_refused)
{
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&servers.pki, ca);
    const struct client client[] = {as_user(&servers, "dev-00001", "secret-00002"),
                                    as_user(&servers, "dev-99999", "secret-99999"),
                                    as_user(&servers, "service", "secret-00001")};
    for (size_t i = 0; i < sizeof client / sizeof client[0]; i++) {
        struct answer got = run("mosquitto_pub %s -t telemetry/dev-00001 -m x", client[i].text);
        cr_assert_neq(got.exit_code, 0);
        cr_assert(strstr(got.text, "not authorised"), "%s", got.text);
    }
    struct answer got = run("mosquitto_pub -h 127.0.0.1 -p %u --cafile %s -t telemetry/x -m x",
                            servers.broker.port[SIM_CERT_GOOD], ca);
    cr_assert_neq(got.exit_code, 0);
    cr_assert(strstr(got.text, "not authorised"), "%s", got.text);
    cr_assert_eq(sim_broker_connected(&servers.broker), 0);
    publish(as_user(&servers, "dev-00001", NULL), "telemetry/dev-00001", "x");
    cr_assert_eq(sim_broker_connected(&servers.broker), 1);
}

/* Without this a device could take, and with it end, the session of any other. */
Test(broker, another_devices_client_id_is_not_its_session)
{
    struct client victim = as_user(&servers, "dev-00002", NULL);
    struct client thief = as_user(&servers, "dev-00001", NULL);
    strcat(thief.text, " -i dev-00002");
    subscribe(victim, "ota/command/dev-00002");
    publish(as_service(&servers), "ota/command/dev-00002", "for 2");
    publish(thief, "telemetry/dev-00001", "clean session under the id of 2");
    cr_assert_str_eq(receive(victim, "ota/command/dev-00002", 1).text,
                     "ota/command/dev-00002 for 2\n");
}

static struct client by_certificate(const char *device, enum sim_cert kind)
{
    struct client out;
    char ca[SIM_PKI_PATH_MAX], pem[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX], message[512];
    cr_assert_eq(sim_pki_device(&servers.pki, device, kind, message, sizeof message), 0, "%s",
                 message);
    sim_pki_ca_path(&servers.pki, ca);
    sim_pki_device_path(&servers.pki, pem, device, kind, SIM_PEM_CERTIFICATE);
    sim_pki_device_path(&servers.pki, key, device, kind, SIM_PEM_KEY);
    int len = snprintf(out.text, sizeof out.text,
                       "-h 127.0.0.1 -p %u --cafile %s --cert %s --key %s -i %s -q 1",
                       servers.broker.mutual_port, ca, pem, key, device);
    cr_assert(len < (int)sizeof out.text);
    return out;
}

Test(broker, client_certificate_is_the_user)
{
    subscribe(as_service(&servers), "ota/status/+");
    struct client device = by_certificate("dev-00001", SIM_CERT_GOOD);
    publish(device, "ota/status/dev-00002", "forged");
    publish(device, "ota/status/dev-00001", "its own");
    cr_assert_str_eq(receive(as_service(&servers), "ota/status/+", 1).text,
                     "ota/status/dev-00001 its own\n");
}

Test(broker, bad_client_certificate_is_refused)
{
    static const enum sim_cert bad[] = {SIM_CERT_EXPIRED, SIM_CERT_NOT_YET_VALID,
                                        SIM_CERT_UNKNOWN_CA};
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&servers.pki, ca);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct answer got = run("mosquitto_pub %s -t telemetry/dev-00001 -m x",
                                by_certificate("dev-00001", bad[i]).text);
        cr_assert_neq(got.exit_code, 0, "%s", sim_cert_name(bad[i]));
    }
    struct answer got = run("mosquitto_pub -h 127.0.0.1 -p %u --cafile %s -u dev-00001 "
                            "-P secret-00001 -t telemetry/dev-00001 -m x",
                            servers.broker.mutual_port, ca);
    cr_assert_neq(got.exit_code, 0, "a secret in place of a certificate");
    cr_assert_eq(sim_broker_connected(&servers.broker), 0);
}

Test(broker, client_refuses_each_bad_server_certificate)
{
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&servers.pki, ca);
    for (int kind = SIM_CERT_GOOD; kind < SIM_CERT_KINDS; kind++) {
        struct answer got = run("mosquitto_pub -h 127.0.0.1 -p %u --cafile %s -u dev-00001 "
                                "-P secret-00001 -t telemetry/dev-00001 -m x",
                                servers.broker.port[kind], ca);
        cr_assert_eq(got.exit_code == 0, kind == SIM_CERT_GOOD, "%s: %s",
                     sim_cert_name((enum sim_cert)kind), got.text);
    }
    cr_assert_eq(sim_broker_connected(&servers.broker), 1);
}

Test(broker, client_may_come_from_any_loopback_address)
{
    struct answer got = run("mosquitto_pub %s -A 127.9.8.7 -t telemetry/dev-00001 -m x",
                            as_user(&servers, "dev-00001", NULL).text);
    cr_assert_eq(got.exit_code, 0, "%s", got.text);
    got = run("grep -c 'New client connected from 127.9.8.7:' %s", servers.broker.process.log);
    cr_assert_str_eq(got.text, "1\n");
}

Test(broker, payload_beyond_the_limit_is_not_delivered)
{
    struct client device = as_user(&servers, "dev-00001", NULL);
    subscribe(as_service(&servers), "telemetry/+");
    struct answer got =
        run("head -c 65537 /dev/zero | mosquitto_pub %s -t telemetry/dev-00001 -s", device.text);
    cr_assert_eq(got.exit_code, 0, "%s", got.text);
    publish(device, "telemetry/dev-00001", "small");
    cr_assert_str_eq(receive(as_service(&servers), "telemetry/+", 1).text,
                     "telemetry/dev-00001 small\n");
}
