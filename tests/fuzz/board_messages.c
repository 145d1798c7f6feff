/*
 * Whatever a gateway says to the firmware: the port's own code over a flash in memory, its channel
 * and this end of it. Input: messages, each kind u8, milliseconds u8 (times 64), len u16, bytes. A
 * message that the channel does not carry is left out; reboot ends the run.
 */
#include "board/map.h"
#include "boot/trailer.h"
#include "device.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WIRE = 1 << 16, MAILBOX_PAGE = 4096 };

static uint8_t nor[BOARD_NOR_BYTES];
static uint64_t now_us;
static struct fw_keep kept;
static jmp_buf rebooted;
static struct {
    uint8_t bytes[WIRE];
    size_t len;
} to_board;
static struct link_channel peer;
static struct fw_device device;

/* ---- The board ---- */

uint64_t board_us(void)
{
    return now_us;
}
int board_nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx;
    if (addr > sizeof nor || len > sizeof nor - addr)
        return -1;
    memcpy(out, nor + addr, len);
    return 0;
}
static int program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    (void)ctx;
    /* Slot A runs: only its trailer may be programmed. */
    if (addr % BOARD_NOR_PAGE || len % BOARD_NOR_PAGE || addr + len > BOARD_NOR_BYTES ||
        addr < BOARD_CONFIG_ADDR || addr + len > BOARD_DATA_ADDR + BOARD_JOURNAL_BYTES ||
        (addr >= BOARD_SLOT_A_ADDR && addr < BOARD_SLOT_B_ADDR - BOARD_NOR_SECTOR))
        abort();
    for (uint32_t i = 0; i < len; i++)
        nor[addr + i] &= ((const uint8_t *)data)[i];
    return 0;
}
static int erase(void *ctx, uint32_t addr)
{
    (void)ctx;
    if (addr % BOARD_NOR_SECTOR || addr < BOARD_CONFIG_ADDR ||
        addr >= BOARD_DATA_ADDR + BOARD_JOURNAL_BYTES ||
        (addr >= BOARD_SLOT_A_ADDR && addr < BOARD_SLOT_B_ADDR))
        abort();
    memset(nor + addr, 0xFF, BOARD_NOR_SECTOR);
    return 0;
}
const struct boot_flash board_flash = {NULL, board_nor_read, program, erase};
/* What is on one line, until its end. */
static struct {
    char text[4096];
    size_t len;
} console;
void board_console_put(const char *text)
{
    for (; *text; text++) {
        if (console.len == sizeof console.text || ((uint8_t)*text < ' ' && *text != '\n'))
            abort();
        console.text[console.len++] = *text;
        if (*text != '\n')
            continue;
        /* A line is a line, whatever a server said. */
        if (memcmp(console.text, "time=", 5) != 0)
            abort();
        console.len = 0;
    }
}
void board_printf(const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    board_console_put(text);
}
void board_link_start(void)
{
}
size_t board_link_read(void *out, size_t max)
{
    size_t len = to_board.len < max ? to_board.len : max;
    memcpy(out, to_board.bytes, len);
    memmove(to_board.bytes, to_board.bytes + len, to_board.len -= len);
    return len;
}
size_t board_link_write(const void *bytes, size_t len)
{
    link_input(&peer, bytes, len, (uint32_t)(now_us / 1000));
    return len;
}
uint32_t board_link_overruns(void)
{
    return 0;
}
void board_watchdog_kick(void)
{
}
void board_reset(enum board_note note)
{
    (void)note;
    longjmp(rebooted, 1);
}
void fw_keep_read(struct fw_keep *out)
{
    *out = kept;
}
void fw_keep_write(const struct fw_keep *keep)
{
    kept = *keep;
}
uint32_t fw_memory_bytes(void)
{
    return 65536;
}

/* ---- An application ---- */

static bool yes(void)
{
    return true;
}
static void measure(struct agent_text *json)
{
    agent_text_put(json, ",\"flow_ml_s\":1");
}
static uint32_t energy_mw(uint32_t cpu)
{
    return cpu;
}
static const struct fw_app app = {.built_ms = 1773309600000,
                                  .drivers = yes,
                                  .configure = yes,
                                  .measure = measure,
                                  .energy_mw = energy_mw,
                                  .wants_mqtt = true,
                                  .sends_telemetry = true};

static void make_flash(void)
{
    struct board_factory factory = {.device_id = "pump-0001",
                                    .device_type = "pump_monitor_v2",
                                    .hw_revision = "Rev-B",
                                    .trial_boots = 3,
                                    .faulty_boots = 5,
                                    .watchdog_s = 120,
                                    .mqtt_within_ms = 30000,
                                    .fault_free_ms = 60000,
                                    .retry_first_ms = 60000,
                                    .retry_max_ms = 600000,
                                    .telemetry_every_ms = 60000,
                                    .keys = 1,
                                    .key = {{.cert_id = "rel", .public_key = {4}}}};
    struct boot_image image = {.image_bytes = 4096,
                               .security_counter = 1,
                               .version = "2.3.1",
                               .device_type = "pump_monitor_v2",
                               .min_hw_revision = "Rev-A"};
    struct boot_config config = {.rollback_on_fail = 1, .security_counter = 1};
    struct boot_trailer trailer = {
        .signed_image = true, .image_bytes = 4096, .signature_bytes = 8, .cert_id = "rel"};
    memset(nor, 0xFF, sizeof nor);
    if (board_factory_encode(nor, &factory) || boot_image_encode(nor + BOARD_SLOT_A_ADDR, &image) ||
        boot_trailer_write(&board_flash, &board_layout, BOOT_SLOT_A, &trailer) ||
        boot_trailer_mark(&board_flash, &board_layout, BOOT_SLOT_A, 1) ||
        boot_config_write(&board_flash, &board_layout, &config))
        abort();
}

/* ---- The gateway ---- */

static void pass(uint32_t ms)
{
    struct link_delivery delivery;
    size_t len;
    now_us += (uint64_t)ms * 1000;
    for (int turn = 0; turn < 4; turn++) {
        while (to_board.len < WIRE / 2 &&
               (len = link_output(&peer, to_board.bytes + to_board.len, WIRE / 2,
                                  (uint32_t)(now_us / 1000))) > 0)
            to_board.len += len;
        while (fw_line_serve(&device))
            ;
        fw_core_time(&device);
        fw_telemetry_due(&device);
        fw_line_serve(&device);
        while (link_next(&peer, &delivery) != LINK_EV_NONE)
            ;
        now_us += 1000;
    }
}

static void start(void)
{
    static bool mapped;
    const struct link_config config = {77, 200, 5000};
    if (!mapped && mmap((void *)BOARD_MAILBOX_ADDR, MAILBOX_PAGE, PROT_READ | PROT_WRITE,
                        MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        abort();
    mapped = true;
    make_flash();
    now_us = to_board.len = console.len = 0;
    kept = (struct fw_keep){0};
    memset(&device, 0, sizeof device);
    device.app = &app;
    if (!fw_settings(&device))
        abort();
    fw_clock_guess(&device);
    fw_core_start(&device);
    fw_line_start(&device);
    link_init(&peer, &config, 0);
    for (int i = 0; i < 8 && !link_is_up(&peer); i++)
        pass(50);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (setjmp(rebooted))
        return 0;
    start();
    if (!link_is_up(&peer))
        abort();
    for (volatile size_t at = 0; at + 4 <= size;) {
        uint8_t kind = data[at];
        uint32_t ms = data[at + 1] * 64u, len = data[at + 2] | (uint32_t)data[at + 3] << 8;
        at += 4;
        if (len > size - at)
            len = (uint32_t)(size - at);
        if (len <= LINK_MESSAGE_MAX)
            link_send(&peer, kind, data + at, len);
        at += len;
        pass(ms);
    }
    return 0;
}
