/* What the console says at a boot: the members of ota-agent's lines, so that one reader reads both. */
#include "board/hal.h"
#include "rom.h"

void rom_report_start(enum boot_reset reset, uint32_t straps)
{
    board_log_begin("info", "rom");
    board_log_text("reset", boot_reset_name((int)reset));
    board_log_number("boots", board_mailbox()->boots);
    board_log_number("straps", straps);
    if (reset == BOOT_RESET_HARD_FAULT)
        board_printf(" fault_pc=0x%08x fault_status=0x%08x", (unsigned)board_mailbox()->fault_pc,
                     (unsigned)board_mailbox()->fault_status);
    board_log_end();
}

void rom_report_boot(const struct boot_outcome *outcome, enum boot_reset reset)
{
    board_log_begin(outcome->cause ? "warn" : "info", "boot");
    board_log_text("slot", outcome->slot == BOOT_SLOT_B ? "B" : "A");
    board_log_text("trial", outcome->trial ? "yes" : "no");
    board_log_number("trial_left", outcome->trial_left);
    board_log_text("reset", boot_reset_name((int)reset));
    board_log_text("last_end", rom_last_end(reset));
    board_log_text("cause", boot_cause_name((int)outcome->cause));
    board_log_text("config", outcome->config_rebuilt ? "rebuilt" : "read");
    board_log_number("watchdog_s", outcome->watchdog_s);
    board_log_number("boots", board_mailbox()->boots);
    board_log_number("operations", board_probe()->begun);
    board_log_number("verify_us", board_mailbox()->verify_us);
    board_log_number("copy_us", board_mailbox()->copy_us);
    board_log_number("ms", board_ms());
    board_log_end();
}

void rom_report_no_boot(int error, const struct boot_outcome *outcome)
{
    board_log_begin("error", "no_boot");
    board_log_text("error", boot_error_name(error));
    board_log_text("slot_a", boot_verdict_name((int)outcome->verdict[BOOT_SLOT_A]));
    board_log_text("slot_b", boot_verdict_name((int)outcome->verdict[BOOT_SLOT_B]));
    board_log_end();
}

void rom_report_stay(const char *why)
{
    board_log_begin("error", "stay");
    board_log_text("why", why);
    board_log_end();
}

void rom_report_refused(int slot, const char *why)
{
    board_log_begin("error", "image_refused");
    board_log_text("slot", slot == BOOT_SLOT_B ? "B" : "A");
    board_log_text("why", why);
    board_log_end();
}
