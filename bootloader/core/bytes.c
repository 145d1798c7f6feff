#include "bytes.h"
#include "boot/error.h"
#include "mem.h"

void boot_put16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value & 0xFF);
    out[1] = (uint8_t)(value >> 8);
}

void boot_put32(uint8_t *out, uint32_t value)
{
    boot_put16(out, (uint16_t)(value & 0xFFFF));
    boot_put16(out + 2, (uint16_t)(value >> 16));
}

uint16_t boot_get16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

uint32_t boot_get32(const uint8_t *in)
{
    return (uint32_t)boot_get16(in) | (uint32_t)boot_get16(in + 2) << 16;
}

bool boot_bytes_are(const uint8_t *in, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++)
        if (in[i] != value)
            return false;
    return true;
}

size_t boot_text_length(const char *text, size_t size)
{
    size_t len = 0;
    while (len < size && text[len])
        len++;
    return len;
}

bool boot_text_equal(const char *a, const char *b, size_t size)
{
    size_t len = boot_text_length(a, size);
    return len < size && boot_text_length(b, size) == len && memcmp(a, b, len) == 0;
}

int boot_text_encode(uint8_t *out, size_t size, const char *text)
{
    size_t len = boot_text_length(text, size);
    if (len == size)
        return BOOT_ERANGE;
    memset(out, 0, size);
    memcpy(out, text, len);
    return BOOT_OK;
}

int boot_text_decode(char *out, size_t size, const uint8_t *in)
{
    size_t len = 0;
    while (len < size && in[len])
        len++;
    if (len == size || !boot_bytes_are(in + len, size - len, 0))
        return BOOT_EFORMAT;
    memcpy(out, in, size);
    return BOOT_OK;
}
