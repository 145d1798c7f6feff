/*
 * PEM files and the two operations on keys that belong to OpenSSL: drawing a new one, and
 * verifying. Only P-256 is accepted. `why` says in words what was wrong with a file's content.
 */
#ifndef SIM_FIRMWARE_PEM_H
#define SIM_FIRMWARE_PEM_H

#include "files.h"

/*
 * A new key from OpenSSL's random source, as PKCS#8 and SubjectPublicKeyInfo PEM with a line before
 * it that names the certificate id (readers of PEM skip it). SIM_FW_ECRYPTO or SIM_FW_EMEMORY; both
 * are then empty.
 */
int sim_fw_pem_generate(struct sim_fw_bytes *private_pem, struct sim_fw_bytes *public_pem,
                        const char *cert_id);

/* SIM_FW_EFORMAT for anything but an unencrypted private key on P-256. out->cert_id stays empty. */
int sim_fw_pem_private(struct sim_fw_key *out, const struct sim_fw_bytes *pem,
                       struct sim_fw_why *why);

/* The uncompressed point. SIM_FW_EFORMAT for anything but a public key on P-256. */
int sim_fw_pem_public(uint8_t out[BOOT_PUBLIC_KEY_BYTES], const struct sim_fw_bytes *pem,
                      struct sim_fw_why *why);

/* True for a DER SEQUENCE of two INTEGERs without a superfluous byte, of at most 72 bytes. */
bool sim_fw_pem_is_signature(const struct sim_fw_bytes *sig);

/*
 * SIM_FW_OK when sig, in strict DER, is the key's signature of the SHA-256 of data; SIM_FW_EFORMAT
 * when it is no strict DER, SIM_FW_ECRYPTO when it is wrong.
 */
int sim_fw_pem_verify(const uint8_t point[BOOT_PUBLIC_KEY_BYTES], const struct sim_fw_bytes *data,
                      const struct sim_fw_bytes *sig, struct sim_fw_why *why);

#endif
