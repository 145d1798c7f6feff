/* A trusted key: the public key of a PEM file, as the uncompressed point that boot/crypto.h wants.
 */
#include "settings_internal.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

static bool read_number(const EVP_PKEY *key, const char *name, uint8_t out[32])
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) && BN_bn2binpad(number, out, 32) == 32;
    BN_free(number);
    return ok;
}

/* From the coordinates, because a PEM may hold the point compressed. */
static bool read_point(const EVP_PKEY *key, uint8_t out[BOOT_PUBLIC_KEY_BYTES])
{
    char group[64] = "";
    out[0] = 4;
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) &&
           !strcmp(group, "prime256v1") && read_number(key, OSSL_PKEY_PARAM_EC_PUB_X, out + 1) &&
           read_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, out + 33);
}

const char *agent_pem_public(uint8_t out[BOOT_PUBLIC_KEY_BYTES], const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return "can't be opened";
    EVP_PKEY *key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    const char *wrong = NULL;
    if (!key)
        wrong = "holds no PEM public key";
    else if (!read_point(key, out))
        wrong = "is no key on P-256";
    EVP_PKEY_free(key);
    ERR_clear_error();
    return wrong;
}
