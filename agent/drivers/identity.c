/* A client certificate, its chain and its key: read once, used by any number of connections. */
#include "drivers/tls.h"
#include "tls_peer.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_identity {
    X509 *certificate;
    STACK_OF(X509) * chain; /* the issuers after it in the file */
    EVP_PKEY *key;
};

/* Where a reason goes. */
struct reason {
    char *text;
    size_t len;
};

static int refuse(const struct reason *why, const char *file, const char *what)
{
    snprintf(why->text, why->len, "%s: %s", file, what);
    ERR_clear_error();
    return AGENT_DRIVERS_EFILE;
}

static FILE *open_file(const char *name, const struct reason *why)
{
    FILE *file = fopen(name, "r");
    if (!file)
        refuse(why, name, strerror(errno));
    return file;
}

static int read_certificates(struct agent_identity *identity, const char *name,
                             const struct reason *why)
{
    FILE *file = open_file(name, why);
    if (!file)
        return AGENT_DRIVERS_EFILE;
    X509 *issuer;
    identity->certificate = PEM_read_X509(file, NULL, NULL, NULL);
    while (identity->certificate && (issuer = PEM_read_X509(file, NULL, NULL, NULL))) {
        if (!sk_X509_push(identity->chain, issuer))
            X509_free(issuer);
    }
    fclose(file);
    ERR_clear_error(); /* the end of the file is one */
    return identity->certificate ? AGENT_DRIVERS_OK : refuse(why, name, "no PEM certificate in it");
}

/* A key behind a passphrase is refused: there is nobody to ask. */
static int no_passphrase(char *text, int size, int writing, void *ctx)
{
    (void)text, (void)size, (void)writing, (void)ctx;
    return -1;
}

static int read_key(struct agent_identity *identity, const char *name, const struct reason *why)
{
    FILE *file = open_file(name, why);
    if (!file)
        return AGENT_DRIVERS_EFILE;
    identity->key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    fclose(file);
    if (!identity->key)
        return refuse(why, name, "no PEM private key in it that can be read without a passphrase");
    if (X509_check_private_key(identity->certificate, identity->key) != 1)
        return refuse(why, name, "not the key of the certificate");
    return AGENT_DRIVERS_OK;
}

int agent_identity_load(struct agent_identity **out, const char *cert_file, const char *key_file,
                        char *why, size_t len)
{
    const struct reason reason = {why, why ? len : 0};
    struct agent_identity *identity = calloc(1, sizeof *identity);
    *out = NULL;
    snprintf(reason.text, reason.len, "no memory");
    if (!identity || !(identity->chain = sk_X509_new_null())) {
        free(identity);
        return AGENT_DRIVERS_EMEMORY;
    }
    int error = read_certificates(identity, cert_file, &reason);
    if (!error)
        error = read_key(identity, key_file, &reason);
    if (error) {
        agent_identity_free(identity);
        return error;
    }
    *out = identity;
    return AGENT_DRIVERS_OK;
}

void agent_identity_free(struct agent_identity *identity)
{
    if (!identity)
        return;
    X509_free(identity->certificate);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
    free(identity);
}

bool agent_identity_use(const struct agent_identity *identity, SSL *ssl)
{
    return SSL_use_cert_and_key(ssl, identity->certificate, identity->key, identity->chain, 1) == 1;
}

bool agent_identity_use_context(const struct agent_identity *identity, SSL_CTX *context)
{
    return SSL_CTX_use_cert_and_key(context, identity->certificate, identity->key, identity->chain,
                                    1) == 1;
}
