/*
 * Firmware supply on the host: keys, images, signatures, manifests. Used by `brickyard firmware
 * ...` on real files and by the simulator, which makes images and keys by seed. Formats:
 * bootloader/FORMAT.md. Deterministic signatures: RFC 6979 (BearSSL), DER.
 */
#ifndef SIM_FIRMWARE_H
#define SIM_FIRMWARE_H

#include "boot/crypto.h"
#include "boot/image.h"
#include "boot/trailer.h"
#include <stdio.h>

enum sim_fw_error {
    SIM_FW_OK = 0,
    SIM_FW_EIO = -1,
    SIM_FW_EFORMAT = -2,
    SIM_FW_ERANGE = -3,
    SIM_FW_ECRYPTO = -4,
    SIM_FW_EMEMORY = -5,
    SIM_FW_EEXISTS = -6
};
const char *sim_fw_error_name(int error);

struct sim_fw_key {
    char cert_id[BOOT_CERT_ID_MAX];
    uint8_t private_key[32];
    uint8_t public_key[BOOT_PUBLIC_KEY_BYTES];
};

/* A P-256 key as a pure function of (seed, index); never for real devices. */
int sim_fw_key_derive(struct sim_fw_key *out, uint64_t seed, uint32_t index, const char *cert_id);
/* Strict DER signature of the SHA-256 of data (RFC 6979, SHA-256). *sig_len <= 72. */
int sim_fw_sign(const struct sim_fw_key *key, const void *data, size_t len,
                uint8_t sig[BOOT_SIGNATURE_MAX], size_t *sig_len);

/* A whole image (malloc'ed): header and payload of size_bytes in all, payload by (seed, version).
 */
int sim_fw_make(uint8_t **out, uint64_t seed, const struct boot_image *header, uint32_t size_bytes);

/* The manifest of DESIGN section 4 as JSON (malloc'ed, compact, keys in the order of the DESIGN).
 */
struct sim_fw_manifest {
    const char *firmware_id, *binary_url, *signing_cert_id, *release_notes_url, *rollback_version,
        *published_at;
    const uint8_t *image;
    uint32_t image_bytes;
    const uint8_t *sig;
    size_t sig_len;
};
int sim_fw_manifest(char **out, const struct sim_fw_manifest *manifest);

/* `brickyard firmware SUBCOMMAND ...`; returns the exit code. argv[0] is "firmware". */
int sim_fw_main(int argc, char **argv);

#endif
