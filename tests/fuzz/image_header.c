/*
 * Any bytes as an image header, and as a slot trailer's body behind it. What is accepted must
 * encode to the same bytes, and its texts must be closed inside their fields.
 */
#include "boot/error.h"
#include "boot/image.h"
#include "boot/trailer.h"
#include <stdlib.h>
#include <string.h>

static void check_header(const uint8_t *data)
{
    struct boot_image image;
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    if (boot_image_decode(&image, data) != BOOT_OK)
        return;
    if (boot_image_encode(header, &image) != BOOT_OK || memcmp(header, data, sizeof header) != 0)
        abort();
    int order = boot_hw_revision_compare(image.min_hw_revision, image.version);
    int turned = boot_hw_revision_compare(image.version, image.min_hw_revision);
    if ((order > 0) != (turned < 0) || (order < 0) != (turned > 0))
        abort();
}

static void check_trailer(const uint8_t *data)
{
    struct boot_trailer trailer = {0};
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    if (boot_trailer_decode(&trailer, data) != BOOT_OK)
        return;
    if (boot_trailer_encode(body, &trailer) != BOOT_OK || memcmp(body, data, sizeof body) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= BOOT_IMAGE_HEADER_BYTES)
        check_header(data);
    if (size >= BOOT_IMAGE_HEADER_BYTES + BOOT_TRAILER_BODY_BYTES)
        check_trailer(data + BOOT_IMAGE_HEADER_BYTES);
    return 0;
}
