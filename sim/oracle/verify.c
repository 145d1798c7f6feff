/* See verify.h. */
#include "verify.h"
#include "formats.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

static EVP_PKEY *public_key(const uint8_t point[65])
{
    char group[] = "prime256v1";
    uint8_t copy[65];
    memcpy(copy, point, sizeof copy);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

int oracle_verifier_init(struct oracle_verifier *verifier, const struct sim_oracle_trust *trust)
{
    *verifier = (struct oracle_verifier){.keys = trust->keys, .ctx = EVP_MD_CTX_new()};
    bool complete = verifier->ctx && trust->keys <= SIM_ORACLE_KEYS_MAX;
    for (uint32_t i = 0; complete && i < trust->keys; i++) {
        verifier->key[i] = public_key(trust->key[i].public_key);
        complete = verifier->key[i] != NULL;
    }
    if (complete)
        return 0;
    ERR_clear_error();
    oracle_verifier_free(verifier);
    return -1;
}

void oracle_verifier_free(struct oracle_verifier *verifier)
{
    for (uint32_t i = 0; i < SIM_ORACLE_KEYS_MAX; i++)
        EVP_PKEY_free(verifier->key[i]);
    EVP_MD_CTX_free(verifier->ctx);
    *verifier = (struct oracle_verifier){0};
}

static bool hash_image(EVP_MD_CTX *ctx, const struct oracle_claim *claim)
{
    uint8_t piece[4096];
    for (uint32_t at = 0, len; at < claim->image_bytes; at += len) {
        uint32_t left = claim->image_bytes - at;
        len = left < sizeof piece ? left : (uint32_t)sizeof piece;
        sim_flash_peek(claim->flash, claim->addr + at, piece, len, claim->unstable_as);
        if (EVP_DigestVerifyUpdate(ctx, piece, len) != 1)
            return false;
    }
    return true;
}

bool oracle_verify(struct oracle_verifier *verifier, const struct oracle_claim *claim)
{
    if (claim->key >= verifier->keys ||
        !oracle_is_strict_der(claim->signature, claim->signature_bytes))
        return false;
    verifier->done++;
    EVP_MD_CTX *ctx = verifier->ctx;
    bool valid =
        EVP_MD_CTX_reset(ctx) == 1 &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, verifier->key[claim->key]) == 1 &&
        hash_image(ctx, claim) &&
        EVP_DigestVerifyFinal(ctx, claim->signature, claim->signature_bytes) == 1;
    if (!valid)
        ERR_clear_error();
    return valid;
}
