#include "certs.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

struct wish {
    const char *file, *common_name, *names;
    bool expired, unknown;
};

static const long day_s = 86400;

static bool write_certificate(const char *folder, const char *file, X509 *certificate)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.pem", folder, file);
    FILE *out = fopen(path, "w");
    bool ok = out && PEM_write_X509(out, certificate);
    return out && !fclose(out) && ok;
}

static bool write_key(const char *folder, const char *file, EVP_PKEY *key)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.key", folder, file);
    FILE *out = fopen(path, "w");
    bool ok = out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    return out && !fclose(out) && ok;
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (extension)
        X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *blank(EVP_PKEY *key, const char *common_name, bool expired)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * day_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -day_s : 365 * day_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_pubkey(certificate, key);
    return certificate;
}

static bool make_authority(const char *folder, const char *file, struct authority *out)
{
    out->key = EVP_EC_gen("P-256");
    out->certificate = blank(out->key, file, false);
    X509_set_issuer_name(out->certificate, X509_get_subject_name(out->certificate));
    extend(out->certificate, out->certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(out->certificate, out->key, EVP_sha256());
    return write_certificate(folder, file, out->certificate);
}

static bool make(const char *folder, const struct wish *wish, const struct authority *authority)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = blank(key, wish->common_name, wish->expired);
    X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
    if (wish->names)
        extend(certificate, authority->certificate, NID_subject_alt_name, wish->names);
    X509_sign(certificate, authority->key, EVP_sha256());
    bool ok =
        write_certificate(folder, wish->file, certificate) && write_key(folder, wish->file, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok;
}

bool certs_make(const char *folder, const char *address)
{
    struct authority own, other;
    char names[80];
    snprintf(names, sizeof names, "DNS:server.test,IP:%s", address);
    const struct wish wish[] = {
        {"server", "server", names, false, false},
        {"wrong", "server.test", "DNS:elsewhere.test", false, false},
        {"expired", "server", names, true, false},
        {"unknown", "server", names, false, true},
        {"client", "device-7", NULL, false, false},
    };
    bool ok = make_authority(folder, "ca", &own);
    ok = make_authority(folder, "other-ca", &other) && ok;
    for (size_t i = 0; i < sizeof wish / sizeof wish[0]; i++)
        ok = make(folder, &wish[i], wish[i].unknown ? &other : &own) && ok;
    X509_free(own.certificate);
    X509_free(other.certificate);
    EVP_PKEY_free(own.key);
    EVP_PKEY_free(other.key);
    return ok;
}
