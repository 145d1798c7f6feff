/* The crypto port that test_ports.c holds against OpenSSL's: BearSSL compiled for this host
 * (ports_here.c), or running on the board (tests/lab/ports_board.c). */
#ifndef TESTS_BOOTLOADER_PORTS_H
#define TESTS_BOOTLOADER_PORTS_H

#include "boot/crypto.h"

/* Before and after each test. */
void ports_board_start(struct boot_crypto *out);
void ports_board_end(void);

#endif
