/* The boot config: bytes, and the two sectors it lives in. */
#include "../soak/soak.h"
#include "device.h"
#include <criterion/criterion.h>
#include <string.h>

static const struct boot_config sample = {.sequence = 0x01020304,
                                          .active = 1,
                                          .next = 0,
                                          .rollback_on_fail = 1,
                                          .trial_left = 2,
                                          .trial_total = 3,
                                          .faulty_boots = 4,
                                          .last_reset = BOOT_RESET_WATCHDOG,
                                          .cause = BOOT_CAUSE_REQUESTED,
                                          .security_counter = 9,
                                          .revoked_count = 2,
                                          .revoked_at_boot = 1,
                                          .revoked = {"key-0", "a-key-id-of-23-letters-"}};

Test(boot_config, body_comes_back_and_lies_where_the_drawing_says)
{
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    struct boot_config config;
    cr_assert_eq(boot_config_encode(body, &sample), BOOT_OK);
    cr_expect_eq(memcmp(body, "BYC1\4\3\2\1\1\0\1\2\3\4\3\5\11\0\0\0\2\1\0\0key-0", 29), 0);
    cr_assert_eq(boot_config_decode(&config, body), BOOT_OK);
    cr_expect_eq(memcmp(&config, &sample, sizeof config), 0);
}

Test(boot_config, any_flipped_bit_is_refused)
{
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    struct boot_config config;
    cr_assert_eq(boot_config_encode(body, &sample), BOOT_OK);
    for (uint32_t bit = 0; bit < 8 * sizeof body; bit++) {
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(boot_config_decode(&config, body), BOOT_EFORMAT, "bit %u", bit);
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(boot_config, fields_out_of_range_are_refused_in_both_directions)
{
    static const struct {
        uint32_t at;
        uint8_t byte;
    } row[] = {{8, 2},
               {9, 2},
               {10, 2},
               {11, 4},
               {12, 16},
               {12, 1},
               {14, BOOT_RESET_KINDS},
               {15, BOOT_CAUSE_KINDS},
               {20, 5},
               {20, 1},
               {20, 3},
               {21, 4},
               {22, 1},
               {47, 'x'},
               {30, 'x'},
               {72, 'x'},
               {120, 1},
               {187, 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint8_t body[BOOT_CONFIG_BODY_BYTES];
        struct boot_config config;
        cr_assert_eq(boot_config_encode(body, &sample), BOOT_OK);
        body[row[i].at] = row[i].byte;
        uint32_t crc = boot_crc32(0, body, 188);
        memcpy(body + 188, &crc, 4);
        cr_expect_eq(boot_config_decode(&config, body), BOOT_EFORMAT, "row %zu", i);
    }
    uint8_t body[BOOT_CONFIG_BODY_BYTES];
    struct boot_config config = sample;
    config.trial_left = 4;
    cr_expect_eq(boot_config_encode(body, &config), BOOT_ERANGE);
    config = sample;
    memset(config.revoked[1], 'x', BOOT_CERT_ID_MAX);
    cr_expect_eq(boot_config_encode(body, &config), BOOT_ERANGE);
}

Test(boot_config, revocation_at_boot_is_a_bit_per_key)
{
    cr_expect(boot_config_is_revoked(&sample, "key-0", true));
    cr_expect(boot_config_is_revoked(&sample, "a-key-id-of-23-letters-", false));
    cr_expect_not(boot_config_is_revoked(&sample, "a-key-id-of-23-letters-", true));
    cr_expect_not(boot_config_is_revoked(&sample, "key-1", false));
    cr_expect_not(boot_config_is_revoked(&sample, "", false));
}

static int read(struct device *device, struct boot_config *config, int *sector)
{
    return boot_config_read(&device->flash, &device->layout, config, sector);
}

Test(boot_config, records_go_to_the_two_sectors_in_turn)
{
    static struct device device;
    struct boot_config config;
    int sector, before = -1;
    device_init(&device, 1);
    cr_assert_eq(read(&device, &config, &sector), BOOT_ENOTFOUND);
    for (uint32_t i = 1; i <= 50; i++) {
        device_config(&device, BOOT_SLOT_A, i);
        cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
        cr_expect_eq(config.security_counter, i);
        cr_expect_eq(config.sequence, i);
        cr_expect_neq(sector, before);
        before = sector;
    }
    cr_expect_null(device.nor.violation);
}

/* Puts a complete record with this sequence into a sector, from outside. */
static void put_record(struct device *device, int sector, uint32_t sequence)
{
    uint8_t body[BOOT_CONFIG_BODY_BYTES], mark[BOOT_CONFIG_MARK_BYTES];
    struct boot_config config = {.sequence = sequence, .security_counter = sequence};
    uint32_t addr = device->layout.config_addr + (uint32_t)sector * device->layout.sector_bytes;
    cr_assert_eq(boot_config_encode(body, &config), BOOT_OK);
    memcpy(mark, "BYD1", 4);
    memcpy(mark + 4, &sequence, 4);
    memcpy(mark + 8, body + 188, 4);
    uint32_t crc = boot_crc32(0, mark, 12);
    memcpy(mark + 12, &crc, 4);
    nor_put(&device->nor, addr, body, sizeof body);
    nor_put(&device->nor, addr + 192, mark, sizeof mark);
}

Test(boot_config, sequences_compare_across_the_wrap)
{
    static struct device device;
    static const uint32_t row[][3] = {{1, 2, 2},
                                      {0xFFFFFFFF, 0, 0},
                                      {0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF},
                                      {0x7FFFFFFF, 0x80000000, 0x80000000}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        for (int first = 0; first < 2; first++) {
            struct boot_config config;
            int sector;
            device_init(&device, 1);
            put_record(&device, first, row[i][0]);
            put_record(&device, !first, row[i][1]);
            cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
            cr_expect_eq(config.sequence, row[i][2], "row %zu", i);
            cr_expect_eq(sector, !first);
            device_config(&device, BOOT_SLOT_A, 0);
            cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
            cr_expect_eq(config.sequence, row[i][2] + 1, "row %zu", i);
        }
}

Test(boot_config, a_body_without_its_mark_does_not_count)
{
    static struct device device;
    struct boot_config config;
    uint8_t blank[16];
    int sector;
    memset(blank, 0xFF, sizeof blank);
    device_init(&device, 1);
    put_record(&device, 0, 5);
    put_record(&device, 1, 6);
    nor_put(&device.nor, device.layout.config_addr + 512 + 192, blank, sizeof blank);
    cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
    cr_expect_eq(config.sequence, 5);
    /* Nor does the mark of another record. */
    put_record(&device, 1, 6);
    nor_put(&device.nor, device.layout.config_addr + 512 + 192, device.nor.cell + 512 + 192, 16);
    cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
    cr_expect_eq(config.sequence, 5);
}

/* The other sector can't be erased: each try marks the newest record again, until no page is left.
 */
Test(boot_config, a_record_whose_mark_pages_are_used_up_is_marked_in_place)
{
    static struct device device;
    struct boot_config config, next = {0};
    int sector;
    device_init(&device, 1);
    device_config(&device, BOOT_SLOT_A, 1);
    device.nor.fail_addr = device.layout.config_addr + 512;
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(boot_config_write(&device.flash, &device.layout, &next), BOOT_EFLASH);
        cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
        cr_assert_eq(config.security_counter, 1);
    }
    device.nor.fail_addr = UINT32_MAX;
    cr_assert_eq(boot_config_write(&device.flash, &device.layout, &next), BOOT_OK);
    cr_expect_null(device.nor.violation);
}

Test(boot_config, an_operation_that_fails_leaves_the_old_record)
{
    static struct device device;
    struct boot_config config, next = {.security_counter = 2};
    int sector;
    for (int op = 0;; op++) {
        device_init(&device, 1);
        device_config(&device, BOOT_SLOT_A, 0);
        device_config(&device, BOOT_SLOT_A, 1);
        device.nor.fail_from = (int)device.nor.ops + op;
        if (boot_config_write(&device.flash, &device.layout, &next) == BOOT_OK)
            break;
        cr_assert_eq(read(&device, &config, &sector), BOOT_OK);
        /* Only a failed second mark leaves a record which is complete already. */
        cr_expect(config.security_counter == 1 || op == 15, "op %d", op);
        cr_assert_lt(op, 16);
    }
}

Test(boot_config, a_failed_read_is_reported_and_nothing_is_written_blindly)
{
    static struct device device;
    struct boot_config config = {0};
    int sector;
    device_init(&device, 1);
    device_config(&device, BOOT_SLOT_A, 1);
    uint64_t ops = device.nor.ops;
    device.nor.fail_read = true;
    cr_expect_eq(read(&device, &config, &sector), BOOT_EFLASH);
    cr_expect_eq(boot_config_write(&device.flash, &device.layout, &config), BOOT_EFLASH);
    cr_expect_eq(device.nor.ops, ops);
}

/* Writes security_counter = value, cut at its operation `at`. False when it ended before. */
static bool write_cut(struct device *device, uint32_t value, uint64_t at)
{
    jmp_buf power_lost;
    struct boot_config config = {.security_counter = value};
    device->nor.power_lost = &power_lost;
    device->nor.cut_at = device->nor.ops + at;
    device->nor.form = NOR_UNSTABLE;
    if (setjmp(power_lost))
        return true;
    cr_assert_eq(boot_config_write(&device->flash, &device->layout, &config), BOOT_OK);
    device->nor.cut_at = UINT64_MAX;
    return false;
}

/* Whatever was begun may be what is read, but never nothing, and nothing that was replaced. */
static void read_often(struct device *device, uint32_t sure, uint32_t last)
{
    struct boot_config config;
    int sector;
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(read(device, &config, &sector), BOOT_OK, "both records lost");
        cr_assert(config.security_counter >= sure && config.security_counter <= last,
                  "%u was replaced by %u", config.security_counter, sure);
    }
}

/*
 * Found by `sweep --cuts any` with three cuts: the first tears a mark, the second the erase of that
 * record while it reads as none, the third the erase of the other while it reads as newest.
 */
Test(boot_config, three_cuts_in_a_row_lose_no_record)
{
    /* Healing, clearing and erasing, a page of the body, the marks. */
    static const uint32_t op[] = {0, 1, 2, 3, 8, 13, 14, 15, 16, 17};
    enum { OPS = sizeof op / sizeof *op };
    static struct device device;
    for (uint32_t n = 0; n < OPS * OPS * OPS * soak(8, 40); n++) {
        const uint32_t at[] = {op[n % OPS], op[n / OPS % OPS], op[n / OPS / OPS % OPS]};
        uint32_t sure = 1;
        device_init(&device, n + 1);
        device_config(&device, BOOT_SLOT_A, 1);
        for (uint32_t cut = 0; cut < 3; cut++) {
            if (!write_cut(&device, cut + 2, at[cut]))
                sure = cut + 2;
            read_often(&device, sure, cut + 2);
        }
        cr_assert_not(write_cut(&device, 9, 99));
        read_often(&device, 9, 9);
        cr_assert_null(device.nor.violation);
    }
}
