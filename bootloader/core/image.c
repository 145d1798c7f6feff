/* The image header: bytes of image.h in both directions, and the order of hardware revisions. */
#include "boot/image.h"
#include "boot/error.h"
#include "bytes.h"
#include "mem.h"

enum {
    AT_MAGIC = 0,
    AT_HEADER_BYTES = 4,
    AT_FORMAT = 6,
    AT_IMAGE_BYTES = 8,
    AT_COUNTER = 12,
    AT_VERSION = 16,
    AT_DEVICE_TYPE = 48,
    AT_HW_REVISION = 80,
    AT_RESERVED = 96,
    AT_CRC = 124
};

static const char magic[4] = {'B', 'Y', 'I', '1'};

int boot_image_encode(uint8_t out[BOOT_IMAGE_HEADER_BYTES], const struct boot_image *image)
{
    if (image->image_bytes <= BOOT_IMAGE_HEADER_BYTES)
        return BOOT_ERANGE;
    memset(out, 0, BOOT_IMAGE_HEADER_BYTES);
    memcpy(out + AT_MAGIC, magic, sizeof magic);
    boot_put16(out + AT_HEADER_BYTES, BOOT_IMAGE_HEADER_BYTES);
    boot_put16(out + AT_FORMAT, BOOT_IMAGE_FORMAT);
    boot_put32(out + AT_IMAGE_BYTES, image->image_bytes);
    boot_put32(out + AT_COUNTER, image->security_counter);
    if (boot_text_encode(out + AT_VERSION, BOOT_VERSION_MAX, image->version) ||
        boot_text_encode(out + AT_DEVICE_TYPE, BOOT_DEVICE_TYPE_MAX, image->device_type) ||
        boot_text_encode(out + AT_HW_REVISION, BOOT_HW_REVISION_MAX, image->min_hw_revision))
        return BOOT_ERANGE;
    boot_put32(out + AT_CRC, boot_crc32(0, out, AT_CRC));
    return BOOT_OK;
}

static bool frame_is_sound(const uint8_t *in)
{
    return memcmp(in + AT_MAGIC, magic, sizeof magic) == 0 &&
           boot_get32(in + AT_CRC) == boot_crc32(0, in, AT_CRC) &&
           boot_get16(in + AT_HEADER_BYTES) == BOOT_IMAGE_HEADER_BYTES &&
           boot_get16(in + AT_FORMAT) == BOOT_IMAGE_FORMAT &&
           boot_get32(in + AT_IMAGE_BYTES) > BOOT_IMAGE_HEADER_BYTES &&
           boot_bytes_are(in + AT_RESERVED, AT_CRC - AT_RESERVED, 0);
}

int boot_image_decode(struct boot_image *out, const uint8_t in[BOOT_IMAGE_HEADER_BYTES])
{
    memset(out, 0, sizeof *out);
    if (!frame_is_sound(in))
        return BOOT_EFORMAT;
    struct boot_image image = {.image_bytes = boot_get32(in + AT_IMAGE_BYTES),
                               .security_counter = boot_get32(in + AT_COUNTER)};
    if (boot_text_decode(image.version, BOOT_VERSION_MAX, in + AT_VERSION) ||
        boot_text_decode(image.device_type, BOOT_DEVICE_TYPE_MAX, in + AT_DEVICE_TYPE) ||
        boot_text_decode(image.min_hw_revision, BOOT_HW_REVISION_MAX, in + AT_HW_REVISION))
        return BOOT_EFORMAT;
    *out = image;
    return BOOT_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares the runs of digits at *a and *b as numbers of any length and moves behind them. */
static int compare_runs(const char **a, const char **b)
{
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    int first = 0;
    while (is_digit(**a) && is_digit(**b)) {
        if (!first)
            first = **a - **b;
        (*a)++;
        (*b)++;
    }
    if (is_digit(**a) || is_digit(**b))
        return is_digit(**a) ? 1 : -1;
    return first;
}

int boot_hw_revision_compare(const char *a, const char *b)
{
    while (*a && *b) {
        if (is_digit(*a) && is_digit(*b)) {
            int order = compare_runs(&a, &b);
            if (order)
                return order;
        } else {
            if (*a != *b)
                break;
            a++;
            b++;
        }
    }
    return (uint8_t)*a - (uint8_t)*b;
}
