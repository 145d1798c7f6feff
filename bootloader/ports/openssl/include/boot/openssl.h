/*
 * The crypto port on OpenSSL 3: SHA-256 and ECDSA P-256 for hosts. Nothing global: one instance per
 * thread or device, owned by the caller, used by one thread at a time. Public keys are parsed once
 * and kept; every hash and every verification is really done, and counted here.
 */
#ifndef BOOT_OPENSSL_H
#define BOOT_OPENSSL_H

#include "boot/crypto.h"
#include <stdbool.h>

struct evp_md_st;
struct evp_md_ctx_st;
struct evp_pkey_st;
struct evp_pkey_ctx_st;

enum { BOOT_OPENSSL_KEYS = 4 };

/* A parsed key and the context of its verifications. Made on first use, the oldest is given up. */
struct boot_openssl_key {
    uint8_t public_key[BOOT_PUBLIC_KEY_BYTES];
    struct evp_pkey_st *pkey;
    struct evp_pkey_ctx_st *verify;
};

struct boot_openssl {
    struct evp_md_st *sha256;
    struct evp_md_ctx_st *hash;
    struct boot_openssl_key key[BOOT_OPENSSL_KEYS];
    uint32_t key_next;
    bool failed; /* OpenSSL failed inside a hash: its result is zeroed, no signature fits */
    uint64_t sha256_bytes;   /* hashed since boot_openssl_init */
    uint64_t sha256_finals;  /* hashes finished */
    uint64_t ecdsa_verifies; /* verifications whose curve arithmetic was done */
};

/* 0, or -1 when OpenSSL has no memory or no SHA-256; then there is nothing to free. */
int boot_openssl_init(struct boot_openssl *port);
void boot_openssl_free(struct boot_openssl *port);

/* Fills the port's functions in; out is valid as long as port is neither freed nor moved. */
void boot_openssl_port(struct boot_openssl *port, struct boot_crypto *out);

#endif
