/*
 * An image and its proof in a slot, and the updater's half of the devices.
 *
 *     slot:   image, header of bootloader/FORMAT.md first ... | proof, in the last sector
 *     proof:  0 magic | 4 image bytes | 8 key | 12 signature bytes | 16 SHA-256 | 48 signature |
 * 124 CRC
 */
#ifndef DEVICES_SLOT_H
#define DEVICES_SLOT_H

#include "kit.h"

enum { SLOT_A, SLOT_B };
enum { SLOT_VERSION_MAX = 32 };

/* What a slot says of its image. */
struct slot_image {
    uint32_t bytes, key, signature_bytes;
    uint8_t sha256[32], signature[DUT_SIGNATURE_MAX];
    char version[SLOT_VERSION_MAX], device_type[32], min_hw_revision[16];
};

/* Proof and header are sound and fit each other; the image itself is not looked at. */
bool slot_read(struct kit *kit, uint32_t slot, struct slot_image *out);
/* Also: SHA-256 and signature fit, and the image is for this device. */
bool slot_verify(struct kit *kit, uint32_t slot, struct slot_image *out);

/* A slot is used in so many sectors by an image: its own, and then the one of the proof. */
uint32_t slot_sectors(const struct kit *kit, uint32_t image_bytes);
/* Where sector i of these is. */
uint32_t slot_sector(const struct kit *kit, uint32_t slot, uint32_t i, uint32_t sectors);

/* For the factory: an image with its proof into an erased slot. */
int slot_install(struct kit *kit, uint32_t slot, const struct dut_image *image);

/* Why the service's offer is not for this device, which runs `runs`; NULL when it may be. */
const char *offer_refusal(const struct kit *kit, const struct dut_image *offer,
                          const struct slot_image *runs);
/* Downloads into the slot, whose old content is lost, and verifies what is there then; always from
 * the first byte on, so that all of it was written in one power session. DUT_SAYS_PROGRESS when the
 * slot holds the offered image now, else the outcome to tell. A flash that fails is tried again, as
 * the supply may be about to go, for a while. */
enum dut_status offer_download(struct kit *kit, uint32_t slot, const struct dut_image *offer);
/* Asks the five checks, the last when its time has passed. May never return. */
bool offer_is_healthy(const struct kit *kit);
void offer_tell(const struct kit *kit, enum dut_status status, const struct dut_offer *offer,
                const struct slot_image *runs, const char *text);

#endif
