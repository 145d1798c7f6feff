#include "boot/crypto.h"
#include "bytes.h"

const struct boot_key *boot_keys_find(const struct boot_keys *keys, const char *cert_id)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (boot_text_equal(keys->key[i].cert_id, cert_id, BOOT_CERT_ID_MAX))
            return &keys->key[i];
    return NULL;
}
