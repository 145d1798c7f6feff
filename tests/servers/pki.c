/* Certificates as OpenSSL's own command judges them. */
#include "../soak/soak.h"
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char folder[] = "/tmp/brickyard-pki-XXXXXX";
static char message[1024], ca[SIM_PKI_PATH_MAX];
static struct sim_pki pki;
static int64_t now_ms;

static void start(void)
{
    cr_assert(mkdtemp(folder));
    now_ms = (int64_t)time(NULL) * 1000;
    cr_assert_eq(sim_pki_create(&pki, folder, 30, now_ms, message, sizeof message), 0, "%s",
                 message);
    sim_pki_ca_path(&pki, ca);
}

static void stop(void)
{
    sim_pki_close(&pki);
    run("rm -r %s", folder);
}

TestSuite(pki, .init = start, .fini = stop);

static struct answer verify(const char *path, const char *purpose, const char *more)
{
    return run("openssl verify -CAfile %s -purpose %s %s %s", ca, purpose, more, path);
}

static void each_kind_is_judged(const char *server)
{
    static const char *const reason[SIM_CERT_KINDS] = {
        ": OK", "certificate has expired", "certificate is not yet valid", "ostname mismatch",
        "unable to get local issuer certificate"};
    char path[SIM_PKI_PATH_MAX], name[128];
    snprintf(name, sizeof name, "-verify_hostname %s", server);
    for (int kind = 0; kind < SIM_CERT_KINDS; kind++) {
        sim_pki_server_path(&pki, path, server, (enum sim_cert)kind, SIM_PEM_CERTIFICATE);
        struct answer got = verify(path, "sslserver", name);
        cr_assert_eq(got.exit_code == 0, kind == SIM_CERT_GOOD, "%s", got.text);
        cr_assert(strstr(got.text, reason[kind]), "%s: %s", path, got.text);
    }
    sim_pki_server_path(&pki, path, server, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    cr_assert_eq(verify(path, "sslserver", "-verify_ip 127.0.0.1").exit_code, 0);
    cr_assert_neq(verify(path, "sslclient", "").exit_code, 0, "a server's is no client's");
}

Test(pki, servers_certificates_are_good_or_bad_for_their_reason)
{
    each_kind_is_judged(SIM_BROKER_NAME);
    each_kind_is_judged(SIM_STORE_NAME);
}

Test(pki, bad_certificate_is_good_but_for_its_defect)
{
    char path[SIM_PKI_PATH_MAX], more[SIM_PKI_PATH_MAX];
    snprintf(more, sizeof more, "-verify_hostname %s -attime %lld", SIM_BROKER_NAME,
             (long long)(now_ms / 1000 - 2 * 86400));
    sim_pki_server_path(&pki, path, SIM_BROKER_NAME, SIM_CERT_EXPIRED, SIM_PEM_CERTIFICATE);
    cr_assert_eq(verify(path, "sslserver", more).exit_code, 0, "two days ago");
    snprintf(more, sizeof more, "-verify_hostname %s -attime %lld", SIM_BROKER_NAME,
             (long long)(now_ms / 1000 + 2 * 86400));
    sim_pki_server_path(&pki, path, SIM_BROKER_NAME, SIM_CERT_NOT_YET_VALID, SIM_PEM_CERTIFICATE);
    cr_assert_eq(verify(path, "sslserver", more).exit_code, 0, "in two days");
    sim_pki_server_path(&pki, path, SIM_BROKER_NAME, SIM_CERT_WRONG_NAME, SIM_PEM_CERTIFICATE);
    cr_assert_eq(verify(path, "sslserver", "-verify_hostname wrong.brickyard.test").exit_code, 0);
    sim_pki_server_path(&pki, path, SIM_BROKER_NAME, SIM_CERT_UNKNOWN_CA, SIM_PEM_CERTIFICATE);
    snprintf(more, sizeof more, "-verify_hostname %s -trusted %s/unknown-ca.pem", SIM_BROKER_NAME,
             folder);
    cr_assert_eq(run("openssl verify %s %s", more, path).exit_code, 0, "by its own CA");
}

Test(pki, device_certificate_names_the_device)
{
    char path[SIM_PKI_PATH_MAX], id[SIM_ID_MAX + 1];
    cr_assert_eq(sim_pki_device(&pki, "pumps-00017", SIM_CERT_GOOD, message, sizeof message), 0);
    sim_pki_device_path(&pki, path, "pumps-00017", SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    cr_assert_eq(verify(path, "sslclient", "").exit_code, 0);
    cr_assert_neq(verify(path, "sslserver", "").exit_code, 0, "a device is no server");
    cr_assert_str_eq(run("openssl x509 -noout -subject -in %s", path).text,
                     "subject=CN = pumps-00017\n");
    cr_assert_eq(sim_pki_device(&pki, "../x", SIM_CERT_GOOD, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    memset(id, 'a', SIM_ID_MAX);
    id[SIM_ID_MAX] = '\0';
    cr_assert_eq(sim_pki_device(&pki, id, SIM_CERT_GOOD, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    id[SIM_ID_MAX - 1] = '\0';
    for (int kind = 0; kind < SIM_CERT_KINDS; kind++)
        cr_assert_eq(sim_pki_device(&pki, id, (enum sim_cert)kind, message, sizeof message), 0,
                     "%s", message);
}

Test(pki, keys_are_p256_and_their_owners_alone)
{
    static const char *const server[] = {SIM_BROKER_NAME, SIM_STORE_NAME};
    char path[SIM_PKI_PATH_MAX];
    struct stat facts;
    for (int i = 0; i < 2 * SIM_CERT_KINDS; i++) {
        sim_pki_server_path(&pki, path, server[i % 2], (enum sim_cert)(i / 2), SIM_PEM_KEY);
        cr_assert_eq(stat(path, &facts), 0);
        cr_assert_eq(facts.st_mode & 0777, 0600);
        cr_assert(strstr(run("openssl pkey -noout -text -in %s", path).text, "NIST CURVE: P-256"));
    }
    cr_assert_eq(sim_pki_device(&pki, "dev", SIM_CERT_GOOD, message, sizeof message), 0);
    sim_pki_device_path(&pki, path, "dev", SIM_CERT_GOOD, SIM_PEM_KEY);
    cr_assert_eq(stat(path, &facts), 0);
    cr_assert_eq(facts.st_mode & 0777, 0600);
    cr_assert_str_eq(run("find %s -name '*.key' ! -perm 600", folder).text, "");
}

Test(pki, hundreds_of_device_certificates)
{
    struct timespec from, to;
    char id[SIM_ID_MAX], count[16];
    uint32_t many = soak(200, 1000);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint32_t i = 0; i < many; i++) {
        snprintf(id, sizeof id, "dev-%05u", i);
        cr_assert_eq(sim_pki_device(&pki, id, SIM_CERT_GOOD, message, sizeof message), 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    fprintf(stderr, "%u device certificates: %ld ms\n", many,
            (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
    snprintf(count, sizeof count, "%u\n", many);
    cr_assert_str_eq(run("ls %s/device-*.pem | wc -l", folder).text, count);
}

Test(pki, validity_beyond_reason_is_refused)
{
    struct sim_pki other;
    cr_assert_eq(sim_pki_create(&other, folder, 0, now_ms, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    cr_assert_eq(sim_pki_create(&other, folder, 30, -1, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    cr_assert_eq(sim_pki_create(&other, "relative", 30, now_ms, message, sizeof message),
                 SIM_SERVERS_ECONFIG);
    cr_assert_eq(sim_pki_create(&other, "/nonexistent", 30, now_ms, message, sizeof message),
                 SIM_SERVERS_EIO);
    sim_pki_close(&other);
}
