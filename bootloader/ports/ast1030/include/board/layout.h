/* The board's flash regions of map.h as the bootloader's core takes them; on the board and on the
 * host. */
#ifndef BOARD_LAYOUT_H
#define BOARD_LAYOUT_H

#include "boot/flash.h"

extern const struct boot_layout board_layout;

#endif
