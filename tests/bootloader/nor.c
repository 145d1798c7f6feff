#include "nor.h"
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t nor_random(struct nor *nor)
{
    uint64_t z = nor->random += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static void violate(struct nor *nor, const char *what)
{
    if (!nor->violation)
        nor->violation = what;
}

/*
 * Unstable bits read as before, as if the operation had completed, or at random, by the generator.
 * The first two are what "by luck" means; evenly random bits alone would never show it.
 */
static int nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct nor *nor = ctx;
    uint8_t *byte = out;
    if (nor->fail_read)
        return -1;
    if (addr > NOR_BYTES || len > NOR_BYTES - addr) {
        violate(nor, "read out of bounds");
        return -1;
    }
    nor->reads_bytes += len;
    memcpy(out, nor->cell + addr, len);
    if (!nor->shaky)
        return 0;
    uint64_t mode = nor_random(nor) % 3;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t unstable = nor->unstable[addr + i];
        if (unstable && mode)
            byte[i] ^= (uint8_t)(mode == 1 ? unstable : unstable & nor_random(nor));
    }
    return 0;
}

static bool is_protected(const struct nor *nor, uint32_t addr, uint32_t len)
{
    return addr < nor->protect_to && addr + len > nor->protect_from;
}

/* Bits `done` of one byte are moved to target, bits `shake` become unstable. */
static void move_bits(struct nor *nor, uint32_t at, uint8_t target, uint8_t done, uint8_t shake)
{
    nor->cell[at] = (uint8_t)((nor->cell[at] & ~done) | (target & done));
    nor->unstable[at] = (uint8_t)((nor->unstable[at] & ~done) | shake);
    nor->shaky |= shake != 0;
}

/* The whole operation, which is what nearly all of them are: kept quick, because a sweep does
 * millions. */
static void complete(struct nor *nor, uint32_t addr, const uint8_t *data, uint32_t len)
{
    uint8_t *cell = nor->cell + addr;
    uint8_t *unstable = nor->unstable + addr;
    for (uint32_t i = 0; i < len; i++) {
        cell[i] = data ? (uint8_t)(cell[i] & data[i]) : 0xFF;
        unstable[i] = data ? (uint8_t)(unstable[i] & data[i]) : 0;
    }
}

/* Applies as much of an operation as the form says. data NULL: an erase. */
static void apply(struct nor *nor, uint32_t addr, const uint8_t *data, uint32_t len,
                  enum nor_form form)
{
    uint32_t edge = 1 + (uint32_t)(nor_random(nor) % (len - 1));
    for (uint32_t i = 0; i < len; i++) {
        uint32_t at = addr + i;
        uint8_t target = data ? 0x00 : 0xFF;
        uint8_t asked = data ? (uint8_t)~data[i] : 0xFF;
        uint8_t changes = (uint8_t)(asked & ((nor->cell[at] ^ target) | nor->unstable[at]));
        uint8_t done = 0, shake = 0;
        if ((form == NOR_PREFIX && i < edge) || (form == NOR_SUFFIX && i >= edge))
            done = asked;
        else if (form == NOR_RANDOM)
            done = asked & (uint8_t)nor_random(nor);
        else if (form == NOR_UNSTABLE)
            shake = changes;
        move_bits(nor, at, target, done, shake);
    }
}

/* One operation: counted, failed, cut, or done. */
static int operate(struct nor *nor, uint32_t addr, const uint8_t *data, uint32_t len)
{
    if (is_protected(nor, addr, len))
        violate(nor, "write to a protected range");
    uint64_t op = nor->ops++;
    if (nor->fail_from >= 0 && op >= (uint64_t)nor->fail_from)
        return -1;
    if (op != nor->cut_at) {
        complete(nor, addr, data, len);
        return 0;
    }
    if (nor->form == NOR_AFTER)
        complete(nor, addr, data, len);
    else
        apply(nor, addr, data, len, nor->form);
    nor->cut_at = UINT64_MAX;
    longjmp(*nor->power_lost, 1);
}

static bool asks_to_rise(const struct nor *nor, uint32_t addr, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (data[i] & (uint8_t) ~(nor->cell[addr + i] & ~nor->unstable[addr + i]))
            return true;
    return false;
}

static int nor_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct nor *nor = ctx;
    uint32_t page = nor->page_bytes;
    if (addr % page || len % page || len == 0 || addr > NOR_BYTES || len > NOR_BYTES - addr) {
        violate(nor, "program misaligned or out of bounds");
        return -1;
    }
    for (uint32_t at = 0; at < len; at += page) {
        const uint8_t *bytes = (const uint8_t *)data + at;
        if (asks_to_rise(nor, addr + at, bytes, page))
            violate(nor, "program asks a bit to rise");
        if (operate(nor, addr + at, bytes, page) < 0)
            return -1;
    }
    return 0;
}

static int nor_erase(void *ctx, uint32_t addr)
{
    struct nor *nor = ctx;
    if (addr % nor->sector_bytes || addr >= NOR_BYTES) {
        violate(nor, "erase misaligned or out of bounds");
        return -1;
    }
    if (addr == nor->fail_addr)
        return -1;
    return operate(nor, addr, NULL, nor->sector_bytes);
}

void nor_init(struct nor *nor, uint32_t sector_bytes, uint32_t page_bytes, uint64_t seed)
{
    memset(nor, 0, sizeof *nor);
    memset(nor->cell, 0xFF, sizeof nor->cell);
    nor->sector_bytes = sector_bytes;
    nor->page_bytes = page_bytes;
    nor->cut_at = UINT64_MAX;
    nor->random = seed;
    nor->fail_from = -1;
    nor->fail_addr = UINT32_MAX;
}

struct boot_flash nor_port(struct nor *nor)
{
    return (struct boot_flash){
        .ctx = nor, .read = nor_read, .program = nor_program, .erase = nor_erase};
}

void nor_put(struct nor *nor, uint32_t addr, const void *data, uint32_t len)
{
    memcpy(nor->cell + addr, data, len);
    memset(nor->unstable + addr, 0, len);
}
