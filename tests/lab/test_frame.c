/* Frames, byte by byte, and the structures in them. */
#include "frame.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct lab_writer out;

/* What comes of len bytes given one by one. */
static int take(const uint8_t *bytes, uint32_t len, struct lab_frame *frame)
{
    static struct lab_input input;
    int got = 0;
    lab_input_start(&input);
    for (uint32_t i = 0; i < len && !got; i++)
        got = lab_input_byte(&input, bytes[i], frame);
    return got;
}

static struct lab_reader turn(void)
{
    struct lab_frame frame = {0};
    uint32_t len = lab_end(&out);
    cr_assert_gt(len, 0);
    cr_assert_eq(take(out.bytes, len, &frame), 1);
    return lab_read_of(&frame);
}

Test(lab_frame, is_as_it_is_drawn)
{
    /* README.md: mark, kind, length, payload, CRC-32 (zlib's) of all before. */
    static const uint8_t drawn[] = {0xB5, 0x14, 4,    0,    0x00, 0x20,
                                    0x01, 0x00, 0xC0, 0x8A, 0x62, 0xD2};
    lab_begin(&out, LAB_ERASE);
    lab_put32(&out, 0x12000);
    cr_expect_eq(lab_end(&out), sizeof drawn);
    cr_expect_arr_eq(out.bytes, drawn, sizeof drawn);
}

Test(lab_frame, any_changed_bit_is_no_frame_or_a_longer_one)
{
    struct lab_frame frame;
    lab_begin(&out, LAB_NOTE);
    lab_put_text(&out, "agent: Idle -> Notified");
    uint32_t len = lab_end(&out);
    for (uint32_t bit = 0; bit < 8 * len; bit++) {
        out.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_leq(take(out.bytes, len, &frame), 0, "bit %u", bit);
        out.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_expect_eq(take(out.bytes, len, &frame), 1);
}

Test(lab_frame, what_does_not_fit_is_never_sent)
{
    static const uint8_t many[LAB_PAYLOAD_MAX + 1];
    lab_begin(&out, LAB_GIVE);
    lab_put(&out, many, LAB_PAYLOAD_MAX);
    cr_expect_eq(lab_end(&out), LAB_FRAME_MAX);
    lab_begin(&out, LAB_GIVE);
    lab_put(&out, many, LAB_PAYLOAD_MAX + 1);
    lab_put8(&out, 0);
    cr_expect_eq(lab_end(&out), 0);
}

Test(lab_frame, a_reader_stays_bad)
{
    lab_begin(&out, LAB_ANSWER);
    lab_put16(&out, 7);
    struct lab_reader in = turn();
    cr_expect_eq(lab_get32(&in), 0);
    cr_expect_eq(lab_get8(&in), 0);
    cr_expect_not(lab_read_all(&in));
}

Test(lab_frame, texts_are_closed_or_refused)
{
    static const char nul[] = "\5ab\0cd";
    char text[8];
    lab_begin(&out, LAB_NOTE);
    lab_put(&out, nul, 6);
    struct lab_reader in = turn();
    lab_get_text(&in, text, sizeof text);
    cr_expect(in.bad && !*text);
    lab_begin(&out, LAB_NOTE);
    lab_put_text(&out, "12345678");
    in = turn();
    lab_get_text(&in, text, sizeof text);
    cr_expect(in.bad && !*text);
}

Test(lab_frame, a_unit_of_eight_keys_goes_over_the_line)
{
    static struct dut_key key[LAB_KEYS_MAX];
    static struct lab_unit got;
    for (uint8_t i = 0; i < LAB_KEYS_MAX; i++) {
        snprintf(key[i].id, sizeof key[i].id, "key-%u", i);
        memset(key[i].public_key, 0x40 + i, sizeof key[i].public_key);
    }
    const struct dut_unit unit = {.layout = {1 << 20,
                                             4096,
                                             256,
                                             65536,
                                             65536,
                                             8192,
                                             {0x12000, 0x72000},
                                             0x60000,
                                             0xD2000,
                                             0x2E000,
                                             0x10000},
                                  .key = key,
                                  .keys = LAB_KEYS_MAX,
                                  .device_type = "pump_monitor_v2",
                                  .hw_revision = "Rev-B",
                                  .trial_boots = 3,
                                  .watchdog_s = 120,
                                  .mqtt_within_ms = 30000,
                                  .fault_free_ms = 60000,
                                  .variant = 1};
    lab_begin(&out, LAB_DO_UNIT);
    lab_put_unit(&out, &unit);
    struct lab_reader in = turn();
    lab_get_unit(&in, &got);
    cr_expect(lab_read_all(&in));
    cr_expect_eq(memcmp(&got.unit.layout, &unit.layout, sizeof unit.layout), 0);
    cr_expect_eq(memcmp(got.key, key, sizeof key), 0);
    cr_expect_str_eq(got.unit.device_type, unit.device_type);
    cr_expect_str_eq(got.unit.hw_revision, unit.hw_revision);
    cr_expect(got.unit.trial_boots == 3 && got.unit.watchdog_s == 120 && got.unit.variant == 1 &&
              got.unit.mqtt_within_ms == 30000 && got.unit.fault_free_ms == 60000);
}

Test(lab_frame, a_boot_comes_back_whole)
{
    struct dut_boot boot = {.boots = true,
                            .image_addr = 0x72000,
                            .slot = 1,
                            .trial = true,
                            .watchdog_s = 120,
                            .handoff = {1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF},
                            .why = "trial, 2 left"};
    struct dut_boot got;
    lab_begin(&out, LAB_DONE);
    lab_put_boot(&out, &boot);
    struct lab_reader in = turn();
    lab_get_boot(&in, &got);
    cr_expect(lab_read_all(&in));
    cr_expect(got.boots && got.trial && got.slot == 1 && got.image_addr == 0x72000 &&
              got.watchdog_s == 120);
    cr_expect_arr_eq(got.handoff, boot.handoff, sizeof boot.handoff);
    cr_expect_str_eq(got.why, boot.why);
}
