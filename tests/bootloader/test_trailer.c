/* The slot's trailer: its bytes, its marks, and what a torn mark may not do. */
#include "device.h"
#include <criterion/criterion.h>
#include <string.h>

enum { TRAILER_B = 3072 + 1024, MARK_PAGES = 16 };

/* Where the drawing puts the mark of a number. */
#define MARK_PAGE(number) (TRAILER_B + BOOT_TRAILER_BODY_BYTES + (number) % MARK_PAGES * 16)

static struct device device;
static struct firmware firmware;

static void setup(void)
{
    device_init(&device, 1);
    firmware_make(&firmware, &device, "1.0.0", 0, 300, 0);
}

TestSuite(boot_trailer, .init = setup);

static struct boot_trailer read(void)
{
    struct boot_trailer trailer;
    cr_assert_eq(boot_trailer_read(&device.flash, &device.layout, BOOT_SLOT_B, &trailer), BOOT_OK);
    return trailer;
}

static int mark(uint32_t number)
{
    return boot_trailer_mark(&device.flash, &device.layout, BOOT_SLOT_B, number);
}

Test(boot_trailer, body_comes_back_and_lies_where_the_drawing_says)
{
    device_install(&device, BOOT_SLOT_B, &firmware, 0);
    const uint8_t *body = device.nor.cell + TRAILER_B;
    cr_expect_eq(memcmp(body, "BYT1\x2C\1\0\0\5\0\0\0key-0\0", 18), 0);
    cr_expect_eq(memcmp(body + 36, firmware.trailer.signature, BOOT_SIGNATURE_MAX), 0);
    struct boot_trailer trailer = read();
    cr_expect(trailer.signed_image);
    cr_expect_eq(trailer.image_bytes, 300);
    cr_expect_eq(trailer.signature_bytes, 5);
    cr_expect_str_eq(trailer.cert_id, "key-0");
    cr_expect_eq(trailer.confirmed, 0);
    cr_expect_eq(trailer.marks, 0);
}

Test(boot_trailer, any_flipped_bit_is_refused)
{
    uint8_t body[BOOT_TRAILER_BODY_BYTES];
    struct boot_trailer trailer;
    cr_assert_eq(boot_trailer_encode(body, &firmware.trailer), BOOT_OK);
    for (uint32_t bit = 0; bit < 8 * sizeof body; bit++) {
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(boot_trailer_decode(&trailer, body), BOOT_EFORMAT, "bit %u", bit);
        cr_expect_not(trailer.signed_image);
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(boot_trailer, what_does_not_fit_is_not_written)
{
    struct boot_trailer trailer = firmware.trailer;
    trailer.signature_bytes = BOOT_SIGNATURE_MAX + 1;
    cr_expect_eq(boot_trailer_write(&device.flash, &device.layout, 1, &trailer), BOOT_ERANGE);
    trailer.signature_bytes = 0;
    cr_expect_eq(boot_trailer_write(&device.flash, &device.layout, 1, &trailer), BOOT_ERANGE);
    trailer = firmware.trailer;
    memset(trailer.cert_id, 'x', sizeof trailer.cert_id);
    cr_expect_eq(boot_trailer_write(&device.flash, &device.layout, 1, &trailer), BOOT_ERANGE);
    cr_expect_eq(device.nor.ops, 0);
}

Test(boot_trailer, mark_has_the_bytes_of_the_drawing)
{
    cr_assert_eq(mark(0x0201), BOOT_OK);
    const uint8_t *page = device.nor.cell + MARK_PAGE(0x0201);
    uint32_t crc = boot_crc32(0, page, 12);
    cr_expect_eq(memcmp(page, "BYM1\1\2\0\0\1\0\0\0", 12), 0);
    cr_expect_eq(memcmp(page + 12, &crc, 4), 0);
}

Test(boot_trailer, the_highest_mark_counts)
{
    cr_assert_eq(mark(3), BOOT_OK);
    cr_assert_eq(mark(3), BOOT_OK);
    cr_assert_eq(mark(8), BOOT_OK);
    cr_assert_eq(mark(5), BOOT_OK);
    cr_expect_eq(read().confirmed, 8);
    cr_expect_eq(read().marks, 3);
}

Test(boot_trailer, each_number_has_its_page)
{
    for (uint32_t number = 1; number <= 5; number++) {
        cr_assert_eq(mark(number), BOOT_OK);
        cr_expect_eq(memcmp(device.nor.cell + MARK_PAGE(number), "BYM1", 4), 0);
    }
    cr_expect_eq(read().confirmed, 5);
    cr_expect_eq(read().marks, 5);
}

Test(boot_trailer, a_page_that_is_taken_is_passed_over)
{
    cr_assert_eq(mark(3), BOOT_OK);
    cr_assert_eq(mark(3 + MARK_PAGES), BOOT_OK);
    cr_expect_eq(memcmp(device.nor.cell + MARK_PAGE(4), "BYM1", 4), 0);
    cr_assert_eq(mark(3 + MARK_PAGES), BOOT_OK);
    cr_expect_eq(read().confirmed, 3 + (uint32_t)MARK_PAGES);
    cr_expect_eq(read().marks, 2);
}

Test(boot_trailer, a_number_can_be_marked_for_ever_without_a_bit_rising)
{
    for (int i = 0; i < 3 * MARK_PAGES; i++) {
        cr_assert_eq(mark(4), BOOT_OK);
        cr_assert_eq(read().confirmed, 4);
    }
    cr_expect_eq(read().marks, 1);
    cr_expect_null(device.nor.violation);
}

Test(boot_trailer, a_trailer_without_a_page_left_keeps_its_number)
{
    uint32_t number = 1;
    while (mark(number) == BOOT_OK)
        number++;
    cr_expect_eq(number, (uint32_t)MARK_PAGES + 1);
    cr_expect_eq(mark(number), BOOT_ESTATE);
    cr_expect_eq(read().confirmed, number - 1);
    cr_assert_eq(mark(number - 1), BOOT_OK, "the highest can be made sure of for ever");
    cr_expect_null(device.nor.violation);
}

/* However often a mark is cut, in whatever form: the next try heals the page. */
Test(boot_trailer, interrupted_marks_use_up_no_pages)
{
    jmp_buf power_lost;
    for (volatile int i = 0; i < 4 * MARK_PAGES; i = i + 1) {
        device.nor.power_lost = &power_lost;
        device.nor.cut_at = device.nor.ops;
        device.nor.form = (enum nor_form)(i % NOR_UNSTABLE);
        if (!setjmp(power_lost))
            mark(2);
    }
    cr_assert_leq(read().marks, 1);
    cr_assert_eq(mark(2), BOOT_OK);
    cr_expect_eq(read().confirmed, 2);
    cr_expect_eq(read().marks, 1);
}

static void mark_torn(uint64_t seed, uint32_t number)
{
    jmp_buf power_lost;
    device_init(&device, seed);
    cr_assert_eq(mark(1), BOOT_OK);
    device.nor.power_lost = &power_lost;
    device.nor.cut_at = device.nor.ops;
    device.nor.form = NOR_UNSTABLE;
    if (!setjmp(power_lost))
        mark(number);
}

/* A mark torn so that it may read empty, then any later number: the new one must read at every
 * read. */
Test(boot_trailer, a_torn_mark_that_reads_empty_does_not_spoil_the_next_number)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint32_t next = 7 + (uint32_t)(seed % 4);
        mark_torn(seed, 6);
        cr_assert_eq(mark(next), BOOT_OK);
        for (int i = 0; i < 20; i++)
            cr_assert_eq(read().confirmed, next);
        cr_expect_null(device.nor.violation);
    }
}

Test(boot_trailer, flash_errors_are_reported)
{
    struct boot_trailer trailer;
    device.nor.fail_from = 0;
    cr_expect_eq(mark(1), BOOT_EFLASH);
    cr_expect_eq(boot_trailer_write(&device.flash, &device.layout, 1, &firmware.trailer),
                 BOOT_EFLASH);
    device.nor.fail_read = true;
    cr_expect_eq(boot_trailer_read(&device.flash, &device.layout, 1, &trailer), BOOT_EFLASH);
    cr_expect_eq(mark(1), BOOT_EFLASH);
}
