/* The reset's reason: mailbox.h says by which order. */
#include "board/hal.h"
#include "rom.h"
#include <string.h>

static enum boot_reset reason(const volatile struct board_mailbox *mailbox, uint32_t straps)
{
    if (mailbox->magic != BOARD_MAILBOX_MAGIC)
        return BOOT_RESET_POWER_ON;
    if (straps & BOARD_STRAP_RESET_PIN)
        return BOOT_RESET_PIN;
    if (mailbox->note == BOARD_NOTE_HARD_FAULT)
        return BOOT_RESET_HARD_FAULT;
    if (mailbox->note == BOARD_NOTE_SOFTWARE)
        return BOOT_RESET_SOFTWARE;
    return mailbox->watchdog_armed ? BOOT_RESET_WATCHDOG : BOOT_RESET_PIN;
}

/* What SRAM holds after power on is chance, so all of it is written before the magic is. */
static void clear(void)
{
    memset((void *)board_mailbox(), 0, sizeof(struct board_mailbox));
    memset((void *)board_probe(), 0, sizeof(struct board_probe));
    board_mailbox()->magic = BOARD_MAILBOX_MAGIC;
}

enum boot_reset rom_wake(uint32_t straps)
{
    volatile struct board_mailbox *mailbox = board_mailbox();
    enum boot_reset reset = reason(mailbox, straps);
    if (reset == BOOT_RESET_POWER_ON)
        clear();
    mailbox->note = BOARD_NOTE_NONE;
    mailbox->watchdog_armed = 0;
    mailbox->boots = mailbox->boots + 1;
    mailbox->reset = reset;
    return reset;
}

const char *rom_last_end(enum boot_reset reset)
{
    static const char *const name[BOOT_RESET_KINDS] = {
        [BOOT_RESET_POWER_ON] = "running",   [BOOT_RESET_PIN] = "stopped",
        [BOOT_RESET_SOFTWARE] = "software",  [BOOT_RESET_WATCHDOG] = "watchdog",
        [BOOT_RESET_HARD_FAULT] = "hard_fault", [BOOT_RESET_BROWN_OUT] = "running",
    };
    return name[reset];
}
