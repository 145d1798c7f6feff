#include "sim/pki.h"
#include "files.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

const char *sim_cert_name(enum sim_cert kind)
{
    static const char *const name[] = {"good", "expired", "not-yet-valid", "wrong-name",
                                       "unknown-ca"};
    return kind < SIM_CERT_KINDS ? name[kind] : "?";
}

static int crypto_failed(char *message, size_t len, const char *what)
{
    char reason[200];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    return sim_fail(SIM_SERVERS_ECRYPTO, message, len, "%s: %s", what, reason);
}

/* ------------------------------------------------------------------------ one certificate */

struct wanted {
    const char *common_name;
    const char *alternative; /* subjectAltName, NULL: none */
    const char *usage, *extended_usage, *constraints;
    int from_day, to_day; /* counted from now */
    X509 *issuer;         /* NULL: itself */
    EVP_PKEY *issuer_key;
};

static bool add_extension(X509 *cert, X509V3_CTX *context, int nid, const char *value)
{
    if (!value)
        return true;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    bool added = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool add_extensions(X509 *cert, const struct wanted *wanted)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, wanted->issuer ? wanted->issuer : cert, cert, NULL, NULL, 0);
    /* The authority's key identifier last: a CA's own is copied from its subject's. */
    return add_extension(cert, &context, NID_basic_constraints, wanted->constraints) &&
           add_extension(cert, &context, NID_key_usage, wanted->usage) &&
           add_extension(cert, &context, NID_ext_key_usage, wanted->extended_usage) &&
           add_extension(cert, &context, NID_subject_alt_name, wanted->alternative) &&
           add_extension(cert, &context, NID_subject_key_identifier, "hash") &&
           add_extension(cert, &context, NID_authority_key_identifier, "keyid");
}

static bool set_names(X509 *cert, const struct wanted *wanted)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    const unsigned char *name = (const unsigned char *)wanted->common_name;
    if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, name, -1, -1, 0) != 1)
        return false;
    return X509_set_issuer_name(cert, wanted->issuer ? X509_get_subject_name(wanted->issuer)
                                                     : subject) == 1;
}

static bool set_validity(X509 *cert, const struct wanted *wanted, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    return X509_time_adj_ex(X509_getm_notBefore(cert), wanted->from_day, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), wanted->to_day, 0, &now);
}

/* NULL: OpenSSL's error queue says why. */
static X509 *issue(struct sim_pki *pki, const struct wanted *wanted, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    if (cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(cert), ++pki->serial) == 1 &&
        set_names(cert, wanted) && set_validity(cert, wanted, pki->now_ms) &&
        X509_set_pubkey(cert, key) == 1 && add_extensions(cert, wanted) &&
        X509_sign(cert, wanted->issuer ? wanted->issuer_key : key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

/* ------------------------------------------------------------------------ files */

/* Of whom a certificate is: "broker" of broker.brickyard.test, "device-<id>" of a device, whose
 * file so never has the name of a server's. */
struct owner {
    char text[SIM_NAME_MAX - 32];
};

static struct owner server_owner(const char *server)
{
    struct owner owner;
    snprintf(owner.text, sizeof owner.text, "%.*s", (int)strcspn(server, "."), server);
    return owner;
}

static struct owner device_owner(const char *device_id)
{
    struct owner owner;
    snprintf(owner.text, sizeof owner.text, "device-%s", device_id);
    return owner;
}

static void file_name(char out[SIM_NAME_MAX], const struct owner *owner, enum sim_cert kind,
                      enum sim_pem what)
{
    snprintf(out, SIM_NAME_MAX, "%s-%s.%s", owner->text, sim_cert_name(kind),
             what == SIM_PEM_KEY ? "key" : "pem");
}

static int write_certificate(const struct sim_pki *pki, const char *name, X509 *cert, char *message,
                             size_t len)
{
    FILE *file = sim_file_create(pki->folder, name, 0644, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    PEM_write_X509(file, cert);
    return sim_file_close(file, pki->folder, name, message, len);
}

static int write_key(const struct sim_pki *pki, const char *name, EVP_PKEY *key, char *message,
                     size_t len)
{
    FILE *file = sim_file_create(pki->folder, name, 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    return sim_file_close(file, pki->folder, name, message, len);
}

static int write_pair(const struct sim_pki *pki, const struct owner *owner, enum sim_cert kind,
                      X509 *cert, EVP_PKEY *key, char *message, size_t len)
{
    char name[SIM_NAME_MAX];
    file_name(name, owner, kind, SIM_PEM_KEY);
    int error = write_key(pki, name, key, message, len);
    file_name(name, owner, kind, SIM_PEM_CERTIFICATE);
    return error ? error : write_certificate(pki, name, cert, message, len);
}

/* ------------------------------------------------------------------------ whom for */

static int make_pair(struct sim_pki *pki, struct owner owner, enum sim_cert kind,
                     const struct wanted *wanted, char *message, size_t len)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? issue(pki, wanted, key) : NULL;
    int error = cert ? write_pair(pki, &owner, kind, cert, key, message, len)
                     : crypto_failed(message, len, owner.text);
    X509_free(cert);
    EVP_PKEY_free(key);
    return error;
}

/* What all certificates below a CA share, by kind. */
static struct wanted leaf(const struct sim_pki *pki, enum sim_cert kind)
{
    bool unknown = kind == SIM_CERT_UNKNOWN_CA;
    struct wanted wanted = {.usage = "critical,digitalSignature",
                            .constraints = "critical,CA:FALSE",
                            .from_day = -1,
                            .to_day = (int)pki->validity_days,
                            .issuer = unknown ? pki->unknown_ca : pki->ca,
                            .issuer_key = unknown ? pki->unknown_ca_key : pki->ca_key};
    if (kind == SIM_CERT_EXPIRED) {
        wanted.from_day = -3;
        wanted.to_day = -1;
    } else if (kind == SIM_CERT_NOT_YET_VALID) {
        wanted.from_day = 1;
        wanted.to_day = 1 + (int)pki->validity_days;
    }
    return wanted;
}

static int make_server(struct sim_pki *pki, const char *server, enum sim_cert kind, char *message,
                       size_t len)
{
    char alternative[SIM_NAME_MAX];
    struct wanted wanted = leaf(pki, kind);
    bool wrong = kind == SIM_CERT_WRONG_NAME;
    /* An address as second name would let a wrong name pass for who connects by address. */
    snprintf(alternative, sizeof alternative, "DNS:%s%s", wrong ? "wrong.brickyard.test" : server,
             wrong ? "" : ",IP:127.0.0.1");
    wanted.common_name = wrong ? "wrong.brickyard.test" : server;
    wanted.alternative = alternative;
    wanted.extended_usage = "serverAuth";
    return make_pair(pki, server_owner(server), kind, &wanted, message, len);
}

/* No server's owner has an underscore in its name. */
static const struct owner stand_in = {"stand_in"};

int sim_pki_stand_in(struct sim_pki *pki, const char *host, char *message, size_t len)
{
    char alternative[2 * SIM_NAME_MAX];
    struct in_addr address;
    bool by_address = inet_pton(AF_INET, host, &address) == 1;
    struct wanted wanted = leaf(pki, SIM_CERT_GOOD);
    snprintf(alternative, sizeof alternative, "%s:%.120s,IP:127.0.0.1", by_address ? "IP" : "DNS",
             host);
    wanted.common_name = "Brickyard stand-in"; /* a name may be longer than 64 characters */
    wanted.alternative = alternative;
    wanted.extended_usage = "serverAuth";
    return make_pair(pki, stand_in, SIM_CERT_GOOD, &wanted, message, len);
}

int sim_pki_device(struct sim_pki *pki, const char *device_id, enum sim_cert kind, char *message,
                   size_t len)
{
    char name[SIM_NAME_MAX];
    assert(pki->ca && kind < SIM_CERT_KINDS);
    if (!sim_name_is_plain(device_id, SIM_ID_MAX - 1))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "device id \"%.80s\": 1..%d of A-Z a-z 0-9 . _ - are wanted", device_id,
                        SIM_ID_MAX - 1);
    struct wanted wanted = leaf(pki, kind);
    /* A common name has at most 64 characters (RFC 5280, ub-common-name). */
    if (kind == SIM_CERT_WRONG_NAME)
        snprintf(name, sizeof name, "wrong-%.58s", device_id);
    else
        snprintf(name, sizeof name, "%s", device_id);
    wanted.common_name = name;
    wanted.extended_usage = "clientAuth";
    return make_pair(pki, device_owner(device_id), kind, &wanted, message, len);
}

static int make_ca(struct sim_pki *pki, X509 **cert, EVP_PKEY **key, const char *common_name,
                   const char *file, char *message, size_t len)
{
    /* It holds longer than what it signs, at both ends: no certificate fails for its issuer. */
    struct wanted wanted = {.common_name = common_name,
                            .usage = "critical,keyCertSign,cRLSign",
                            .constraints = "critical,CA:TRUE",
                            .from_day = -4,
                            .to_day = (int)pki->validity_days + 2};
    *key = EVP_EC_gen("P-256");
    *cert = *key ? issue(pki, &wanted, *key) : NULL;
    if (!*cert)
        return crypto_failed(message, len, common_name);
    return write_certificate(pki, file, *cert, message, len);
}

static int make_all(struct sim_pki *pki, char *message, size_t len)
{
    int error = make_ca(pki, &pki->ca, &pki->ca_key, "Brickyard test CA", "ca.pem", message, len);
    if (!error)
        error = make_ca(pki, &pki->unknown_ca, &pki->unknown_ca_key, "Somebody else's CA",
                        "unknown-ca.pem", message, len);
    for (int kind = 0; !error && kind < SIM_CERT_KINDS; kind++) {
        error = make_server(pki, SIM_BROKER_NAME, (enum sim_cert)kind, message, len);
        if (!error)
            error = make_server(pki, SIM_STORE_NAME, (enum sim_cert)kind, message, len);
    }
    return error;
}

int sim_pki_create(struct sim_pki *out, const char *folder, uint32_t validity_days, int64_t now_ms,
                   char *message, size_t len)
{
    /* Until the year 9000, so that ten years more have four digits too. */
    const int64_t now_ms_max = 221845392000000;
    memset(out, 0, sizeof *out);
    if (validity_days < 1 || validity_days > 3650 || now_ms < 0 || now_ms > now_ms_max)
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "certificates: %u days from %lld ms; 1..3650 days from a Unix time in "
                        "milliseconds are wanted",
                        validity_days, (long long)now_ms);
    int error = sim_folder_check(folder, message, len);
    if (error)
        return error;
    snprintf(out->folder, sizeof out->folder, "%s", folder);
    out->now_ms = now_ms;
    out->validity_days = validity_days;
    error = make_all(out, message, len);
    if (error)
        sim_pki_close(out);
    return error;
}

void sim_pki_close(struct sim_pki *pki)
{
    X509_free(pki->ca);
    X509_free(pki->unknown_ca);
    EVP_PKEY_free(pki->ca_key);
    EVP_PKEY_free(pki->unknown_ca_key);
    memset(pki, 0, sizeof *pki);
}

void sim_pki_ca_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX])
{
    sim_path_join(out, pki->folder, "ca.pem");
}

static void pair_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX], struct owner owner,
                      enum sim_cert kind, enum sim_pem what)
{
    char name[SIM_NAME_MAX];
    file_name(name, &owner, kind, what);
    sim_path_join(out, pki->folder, name);
}

void sim_pki_server_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX], const char *server,
                         enum sim_cert kind, enum sim_pem what)
{
    pair_path(pki, out, server_owner(server), kind, what);
}

void sim_pki_stand_in_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX], enum sim_pem what)
{
    pair_path(pki, out, stand_in, SIM_CERT_GOOD, what);
}

void sim_pki_device_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX],
                         const char *device_id, enum sim_cert kind, enum sim_pem what)
{
    pair_path(pki, out, device_owner(device_id), kind, what);
}
