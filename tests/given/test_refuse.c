/* What is wrong with given servers is told before the fleet starts: exit code 1, and what it is. */
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refused(const struct site *site, const char *options, const char *says)
{
    struct world_run run;
    site_run(&run, site, options);
    cr_expect_eq(run.exit_code, 1, "%s: %d: %s", says, run.exit_code, run.said);
    cr_expect_not_null(strstr(run.said, says), "%s: %s", says, run.said);
    cr_expect_null(run.json, "%s: nothing has run", says);
    world_run_free(&run);
}

/* Options that can't be meant, before any server is asked. */
Test(given_refuse, options_have_to_fit_together)
{
    static const struct {
        const char *options, *says;
    } row[] = {
        {"--broker mqtts://127.0.0.1:1", "--ca is missing"},
        {"--broker mqtts://127.0.0.1:1 --ca s.yaml", "--accounts is missing"},
        {"--accounts s.yaml", "belongs to --broker"},
        {"--store-secret-file s.yaml", "belongs to --store"},
        {"--ca s.yaml", "belongs to --broker or --store"},
        {"--store https://127.0.0.1:1/ --ca nowhere", "--ca nowhere: No such file"},
        {"--store https://127.0.0.1:1/ --ca s.yaml", "no PEM certificate"},
        {"--store https://no.such.host.invalid/ --ca s.yaml", "no IPv4 address of no.such.host"},
        {"--store https://127.0.0.1:1/ --ca s.yaml --store-secret-file /dev/null",
         "no secret in its first line"},
        {"--broker mqtts://127.0.0.1:1 --ca s.yaml --accounts /dev/null", "not a file"},
        {"--store https://127.0.0.1:1/ --ca s.yaml --world virtual", "--world loopback only"},
        {"--store https://127.0.0.1:1/ --ca s.yaml --world process", "--world loopback only"},
        {"--broker mqtt://127.0.0.1 --ca s.yaml --accounts s.yaml",
         "another scheme; accepted: mqtts://HOST[:PORT]"},
    };
    struct site site = {.scenario = world_scenario(3, "", "")};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        refused(&site, row[i].options, row[i].says);
    free(site.scenario);
}

Test(given_refuse, faults_that_take_a_server_of_our_own)
{
    static const struct {
        const char *fault, *says;
    } row[] = {
        {"  - {kind: broker_restart, at: 1s}\n", "s.yaml:22:5: faults.0: broker_restart: the "
                                                 "broker is given"},
        {"  - {kind: bad_certificate, server: store, how: expired, at: 0s, for: 3s}\n",
         "bad_certificate: the server is given"},
        {"  - {kind: clock_skew, at: 0s, for: 3s, by: +400d}\n", "clock_skew: a run knows"},
    };
    struct site site;
    site_open(&site, world_scenario(3, "", ""));
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *before = site.scenario;
        site.scenario = world_scenario(3, "", row[i].fault);
        refused(&site, site_options(&site), row[i].says);
        free(site.scenario);
        site.scenario = before;
    }
    char options[1024];
    snprintf(options, sizeof options, "%s --set device.credentials=certificate",
             site_options(&site));
    refused(&site, options, "device.credentials: certificate");
    site_close(&site);
}

/* ---- The broker ---- */

Test(given_refuse, accounts_that_the_broker_or_the_fleet_does_not_share)
{
    struct site site;
    char options[1024];
    site_open(&site, world_scenario(4, "", ""));
    snprintf(options, sizeof options, "%s --devices 5", site_options(&site));
    refused(&site, options, "pumps-00005: it has no line in the file of --accounts");
    cr_assert_eq(site_shell(&site, "cp export/accounts.csv good; "
                                   "sed -i '/pumps-00003/s/.$/x/' export/accounts.csv"),
                 0);
    refused(&site, site_options(&site), "pumps-00003: Connection Refused: not authorised");
    cr_assert_eq(site_shell(&site, "sed '/service/s/.$/x/' good >export/accounts.csv"), 0);
    refused(&site, site_options(&site), "service: Connection Refused: not authorised");
    cr_assert_eq(site_shell(&site, "sed /service/d good >export/accounts.csv"), 0);
    refused(&site, site_options(&site), "no line for `service`");
    cr_assert_eq(site_shell(&site, "cp good export/accounts.csv; chmod 644 export/accounts.csv"),
                 0);
    refused(&site, site_options(&site), "accepted: chmod 600");
    site_close(&site);
}

Test(given_refuse, a_broker_that_is_not_there_or_not_to_be_trusted)
{
    struct site site;
    char options[1024];
    site_open(&site, world_scenario(3, "", ""));
    snprintf(options, sizeof options, "%s --ca %s/pki/unknown-ca.pem", site_broker(&site),
             site.servers.folder);
    refused(&site, options, "service: unable to get local issuer certificate");
    snprintf(options, sizeof options,
             "--broker mqtts://localhost:%u --accounts %s/export/accounts.csv --ca %s/pki/ca.pem",
             site.servers.broker.port[SIM_CERT_GOOD], site.folder, site.servers.folder);
    refused(&site, options, "service: hostname mismatch");
    sim_broker_stop(&site.servers.broker);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_broker(&site),
             site.servers.folder);
    refused(&site, options, "service: Connection refused");
    site_close(&site);
}

/* mosquitto grants what its access list forbids, and delivers nothing: only a walk shows it. */
static void without_access(const char *line, const char *says)
{
    struct site site;
    char message[512], options[1024];
    site_open(&site, world_scenario(3, "", ""));
    sim_broker_stop(&site.servers.broker);
    cr_assert_eq(site_shell(&site, "sed -i '\\,^%s,d' %s/broker/acl", line, site.servers.folder),
                 0);
    cr_assert_eq(
        sim_broker_start_again(&site.servers.broker, SIM_MEMORY_KEPT, message, sizeof message), 0);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_broker(&site),
             site.servers.folder);
    refused(&site, options, says);
    site_close(&site);
}

Test(given_refuse, a_broker_whose_access_list_keeps_commands_from_devices)
{
    without_access("pattern read ota/command", "let `service` write it, and the device read it");
}

Test(given_refuse, a_broker_whose_access_list_keeps_devices_from_the_service)
{
    without_access("topic read ota/presence", "let the device write it, and `service` read it");
}

/* mosquitto's access list is about topics only: without this any account ends any session. */
Test(given_refuse, a_broker_that_lets_a_device_take_the_place_of_the_service)
{
    struct site site;
    char message[512], options[1024];
    site_open(&site, world_scenario(3, "", ""));
    sim_broker_stop(&site.servers.broker);
    cr_assert_eq(site_shell(&site, "sed -i /use_username_as_clientid/d %s/broker/mosquitto.conf",
                            site.servers.folder),
                 0);
    cr_assert_eq(
        sim_broker_start_again(&site.servers.broker, SIM_MEMORY_KEPT, message, sizeof message), 0);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_broker(&site),
             site.servers.folder);
    refused(&site, options, "pumps-00001: it can take the client id `service`");
    cr_expect_eq(site_shell(&site, "grep -q 'use_username_as_clientid true' export/README.txt"), 0);
    site_close(&site);
}

/* ---- The store ---- */

Test(given_refuse, images_that_are_not_those_of_the_scenario)
{
    static const struct {
        const char *change, *says;
    } row[] = {
        {"rm firmware-2.4.0.bin", "firmware-2.4.0.bin: status 404 (is it there?"},
        {"printf x | dd of=firmware-2.4.0.bin bs=1 seek=40000 conv=notrunc status=none",
         "firmware-2.4.0.bin: other bytes: SHA-256 "},
        {"truncate -s -1 firmware-2.4.0.bin", "67583 bytes; the scenario's image has 67584"},
        {"echo more >>firmware-2.4.0.bin", "more than 67584 bytes"},
    };
    struct site site;
    char options[1024];
    site_open(&site, world_scenario(3, "", ""));
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_store(&site),
             site.servers.folder);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_assert_eq(
            site_shell(&site, "cp export/store/*.bin %s/store/files/pump/", site.servers.folder),
            0);
        cr_assert_eq(
            site_shell(&site, "cd %s/store/files/pump && %s", site.servers.folder, row[i].change),
            0);
        refused(&site, options, row[i].says);
    }
    cr_assert_eq(
        site_shell(&site, "cp export/store/*.bin %s/store/files/pump/", site.servers.folder), 0);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem --seed 2", site_store(&site),
             site.servers.folder);
    refused(&site, options, "other bytes");
    site_close(&site);
}

Test(given_refuse, a_store_that_refuses_or_is_not_to_be_trusted)
{
    struct site site;
    char options[1024], message[512];
    site_open(&site, world_scenario(3, "", ""));
    cr_assert_eq(site_shell(&site, "echo another >wrong"), 0);
    snprintf(options, sizeof options,
             "--store https://127.0.0.1:%u/pump/ --store-secret-file %s/wrong --ca %s/pki/ca.pem",
             site.servers.store.port[SIM_CERT_GOOD], site.folder, site.servers.folder);
    refused(&site, options, "status 403 (is its secret that of --store-secret-file?)");
    snprintf(options, sizeof options, "%s --ca %s/pki/unknown-ca.pem", site_store(&site),
             site.servers.folder);
    refused(&site, options, "issuer");
    sim_store_stop(&site.servers.store);
    cr_assert_eq(site_shell(&site, "sed -i 's/root files;/& max_ranges 0;/' %s/store/nginx.conf",
                            site.servers.folder),
                 0);
    cr_assert_eq(sim_store_start_again(&site.servers.store, message, sizeof message), 0);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_store(&site),
             site.servers.folder);
    refused(&site, options, "a request for a range gets status 200");
    sim_store_stop(&site.servers.store);
    refused(&site, options, "firmware-2.3.1.bin: ");
    site_close(&site);
}
