/* Image header, CRC, hardware revisions, layout, names: what needs no flash. */
#include "boot/config.h"
#include "boot/error.h"
#include "boot/flash.h"
#include "boot/image.h"
#include "boot/verify.h"
#include <criterion/criterion.h>
#include <string.h>

static const struct boot_image sample = {.image_bytes = 4096,
                                         .security_counter = 7,
                                         .version = "2.4.0",
                                         .device_type = "pump_monitor_v2",
                                         .min_hw_revision = "Rev-B"};

Test(boot_image, crc_is_that_of_ieee_802_3)
{
    cr_expect_eq(boot_crc32(0, "123456789", 9), 0xCBF43926);
    cr_expect_eq(boot_crc32(boot_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    cr_expect_eq(boot_crc32(0, "", 0), 0);
}

Test(boot_image, header_comes_back_and_lies_where_the_drawing_says)
{
    uint8_t bytes[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    cr_assert_eq(boot_image_encode(bytes, &sample), BOOT_OK);
    cr_expect_eq(memcmp(bytes, "BYI1\x80\0\1\0\0\x10\0\0\7\0\0\0", 16), 0);
    cr_expect_str_eq((char *)bytes + 16, "2.4.0");
    cr_expect_str_eq((char *)bytes + 48, "pump_monitor_v2");
    cr_expect_str_eq((char *)bytes + 80, "Rev-B");
    cr_assert_eq(boot_image_decode(&image, bytes), BOOT_OK);
    cr_expect_eq(memcmp(&image, &sample, sizeof image), 0);
}

Test(boot_image, any_flipped_bit_of_the_header_is_refused)
{
    uint8_t bytes[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    cr_assert_eq(boot_image_encode(bytes, &sample), BOOT_OK);
    for (uint32_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(boot_image_decode(&image, bytes), BOOT_EFORMAT, "bit %u", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Wrong fields under a right CRC. */
Test(boot_image, wrong_fields_with_a_right_crc_are_refused)
{
    static const struct {
        uint32_t at;
        uint8_t byte;
    } row[] = {{0, 'X'}, {4, 127},  {5, 1},    {6, 2},   {96, 1},
               {123, 1}, {22, 'x'}, {79, 'x'}, {95, 'x'}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint8_t bytes[BOOT_IMAGE_HEADER_BYTES];
        struct boot_image image;
        cr_assert_eq(boot_image_encode(bytes, &sample), BOOT_OK);
        bytes[row[i].at] = row[i].byte;
        uint32_t crc = boot_crc32(0, bytes, 124);
        memcpy(bytes + 124, &crc, 4);
        cr_expect_eq(boot_image_decode(&image, bytes), BOOT_EFORMAT, "row %zu", i);
    }
}

Test(boot_image, a_field_that_does_not_fit_is_not_encoded)
{
    uint8_t bytes[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image = sample;
    image.image_bytes = BOOT_IMAGE_HEADER_BYTES;
    cr_expect_eq(boot_image_encode(bytes, &image), BOOT_ERANGE);
    image = sample;
    memset(image.version, 'v', sizeof image.version);
    cr_expect_eq(boot_image_encode(bytes, &image), BOOT_ERANGE);
    image = sample;
    memset(image.min_hw_revision, 'r', sizeof image.min_hw_revision);
    cr_expect_eq(boot_image_encode(bytes, &image), BOOT_ERANGE);
}

Test(boot_image, hardware_revisions_order_numbers_as_numbers)
{
    static const char *const rising[] = {"",
                                         "Rev-",
                                         "Rev-2",
                                         "Rev-10",
                                         "Rev-A",
                                         "Rev-B",
                                         "Rev-B1",
                                         "Rev-B1a",
                                         "Rev-B02",
                                         "Rev-C2",
                                         "Rev-C9",
                                         "Rev-C10",
                                         "Rev-C99999999999999999999"};
    int count = sizeof rising / sizeof *rising;
    for (int a = 0; a < count; a++)
        for (int b = 0; b < count; b++) {
            int order = boot_hw_revision_compare(rising[a], rising[b]);
            cr_expect_eq((order > 0) - (order < 0), (a > b) - (a < b), "%s ? %s", rising[a],
                         rising[b]);
        }
    cr_expect_eq(boot_hw_revision_compare("Rev-007", "Rev-7"), 0);
}

static const struct boot_layout standard = {.sector_bytes = 4096,
                                            .page_bytes = 256,
                                            .bootloader_bytes = 65536,
                                            .config_addr = 65536,
                                            .slot_addr = {73728, 73728 + (4 << 20)},
                                            .slot_bytes = 4 << 20,
                                            .data_addr = 73728 + (8 << 20),
                                            .data_bytes = 8 << 20,
                                            .journal_bytes = 16 * 4096};

Test(boot_layout, the_default_geometry_is_sound)
{
    cr_expect_eq(boot_layout_check(&standard), BOOT_OK);
    cr_expect_eq(boot_layout_image_max(&standard), (4u << 20) - 4096);
    cr_expect_eq(boot_layout_trailer(&standard, BOOT_SLOT_B), standard.data_addr - 4096);
}

/* Each row sets one 32-bit member, by its index, to a value that breaks a rule. */
Test(boot_layout, each_broken_rule_is_found)
{
    static const struct {
        uint32_t member, value;
    } row[] = {{0, 0},
               {0, 256},
               {0, 4097},
               {1, 0},
               {1, 8},
               {1, 48},
               {1, 8192},
               {1, 2048},
               {2, 65537},
               {3, 65536 + 512},
               {3, 61440},
               {4, 73727},
               {4, 69632},
               {5, 73728},
               {5, 0xFFFFF000},
               {6, 2 * 4096},
               {6, (4 << 20) + 4096},
               {6, 12300},
               {7, 4096},
               {8, 0xFFFFF000},
               {8, 15 * 4096},
               {9, 2 * 4096},
               {9, 5 * 4096},
               {9, 100}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct boot_layout layout = standard;
        uint32_t *const member[] = {&layout.sector_bytes,     &layout.page_bytes,
                                    &layout.bootloader_bytes, &layout.config_addr,
                                    &layout.slot_addr[0],     &layout.slot_addr[1],
                                    &layout.slot_bytes,       &layout.data_addr,
                                    &layout.data_bytes,       &layout.journal_bytes};
        *member[row[i].member] = row[i].value;
        cr_expect_eq(boot_layout_check(&layout), BOOT_ELAYOUT, "row %zu", i);
    }
}

/* Every name is there, and no two are the same. */
static void expect_names(const char *(*name)(int), int from, int to)
{
    for (int a = from; a < to; a++) {
        cr_expect_str_not_empty(name(a));
        for (int b = from - 1; b < a; b++)
            cr_expect_str_neq(name(a), name(b));
    }
    cr_expect_str_eq(name(to), name(to + 100));
}

Test(boot_names, every_error_cause_reset_and_verdict_has_one)
{
    expect_names(boot_error_name, BOOT_ESTATE, BOOT_OK + 1);
    expect_names(boot_cause_name, 0, BOOT_CAUSE_KINDS);
    expect_names(boot_reset_name, 0, BOOT_RESET_KINDS);
    expect_names(boot_verdict_name, 0, BOOT_VERDICT_KINDS);
    cr_expect_str_eq(boot_error_name(BOOT_EFLASH), "BOOT_EFLASH");
    cr_expect_str_eq(boot_error_name(1), "BOOT_?");
}
