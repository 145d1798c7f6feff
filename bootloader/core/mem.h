/*
 * The four functions which a freestanding compiler may call by itself anyway, and nothing else of a
 * C library. Declared here because a freestanding target need not have <string.h>.
 */
#ifndef BOOT_CORE_MEM_H
#define BOOT_CORE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict out, const void *restrict in, size_t len);
void *memmove(void *out, const void *in, size_t len);
void *memset(void *out, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
