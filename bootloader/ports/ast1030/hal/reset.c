/* Straps, and the reset that the program asks for. */
#include "board/hal.h"
#include "registers.h"

enum { STRAPS = BOARD_STRAP_STAY | BOARD_STRAP_RESET_PIN | BOARD_STRAP_FAULT };
enum { AIRCR_RESET_REQUEST = 0x05FA0004 };

uint32_t board_straps(void)
{
    return *board_reg(BOARD_GPIO_REGS) & STRAPS;
}

void board_reset(enum board_note note)
{
    board_mask();
    board_mailbox()->note = note;
    __asm__ volatile("dsb" ::: "memory");
    *board_scs(BOARD_SCB_AIRCR) = AIRCR_RESET_REQUEST;
    for (;;)
        board_wfi();
}
