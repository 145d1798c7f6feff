/* Images made by seed. */
#include "sim/firmware.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct boot_image pump = {.security_counter = 3,
                                       .version = "2.4.0",
                                       .device_type = "pump_monitor_v2",
                                       .min_hw_revision = "Rev-B"};

Test(supply_image, header_says_what_was_asked_for)
{
    static const uint32_t sizes[] = {129, 130, 143, 144, 145, 4096, 512 << 10};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *image;
        struct boot_image header;
        cr_assert_eq(sim_fw_make(&image, 1, &pump, sizes[i]), SIM_FW_OK);
        cr_assert_eq(boot_image_decode(&header, image), 0);
        cr_assert_eq(header.image_bytes, sizes[i]);
        cr_assert_eq(header.security_counter, 3);
        cr_assert_str_eq(header.version, "2.4.0");
        cr_assert_str_eq(header.device_type, "pump_monitor_v2");
        cr_assert_str_eq(header.min_hw_revision, "Rev-B");
        free(image);
    }
}

Test(supply_image, payload_depends_on_seed_and_version_and_not_on_the_size)
{
    enum { SIZE = 20000 };
    uint8_t *first, *other;
    struct boot_image newer = pump;
    strcpy(newer.version, "2.4.1");
    cr_assert_eq(sim_fw_make(&first, 1, &pump, SIZE), SIM_FW_OK);
    cr_assert_eq(sim_fw_make(&other, 1, &pump, SIZE), SIM_FW_OK);
    cr_assert_arr_eq(first, other, SIZE);
    free(other);
    cr_assert_eq(sim_fw_make(&other, 1, &pump, SIZE / 2), SIM_FW_OK);
    cr_assert_arr_eq(first + BOOT_IMAGE_HEADER_BYTES, other + BOOT_IMAGE_HEADER_BYTES,
                     SIZE / 2 - BOOT_IMAGE_HEADER_BYTES);
    free(other);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(sim_fw_make(&other, i ? 2 : 1, i ? &pump : &newer, SIZE), SIM_FW_OK);
        uint32_t same = 0;
        for (uint32_t at = BOOT_IMAGE_HEADER_BYTES; at < SIZE; at++)
            same += first[at] == other[at];
        cr_assert_lt(same, SIZE / 128, "%u bytes of two payloads agree", same);
        free(other);
    }
    free(first);
}

/* No page that reads erased: a missing program would go unseen there. */
Test(supply_image, no_page_of_a_payload_is_all_ones)
{
    enum { SIZE = 512 << 10, PAGE = 256 };
    uint8_t *image, erased[PAGE];
    memset(erased, 0xFF, PAGE);
    cr_assert_eq(sim_fw_make(&image, 1, &pump, SIZE), SIM_FW_OK);
    for (uint32_t at = 0; at < SIZE; at += PAGE)
        cr_assert_neq(memcmp(image + at, erased, PAGE), 0, "page at %u", at);
    free(image);
}

Test(supply_image, what_does_not_fit_a_header_is_refused)
{
    uint8_t *image = (uint8_t *)1;
    cr_assert_eq(sim_fw_make(&image, 1, &pump, BOOT_IMAGE_HEADER_BYTES), SIM_FW_ERANGE);
    cr_assert_null(image);
    cr_assert_eq(sim_fw_make(&image, 1, &pump, 0), SIM_FW_ERANGE);
    cr_assert_null(image);
}
