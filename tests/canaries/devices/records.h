/*
 * One small record that outlives every power cut: two config sectors, written in turn.
 *
 *     sector:  0 body (64 bytes, then FF to the page's end) | mark | mark      a page each
 *     body:    0 magic | 4 sequence | 8 data | 60 CRC of 0..59
 *     mark:    0 magic | 4 sequence | 8 CRC of the body | 12 CRC of 0..11
 *
 * A record counts when its body is sound and one of its marks reads; the newer of the two counts.
 * What makes it safe against marks that read differently each time:
 *
 *  1. A mark is begun only after the program of its body returned, and the second only after the
 *     first returned. So where a mark reads, by luck or not, the body is whole; and where the
 * second reads, the first one reads always.
 *  2. A load settles what it read before anybody acts on it. Not both marks read: both are
 * programmed again, with the same bits. No mark read, although a newer sound body lies there: its
 * marks are overwritten with zeros and then its sector is erased, so that it can't be read by luck
 * later.
 *  3. Otherwise only the sector of the older record is erased, when the newer one is settled.
 */
#ifndef DEVICES_RECORDS_H
#define DEVICES_RECORDS_H

#include "kit.h"

enum { RECORD_DATA_BYTES = 52 };

struct record {
    bool found;      /* false: neither sector holds one */
    bool torn;       /* a later one was begun: its mark is neither blank nor whole */
    uint32_t sector; /* 0 or 1 */
    uint32_t sequence;
    uint8_t data[RECORD_DATA_BYTES];
};

/* The record in force, settled. found is false in a device that the factory did not leave so. */
int record_load(struct kit *kit, struct record *out);
/* Replaces the record in force by one with this data. record: as it was loaded in this power
 * session; it is the new one when 0 is returned, and to be loaded again when not. */
int record_write(struct kit *kit, struct record *record, const uint8_t data[RECORD_DATA_BYTES]);

/* For dut.scratch: the record that every load finds from now on, without a write. False while that
 * is not settled, or when there is none. */
bool record_peek(struct kit *kit, struct record *out);

/* dut.ranges: the two config sectors. */
uint32_t record_ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max);
/* dut.canonical: what the two sectors mean, without sequence numbers and without the record that is
 * out of force. ram is a struct kit. */
uint32_t record_canonical(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max);

#endif
