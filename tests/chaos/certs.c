#include "certs.h"
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY_S = 86400 };

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

static void extend(X509 *cert, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    cr_assert(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

/* Valid from `from_s` to `to_s` relative to now. issuer NULL: signs itself, as an authority. */
static X509 *make_cert(const char *name, EVP_PKEY *key, const struct authority *issuer, long from_s,
                       long to_s)
{
    static long serial = 1;
    char alternative[64];
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer->cert : cert));
    if (issuer) {
        snprintf(alternative, sizeof alternative, "DNS:%s", name);
        extend(cert, issuer->cert, NID_subject_alt_name, alternative);
    } else {
        extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
        extend(cert, cert, NID_key_usage, "critical,keyCertSign");
    }
    cr_assert(X509_sign(cert, issuer ? issuer->key : key, EVP_sha256()));
    return cert;
}

static struct authority make_authority(const char *name)
{
    struct authority made = {.key = EVP_EC_gen("P-256")};
    made.cert = make_cert(name, made.key, NULL, -DAY_S, DAY_S);
    return made;
}

static FILE *create(const char *folder, const char *name, const char *suffix)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    return file;
}

static void write_cert(const char *folder, const char *name, X509 *cert)
{
    FILE *file = create(folder, name, "pem");
    cr_assert(PEM_write_X509(file, cert));
    fclose(file);
}

static void make_pair(const char *folder, const char *file_name, const char *host,
                      const struct authority *issuer, long from_s, long to_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(host, key, issuer, from_s, to_s);
    write_cert(folder, file_name, cert);
    FILE *file = create(folder, file_name, "key");
    cr_assert(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void certs_make(const char *folder)
{
    struct authority ours = make_authority("Test CA"), theirs = make_authority("Unknown CA");
    write_cert(folder, "ca", ours.cert);
    make_pair(folder, "good", "edge.test", &ours, -DAY_S, DAY_S);
    make_pair(folder, "expired", "edge.test", &ours, -2 * DAY_S, -DAY_S);
    make_pair(folder, "wrong_name", "other.test", &ours, -DAY_S, DAY_S);
    make_pair(folder, "unknown_ca", "edge.test", &theirs, -DAY_S, DAY_S);
    X509_free(ours.cert);
    X509_free(theirs.cert);
    EVP_PKEY_free(ours.key);
    EVP_PKEY_free(theirs.key);
}
