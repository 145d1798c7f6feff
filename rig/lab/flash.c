/* The board's flash beside the simulator's. */
#include "lab.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STEP_US = 500 };

static bool is_blank(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != 0xFF)
            return false;
    return true;
}

static uint32_t flash_bytes(const struct sim_flash *flash)
{
    return flash->base->bytes;
}

void lab_flash_load(struct rig_lab *lab, const struct sim_flash *flash)
{
    uint8_t *file = lab->machine->flash;
    sim_flash_peek(flash, 0, file, flash_bytes(flash), 1);
    memset(file + flash_bytes(flash), 0xFF, lab->machine->flash_bytes - flash_bytes(flash));
}

/* First byte of the sector in which they differ, UINT32_MAX: none. */
static uint32_t differs_in(const struct rig_lab *lab, const struct sim_flash *flash,
                           uint32_t sector, struct lab_range without)
{
    uint32_t size = lab->machine->sector_bytes, addr = sector * size;
    const uint8_t *file = lab->machine->flash + addr;
    const uint8_t *wanted =
        addr < flash_bytes(flash) ? sim_flash_sector_bytes(flash, sector) : NULL;
    if (wanted ? !memcmp(file, wanted, size) : is_blank(file, size))
        return UINT32_MAX;
    for (uint32_t i = 0; i < size; i++)
        if (addr + i - without.addr >= without.len && file[i] != (wanted ? wanted[i] : 0xFF))
            return addr + i;
    return UINT32_MAX;
}

static uint32_t first_difference(const struct rig_lab *lab, const struct sim_flash *flash,
                                 struct lab_range without)
{
    uint32_t sectors = lab->machine->flash_bytes / lab->machine->sector_bytes;
    for (uint32_t s = 0; s < sectors; s++) {
        uint32_t at = differs_in(lab, flash, s, without);
        if (at != UINT32_MAX)
            return at;
    }
    return UINT32_MAX;
}

bool lab_flash_holds(const struct rig_lab *lab, const struct sim_flash *flash,
                     struct lab_range without)
{
    return first_difference(lab, flash, without) == UINT32_MAX;
}

/*
 * The emulation writes a page to its file some time after the board has programmed it. The board
 * waits for the host meanwhile, so what the file comes to hold is what its NOR holds.
 */
bool lab_flash_equal(struct rig_lab *lab, const struct sim_flash *flash, struct lab_range without,
                     char *what, size_t len)
{
    const struct timespec step = {0, STEP_US * 1000};
    uint32_t at = first_difference(lab, flash, without);
    for (uint32_t us = 0; at != UINT32_MAX && us < lab->machine->settles_ms * 1000; us += STEP_US) {
        nanosleep(&step, NULL);
        at = first_difference(lab, flash, without);
    }
    if (at == UINT32_MAX)
        return true;
    uint8_t wanted = 0xFF;
    if (at < flash_bytes(flash))
        sim_flash_peek(flash, at, &wanted, 1, 1);
    snprintf(what, len,
             "after session %u the flash holds %02x at 0x%x on the board, %02x in the "
             "simulator",
             lab->session ? lab->session->number : 0, lab->machine->flash[at], at, wanted);
    return false;
}
