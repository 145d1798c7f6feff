/* Runs against servers that are given by URL, as a release engineer does them. */
#include "../soak/soak.h"
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *fact(const struct world_run *run, const char *name)
{
    return json_string_value(json_object_get(json_object_get(run->json, "facts"), name));
}

static long long fired(const struct world_run *run)
{
    long long sum = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(run->json, "faults"), i, row) sum +=
        json_integer_value(json_object_get(row, "fired"));
    return sum;
}

/* Twice, because a broker that is not ours lives on: what a run leaves there meets the next. */
Test(given_run, a_fleet_updates_over_servers_of_somebody_else_again_and_again)
{
    struct site site;
    site_open(&site, world_scenario(20, "", ""));
    for (int i = 0; i < 2; i++) {
        struct world_run run;
        site_run(&run, &site, site_options(&site));
        cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
        cr_expect_eq(world_number(&run, "updates/confirmed"), 20);
        cr_expect_eq(world_number(&run, "belief/wrong_at_end"), 0);
        cr_expect_eq(world_fact(&run, "connects.failed"), 0);
        cr_expect_not_null(strstr(site_broker(&site), fact(&run, "broker.given")));
        cr_expect_not_null(strstr(site_store(&site), fact(&run, "store.given")));
        cr_expect_null(fact(&run, "store.requests"), "nobody has counted them");
        cr_expect_null(fact(&run, "broker.tls_clients"));
        world_run_free(&run);
    }
    /* Check, fleet (before and after the reboot), tidying; the same for the service, and one who
     * may not take its place. */
    uint64_t connected = sim_broker_connected(&site.servers.broker);
    const uint64_t needed = 2 * (20 * 4 + 4); /* more where the machine held something up */
    cr_expect(connected >= needed && connected <= 2 * needed, "%llu",
              (unsigned long long)connected);
    cr_expect_eq(site_shell(&site,
                            "mosquitto_sub -h 127.0.0.1 -p %u --cafile %s/pki/ca.pem -u observer "
                            "-P %s -i observer -t '#' --retained-only -W 1 >left; test ! -s left",
                            site.servers.broker.port[SIM_CERT_GOOD], site.servers.folder,
                            site.service_secret),
                 0, "nothing is retained at the broker");
    struct sim_store_totals totals;
    char message[256];
    sim_store_stop(&site.servers.store);
    cr_assert_eq(sim_store_totals(&site.servers.store, &totals, message, sizeof message), 0);
    /* Each device once, and the check: two images, whole and from their middle. */
    cr_expect_geq(totals.status[200], 2 * (20 + 2));
    cr_expect_geq(totals.status[206], 2 * 2);
    site_close(&site);
}

/* Proxies before them and the edge beside them do to given servers what they do to our own. */
Test(given_run, faults_of_the_network_work_before_given_servers)
{
    struct site site;
    struct world_run run;
    site_open(&site,
              world_scenario(12, "",
                             "  - {kind: corrupt_download, how: bit_flip, where: {device: 0}}\n"
                             "  - {kind: corrupt_download, how: http_404, where: {device: 1}}\n"
                             "  - {kind: network_drop, during: downloading, for: 1s,\n"
                             "     where: {device: 2}}\n"
                             "  - {kind: slow_link, at: 0s, for: 60s, latency: 20ms,\n"
                             "     where: {device: 3}}\n"
                             "  - {kind: power_loss, during: flash_write, where: {device: 5},\n"
                             "     off_for: 1s}\n"));
    for (int i = 0; i < 2; i++) {
        char options[1024];
        snprintf(options, sizeof options, "%s%s", site_options(&site), i ? " --jobs 3" : "");
        site_run(&run, &site, options);
        cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
        cr_expect_eq(world_number(&run, "updates/confirmed"), 11);
        cr_expect_eq(world_number(&run, "updates/verify_failed"), 1);
        cr_expect_eq(fired(&run), 5);
        world_run_free(&run);
    }
    site_close(&site);
}

/* With as many descriptors as this our own mosquitto would have, the fleet ends at 156 devices. */
Test(given_run, a_given_broker_takes_more_devices_than_our_own_could, RELEASE_ONLY)
{
    const struct rlimit limit = {220, 220};
    struct site site;
    struct world_run run;
    site_open(&site, world_scenario(160, "", ""));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    site_run(&run, &site, "");
    cr_expect_eq(run.exit_code, 1, "%d: %s", run.exit_code, run.said);
    cr_expect_not_null(strstr(run.said, "run at most --devices 156"), "%s", run.said);
    world_run_free(&run);
    site_run(&run, &site, site_options(&site));
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), 160);
    cr_expect_str_eq(fact(&run, "processes"), "4: the service's, and 3 that carry the devices");
    world_run_free(&run);
    site_close(&site);
}

/* The check of the broker takes the places that there are: 64 at once would not fit. */
Test(given_run, few_descriptors_do_for_the_check_of_a_broker)
{
    const struct rlimit limit = {180, 180};
    struct site site;
    struct world_run run;
    site_open(&site, world_scenario(70, "", ""));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    site_run(&run, &site, site_options(&site));
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), 70);
    world_run_free(&run);
    site_close(&site);
}

Test(given_run, one_server_may_be_given_and_the_other_not)
{
    struct site site;
    struct world_run run;
    char options[1024];
    site_open(&site, world_scenario(5, "", ""));
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_broker(&site),
             site.servers.folder);
    site_run(&run, &site, options);
    cr_expect_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_fact(&run, "store.whole"), 5, "our own nginx has counted");
    cr_expect_null(fact(&run, "store.given"));
    world_run_free(&run);
    snprintf(options, sizeof options, "%s --ca %s/pki/ca.pem", site_store(&site),
             site.servers.folder);
    site_run(&run, &site, options);
    cr_expect_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_geq(world_fact(&run, "broker.tls_clients"), 11, "our own mosquitto has counted");
    world_run_free(&run);
    site_close(&site);
}

/* A store without signed URLs, and names in place of addresses. */
Test(given_run, a_store_may_serve_without_signatures)
{
    struct site site;
    struct world_run run;
    char options[1024], message[512];
    site_open(&site, world_scenario(5, "", ""));
    sim_store_stop(&site.servers.store);
    cr_assert_eq(
        site_shell(&site, "sed -i '/secure_link/d' %s/store/nginx.conf", site.servers.folder), 0);
    cr_assert_eq(sim_store_start_again(&site.servers.store, message, sizeof message), 0);
    snprintf(options, sizeof options, "--store https://127.0.0.1:%u/pump/ --ca %s/pki/ca.pem",
             site.servers.store.port[SIM_CERT_GOOD], site.servers.folder);
    site_run(&run, &site, options);
    cr_expect_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    world_run_free(&run);
    site_close(&site);
}

/* The export of a scenario is what it says: sums that hold, nobody else's eyes, no second time. */
Test(given_run, an_export_is_whole_and_overwrites_nothing)
{
    struct site site;
    site_open(&site, world_scenario(3, "", ""));
    cr_expect_eq(site_shell(&site, "cd export/store && sha256sum --quiet -c SHA256SUMS"), 0);
    cr_expect_eq(site_shell(&site, "test $(stat -c %%a export/accounts.csv) = 600"), 0);
    cr_expect_eq(site_shell(&site, "test $(stat -c %%a export/broker/passwords) = 600"), 0);
    cr_expect_eq(site_shell(&site, "test ! -e export/manifest.json"), 0);
    cr_expect_eq(site_shell(&site, "%s export s.yaml export 2>said", world_program()), 1);
    cr_expect_eq(site_shell(&site, "grep -q 'not an empty folder' said"), 0);
    cr_expect_eq(site_shell(&site,
                            "%s export s.yaml again --store https://files.example/pump/ >said",
                            world_program()),
                 0);
    cr_expect_eq(site_shell(&site, "grep -q '\"binary_url\":\"https://files.example:443/pump/"
                                   "firmware-2.4.0.bin\"' again/manifest.json"),
                 0);
    cr_expect_eq(site_shell(&site, "diff -q export/store again/store"), 0, "images by the seed");
    cr_expect_neq(site_shell(&site, "cmp -s export/accounts.csv again/accounts.csv"), 0,
                  "secrets are drawn anew");
    cr_expect_eq(
        site_shell(&site, "%s export s.yaml third --store http://x/ 2>said", world_program()), 1);
    cr_expect_eq(site_shell(&site, "test ! -e third"), 0);
    site_close(&site);
}
