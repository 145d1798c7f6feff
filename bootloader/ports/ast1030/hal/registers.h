/* Registers and the few instructions of the core that C has no words for. Inside of hal and rom. */
#ifndef BOARD_HAL_REGISTERS_H
#define BOARD_HAL_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

static inline volatile uint32_t *board_reg(uint32_t addr)
{
    return (volatile uint32_t *)addr;
}

static inline volatile uint8_t *board_reg8(uint32_t addr)
{
    return (volatile uint8_t *)addr;
}

/* System control space of the Cortex-M4 (ARMv7-M Architecture Reference Manual, B3.2). */
enum {
    BOARD_SYST_CSR = 0x010,
    BOARD_SYST_RVR = 0x014,
    BOARD_SYST_CVR = 0x018,
    BOARD_NVIC_ISER = 0x100,
    BOARD_SCB_ICSR = 0xD04,
    BOARD_SCB_VTOR = 0xD08,
    BOARD_SCB_AIRCR = 0xD0C,
    BOARD_SCB_CFSR = 0xD28
};

static inline volatile uint32_t *board_scs(uint32_t offset)
{
    return board_reg(0xE000E000u + offset);
}

/* Masks interrupts; gives what they were, for board_unmask. */
static inline uint32_t board_mask(void)
{
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
    return before;
}

static inline void board_unmask(uint32_t before)
{
    __asm__ volatile("msr primask, %0" ::"r"(before) : "memory");
}

static inline void board_wfi(void)
{
    __asm__ volatile("dsb\n\twfi" ::: "memory");
}

/* Everything stored before is visible to whoever looks at memory (a debugger) before what follows. */
static inline void board_barrier(void)
{
    __asm__ volatile("dmb" ::: "memory");
}

/* An interrupt that the main program waits for has come: board_idle returns. */
void board_time_wake(void);

/* In the vector table; programs that link link.c have it from there. */
void board_link_interrupt(void);
void board_time_interrupt(void);
/* frame: what the core pushed at the fault, or NULL where the stack itself was broken. */
_Noreturn void board_fault(const uint32_t *frame);

#endif
