/*
 * The SPI bus as QEMU's own trace tells it, line by line (-trace, log backend, -msg timestamp=on,
 * -d guest_errors): which bytes the NOR chip was given, which sectors it erased. This is the
 * witness: the firmware's own probe is not asked. Lines are not trusted; what is no trace of ours
 * is left out.
 *
 *   PID@SECONDS.MICROSECONDS:m25p80_binding [0xCHIP] Binding to IF_MTD drive
 *   ...:aspeed_smc_write @0x10 size 4: 0x3                      chip select, low (3) and high
 * (else)
 *   ...:m25p80_page_program [0xCHIP] page program cur_addr=0x10000 data=0x1        one for each
 * byte
 *   ...:m25p80_flash_erase [0xCHIP] offset = 0x10000, len = 4096
 *   ...:m25p80_programming_zero_to_one [0xCHIP] ...
 *   M25P80: write with write protect!     M25P80: erase with write protect!      the line before it
 *                                                                                 did nothing
 *
 * The events of mapped reads (select, command) are not asked for: three lines for each word read.
 */
#ifndef RIG_SPI_H
#define RIG_SPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RIG_SPI_PAGE = 256, RIG_SPI_BYTES = 1024 * 1024 };

struct rig_spi_op {
    bool erase;
    uint32_t addr, len;
    const uint8_t *data; /* len bytes; NULL: an erase */
    int64_t at_us;       /* chip select went high, and the part began: QEMU's wall clock time */
};

/* What a data sheet forbids and QEMU does anyway. */
struct rig_spi_lint {
    uint64_t refused;     /* bytes and erases without write enable: nothing happened */
    uint64_t crossings;   /* programs over a page's end: a real part wraps */
    uint64_t zero_to_one; /* bytes that ask for a 1 where a 0 is */
};

struct rig_spi {
    void (*op)(void *ctx, const struct rig_spi_op *op);
    void *ctx;
    uint64_t chip; /* its address in QEMU; 0: not yet known */
    enum { RIG_SPI_NOTHING, RIG_SPI_PROGRAM, RIG_SPI_ERASE } open;
    uint32_t addr, len;
    uint8_t data[RIG_SPI_PAGE];
    struct rig_spi_lint lint;
    unsigned resets; /* a callback may have reset it */
};

/* The events of QEMU that this understands, NULL at the end. */
extern const char *const rig_spi_events[];

void rig_spi_reset(struct rig_spi *spi); /* a new QEMU: an open operation is forgotten */
void rig_spi_line(struct rig_spi *spi, const char *line);

#endif
