/* A byte out, and what happens when it does not get out. */
#include "uart.h"
#include "board/hal.h"

/* A FIFO of 16 bytes empties in 1.4 ms at 115,200 baud. */
enum { STUCK_US = 20000 };

static bool has_room(uint32_t regs)
{
    return (*board_uart(regs, BOARD_UART_LSR) & BOARD_UART_LSR_EMPTY) != 0;
}

static bool wait_for_room(uint32_t regs)
{
    uint64_t until_us = board_us() + STUCK_US;
    while (!has_room(regs))
        if (board_us() >= until_us)
            return false;
    return true;
}

bool board_uart_put(uint32_t regs, bool *stuck, uint8_t byte)
{
    *stuck = *stuck ? !has_room(regs) : !wait_for_room(regs);
    if (!*stuck)
        *board_uart(regs, BOARD_UART_DATA) = byte;
    return !*stuck;
}
