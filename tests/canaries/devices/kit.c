/* RAM, bytes and pages: see kit.h. */
#include "kit.h"

#include <string.h>

struct kit *kit_init(void *ram, const struct dut_port *port)
{
    struct kit *kit = ram;
    kit->port = port;
    kit->layout = &port->unit->layout;
    return kit;
}

void kit_put32(uint8_t at[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

uint32_t kit_get32(const uint8_t at[4])
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t kit_crc32(const void *bytes, uint32_t len)
{
    const uint8_t *byte = bytes;
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320 & (0u - (crc & 1)));
    }
    return ~crc;
}

bool kit_all_are(const uint8_t *bytes, uint32_t len, uint8_t value)
{
    while (len && bytes[len - 1] == value)
        len--;
    return len == 0;
}

uint32_t kit_round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The run of digits at *text without leading zeros: its length; moves *text to its first digit. */
static uint32_t digits(const char **text)
{
    uint32_t len = 0;
    while (**text == '0' && is_digit((*text)[1]))
        (*text)++;
    while (is_digit((*text)[len]))
        len++;
    return len;
}

int kit_compare(const char *a, const char *b)
{
    while (*a && *b) {
        if (is_digit(*a) && is_digit(*b)) {
            uint32_t len = digits(&a), len_b = digits(&b);
            int order = len != len_b ? (len < len_b ? -1 : 1) : memcmp(a, b, len);
            if (order)
                return order;
            a += len;
            b += len;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int kit_read(const struct kit *kit, uint32_t addr, void *out, uint32_t len)
{
    return kit->port->read(kit->port->ctx, addr, out, len) ? -1 : 0;
}

int kit_program(struct kit *kit, uint32_t addr, const void *bytes, uint32_t len)
{
    uint32_t size = kit->layout->page_bytes;
    for (uint32_t at = 0; at < len; at += size) {
        uint32_t part = len - at < size ? len - at : size;
        memset(kit->page, 0xFF, size);
        memcpy(kit->page, (const uint8_t *)bytes + at, part);
        if (kit->port->program(kit->port->ctx, addr + at, kit->page, size) ||
            kit_read(kit, addr + at, kit->back, size) || memcmp(kit->back, kit->page, size) != 0)
            return -1;
    }
    return 0;
}

int kit_erase(struct kit *kit, uint32_t addr)
{
    const struct dut_layout *layout = kit->layout;
    if (kit->port->erase(kit->port->ctx, addr))
        return -1;
    for (uint32_t at = 0; at < layout->sector_bytes; at += layout->page_bytes)
        if (kit_read(kit, addr + at, kit->page, layout->page_bytes) ||
            !kit_all_are(kit->page, layout->page_bytes, 0xFF))
            return -1;
    return 0;
}

int kit_copy_sector(struct kit *kit, uint32_t to, uint32_t from)
{
    uint32_t size = kit->layout->page_bytes;
    if (kit_erase(kit, to))
        return -1;
    for (uint32_t at = 0; at < kit->layout->sector_bytes; at += size) {
        if (kit_read(kit, from + at, kit->other, size))
            return -1;
        if (!kit_all_are(kit->other, size, 0xFF) && kit_program(kit, to + at, kit->other, size))
            return -1;
    }
    return 0;
}
