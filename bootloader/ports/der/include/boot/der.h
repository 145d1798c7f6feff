/*
 * Strict DER of an ECDSA P-256 signature, before any library sees the bytes: both crypto ports
 * refuse by this one function, so they agree on every hostile encoding. Freestanding, no state.
 */
#ifndef BOOT_DER_H
#define BOOT_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BOOT_SCALARS_BYTES = 64 };

/*
 * True when sig is the one DER encoding of two integers with 0 < r, s < n: short lengths, no
 * padding, no sign, nothing behind it (SEC 1 C.8, X.690 8.3 and 10.1). out: r and s, 32 bytes each,
 * big endian; not to be used after false.
 */
bool boot_der_scalars(uint8_t out[BOOT_SCALARS_BYTES], const uint8_t *sig, size_t len);

/*
 * False for a hash that is 0 modulo n (32 zeros, or n itself). No image has one that anybody could
 * find; but BearSSL refuses every signature of it, OpenSSL takes a right one, and code that forgets
 * to look at r takes r = 0 for it. Both ports refuse.
 */
bool boot_der_hash_is_usable(const uint8_t hash[BOOT_SCALARS_BYTES / 2]);

#endif
