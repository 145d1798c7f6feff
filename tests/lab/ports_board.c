/* BearSSL on the board, as a crypto port of this host: each call is an order of the lab. */
#include "ports.h"
#include "qemu_lab.h"

#include <criterion/criterion.h>
#include <string.h>

enum { HASHED_MAX = 4096, STEP_MAX = 256 };

static struct qemu_lab at;
static struct {
    uint8_t bytes[HASHED_MAX];
    uint32_t len, step;
} hash;

static void sha_begin(void *ctx)
{
    (void)ctx;
    hash.len = 0;
    hash.step = STEP_MAX;
}

/* Cut as the first update was. */
static void sha_update(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    cr_assert_leq(len, sizeof hash.bytes - hash.len);
    if (!hash.len && len && len < STEP_MAX)
        hash.step = (uint32_t)len;
    memcpy(hash.bytes + hash.len, data, len);
    hash.len += (uint32_t)len;
}

static void sha_final(void *ctx, uint8_t out[BOOT_SHA256_BYTES])
{
    char message[256] = "";
    (void)ctx;
    cr_assert_eq(
        rig_lab_hash(at.lab, hash.bytes, hash.len, hash.step, out, message, sizeof message), 0,
        "%s", message);
}

static int verify(void *ctx, const uint8_t key[BOOT_PUBLIC_KEY_BYTES],
                  const uint8_t digest[BOOT_SHA256_BYTES], const uint8_t *sig, size_t len)
{
    char message[256] = "";
    int answer = -1;
    (void)ctx;
    cr_assert_eq(
        rig_lab_verify(at.lab, key, digest, sig, (uint32_t)len, &answer, message, sizeof message),
        0, "%s", message);
    return answer;
}

void ports_board_start(struct boot_crypto *out)
{
    qemu_lab_start(&at, "lab.elf");
    *out = (struct boot_crypto){.sha256_begin = sha_begin,
                                .sha256_update = sha_update,
                                .sha256_final = sha_final,
                                .ecdsa_verify = verify};
}

void ports_board_end(void)
{
    qemu_lab_end(&at);
}
