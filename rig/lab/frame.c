/* Frames and their payloads: see frame.h. */
#include "frame.h"
#include "boot/image.h"
#include <string.h>

static uint32_t get_number(const uint8_t *in, uint32_t bytes)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint32_t)in[i] << 8 * i;
    return value;
}

static void put_number(uint8_t *out, uint32_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

void lab_input_start(struct lab_input *input)
{
    input->have = 0;
}

int lab_input_byte(struct lab_input *input, uint8_t byte, struct lab_frame *out)
{
    if (!input->have && byte == LAB_FILLER)
        return 0;
    input->bytes[input->have++] = byte;
    if (input->bytes[0] != LAB_MARK)
        return -1;
    if (input->have < LAB_HEAD)
        return 0;
    uint32_t len = get_number(input->bytes + 2, 2), whole = LAB_HEAD + len + LAB_TAIL;
    if (len > LAB_PAYLOAD_MAX)
        return -1;
    if (input->have < whole)
        return 0;
    input->have = 0;
    if (boot_crc32(0, input->bytes, whole - LAB_TAIL) !=
        get_number(input->bytes + whole - LAB_TAIL, LAB_TAIL))
        return -1;
    *out = (struct lab_frame){input->bytes[1], input->bytes + LAB_HEAD, len};
    return 1;
}

void lab_begin(struct lab_writer *out, uint8_t kind)
{
    out->bytes[0] = LAB_MARK;
    out->bytes[1] = kind;
    out->len = LAB_HEAD;
    out->bad = false;
}

static uint8_t *room(struct lab_writer *out, uint32_t len)
{
    if (out->bad || len > LAB_HEAD + LAB_PAYLOAD_MAX - out->len) {
        out->bad = true;
        return NULL;
    }
    out->len += len;
    return out->bytes + out->len - len;
}

static void put(struct lab_writer *out, uint32_t value, uint32_t bytes)
{
    uint8_t *at = room(out, bytes);
    if (at)
        put_number(at, value, bytes);
}

void lab_put8(struct lab_writer *out, uint32_t value)
{
    put(out, value, 1);
}

void lab_put16(struct lab_writer *out, uint32_t value)
{
    put(out, value, 2);
}

void lab_put32(struct lab_writer *out, uint32_t value)
{
    put(out, value, 4);
}

void lab_put64(struct lab_writer *out, uint64_t value)
{
    put(out, (uint32_t)value, 4);
    put(out, (uint32_t)(value >> 32), 4);
}

void lab_put(struct lab_writer *out, const void *bytes, uint32_t len)
{
    uint8_t *at = room(out, len);
    if (at && len)
        memcpy(at, bytes, len);
}

void lab_put_text(struct lab_writer *out, const char *text)
{
    size_t len = strlen(text);
    if (len > UINT8_MAX)
        out->bad = true;
    lab_put8(out, (uint32_t)len);
    lab_put(out, text, (uint32_t)len);
}

uint32_t lab_end(struct lab_writer *out)
{
    if (out->bad)
        return 0;
    put_number(out->bytes + 2, out->len - LAB_HEAD, 2);
    put_number(out->bytes + out->len, boot_crc32(0, out->bytes, out->len), LAB_TAIL);
    return out->len + LAB_TAIL;
}

struct lab_reader lab_read_of(const struct lab_frame *frame)
{
    return (struct lab_reader){frame->payload, frame->len, false};
}

const uint8_t *lab_get(struct lab_reader *in, uint32_t len)
{
    if (in->bad || len > in->left) {
        in->bad = true;
        return NULL;
    }
    const uint8_t *at = in->at;
    in->at += len;
    in->left -= len;
    return at;
}

static uint32_t get(struct lab_reader *in, uint32_t bytes)
{
    const uint8_t *at = lab_get(in, bytes);
    return at ? get_number(at, bytes) : 0;
}

uint8_t lab_get8(struct lab_reader *in)
{
    return (uint8_t)get(in, 1);
}

uint16_t lab_get16(struct lab_reader *in)
{
    return (uint16_t)get(in, 2);
}

uint32_t lab_get32(struct lab_reader *in)
{
    return get(in, 4);
}

uint64_t lab_get64(struct lab_reader *in)
{
    uint64_t low = get(in, 4);
    return low | (uint64_t)get(in, 4) << 32;
}

void lab_get_bytes(struct lab_reader *in, void *out, uint32_t len)
{
    const uint8_t *at = lab_get(in, len);
    if (at)
        memcpy(out, at, len);
    else
        memset(out, 0, len);
}

void lab_get_text(struct lab_reader *in, char *out, uint32_t max)
{
    uint32_t len = lab_get8(in);
    const uint8_t *at = lab_get(in, len);
    *out = '\0';
    if (!at || len >= max || memchr(at, 0, len)) {
        in->bad = true;
        return;
    }
    memcpy(out, at, len);
    out[len] = '\0';
}

bool lab_read_all(const struct lab_reader *in)
{
    return !in->bad && in->left == 0;
}
