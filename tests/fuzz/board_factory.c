/*
 * Any bytes as a board's factory block, as they are and with a right CRC put in, so that what is
 * behind the CRC is reached. What is accepted must encode to the same bytes.
 */
#include "board/factory.h"
#include "boot/error.h"
#include <stdlib.h>
#include <string.h>

static void check(const uint8_t block[BOARD_FACTORY_BYTES])
{
    static const struct board_factory none;
    struct board_factory factory;
    uint8_t again[BOARD_FACTORY_BYTES];
    if (board_factory_decode(&factory, block) != BOOT_OK) {
        if (memcmp(&factory, &none, sizeof none) != 0)
            abort();
        return;
    }
    if (board_factory_encode(again, &factory) != BOOT_OK || memcmp(again, block, sizeof again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[BOARD_FACTORY_BYTES] = {0};
    memcpy(block, data, size < sizeof block ? size : sizeof block);
    check(block);
    uint32_t crc = boot_crc32(0, block, BOARD_FACTORY_BYTES - 4);
    for (int i = 0; i < 4; i++)
        block[BOARD_FACTORY_BYTES - 4 + i] = (uint8_t)(crc >> (8 * i));
    check(block);
    return 0;
}
