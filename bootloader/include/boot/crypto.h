/*
 * The crypto port: SHA-256 and ECDSA P-256 verification, supplied by the platform (OpenSSL on a
 * host, BearSSL on a board), and the set of keys that may sign images. Nothing is cached here or
 * behind it: each call does the work.
 */
#ifndef BOOT_CRYPTO_H
#define BOOT_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

enum { BOOT_SHA256_BYTES = 32, BOOT_PUBLIC_KEY_BYTES = 65, BOOT_SIGNATURE_MAX = 72 };
enum { BOOT_CERT_ID_MAX = 24 }; /* with the closing NUL */

/* Owned by the caller. One hash at a time per port: begin, update any number of times, final. */
struct boot_crypto {
    void *ctx;
    void (*sha256_begin)(void *ctx);
    void (*sha256_update)(void *ctx, const void *data, size_t len);
    void (*sha256_final)(void *ctx, uint8_t out[BOOT_SHA256_BYTES]);
    /*
     * 0 when sig (strict DER SEQUENCE of two INTEGERs, 0 < r, s < n) is a valid ECDSA P-256
     * signature of hash by public_key (uncompressed point 04 X Y, on the curve); anything else is
     * negative, and so is every signature of a hash that is 0 mod n.
     */
    int (*ecdsa_verify)(void *ctx, const uint8_t public_key[BOOT_PUBLIC_KEY_BYTES],
                        const uint8_t hash[BOOT_SHA256_BYTES], const uint8_t *sig, size_t sig_len);
};

struct boot_key {
    char cert_id[BOOT_CERT_ID_MAX]; /* NUL-terminated, as in the manifest's signing_cert_id */
    uint8_t public_key[BOOT_PUBLIC_KEY_BYTES];
};

/* Trusted keys, burnt in with the bootloader. Constant, owned by the caller. */
struct boot_keys {
    const struct boot_key *key;
    uint32_t count;
};

/* The key with this id, or NULL. */
const struct boot_key *boot_keys_find(const struct boot_keys *keys, const char *cert_id);

#endif
