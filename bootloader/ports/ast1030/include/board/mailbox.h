/*
 * What bootloader, firmware and rig tell each other in SRAM that outlives a reset. After a power
 * cut it is all zero: that is how a cold start is told from a warm one, because the board has no
 * register for the reset's cause.
 */
#ifndef BOARD_MAILBOX_H
#define BOARD_MAILBOX_H

#include "board/map.h"
#include <stdint.h>

enum { BOARD_MAILBOX_MAGIC = 0x4D425942 }; /* "BYBM" */

/* Left behind on purpose just before a reset; the bootloader takes it, and sets NONE. */
enum board_note { BOARD_NOTE_NONE, BOARD_NOTE_SOFTWARE, BOARD_NOTE_HARD_FAULT };

/*
 * Reset reason, by the bootloader: no magic: power on. Else the strap RESET_PIN: pin. Else note
 * SOFTWARE or HARD_FAULT: that. Else watchdog_armed: watchdog. Else pin.
 */
struct board_mailbox {
    uint32_t magic;
    uint32_t note;           /* enum board_note */
    uint32_t watchdog_armed; /* 1 from the jump on */
    /* From the bootloader to the application; the agent's struct agent_boot. */
    int32_t slot;
    uint32_t trial;
    uint32_t reset; /* enum boot_reset */
    uint32_t cause; /* enum boot_cause */
    uint32_t config_rebuilt;
    uint32_t boots;        /* since power on */
    uint32_t verify_us;    /* hash and signature of the booted slot, by its timer */
    uint32_t copy_us;      /* copy to SRAM, and its hash */
    uint32_t fault_pc;     /* of the last hard fault */
    uint32_t fault_status; /* CFSR of the last hard fault */
};

static inline volatile struct board_mailbox *board_mailbox(void)
{
    return (volatile struct board_mailbox *)BOARD_MAILBOX_ADDR;
}

/*
 * The probe: the NOR driver notes each operation (one page's program or one sector's erase) here
 * before the first byte of it goes over the bus, and when its busy time is over. `begun` is written
 * last: a debugger's watchpoint on it stops the board exactly between two operations. A real board
 * has a pin there that an instrument triggers on. Nothing on the board reads it.
 */
struct board_probe {
    uint32_t kind;  /* 1 program, 2 erase */
    uint32_t addr;  /* byte offset in flash */
    uint32_t len;   /* bytes */
    uint32_t data;  /* address of the bytes in SRAM; 0 for an erase */
    uint32_t begun; /* operations begun since power on; watch this word */
    uint32_t ended; /* begun, copied when the operation is over: equal while none is in progress */
};

static inline volatile struct board_probe *board_probe(void)
{
    return (volatile struct board_probe *)BOARD_PROBE_ADDR;
}

#endif
