/* The factory block: one encoding for each block, and nothing half right is accepted. */
#include "board/factory.h"
#include "boot/error.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct board_factory block, out;
static uint8_t bytes[BOARD_FACTORY_BYTES];

static void setup(void)
{
    memset(&block, 0, sizeof block);
    block = (struct board_factory){.device_id = "pump-7",
                                   .device_type = "pump",
                                   .hw_revision = "Rev-C",
                                   .trial_boots = 3,
                                   .faulty_boots = 5,
                                   .approval = true,
                                   .watchdog_s = 120,
                                   .mqtt_within_ms = 30000,
                                   .fault_free_ms = 60000,
                                   .retry_first_ms = 60001,
                                   .retry_max_ms = 21600000,
                                   .telemetry_every_ms = 10000,
                                   .ota_window = "Sun 02:00-06:00 UTC",
                                   .zone = "CET-1CEST,M3.5.0,M10.5.0/3",
                                   .keys = 2};
    for (int i = 0; i < 2; i++) {
        snprintf(block.key[i].cert_id, BOOT_CERT_ID_MAX, "key-%d", i);
        memset(block.key[i].public_key, 0x11 * (i + 1), BOOT_PUBLIC_KEY_BYTES);
        block.key[i].public_key[0] = 0x04;
    }
}

TestSuite(board_factory, .init = setup);

static void put32(uint32_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[at + (uint32_t)i] = (uint8_t)(value >> (8 * i));
}

static int decode_with_new_crc(void)
{
    put32(1020, boot_crc32(0, bytes, 1020));
    return board_factory_decode(&out, bytes);
}

Test(board_factory, what_is_encoded_is_decoded)
{
    cr_assert_eq(board_factory_encode(bytes, &block), BOOT_OK);
    cr_assert_eq(board_factory_decode(&out, bytes), BOOT_OK);
    cr_expect_str_eq(out.device_id, "pump-7");
    cr_expect_str_eq(out.device_type, "pump");
    cr_expect_str_eq(out.hw_revision, "Rev-C");
    cr_expect(out.trial_boots == 3 && out.faulty_boots == 5 && out.approval);
    cr_expect(out.watchdog_s == 120 && out.mqtt_within_ms == 30000 && out.fault_free_ms == 60000);
    cr_expect(out.retry_first_ms == 60001 && out.retry_max_ms == 21600000);
    cr_expect_eq(out.telemetry_every_ms, 10000);
    cr_expect_str_eq(out.ota_window, block.ota_window);
    cr_expect_str_eq(out.zone, block.zone);
    cr_expect_eq(out.keys, 2);
    for (int i = 0; i < 2; i++)
        cr_expect(!memcmp(&out.key[i], &block.key[i], sizeof out.key[i]));
}

Test(board_factory, the_bytes_are_where_the_header_draws_them)
{
    cr_assert_eq(board_factory_encode(bytes, &block), BOOT_OK);
    cr_expect(!memcmp(bytes, "BYF1\x00\x04\x01\x00pump-7", 14));
    cr_expect(!memcmp(bytes + 40, "pump", 5) && !memcmp(bytes + 72, "Rev-C", 6));
    cr_expect(!memcmp(bytes + 88, "\3\5\1\2\x78\0\0\0\x30\x75\0\0\x60\xEA\0\0\x61\xEA\0\0", 20));
    cr_expect(!memcmp(bytes + 128, "Sun", 3) && !memcmp(bytes + 192, "CET", 3));
    cr_expect(!memcmp(bytes + 256, "key-0", 6) && bytes[280] == 4 && bytes[344] == 0x11);
    cr_expect(!memcmp(bytes + 352, "key-1", 6) && bytes[376] == 4 && bytes[440] == 0x22);
}

/* The CRC holds alone against a changed bit. */
Test(board_factory, no_single_changed_bit_passes)
{
    static const struct board_factory none;
    cr_assert_eq(board_factory_encode(bytes, &block), BOOT_OK);
    for (int bit = 0; bit < 8 * BOARD_FACTORY_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(board_factory_decode(&out, bytes), BOOT_EFORMAT, "bit %d", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_expect(!memcmp(&out, &none, sizeof out), "out is zeroed");
}

Test(board_factory, wrong_bytes_are_refused_also_with_a_right_crc)
{
    static const struct {
        uint16_t at;
        uint8_t value;
    } row[] = {
        {0, 'X'}, {4, 1},     {6, 2},   {39, 1},  {8, 0},   {8, ' '},   {8, 0x80}, {40, 0},
        {72, 0},  {72, 7},    {88, 0},  {88, 16}, {89, 0},  {89, 16},   {90, 2},   {91, 0},
        {91, 1},  {91, 3},    {91, 5},  {92, 0},  {94, 1},  {116, 1},   {127, 1},  {130, 0},
        {130, 9}, {191, 1},   {193, 0}, {255, 1}, {256, 0}, {257, ' '}, {280, 2},  {345, 1},
        {351, 1}, {356, '0'}, {448, 1}, {639, 1}, {640, 1}, {1019, 1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_assert_eq(board_factory_encode(bytes, &block), BOOT_OK);
        cr_assert_neq(bytes[row[i].at], row[i].value, "row %zu changes nothing", i);
        bytes[row[i].at] = row[i].value;
        if (row[i].at == 92)
            put32(92, 0);
        cr_expect_eq(decode_with_new_crc(), BOOT_EFORMAT, "row %zu: byte %u", i, row[i].at);
    }
}

Test(board_factory, members_out_of_range_are_not_encoded)
{
    const struct board_factory good = block;
#define REFUSED(change)                                                                            \
    block = good;                                                                                  \
    change;                                                                                        \
    cr_expect_eq(board_factory_encode(bytes, &block), BOOT_ERANGE, #change)
    REFUSED(block.device_id[0] = '\0');
    REFUSED(memset(block.device_id, 'a', BOARD_DEVICE_ID_MAX));
    REFUSED(memset(block.zone, 'a', BOARD_ZONE_MAX));
    REFUSED(block.device_type[1] = ' ');
    REFUSED(block.ota_window[0] = '\n');
    REFUSED(block.trial_boots = 16);
    REFUSED(block.faulty_boots = 0);
    REFUSED(block.watchdog_s = 0);
    REFUSED(block.watchdog_s = BOARD_WATCHDOG_S_MAX + 1);
    REFUSED(block.keys = 0);
    REFUSED(block.keys = BOARD_KEYS_MAX + 1);
    REFUSED(block.keys = 3);
    REFUSED(memcpy(block.key[1].cert_id, "key-0", 6));
    REFUSED(block.key[1].public_key[0] = 2);
#undef REFUSED
}
