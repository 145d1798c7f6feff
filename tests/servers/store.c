/* The artifact store as curl sees it. */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct sim_servers servers;
static char message[1024], url[SIM_URL_MAX];
static const char artifact[] = "an artifact of 33 bytes, in ASCII";

static int64_t in(int seconds)
{
    return (int64_t)time(NULL) + seconds;
}

static void start(void)
{
    struct sim_servers_config config = world_config();
    config.store.bad_certificates = true;
    world_start(&servers, &config);
    cr_assert_eq(sim_store_put(&servers.store, "pump-2.4.0.bin", artifact, strlen(artifact),
                               message, sizeof message),
                 0, "%s", message);
    sim_store_url(&servers.store, url, SIM_CERT_GOOD, "pump-2.4.0.bin", in(600));
}

static void stop(void)
{
    sim_servers_stop(&servers);
}

TestSuite(store, .init = start, .fini = stop);

static struct sim_store_totals totals(void)
{
    struct sim_store_totals out;
    sim_store_stop(&servers.store);
    cr_assert_eq(sim_store_totals(&servers.store, &out, message, sizeof message), 0, "%s", message);
    return out;
}

static void is_refused(const char *changed)
{
    struct answer got = fetch(&servers, changed, "-o /dev/null -w '%{http_code}'");
    cr_assert_str_eq(got.text, "403", "%s", changed);
}

Test(store, signed_url_gives_the_file_over_tls13)
{
    struct answer got = fetch(&servers, url, "");
    cr_assert_str_eq(got.text, artifact);
    struct sim_store_totals sums = totals();
    cr_assert_eq(sums.requests, 1);
    cr_assert_eq(sums.status[200], 1);
    cr_assert_eq(sums.file_bytes, strlen(artifact));
    cr_assert_eq(sums.addresses, 1);
    cr_assert_eq(sums.tls13, 1);
}

Test(store, range_gives_a_part)
{
    struct answer got = fetch(&servers, url, "-r 3-10 -w ' %{http_code}'");
    cr_assert_str_eq(got.text, "artifact 206");
    got = fetch(&servers, url, "-r 25- -w ' %{http_code}'");
    cr_assert_str_eq(got.text, "in ASCII 206");
    got = fetch(&servers, url, "-r 33- -o /dev/null -w '%{http_code}'");
    cr_assert_str_eq(got.text, "416");
    struct sim_store_totals sums = totals();
    cr_assert_eq(sums.status[206], 2);
    cr_assert_eq(sums.status[416], 1);
    cr_assert_eq(sums.file_bytes, 16);
}

Test(store, missing_wrong_and_expired_signatures_are_refused)
{
    char changed[SIM_URL_MAX], other[SIM_URL_MAX];
    cr_assert_eq(sim_store_put(&servers.store, "pump-2.4.1.bin", "x", 1, message, sizeof message),
                 0);
    sim_store_url(&servers.store, changed, SIM_CERT_GOOD, "pump-2.4.0.bin", in(-60));
    is_refused(changed);
    snprintf(changed, sizeof changed, "%s", url);
    strstr(changed, "2.4.0")[4] = '1';
    is_refused(changed);
    snprintf(changed, sizeof changed, "%s", url);
    char *last = changed + strlen(changed) - 2; /* of the last character not every bit counts */
    *last = *last == 'A' ? 'B' : 'A';
    is_refused(changed);
    snprintf(changed, sizeof changed, "%s", url);
    strstr(changed, "expires=")[8] = '9'; /* later than what was signed */
    is_refused(changed);
    snprintf(changed, sizeof changed, "%s", url);
    *strchr(changed, '?') = '\0';
    is_refused(changed);
    sim_store_url(&servers.store, other, SIM_CERT_GOOD, "pump-2.4.0.bin", in(600));
    cr_assert_str_eq(fetch(&servers, other, "").text, artifact);
    struct sim_store_totals sums = totals();
    cr_assert_eq(sums.status[403], 5);
    cr_assert_eq(sums.status[200], 1);
    cr_assert_eq(sums.file_bytes, strlen(artifact), "what was refused is no file");
}

Test(store, no_such_file_is_404_by_signed_url_only)
{
    sim_store_url(&servers.store, url, SIM_CERT_GOOD, "none.bin", in(600));
    struct answer got = fetch(&servers, url, "-o /dev/null -w '%{http_code}'");
    cr_assert_str_eq(got.text, "404");
    *strchr(url, '?') = '\0';
    is_refused(url);
}

Test(store, client_refuses_each_bad_certificate)
{
    static const char *const reason[SIM_CERT_KINDS] = {"", "expired", "not yet valid", "subject",
                                                       "issuer"};
    for (int kind = SIM_CERT_EXPIRED; kind < SIM_CERT_KINDS; kind++) {
        sim_store_url(&servers.store, url, (enum sim_cert)kind, "pump-2.4.0.bin", in(600));
        struct answer got = fetch(&servers, url, "");
        cr_assert_eq(got.exit_code, 60, "%s: %s", sim_cert_name((enum sim_cert)kind), got.text);
        cr_assert(strstr(got.text, reason[kind]), "%s", got.text);
    }
    cr_assert_eq(totals().requests, 0);
}

Test(store, counts_distinct_addresses)
{
    for (int i = 0; i < 5; i++) {
        char more[64];
        snprintf(more, sizeof more, "--interface 127.3.2.%d", 1 + i % 3);
        cr_assert_str_eq(fetch(&servers, url, more).text, artifact);
    }
    struct sim_store_totals sums = totals();
    cr_assert_eq(sums.addresses, 3);
    cr_assert_eq(sums.requests, 5);
}

Test(store, put_replaces_and_goes_on_after_a_stop)
{
    cr_assert_str_eq(fetch(&servers, url, "").text, artifact);
    cr_assert_eq(sim_store_put(&servers.store, "pump-2.4.0.bin", "new", 3, message, sizeof message),
                 0);
    cr_assert_str_eq(fetch(&servers, url, "").text, "new");
    sim_store_stop(&servers.store);
    cr_assert_eq(fetch(&servers, url, "").exit_code, 7, "nobody listens");
    cr_assert_eq(sim_store_start_again(&servers.store, message, sizeof message), 0, "%s", message);
    cr_assert_str_eq(fetch(&servers, url, "").text, "new");
    cr_assert_eq(totals().requests, 3);
}

Test(store, large_file_comes_whole)
{
    const size_t size = 9000001;
    unsigned char *bytes = malloc(size);
    cr_assert(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    cr_assert_eq(sim_store_put(&servers.store, "large", bytes, size, message, sizeof message), 0);
    free(bytes);
    sim_store_url(&servers.store, url, SIM_CERT_GOOD, "large", in(600));
    struct answer got = fetch(&servers, url, "-o /dev/null -w '%{size_download}'");
    cr_assert_str_eq(got.text, "9000001");
    cr_assert_eq(totals().file_bytes, size);
}

Test(store, names_that_leave_the_folder_are_no_names)
{
    static const char *const bad[] = {"", "../x", "a/b", ".hidden", "a b", "a%2e"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(sim_store_put(&servers.store, bad[i], "x", 1, message, sizeof message),
                     SIM_SERVERS_ECONFIG, "%s", bad[i]);
}

/* The whole chain with other people's tools: built and signed by `brickyard firmware`, served,
 * fetched by curl, and the signature verified by openssl. */
Test(store, openssl_verifies_what_curl_fetched)
{
    char command[2048], name[600];
    const char *program = getenv("BRICKYARD_BIN");
    cr_assert_not_null(program, "BRICKYARD_BIN is set by CTest");
    snprintf(command, sizeof command,
             "cd %s && %s firmware keygen --id k --out k.pem --pub pub.pem && "
             "%s firmware build --out fw.bin --version 2.4.0 --device-type pump --min-hw Rev-B "
             "--size 64KiB && %s firmware sign --key k.pem --image fw.bin --out fw.sig",
             servers.folder, program, program, program);
    cr_assert_eq(system(command), 0, "%s", command);
    snprintf(name, sizeof name, "%s/fw.bin", servers.folder);
    static char image[65536];
    FILE *file = fopen(name, "r");
    cr_assert(file && fread(image, 1, sizeof image, file) == sizeof image);
    fclose(file);
    cr_assert_eq(
        sim_store_put(&servers.store, "fw.bin", image, sizeof image, message, sizeof message), 0,
        "%s", message);
    sim_store_url(&servers.store, url, SIM_CERT_GOOD, "fw.bin", in(600));
    snprintf(name, sizeof name, "-o %s/got.bin", servers.folder);
    fetch(&servers, url, name);
    snprintf(command, sizeof command,
             "cd %s && openssl dgst -sha256 -verify pub.pem -signature fw.sig got.bin",
             servers.folder);
    cr_assert_eq(system(command), 0, "%s", command);
}
