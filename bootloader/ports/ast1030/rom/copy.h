/*
 * The image's way from flash into SRAM, and the proof that what arrived is what was verified.
 * Freestanding and without hardware, so that tests on a host can give it a flash that lies.
 *
 * boot_run reads the image from flash, and the copy reads it a second time; a worn or glitched part
 * may read otherwise then. So nothing of the second reading is believed: the copy's own bytes,
 * header and payload, are hashed where they will run, and must have the hash that the signature was
 * verified for. From then on flash is not read any more, and between hash and jump nothing writes
 * into that memory (no DMA, no other thread). The size comes from the copied header; another size
 * gives another hash.
 */
#ifndef BOARD_ROM_COPY_H
#define BOARD_ROM_COPY_H

#include "boot/verify.h"

enum rom_copied {
    ROM_COPIED,
    ROM_COPY_UNREADABLE, /* flash could not be read, or the header is none */
    ROM_COPY_TOO_LARGE,  /* for the memory */
    ROM_COPY_DIFFERS     /* it is not what was verified */
};

/* Copies the payload of slot to `to` (max bytes; 8 bytes aligned). *payload_bytes: its size. */
enum rom_copied rom_copy(const struct boot_env *env, int slot,
                         const uint8_t sha256[BOOT_SHA256_BYTES], void *to, uint32_t max,
                         uint32_t *payload_bytes);

/*
 * True when a payload at addr of this size can be jumped to: its first word, the stack pointer, is
 * in memory that may be a stack (stack_begin < sp <= stack_end, 8 bytes aligned), its second an odd
 * address inside the payload. A core that starts without a stack locks up at its first fault.
 */
bool rom_vectors_are_sound(const uint8_t *payload, uint32_t bytes, uint32_t addr,
                           uint32_t stack_begin, uint32_t stack_end);

#endif
