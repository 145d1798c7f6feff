/* The Aspeed watchdog, counting at 1 MHz, resetting the whole chip. */
#include "board/hal.h"
#include "registers.h"

enum { RELOAD = 0x04, RESTART = 0x08, CONTROL = 0x0C };
enum { RESTART_MAGIC = 0x4755, RESET_SYSTEM_1MHZ_ENABLE = 0x13 };
enum { MS_MAX = UINT32_MAX / 1000 };

void board_watchdog_start(uint32_t ms)
{
    *board_reg(BOARD_WDT_REGS + RELOAD) = (ms < (uint32_t)MS_MAX ? ms : (uint32_t)MS_MAX) * 1000;
    board_watchdog_kick();
    *board_reg(BOARD_WDT_REGS + CONTROL) = RESET_SYSTEM_1MHZ_ENABLE;
    board_mailbox()->watchdog_armed = 1;
}

void board_watchdog_kick(void)
{
    *board_reg(BOARD_WDT_REGS + RESTART) = RESTART_MAGIC;
}
