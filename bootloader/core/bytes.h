/*
 * Bytes on flash: little-endian numbers at byte offsets, and text fields, which are closed by a NUL
 * and padded with NULs to their size so that one text has one encoding.
 */
#ifndef BOOT_CORE_BYTES_H
#define BOOT_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void boot_put16(uint8_t *out, uint16_t value);
void boot_put32(uint8_t *out, uint32_t value);
uint16_t boot_get16(const uint8_t *in);
uint32_t boot_get32(const uint8_t *in);

bool boot_bytes_are(const uint8_t *in, size_t len, uint8_t value);

/* Length of text, or size when no NUL is among its first size bytes. */
size_t boot_text_length(const char *text, size_t size);

/* Both are NUL-terminated, at most size bytes each. */
bool boot_text_equal(const char *a, const char *b, size_t size);

/* Writes a text field of size bytes. BOOT_ERANGE when text and its NUL do not fit. */
int boot_text_encode(uint8_t *out, size_t size, const char *text);

/* Reads a text field of size bytes. BOOT_EFORMAT without a NUL, or with other bytes behind it. */
int boot_text_decode(char *out, size_t size, const uint8_t *in);

#endif
