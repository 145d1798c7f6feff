/*
 * The oracle's verification of one image as a whole: SHA-256 and ECDSA P-256 by OpenSSL, over what
 * sim_flash_peek shows. Not thread-safe: one verifier for each oracle.
 */
#ifndef SIM_ORACLE_VERIFY_H
#define SIM_ORACLE_VERIFY_H

#include "sim/oracle.h"
#include <openssl/evp.h>

struct oracle_verifier {
    EVP_PKEY *key[SIM_ORACLE_KEYS_MAX];
    uint32_t keys;
    EVP_MD_CTX *ctx;
    uint64_t done; /* images that were really hashed and verified */
};

/* 0, or -1 when a key is no point of P-256 or memory ran out; then nothing is held. */
int oracle_verifier_init(struct oracle_verifier *verifier, const struct sim_oracle_trust *trust);
void oracle_verifier_free(struct oracle_verifier *verifier);

/* Which bytes, read how, under which signature. */
struct oracle_claim {
    const struct sim_flash *flash;
    uint32_t addr, image_bytes;
    int unstable_as;
    uint32_t key; /* index into the trust */
    const uint8_t *signature;
    uint32_t signature_bytes;
};
bool oracle_verify(struct oracle_verifier *verifier, const struct oracle_claim *claim);

#endif
