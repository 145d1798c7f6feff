/* How much RAM this firmware has used: static data, and the deepest that its stack ever was. */
#include "device.h"

extern uint8_t board_bss_begin[], board_bss_end[], board_stack_top[];

enum { PAINT = 0x5AC3A53C, BELOW_BYTES = 256 /* the caller's and this frame */ };

static uint32_t *stack_bottom(void)
{
    return (uint32_t *)(((uintptr_t)board_bss_end + 3) & ~(uintptr_t)3);
}

__attribute__((noinline)) void fw_memory_paint(void)
{
    volatile uint32_t here = 0;
    uintptr_t end = (uintptr_t)&here - BELOW_BYTES;
    for (volatile uint32_t *at = stack_bottom(); (uintptr_t)at < end; at++)
        *at = PAINT;
}

uint32_t fw_memory_bytes(void)
{
    const uint32_t *at = stack_bottom();
    while ((uintptr_t)at < (uintptr_t)board_stack_top && *at == PAINT)
        at++;
    return (uint32_t)((uintptr_t)board_bss_end - (uintptr_t)board_bss_begin +
                      (uintptr_t)board_stack_top - (uintptr_t)at);
}
