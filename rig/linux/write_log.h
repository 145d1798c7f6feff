/*
 * QEMU's log of the writes to a disk (driver blklogwrites, the kernel's dm-log-writes format), read
 * back. Little endian, in units of 512 bytes:
 *
 *   unit 0       0 magic 0x6A736677736872 u64 | 8 version 1 u64 | 16 entries u64 | 24 unit u32
 *   each entry   0 at u64, in units | 8 units u64 | 16 flags u64 | 24 bytes of further data u64
 *                behind it its `units` of data, unless it is a discard
 *
 * The number of entries in unit 0 is brought up to date now and then only, and not by a kill, so
 * that it is not asked: the log is a new file at each power on, and ends where it does. No state,
 * no I/O but reading. NULL is misuse.
 */
#ifndef RIG_WRITE_LOG_H
#define RIG_WRITE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RIG_LOG_UNIT = 512 };
enum { RIG_LOG_FLUSH = 1, RIG_LOG_FUA = 2, RIG_LOG_DISCARD = 4, RIG_LOG_MARK = 8 };

struct rig_log_entry {
    uint64_t addr, len; /* bytes of the disk; len 0: a flush alone */
    uint64_t flags;
    const uint8_t *data; /* len bytes, within the log; NULL: a discard */
};

/* True for an empty file (nothing was written yet), and for a log of which every entry is whole. */
bool rig_log_check(const uint8_t *log, size_t len);

/* The entries in their order: *at is 0 at first. False: no more. */
bool rig_log_next(const uint8_t *log, size_t len, size_t *at, struct rig_log_entry *out);

#endif
