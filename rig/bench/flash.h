/*
 * A flash as the factory leaves it, in memory: factory block, one confirmed image in slot A, boot
 * config; made by the bootloader's own core on the host.
 */
#ifndef RIG_BENCH_FLASH_H
#define RIG_BENCH_FLASH_H

#include "board/map.h"
#include "boot/crypto.h"
#include <stddef.h>

struct bench_flash {
    uint8_t nor[BOARD_NOR_BYTES];
    uint32_t image_bytes;
    double host_verify_s; /* what the same verification takes on this host, by the same library */
};

/* path: a complete image (header and payload); bytes: filled up with zeros to so many, 0: as it is.
 * 0, or -1 with the reason in message. */
int bench_flash_make(struct bench_flash *out, const char *path, uint32_t bytes, char *message,
                     size_t len);

#endif
