/* Strict DER of an ECDSA signature: one encoding for each signature, so that no two byte strings
 * are equal. */
#include "boot/der.h"
#include "boot/crypto.h"
#include "mem.h"

enum { SEQUENCE = 0x30, INTEGER = 0x02, SCALAR_BYTES = BOOT_SCALARS_BYTES / 2 };

/* The order n of P-256 (FIPS 186-4, D.1.2.3), big endian. */
static const uint8_t order[SCALAR_BYTES] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/* The content of an INTEGER: not negative, not longer than it must be, 0 < value < n. */
static bool take_content(uint8_t out[SCALAR_BYTES], const uint8_t *content, size_t len)
{
    if (len == 0 || content[0] & 0x80)
        return false;
    if (content[0] == 0) {
        if (len == 1 || !(content[1] & 0x80))
            return false;
        content++;
        len--;
    }
    if (len > SCALAR_BYTES)
        return false;
    memset(out, 0, SCALAR_BYTES - len);
    memcpy(out + SCALAR_BYTES - len, content, len);
    return memcmp(out, order, SCALAR_BYTES) < 0;
}

/* Takes one INTEGER from *sig. A length byte with the high bit is the long form and never fits. */
static bool take_scalar(uint8_t out[SCALAR_BYTES], const uint8_t **sig, const uint8_t *end)
{
    const uint8_t *at = *sig;
    if (end - at < 2 || at[0] != INTEGER || at[1] > end - at - 2)
        return false;
    *sig = at + 2 + at[1];
    return take_content(out, at + 2, at[1]);
}

bool boot_der_scalars(uint8_t out[BOOT_SCALARS_BYTES], const uint8_t *sig, size_t len)
{
    if (len < 2 || len > BOOT_SIGNATURE_MAX || sig[0] != SEQUENCE || sig[1] != len - 2)
        return false;
    const uint8_t *at = sig + 2;
    const uint8_t *end = sig + len;
    return take_scalar(out, &at, end) && take_scalar(out + SCALAR_BYTES, &at, end) && at == end;
}

bool boot_der_hash_is_usable(const uint8_t hash[SCALAR_BYTES])
{
    static const uint8_t zero[SCALAR_BYTES];
    return memcmp(hash, zero, SCALAR_BYTES) != 0 && memcmp(hash, order, SCALAR_BYTES) != 0;
}
