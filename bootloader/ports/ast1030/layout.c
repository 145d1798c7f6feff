#include "board/layout.h"
#include "board/map.h"

const struct boot_layout board_layout = {
    .sector_bytes = BOARD_NOR_SECTOR,
    .page_bytes = BOARD_NOR_PAGE,
    .bootloader_bytes = BOARD_BOOTLOADER_BYTES,
    .config_addr = BOARD_CONFIG_ADDR,
    .slot_addr = {BOARD_SLOT_A_ADDR, BOARD_SLOT_B_ADDR},
    .slot_bytes = BOARD_SLOT_BYTES,
    .data_addr = BOARD_DATA_ADDR,
    .data_bytes = BOARD_DATA_BYTES,
    .journal_bytes = BOARD_JOURNAL_BYTES,
};
