/*
 * A firmware for the tests of the bootloader: says what the mailbox told it, then does what its
 * variant is for. PAYLOAD: one of the names below. Real code, linked as every firmware is.
 */
#include "board/hal.h"

enum payload { IDLE, HARD_FAULT, HANG, SOFTWARE, KICK, ECHO, FLASH };

static void say(void)
{
    volatile struct board_mailbox *mailbox = board_mailbox();
    board_log_begin("info", "payload");
    board_log_number("slot", (uint32_t)mailbox->slot);
    board_log_number("trial", mailbox->trial);
    board_log_number("reset", mailbox->reset);
    board_log_number("cause", mailbox->cause);
    board_log_number("boots", mailbox->boots);
    board_log_number("armed", mailbox->watchdog_armed);
    board_log_number("verify_us", mailbox->verify_us);
    board_log_number("copy_us", mailbox->copy_us);
    board_log_number("fault_status", mailbox->fault_status);
    board_log_end();
}

/* What comes over the OTA line goes back over it. */
static void echo(void)
{
    uint8_t buffer[256];
    for (;;) {
        size_t len = board_link_read(buffer, sizeof buffer);
        for (size_t at = 0; at < len;) /* the driver gives up while a busy host does not read */
            at += board_link_write(buffer + at, len - at);
        if (len == 0)
            board_idle(board_ms() + 1000);
    }
}

static void kick(void)
{
    for (;;) {
        board_watchdog_kick();
        board_idle(board_ms() + 100);
    }
}

/* Operations on the last sector of the data partition, and how long they took. */
static void flash(void)
{
    static uint8_t page[BOARD_NOR_PAGE] = {0x12, 0x34, 0x56};
    const uint32_t addr = BOARD_DATA_ADDR + BOARD_DATA_BYTES - BOARD_NOR_SECTOR;
    uint64_t begun = board_us();
    int erased = board_nor_erase(NULL, addr);
    uint64_t then = board_us();
    int programmed = board_nor_program(NULL, addr + BOARD_NOR_PAGE, page, sizeof page);
    board_log_begin("info", "flash");
    board_log_number("erase_us", (uint32_t)(then - begun));
    board_log_number("page_us", (uint32_t)(board_us() - then));
    board_log_number("errors", (uint32_t)(erased || programmed));
    board_log_number("refused", board_nor_program(NULL, addr + 1, page, sizeof page) &&
                                    board_nor_program(NULL, addr, page, 100) &&
                                    board_nor_program(NULL, BOARD_NOR_BYTES, page, sizeof page) &&
                                    board_nor_program(NULL, UINT32_MAX - 255, page, 512) &&
                                    board_nor_erase(NULL, addr + BOARD_NOR_PAGE) &&
                                    board_nor_erase(NULL, BOARD_NOR_BYTES) &&
                                    board_nor_read(NULL, BOARD_NOR_BYTES - 1, page, 2));
    board_log_number("operations", board_probe()->begun);
    board_log_number("open", board_probe()->begun - board_probe()->ended);
    board_log_end();
}

int main(void)
{
    board_time_start();
    board_console_start();
    board_nor_start();
    board_link_start(); /* who reads the line below may send at once */
    say();
    if (PAYLOAD == HARD_FAULT)
        *(volatile uint32_t *)0xF0000000 = 1; /* nothing is there */
    if (PAYLOAD == SOFTWARE && board_mailbox()->boots < 3)
        board_reset(BOARD_NOTE_SOFTWARE);
    if (PAYLOAD == ECHO)
        echo();
    if (PAYLOAD == KICK)
        kick();
    if (PAYLOAD == FLASH)
        flash();
    for (;;) /* HANG likewise: the watchdog is never kicked */
        board_idle(board_ms() + 1000);
}
