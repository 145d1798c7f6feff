/*
 * The structures of sim/dut.h as the lab's line carries them; README.md draws each. Both ends. What
 * a reader fills in points into the room that is given with it.
 */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include "frame.h"
#include "sim/dut.h"

enum { LAB_KEYS_MAX = 8, LAB_TEXT_MAX = 96 };

/* Points into itself: never copied. */
struct lab_unit {
    struct dut_unit unit;
    struct dut_key key[LAB_KEYS_MAX];
    char device_type[LAB_TEXT_MAX], hw_revision[LAB_TEXT_MAX];
};
void lab_put_unit(struct lab_writer *out, const struct dut_unit *unit);
void lab_get_unit(struct lab_reader *in, struct lab_unit *out);

/* Without its bytes, which go by the host's buffer; image.bytes is NULL. Points into itself. */
struct lab_image {
    struct dut_image image;
    char version[LAB_TEXT_MAX], firmware_id[LAB_TEXT_MAX], cert_id[LAB_TEXT_MAX];
    char device_type[LAB_TEXT_MAX], min_hw_revision[LAB_TEXT_MAX];
};
void lab_put_image(struct lab_writer *out, const struct dut_image *image);
void lab_get_image(struct lab_reader *in, struct lab_image *out);

/* Any bytes make a struct whose `why` is closed. */
void lab_put_boot(struct lab_writer *out, const struct dut_boot *boot);
void lab_get_boot(struct lab_reader *in, struct dut_boot *out);

struct lab_report {
    struct dut_report report;
    char firmware_id[LAB_TEXT_MAX], version[LAB_TEXT_MAX], text[LAB_TEXT_MAX];
};
void lab_put_report(struct lab_writer *out, const struct dut_report *report);
void lab_get_report(struct lab_reader *in, struct lab_report *out);

#endif
