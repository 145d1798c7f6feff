/*
 * The crypto port on BearSSL: SHA-256 and ECDSA P-256 (i31, p256_m31) for boards, in constant space,
 * without heap and without data of its own. Builds for a host too, so that it can be held against
 * the OpenSSL port. One instance per device, owned by the caller, used by one thread at a time.
 */
#ifndef BOOT_BEARSSL_H
#define BOOT_BEARSSL_H

#include "boot/crypto.h"
#include <bearssl.h>

struct boot_bearssl {
    br_sha256_context hash;
};

/* Fills the port's functions in; out is valid as long as port is not moved. */
void boot_bearssl_port(struct boot_bearssl *port, struct boot_crypto *out);

#endif
