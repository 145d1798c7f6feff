/*
 * Where everything is on the ast1030-evb board (Cortex-M4, QEMU's model of it): SRAM, the mapped
 * NOR flash (W25Q80, 1 MiB), registers, and Brickyard's layout scaled to 1 MiB. Used by the mask
 * ROM, by the firmware, by linker scripts (plain numbers only) and by the rig on the host.
 */
#ifndef BOARD_MAP_H
#define BOARD_MAP_H

/* SRAM, 768 KiB at 0. It survives a reset, not a power cut. */
#define BOARD_ROM_ADDR 0x00000000      /* the bootloader: mask ROM, vector table first */
#define BOARD_ROM_BYTES 0x00010000     /* "under 64 KB" */
#define BOARD_BOOT_RAM_ADDR 0x00010000 /* the bootloader's data and stack */
#define BOARD_BOOT_RAM_BYTES 0x00008000
#define BOARD_MAILBOX_ADDR                                                                         \
    0x00018000                      /* struct board_mailbox; not initialised by anyone's start-up */
#define BOARD_PROBE_ADDR 0x00018800 /* struct board_probe */
#define BOARD_KEEP_ADDR 0x00018C00  /* the application's own memory that outlives a reset */
#define BOARD_KEEP_BYTES 0x00000040
#define BOARD_APP_ADDR 0x00020000 /* payload of the booted image, copied; its vector table */
#define BOARD_APP_BYTES 0x00070000
#define BOARD_APP_RAM_ADDR 0x00090000 /* the application's bss and stack */
#define BOARD_APP_RAM_BYTES 0x00030000
#define BOARD_SRAM_BYTES 0x000C0000

/* Flash: offsets; the mapped window reads it at BOARD_NOR_WINDOW + offset. */
#define BOARD_NOR_WINDOW 0x80000000
#define BOARD_NOR_BYTES 0x00100000
#define BOARD_NOR_SECTOR 4096
#define BOARD_NOR_PAGE 256
#define BOARD_FACTORY_ADDR 0x00000000 /* first sector of the bootloader region: factory.h */
#define BOARD_BOOTLOADER_BYTES 0x00010000
#define BOARD_CONFIG_ADDR 0x00010000
#define BOARD_SLOT_A_ADDR 0x00012000
#define BOARD_SLOT_B_ADDR 0x00072000
#define BOARD_SLOT_BYTES 0x00060000 /* 384 KiB, trailer included */
#define BOARD_DATA_ADDR 0x000D2000
#define BOARD_DATA_BYTES 0x0002E000 /* 184 KiB */
#define BOARD_JOURNAL_BYTES 0x00010000

/* Registers (RIG-FACTS 5.2). UART5 is the console (QEMU's serial 0), UART1 the OTA line (serial 1).
 */
#define BOARD_FMC_REGS 0x7E620000
#define BOARD_GPIO_REGS 0x7E780000
#define BOARD_UART_LINK_REGS 0x7E783000
#define BOARD_UART_LINK_IRQ 47
#define BOARD_UART_CONSOLE_REGS 0x7E784000
#define BOARD_WDT_REGS 0x7E785000

/* Strap inputs, bits of GPIO port A (QOM gpioA0 ..). RESET_PIN is the latch of the reset line:
 * whoever pulls the line sets it before, and clears it when the console shows the boot. */
#define BOARD_STRAP_STAY 0x01      /* gpioA0: stay in the bootloader, boot nothing */
#define BOARD_STRAP_RESET_PIN 0x02 /* gpioA1 */
#define BOARD_STRAP_FAULT 0x04     /* gpioA2: sensor bus shorted: the firmware's drivers fail */

#endif
