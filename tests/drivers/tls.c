/* Files that can't be used, and who may use the context. */
#include "rogue.h"
#include <criterion/criterion.h>
#include <openssl/bio.h>
#include <stdio.h>
#include <string.h>

TestSuite(drivers_tls, .init = world_open, .fini = world_close, .timeout = 300);

Test(drivers_tls, a_ca_file_that_is_missing_or_none)
{
    struct agent_tls *tls;
    char why[200];
    cr_assert_eq(agent_tls_create(&tls, "/nowhere/ca.pem", why, sizeof why), AGENT_DRIVERS_EFILE);
    cr_assert_null(tls);
    cr_assert_str_eq(why, "/nowhere/ca.pem: No such file or directory");
    cr_assert_eq(agent_tls_create(&tls, world_path("ca.key"), why, sizeof why),
                 AGENT_DRIVERS_EFILE);
    world_write("empty", "", 0);
    cr_assert_eq(agent_tls_create(&tls, world_path("empty"), why, sizeof why), AGENT_DRIVERS_EFILE);
    cr_assert(strstr(why, "no PEM certificate"), "%s", why);
    cr_assert_eq(agent_tls_create(&tls, world_path("server.key"), NULL, 0), AGENT_DRIVERS_EFILE);
    agent_tls_free(NULL);
}

static int load(const char *certificate, const char *key, char *why, size_t len)
{
    struct agent_identity *identity;
    char path[160];
    snprintf(path, sizeof path, "%s", world_path(certificate));
    int error = agent_identity_load(&identity, path, world_path(key), why, len);
    agent_identity_free(identity);
    return error;
}

Test(drivers_tls, an_identity_whose_files_do_not_fit)
{
    static const struct {
        char certificate[16], key[16], phrase[32];
    } row[] = {{"client.pem", "server.key", "not the key"},
               {"client.key", "client.key", "no PEM certificate"},
               {"client.pem", "client.pem", "no PEM private key"},
               {"missing", "client.key", "No such file"},
               {"client.pem", "missing", "No such file"}};
    char why[200];
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int error = load(row[i].certificate, row[i].key, why, sizeof why);
        cr_assert_eq(error, AGENT_DRIVERS_EFILE);
        cr_assert(strstr(why, row[i].phrase), "%s", why);
    }
    cr_assert_eq(load("client.pem", "client.key", why, sizeof why), AGENT_DRIVERS_OK);
    cr_assert_eq(load("client.pem", "server.key", NULL, 0), AGENT_DRIVERS_EFILE);
}

static void serve_nothing(struct rogue *server, SSL *ssl, int nth)
{
    (void)server, (void)nth;
    rogue_wait(ssl);
}

/* No name was set for it, so that its server's good certificate proves nothing. */
Test(drivers_tls, a_connection_past_the_drivers_is_refused)
{
    struct rogue rogue;
    char where[64];
    rogue_start(&rogue, serve_nothing);
    SSL *ssl = SSL_new(agent_tls_context(world.tls));
    snprintf(where, sizeof where, "%s:%u", world.address, rogue.port);
    BIO *bio = BIO_new_connect(where);
    SSL_set_bio(ssl, bio, bio);
    cr_assert_neq(SSL_connect(ssl), 1);
    cr_assert_eq(SSL_get_verify_result(ssl), X509_V_ERR_APPLICATION_VERIFICATION);
    SSL_free(ssl);
    rogue_stop(&rogue);
}

Test(drivers_tls, every_error_has_a_name)
{
    cr_assert_str_eq(agent_drivers_error_name(AGENT_DRIVERS_OK), "OK");
    cr_assert_str_eq(agent_drivers_error_name(AGENT_DRIVERS_ECONNECT), "ECONNECT");
    cr_assert_str_eq(agent_drivers_error_name(1), "unknown");
    cr_assert_str_eq(agent_drivers_error_name(-4), "unknown");
}
