/* A 16550 whose registers are four bytes apart. Inside of hal. */
#ifndef BOARD_HAL_UART_H
#define BOARD_HAL_UART_H

#include "registers.h"

enum {
    BOARD_UART_DATA = 0, /* DLL while DLAB is set */
    BOARD_UART_IER = 1,  /* DLM while DLAB is set */
    BOARD_UART_FCR = 2,
    BOARD_UART_LCR = 3,
    BOARD_UART_MCR = 4,
    BOARD_UART_LSR = 5
};
enum {
    BOARD_UART_IER_RECEIVED = 0x01,
    BOARD_UART_FCR_TRIGGER_14 = 0xC7, /* FIFOs on and cleared */
    BOARD_UART_LCR_8N1 = 0x03,
    BOARD_UART_LCR_DLAB = 0x80,
    BOARD_UART_MCR_INTERRUPT = 0x08, /* OUT2 */
    BOARD_UART_LSR_READY = 0x01,
    BOARD_UART_LSR_OVERRUN = 0x02,
    BOARD_UART_LSR_EMPTY = 0x20
};

static inline volatile uint32_t *board_uart(uint32_t regs, uint32_t reg)
{
    return board_reg(regs + 4 * reg);
}

/* Waits until the FIFO takes a byte, but never long: a transmitter that stands still (a peer that
 * holds the line, an emulator's full socket) must not stop the firmware and with it the watchdog's
 * kicks. *stuck, false at the start: it did, and nothing is waited for until a byte gets out again.
 * False: the byte is lost. */
bool board_uart_put(uint32_t regs, bool *stuck, uint8_t byte);

/* 8N1, the fastest rate, FIFOs on, no interrupt. */
static inline void board_uart_start(uint32_t regs)
{
    *board_uart(regs, BOARD_UART_IER) = 0;
    *board_uart(regs, BOARD_UART_LCR) = BOARD_UART_LCR_DLAB;
    *board_uart(regs, BOARD_UART_DATA) = 1;
    *board_uart(regs, BOARD_UART_IER) = 0;
    *board_uart(regs, BOARD_UART_LCR) = BOARD_UART_LCR_8N1;
    *board_uart(regs, BOARD_UART_FCR) = BOARD_UART_FCR_TRIGGER_14;
}

#endif
