/*
 * Vector table and start-up, the same for the bootloader and for the firmware. The linker script
 * gives the addresses: board_stack_top, .data from board_data_load, .bss. A firmware's .data is in
 * its place already (it was copied with the code), then both addresses are one.
 */
#include "board/map.h"
#include "registers.h"
#include <stddef.h>
#include <string.h>

extern uint8_t board_stack_top[], board_data_begin[], board_data_end[], board_data_load[],
    board_bss_begin[], board_bss_end[];

int main(void);
_Noreturn void board_start(void);
void board_on_fault(void);

enum { SYSTICK = 15, LINK = 16 + BOARD_UART_LINK_IRQ, VECTORS = 16 + 64 };

/* In a program that does not link link.c, the line's interrupt is never switched on. */
__attribute__((weak)) void board_link_interrupt(void)
{
}

/* Takes the stack of what was interrupted (bit 2 of lr), and a fresh one for the rest. */
__attribute__((naked)) void board_on_fault(void)
{
    __asm__ volatile("tst lr, #4\n\t"
                     "ite eq\n\t"
                     "mrseq r0, msp\n\t"
                     "mrsne r0, psp\n\t"
                     "ldr r1, =board_stack_top\n\t"
                     "msr msp, r1\n\t"
                     "b board_fault\n\t");
}

void board_start(void)
{
    if (&board_data_begin[0] != &board_data_load[0])
        memcpy(board_data_begin, board_data_load, (size_t)(board_data_end - board_data_begin));
    memset(board_bss_begin, 0, (size_t)(board_bss_end - board_bss_begin));
    main();
    for (;;)
        board_wfi();
}

union vector {
    void *stack;
    void (*handler)(void);
};

__attribute__((section(".vectors"), used)) static const union vector
    vectors[VECTORS] = {
        [0] = {.stack = board_stack_top},
        [1] = {.handler = board_start},
        [2 ... SYSTICK - 1] = {.handler = board_on_fault},
        [SYSTICK] = {.handler = board_time_interrupt},
        [SYSTICK + 1 ... LINK - 1] = {.handler = board_on_fault},
        [LINK] = {.handler = board_link_interrupt},
        [LINK + 1 ... VECTORS - 1] = {.handler = board_on_fault},
};
