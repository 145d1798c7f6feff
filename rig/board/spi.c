/* QEMU's trace, decoded into operations of the flash chip. */
#include "spi.h"
#include <string.h>

const char *const rig_spi_events[] = {"m25p80_binding",     "m25p80_page_program",
                                      "m25p80_flash_erase", "m25p80_programming_zero_to_one",
                                      "aspeed_smc_write",   NULL};

enum { CE0_CONTROL = 0x10, USER_MODE_SELECTED = 3 };

void rig_spi_reset(struct rig_spi *spi)
{
    spi->chip = 0;
    spi->resets++;
    spi->open = RIG_SPI_NOTHING;
    spi->len = 0;
}

/* Each takes its part off the line; false: it is another line. */
static bool text(const char **at, const char *wanted)
{
    size_t len = strlen(wanted);
    if (strncmp(*at, wanted, len))
        return false;
    *at += len;
    return true;
}

static bool number(const char **at, unsigned base, uint64_t *out)
{
    const char *from = *at;
    uint64_t value = 0;
    for (;; (*at)++) {
        char c = **at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 99;
        if (digit >= base)
            break;
        if (value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return *at != from;
}

static bool chip_of(const char **at, uint64_t *chip)
{
    return text(at, " [0x") && number(at, 16, chip) && text(at, "] ");
}

/* False: the callback has begun a new life; the line that led here is an old one. */
static bool emit(struct rig_spi *spi, int64_t at_us)
{
    struct rig_spi_op op = {.erase = spi->open == RIG_SPI_ERASE,
                            .addr = spi->addr,
                            .len = spi->len,
                            .data = spi->open == RIG_SPI_ERASE ? NULL : spi->data,
                            .at_us = at_us};
    bool any = spi->open != RIG_SPI_NOTHING && spi->len;
    spi->open = RIG_SPI_NOTHING;
    spi->len = 0;
    uint8_t data[RIG_SPI_PAGE]; /* the callback may read on, into spi->data */
    if (any && op.data) {
        memcpy(data, op.data, op.len);
        op.data = data;
    }
    unsigned resets = spi->resets;
    if (any)
        spi->op(spi->ctx, &op);
    return spi->resets == resets;
}

static void on_byte(struct rig_spi *spi, const char *at, int64_t at_us)
{
    uint64_t chip, addr, data;
    if (!chip_of(&at, &chip) || chip != spi->chip || !text(&at, "page program cur_addr=0x") ||
        !number(&at, 16, &addr) || !text(&at, " data=0x") || !number(&at, 16, &data) ||
        addr >= RIG_SPI_BYTES || data > 0xFF)
        return;
    bool follows = spi->open == RIG_SPI_PROGRAM && addr == spi->addr + spi->len;
    if (follows && addr % RIG_SPI_PAGE == 0)
        spi->lint.crossings++;
    if (!follows || addr % RIG_SPI_PAGE == 0) {
        if (!emit(spi, at_us))
            return;
        spi->open = RIG_SPI_PROGRAM;
        spi->addr = (uint32_t)addr;
    }
    spi->data[spi->len++] = (uint8_t)data;
}

static void on_erase(struct rig_spi *spi, const char *at, int64_t at_us)
{
    uint64_t chip, addr, len;
    if (!chip_of(&at, &chip) || chip != spi->chip || !text(&at, "offset = 0x") ||
        !number(&at, 16, &addr) || !text(&at, ", len = ") || !number(&at, 10, &len) || !len ||
        addr >= RIG_SPI_BYTES || len > RIG_SPI_BYTES - addr)
        return;
    if (!emit(spi, at_us))
        return;
    spi->open = RIG_SPI_ERASE;
    spi->addr = (uint32_t)addr;
    spi->len = (uint32_t)len;
}

static void on_register(struct rig_spi *spi, const char *at, int64_t at_us)
{
    uint64_t reg, size, value;
    if (text(&at, " @0x") && number(&at, 16, &reg) && text(&at, " size ") &&
        number(&at, 10, &size) && text(&at, ": 0x") && number(&at, 16, &value) &&
        reg == CE0_CONTROL && (value & 7) != USER_MODE_SELECTED)
        emit(spi, at_us);
}

/* The line before did nothing. */
static void on_refusal(struct rig_spi *spi)
{
    spi->lint.refused++;
    if (spi->open == RIG_SPI_PROGRAM && spi->len)
        spi->len--;
    else if (spi->open == RIG_SPI_ERASE)
        spi->open = RIG_SPI_NOTHING, spi->len = 0;
}

static bool stamp(const char **at, int64_t *at_us)
{
    uint64_t pid, s, us;
    if (!number(at, 10, &pid) || !text(at, "@") || !number(at, 10, &s) || !text(at, ".") ||
        !number(at, 10, &us) || !text(at, ":") || s > INT64_MAX / 2000000 || us > 999999)
        return false;
    *at_us = (int64_t)(s * 1000000 + us);
    return true;
}

void rig_spi_line(struct rig_spi *spi, const char *line)
{
    const char *at = line;
    int64_t at_us;
    uint64_t chip;
    if (!stamp(&at, &at_us)) {
        if (!strcmp(line, "M25P80: write with write protect!") ||
            !strcmp(line, "M25P80: erase with write protect!"))
            on_refusal(spi);
        return;
    }
    if (text(&at, "m25p80_page_program"))
        on_byte(spi, at, at_us);
    else if (text(&at, "aspeed_smc_write"))
        on_register(spi, at, at_us);
    else if (text(&at, "m25p80_flash_erase"))
        on_erase(spi, at, at_us);
    else if (text(&at, "m25p80_programming_zero_to_one"))
        spi->lint.zero_to_one++;
    else if (text(&at, "m25p80_binding") && chip_of(&at, &chip) &&
             !strcmp(at, "Binding to IF_MTD drive"))
        spi->chip = chip;
}
