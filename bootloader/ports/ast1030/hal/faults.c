/* A fault: where and why goes into the mailbox, then a reset. The next boot judges it. */
#include "board/hal.h"
#include "registers.h"

enum { FRAME_PC = 6, FRAME_BYTES = 32 };

/* The core pushes eight words: r0-r3, r12, lr, pc, xPSR. The stack pointer is part of what may be
 * broken, so it is read only where there is memory. */
static uint32_t pc_of(const uint32_t *frame)
{
    uint32_t at = (uint32_t)frame;
    if (at % 4 || at < BOARD_BOOT_RAM_ADDR || at > BOARD_SRAM_BYTES - FRAME_BYTES)
        return 0;
    return frame[FRAME_PC];
}

void board_fault(const uint32_t *frame)
{
    volatile struct board_mailbox *mailbox = board_mailbox();
    mailbox->fault_pc = pc_of(frame);
    mailbox->fault_status = *board_scs(BOARD_SCB_CFSR);
    board_reset(BOARD_NOTE_HARD_FAULT);
}
