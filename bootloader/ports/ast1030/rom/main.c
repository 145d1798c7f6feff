/*
 * The bootloader in the mask ROM: reset reason, factory block, decision and verification (the core's
 * boot_run), copy into SRAM, watchdog, jump. Whatever is wrong leads to a wait that only a reset
 * ends; nothing here listens to any line.
 */
#include "board/hal.h"
#include "copy.h"
#include "registers.h"
#include "rom.h"

enum { SYSTICK_CLEAR_PENDING = 1 << 25 };

static struct rom_crypto rom_crypto;
static struct board_factory factory;

_Noreturn static void stay(void)
{
    board_mask();
    for (;;)
        board_wfi();
}

/* 1 KiB of stack, given back before the core runs. */
static __attribute__((noinline)) bool read_factory(void)
{
    uint8_t block[BOARD_FACTORY_BYTES];
    return board_nor_read(NULL, BOARD_FACTORY_ADDR, block, sizeof block) == 0 &&
           board_factory_decode(&factory, block) == BOOT_OK;
}

/* The registers as after a reset, so that the application finds what it would without a bootloader. */
_Noreturn static void jump(void)
{
    const volatile uint32_t *vectors = board_reg(BOARD_APP_ADDR);
    board_mask();
    *board_scs(BOARD_SYST_CSR) = 0;
    *board_scs(BOARD_SCB_ICSR) = SYSTICK_CLEAR_PENDING;
    *board_scs(BOARD_SCB_VTOR) = BOARD_APP_ADDR;
    uint32_t stack = vectors[0], entry = vectors[1];
    __asm__ volatile("msr msp, %0\n\tdsb\n\tisb\n\tcpsie i\n\tbx %1" ::"r"(stack), "r"(entry)
                     : "memory");
    __builtin_unreachable();
}

/* An image that was verified and can't be started counts as a fault of that image: a trial ends, a
 * confirmed image is left after as many as the factory says. */
_Noreturn static void refuse(int slot, const char *why)
{
    rom_report_refused(slot, why);
    board_mailbox()->fault_pc = board_mailbox()->fault_status = 0;
    board_reset(BOARD_NOTE_HARD_FAULT);
}

static void load(const struct boot_env *env, const struct boot_outcome *outcome)
{
    static const char *const why[] = {
        [ROM_COPY_UNREADABLE] = "unreadable when copied",
        [ROM_COPY_TOO_LARGE] = "larger than the memory",
        [ROM_COPY_DIFFERS] = "the copy is not what was verified",
    };
    uint32_t bytes;
    uint64_t begun = board_us();
    void *app = (void *)BOARD_APP_ADDR;
    enum rom_copied copied =
        rom_copy(env, outcome->slot, outcome->sha256, app, BOARD_APP_BYTES, &bytes);
    if (copied != ROM_COPIED)
        refuse(outcome->slot, why[copied]);
    if (!rom_vectors_are_sound(app, bytes, BOARD_APP_ADDR, BOARD_APP_ADDR, BOARD_SRAM_BYTES))
        refuse(outcome->slot, "no vector table");
    board_mailbox()->copy_us = (uint32_t)(board_us() - begun);
}

static void tell_application(const struct boot_outcome *outcome)
{
    volatile struct board_mailbox *mailbox = board_mailbox();
    mailbox->slot = outcome->slot;
    mailbox->trial = outcome->trial;
    mailbox->cause = outcome->cause;
    mailbox->config_rebuilt = outcome->config_rebuilt;
    mailbox->verify_us = rom_crypto.last_us;
}

static void boot(enum boot_reset reset)
{
    struct boot_crypto crypto;
    rom_crypto_start(&rom_crypto, &crypto);
    const struct boot_keys keys = {factory.key, factory.keys};
    const struct boot_env env = {
        .flash = &board_flash,
        .layout = &board_layout,
        .crypto = &crypto,
        .keys = &keys,
        .device_type = factory.device_type,
        .hw_revision = factory.hw_revision,
        .trial_boots = factory.trial_boots,
        .faulty_boots = factory.faulty_boots,
        .watchdog_s = factory.watchdog_s,
    };
    struct boot_outcome outcome;
    int error = boot_run(&env, reset, &outcome);
    if (error || outcome.slot == BOOT_SLOT_NONE) {
        rom_report_no_boot(error, &outcome);
        return;
    }
    tell_application(&outcome);
    load(&env, &outcome);
    rom_report_boot(&outcome, reset);
    board_watchdog_start(outcome.watchdog_s * 1000);
    jump();
}

int main(void)
{
    board_time_start();
    board_console_start();
    uint32_t straps = board_straps();
    enum boot_reset reset = rom_wake(straps);
    rom_report_start(reset, straps);
    board_nor_start();
    if (!read_factory()) {
        rom_report_stay("no factory block");
        stay();
    }
    board_log_device(factory.device_id);
    if (straps & BOARD_STRAP_STAY)
        rom_report_stay("strap");
    else
        boot(reset);
    stay();
}
