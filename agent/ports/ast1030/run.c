/*
 * The firmware's life: from the bootloader's jump to the next reset. The loop sleeps until the
 * line's receiver or the nearest of its times wakes it. It kicks the watchdog itself, so that a
 * loop that hangs is noticed, and not before a trial is confirmed.
 */
#include "device.h"

enum { KEEP_EVERY_MS = 1000, TELL_EVERY_MS = 60000, TELL_FIRST_MS = 2000 };

static struct fw_device fw;

static void take_mailbox(struct fw_device *device)
{
    const volatile struct board_mailbox *mailbox = board_mailbox();
    device->boot = (struct agent_boot){
        .slot = (int)mailbox->slot,
        .trial = mailbox->trial != 0,
        .reset = (enum boot_reset)mailbox->reset,
        .cause = (enum boot_cause)mailbox->cause,
    };
    device->trial = device->boot.trial;
}

static void count_fault(struct fw_device *device)
{
    struct fw_keep keep;
    fw_keep_read(&keep);
    keep.faults +=
        device->boot.reset == BOOT_RESET_WATCHDOG || device->boot.reset == BOOT_RESET_HARD_FAULT;
    device->faults = keep.faults;
    fw_keep_write(&keep);
}

/* The version in the slot that runs: the image does not know by itself what its header says. */
static void read_version(struct fw_device *device)
{
    static struct boot_image image;
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    device->site.version = "";
    if (!board_nor_read(NULL, board_layout.slot_addr[device->boot.slot], header, sizeof header) &&
        !boot_image_decode(&image, header))
        device->site.version = image.version;
}

static void start(struct fw_device *device)
{
    take_mailbox(device);
    count_fault(device);
    fw_clock_guess(device);
    read_version(device);
    FW_LOG(device, "info", "firmware", FW_TEXT("version", device->site.version),
           FW_NUMBER("boots", board_mailbox()->boots), FW_NUMBER("up_us", board_us()));
    device->app->start(&device->site);
    fw_tell(device);
    device->told_mono = fw_mono_ms() + TELL_FIRST_MS;
    fw_core_start(device);
    fw_line_start(device);
    fw_keep_now(device);
}

static struct fw_life life_of(const struct fw_device *device)
{
    uint64_t now = fw_mono_ms();
    return (struct fw_life){
        .up_ms = (uint32_t)(now - device->started_mono),
        .trial = device->trial,
        .settled_ms = device->trial ? 0 : (uint32_t)(now - device->settled_mono),
        .fault_free_ms = device->factory.fault_free_ms,
    };
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void sleep(struct fw_device *device, uint32_t wait_ms)
{
    uint64_t before_us = board_us();
    if (!wait_ms)
        return;
    board_idle(board_ms() + wait_ms);
    device->idle_us += board_us() - before_us;
}

/* Once a second: what a reset would lose. */
static void housekeeping(struct fw_device *device)
{
    uint64_t now = fw_mono_ms();
    if (now >= device->keep_mono) {
        device->keep_mono = now + KEEP_EVERY_MS;
        fw_keep_now(device);
    }
    if (now >= device->told_mono) {
        device->told_mono = now + TELL_EVERY_MS;
        fw_tell(device);
    }
}

static uint32_t turn(struct fw_device *device)
{
    struct fw_life life = life_of(device);
    uint32_t wait_ms = device->app->run(&life);
    fw_core_time(device);
    fw_telemetry_due(device);
    bool more = fw_line_serve(device);
    housekeeping(device);
    if (!device->trial)
        board_watchdog_kick();
    if (more)
        return 0;
    wait_ms = least(wait_ms, KEEP_EVERY_MS);
    wait_ms = least(wait_ms, fw_core_wait_ms(device));
    wait_ms = least(wait_ms, fw_telemetry_wait_ms(device));
    return least(wait_ms, fw_line_wait_ms(device));
}

_Noreturn void fw_run(const struct fw_app *app)
{
    struct fw_device *device = &fw;
    device->app = app;
    fw_memory_paint();
    board_time_start();
    board_nor_start();
    board_console_start();
    if (!fw_settings(device)) {
        board_console_put("no factory block: nothing can be done here\n");
        for (;;)
            board_idle(board_ms() + KEEP_EVERY_MS);
    }
    start(device);
    for (;;)
        sleep(device, turn(device));
}
