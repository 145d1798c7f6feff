/* SHA-256 with one fetched method and one context; ECDSA with one parsed key and context for each
 * key. */
#include "boot/der.h"
#include "boot/openssl.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

static void hash_begin(void *ctx)
{
    struct boot_openssl *port = ctx;
    port->failed = EVP_DigestInit_ex2(port->hash, port->sha256, NULL) != 1;
}

static void hash_update(void *ctx, const void *data, size_t len)
{
    struct boot_openssl *port = ctx;
    port->failed |= EVP_DigestUpdate(port->hash, data, len) != 1;
    port->sha256_bytes += len;
}

static void hash_final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    struct boot_openssl *port = ctx;
    port->failed |= EVP_DigestFinal_ex(port->hash, out, NULL) != 1;
    if (port->failed)
        memset(out, 0, BOOT_SHA256_BYTES);
    port->sha256_finals++;
}

static void key_free(struct boot_openssl_key *key)
{
    EVP_PKEY_CTX_free(key->verify);
    EVP_PKEY_free(key->pkey);
    memset(key, 0, sizeof *key);
}

/* Also checks that the point is on the curve. NULL when it is not. */
static EVP_PKEY *parse(const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES])
{
    char group[] = "prime256v1";
    uint8_t point[BOOT_PUBLIC_KEY_BYTES];
    EVP_PKEY *pkey = NULL;
    memcpy(point, public_key, sizeof point);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static struct boot_openssl_key *find_key(struct boot_openssl *port,
                                         const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES])
{
    for (uint32_t i = 0; i < BOOT_OPENSSL_KEYS; i++)
        if (port->key[i].pkey &&
            !memcmp(port->key[i].public_key, public_key, BOOT_PUBLIC_KEY_BYTES))
            return &port->key[i];
    struct boot_openssl_key *key = &port->key[port->key_next];
    key_free(key);
    key->pkey = public_key[0] == 0x04 ? parse(public_key) : NULL;
    key->verify = key->pkey ? EVP_PKEY_CTX_new(key->pkey, NULL) : NULL;
    if (!key->verify || EVP_PKEY_verify_init(key->verify) != 1) {
        key_free(key);
        return NULL;
    }
    memcpy(key->public_key, public_key, BOOT_PUBLIC_KEY_BYTES);
    port->key_next = (port->key_next + 1) % BOOT_OPENSSL_KEYS;
    return key;
}

static int verify(void *ctx, const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES],
                  const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t sig_len)
{
    struct boot_openssl *port = ctx;
    uint8_t scalars[BOOT_SCALARS_BYTES];
    if (port->failed || !boot_der_hash_is_usable(hash) || !boot_der_scalars(scalars, sig, sig_len))
        return -1;
    struct boot_openssl_key *key = find_key(port, public_key);
    int result = key ? EVP_PKEY_verify(key->verify, sig, sig_len, hash, BOOT_SHA256_BYTES) : -1;
    port->ecdsa_verifies += key != NULL;
    /* A refused signature leaves an error in the thread's queue, which belongs to nobody else. */
    if (result != 1)
        ERR_clear_error();
    return result == 1 ? 0 : -1;
}

int boot_openssl_init(struct boot_openssl *port)
{
    memset(port, 0, sizeof *port);
    port->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    port->hash = EVP_MD_CTX_new();
    if (port->sha256 && port->hash)
        return 0;
    boot_openssl_free(port);
    return -1;
}

void boot_openssl_free(struct boot_openssl *port)
{
    for (uint32_t i = 0; i < BOOT_OPENSSL_KEYS; i++)
        key_free(&port->key[i]);
    EVP_MD_CTX_free(port->hash);
    EVP_MD_free(port->sha256);
    memset(port, 0, sizeof *port);
}

void boot_openssl_port(struct boot_openssl *port, struct boot_crypto *out)
{
    *out = (struct boot_crypto){.ctx = port,
                                .sha256_begin = hash_begin,
                                .sha256_update = hash_update,
                                .sha256_final = hash_final,
                                .ecdsa_verify = verify};
}
