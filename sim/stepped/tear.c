/* A cut operation, in the flash and in the file. */
#include "sim/stepped.h"
#include <stdlib.h>
#include <unistd.h>

/* One reading of a sector: each unstable bit as it was drawn. */
static void settle(struct sim_flash *flash, uint32_t addr, uint8_t *bytes, struct sim_rng *reading)
{
    uint32_t size = flash->base->sector_bytes;
    const uint8_t *mask = sim_flash_sector_mask(flash, addr / size);
    sim_flash_peek(flash, addr, bytes, size, 1);
    if (!mask)
        return;
    for (uint32_t i = 0; i < size; i++)
        if (mask[i])
            bytes[i] &= (uint8_t) ~(mask[i] & sim_rng_u32(reading));
    sim_flash_load(flash, addr, bytes, size);
}

int sim_stepped_tear(struct sim_flash *flash, int fd, const struct sim_flash_call *call,
                     const struct sim_flash_cut *cut, struct sim_rng *reading)
{
    uint32_t size = flash->base->sector_bytes;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return -1;
    sim_flash_apply(flash, call, cut);
    int error = 0;
    for (uint32_t at = call->addr - call->addr % size; at < call->addr + call->len; at += size) {
        settle(flash, at, bytes, reading);
        if (pwrite(fd, bytes, size, at) != (ssize_t)size)
            error = -1;
    }
    free(bytes);
    return error;
}
