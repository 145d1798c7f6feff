/* PEM and OpenSSL; see pem.h. */
#include "pem.h"
#include <assert.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

/* An encrypted key must not make OpenSSL ask the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *parse(const struct sim_fw_bytes *pem, bool private_key)
{
    if (pem->len == 0 || pem->len > INT_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    if (!bio)
        return NULL;
    EVP_PKEY *key = private_key ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
                                : PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static bool is_p256(const EVP_PKEY *key, struct sim_fw_why *why)
{
    char group[64] = "unnamed curve";
    if (!EVP_PKEY_is_a(key, "EC")) {
        const char *kind = EVP_PKEY_get0_type_name(key);
        sim_fw_explain(why, "is a key for %s; ECDSA on P-256 is needed", kind ? kind : "?");
        return false;
    }
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
    if (strcmp(group, "prime256v1") == 0)
        return true;
    sim_fw_explain(why, "is a key on %s; P-256 (prime256v1) is needed", group);
    return false;
}

/* Reads a key of the wanted kind on P-256, or explains what else the file holds. */
static EVP_PKEY *load(const struct sim_fw_bytes *pem, bool private_key, struct sim_fw_why *why)
{
    EVP_PKEY *key = parse(pem, private_key);
    if (!key) {
        sim_fw_explain(why, private_key ? "holds no PEM private key that can be read (an encrypted "
                                          "one cannot)"
                                        : "holds no PEM public key");
        return NULL;
    }
    if (!is_p256(key, why)) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        return NULL;
    }
    return key;
}

static bool number_param(const EVP_PKEY *key, const char *name, uint8_t out[32])
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) && BN_bn2binpad(number, out, 32) == 32;
    BN_clear_free(number);
    return ok;
}

/* From the coordinates, because a PEM may hold the point compressed. */
static bool public_point(const EVP_PKEY *key, uint8_t out[BOOT_PUBLIC_KEY_BYTES])
{
    out[0] = 4;
    return number_param(key, OSSL_PKEY_PARAM_EC_PUB_X, out + 1) &&
           number_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, out + 33);
}

int sim_fw_pem_private(struct sim_fw_key *out, const struct sim_fw_bytes *pem,
                       struct sim_fw_why *why)
{
    assert(out && pem && why);
    memset(out, 0, sizeof *out);
    EVP_PKEY *key = load(pem, true, why);
    if (!key)
        return SIM_FW_EFORMAT;
    bool ok = number_param(key, OSSL_PKEY_PARAM_PRIV_KEY, out->private_key) &&
              public_point(key, out->public_key);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (ok)
        return SIM_FW_OK;
    sim_fw_explain(why, "holds a key without its numbers");
    return SIM_FW_EFORMAT;
}

int sim_fw_pem_public(uint8_t out[BOOT_PUBLIC_KEY_BYTES], const struct sim_fw_bytes *pem,
                      struct sim_fw_why *why)
{
    assert(out && pem && why);
    EVP_PKEY *key = load(pem, false, why);
    if (!key)
        return SIM_FW_EFORMAT;
    bool ok = public_point(key, out);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (ok)
        return SIM_FW_OK;
    sim_fw_explain(why, "holds a key without its point");
    return SIM_FW_EFORMAT;
}

/* What BIO has collected behind the line that names the id. */
static int collect(struct sim_fw_bytes *out, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    out->data = len > 0 ? malloc((size_t)len) : NULL;
    if (!out->data)
        return SIM_FW_EMEMORY;
    memcpy(out->data, text, (size_t)len);
    out->len = (size_t)len;
    return SIM_FW_OK;
}

static int to_pem(struct sim_fw_bytes *out, EVP_PKEY *key, const char *cert_id, bool private_key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio)
        return SIM_FW_EMEMORY;
    int error = SIM_FW_ECRYPTO;
    if (BIO_printf(bio, "Brickyard %s key, certificate id: %s\n",
                   private_key ? "signing" : "public", cert_id) > 0 &&
        (private_key ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                     : PEM_write_bio_PUBKEY(bio, key)))
        error = collect(out, bio);
    BIO_free(bio);
    return error;
}

int sim_fw_pem_generate(struct sim_fw_bytes *private_pem, struct sim_fw_bytes *public_pem,
                        const char *cert_id)
{
    assert(private_pem && public_pem && cert_id);
    *private_pem = *public_pem = (struct sim_fw_bytes){0};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key) {
        ERR_clear_error();
        return SIM_FW_ECRYPTO;
    }
    int error = to_pem(private_pem, key, cert_id, true);
    if (!error)
        error = to_pem(public_pem, key, cert_id, false);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (error) {
        sim_fw_bytes_free(private_pem);
        sim_fw_bytes_free(public_pem);
    }
    return error;
}

/* Strict: what the decoder understood, encoded again, is the same bytes. */
bool sim_fw_pem_is_signature(const struct sim_fw_bytes *sig)
{
    const uint8_t *at = sig->data;
    if (sig->len == 0 || sig->len > BOOT_SIGNATURE_MAX)
        return false;
    ECDSA_SIG *decoded = d2i_ECDSA_SIG(NULL, &at, (long)sig->len);
    ERR_clear_error();
    if (!decoded)
        return false;
    uint8_t *again = NULL;
    int len = i2d_ECDSA_SIG(decoded, &again);
    bool same = len > 0 && (size_t)len == sig->len && memcmp(again, sig->data, sig->len) == 0;
    OPENSSL_free(again);
    ECDSA_SIG_free(decoded);
    return same;
}

static EVP_PKEY *key_from_point(const uint8_t point[BOOT_PUBLIC_KEY_BYTES])
{
    uint8_t copy[BOOT_PUBLIC_KEY_BYTES];
    char group[] = "prime256v1";
    memcpy(copy, point, sizeof copy);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool signature_is_right(EVP_PKEY *key, const struct sim_fw_bytes *data,
                               const struct sim_fw_bytes *sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, sig->data, sig->len, data->data, data->len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

int sim_fw_pem_verify(const uint8_t point[BOOT_PUBLIC_KEY_BYTES], const struct sim_fw_bytes *data,
                      const struct sim_fw_bytes *sig, struct sim_fw_why *why)
{
    assert(point && data && sig && why);
    if (!sim_fw_pem_is_signature(sig)) {
        sim_fw_explain(why, "is no ECDSA P-256 signature in strict DER");
        return SIM_FW_EFORMAT;
    }
    EVP_PKEY *key = key_from_point(point);
    bool right = signature_is_right(key, data, sig);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (right)
        return SIM_FW_OK;
    sim_fw_explain(why, "is not this key's signature of the image");
    return SIM_FW_ECRYPTO;
}
