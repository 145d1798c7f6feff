/*
 * The OTA line on UART1. The interrupt moves what the FIFO holds into a ring, which the main
 * program empties; one writes `head`, the other `tail`, so neither masks the other. What finds the
 * ring full is dropped and counted: the line's protocol finds it by its checksum.
 */
#include "board/hal.h"
#include "registers.h"
#include "uart.h"

enum { RING_BYTES = 8192 }; /* a window of the channel: 4 frames of 1,059 bytes */
/* The trigger level. Reading on until the FIFO is empty takes one interrupt for each byte that
 * comes meanwhile, 15 times slower. */
enum { AT_ONCE = 14 };

static struct {
    uint8_t byte[RING_BYTES];
    volatile uint32_t head, tail; /* bytes put and taken since the start */
    volatile uint32_t overruns;
} ring;

void board_link_start(void)
{
    ring.head = ring.tail = ring.overruns = 0;
    board_uart_start(BOARD_UART_LINK_REGS);
    *board_uart(BOARD_UART_LINK_REGS, BOARD_UART_MCR) = BOARD_UART_MCR_INTERRUPT;
    *board_uart(BOARD_UART_LINK_REGS, BOARD_UART_IER) = BOARD_UART_IER_RECEIVED;
    *board_scs(BOARD_NVIC_ISER + 4 * (BOARD_UART_LINK_IRQ / 32)) = 1u << BOARD_UART_LINK_IRQ % 32;
}

static void take(uint8_t byte)
{
    if (ring.head - ring.tail == RING_BYTES) {
        ring.overruns = ring.overruns + 1;
        return;
    }
    ring.byte[ring.head % RING_BYTES] = byte;
    board_barrier();
    ring.head = ring.head + 1;
}

void board_link_interrupt(void)
{
    for (int i = 0; i < AT_ONCE; i++) {
        uint32_t status = *board_uart(BOARD_UART_LINK_REGS, BOARD_UART_LSR);
        if (status & BOARD_UART_LSR_OVERRUN)
            ring.overruns = ring.overruns + 1;
        if (!(status & BOARD_UART_LSR_READY))
            break;
        take((uint8_t)*board_uart(BOARD_UART_LINK_REGS, BOARD_UART_DATA));
    }
    board_time_wake();
}

size_t board_link_read(void *out, size_t max)
{
    uint8_t *to = out;
    size_t len = 0;
    while (len < max && ring.tail != ring.head) {
        to[len++] = ring.byte[ring.tail % RING_BYTES];
        board_barrier();
        ring.tail = ring.tail + 1;
    }
    return len;
}

size_t board_link_write(const void *bytes, size_t len)
{
    static bool stuck;
    const uint8_t *from = bytes;
    size_t written = 0;
    while (written < len && board_uart_put(BOARD_UART_LINK_REGS, &stuck, from[written]))
        written++;
    return written;
}

uint32_t board_link_overruns(void)
{
    return ring.overruns;
}
