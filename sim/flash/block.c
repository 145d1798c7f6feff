/* Bytes with a count of those who hold them, before the bytes. Holders may be on different threads.
 */
#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    atomic_uint refs;
    _Alignas(16) uint8_t bytes[];
};

void *sim_flash_alloc(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory) {
        fprintf(stderr, "sim_flash: no memory for %zu bytes of flash content\n", bytes);
        abort();
    }
    return memory;
}

bool sim_flash_ref_alone(const atomic_uint *refs)
{
    /* Acquire: what the last other holder read is read before this one writes. */
    return atomic_load_explicit(refs, memory_order_acquire) == 1;
}

void sim_flash_ref_keep(atomic_uint *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

bool sim_flash_ref_drop(atomic_uint *refs)
{
    /* Nobody else can come to hold it through a holder that is here: no locked instruction. */
    if (sim_flash_ref_alone(refs))
        return true;
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* The only place where content loses its const: what comes here is a block's, never the base's or
 * an image's. */
static struct block *block_of(const uint8_t *bytes)
{
    return (struct block *)(uintptr_t)(bytes - offsetof(struct block, bytes));
}

uint8_t *sim_flash_block_new(uint32_t len)
{
    struct block *block = sim_flash_alloc(sizeof *block + len);
    atomic_init(&block->refs, 1);
    return block->bytes;
}

void sim_flash_block_keep(const uint8_t *bytes)
{
    sim_flash_ref_keep(&block_of(bytes)->refs);
}

void sim_flash_block_drop(const uint8_t *bytes)
{
    if (bytes && sim_flash_ref_drop(&block_of(bytes)->refs))
        free(block_of(bytes));
}

uint8_t *sim_flash_block_own(const uint8_t *bytes, uint32_t len)
{
    struct block *block = block_of(bytes);
    if (sim_flash_ref_alone(&block->refs))
        return block->bytes;
    uint8_t *copy = sim_flash_block_new(len);
    memcpy(copy, bytes, len);
    sim_flash_block_drop(bytes);
    return copy;
}
