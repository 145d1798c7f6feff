/* Any bytes as QEMU's trace: what comes out is an operation of a part of 1 MiB, and the same
 * whatever the pieces are in which the bytes come. */
#include "lines.h"
#include "spi.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_op(void *ctx, const struct rig_spi_op *op)
{
    uint64_t *sum = ctx;
    bool whole = op->len && op->addr < RIG_SPI_BYTES && op->len <= RIG_SPI_BYTES - op->addr;
    if (!whole || op->erase != !op->data ||
        (op->data && op->addr % RIG_SPI_PAGE + op->len > RIG_SPI_PAGE))
        abort();
    *sum = *sum * 31 + op->addr + op->len + op->erase;
    for (uint32_t i = 0; op->data && i < op->len; i++)
        *sum = *sum * 31 + op->data[i];
}

static uint64_t decode(const uint8_t *data, size_t size, size_t piece)
{
    static struct rig_lines lines;
    uint64_t sum = 0;
    struct rig_spi spi = {.op = on_op, .ctx = &sum};
    char line[RIG_LINE_MAX];
    if (!lines.chunk && rig_lines_init(&lines))
        abort();
    rig_lines_reset(&lines);
    rig_spi_line(&spi, "1@1.000000:m25p80_binding [0x5a] Binding to IF_MTD drive");
    for (size_t at = 0; at < size; at += piece) {
        rig_lines_put(&lines, data + at, size - at < piece ? size - at : piece);
        while (rig_lines_next(&lines, line)) {
            if (strlen(line) >= RIG_LINE_MAX)
                abort();
            rig_spi_line(&spi, line);
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (decode(data, size, RIG_LINES_CHUNK) != decode(data, size, 7))
        abort();
    return 0;
}
