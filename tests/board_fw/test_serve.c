/* The port's turn at the OTA line, on the host: a gateway that never stops, and a board whose time
 * passes by what it does. */
#include "device.h"
#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>

static struct fw_device device;
static struct link_channel gateway;
static uint64_t now_us;
static uint32_t line_us; /* a line of the log takes so long */
static uint32_t lines, said;
static bool junk; /* the line never ends, and is no frame */

static const struct fw_app app = {.built_ms = 1773309600000};

/* ---- The board ---- */

uint64_t board_us(void)
{
    return now_us;
}

/* Each a step of the clock, which the log tells. */
static bool say_time(void)
{
    uint8_t bytes[16];
    const struct link_message time = {.kind = LINK_TIME,
                                      .utc_ms = app.built_ms + (int64_t)++said * 10000};
    return link_send(&gateway, LINK_TIME, bytes, link_encode(bytes, sizeof bytes, &time));
}

size_t board_link_read(void *out, size_t max)
{
    if (junk) {
        now_us += max * 4; /* 250,000 a second */
        memset(out, 0x55, max);
        return max;
    }
    /* What it sent is acknowledged at once, and there is always more. */
    struct link_delivery got;
    while (link_next(&gateway, &got))
        continue;
    while (say_time())
        continue;
    return link_output(&gateway, out, max, (uint32_t)(now_us / 1000));
}

size_t board_link_write(const void *bytes, size_t len)
{
    link_input(&gateway, bytes, len, (uint32_t)(now_us / 1000));
    return len;
}

void board_console_put(const char *text)
{
    if (!strchr(text, '\n'))
        return;
    lines++;
    now_us += line_us;
}

void board_printf(const char *format, ...)
{
    (void)format;
}

static int no_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx, (void)addr, (void)out, (void)len;
    return -1;
}

int board_nor_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    return no_read(ctx, addr, out, len);
}

const struct boot_flash board_flash = {.read = no_read};

void board_link_start(void)
{
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
    cr_assert_fail("nothing here resets");
    __builtin_unreachable();
}

void fw_keep_read(struct fw_keep *out)
{
    *out = (struct fw_keep){0};
}

void fw_keep_write(const struct fw_keep *keep)
{
    (void)keep;
}

uint32_t fw_memory_bytes(void)
{
    return 0;
}

/* ---- Turns ---- */

static void begin(void)
{
    memset(&device, 0, sizeof device);
    now_us = 1000000;
    line_us = lines = said = 0;
    junk = false;
    device.app = &app;
    strcpy(device.factory.device_id, "pump-0001");
    fw_line_start(&device);
    link_init(&gateway, &(struct link_config){.session = 7}, 1000);
    for (int i = 0; i < 50 && !link_is_up(&device.channel); i++, now_us += 1000)
        fw_line_serve(&device);
    cr_assert(link_is_up(&device.channel));
}

TestSuite(board_serve, .init = begin, .timeout = 20);

Test(board_serve, gateway_that_never_stops_gets_four_messages_a_turn)
{
    for (int turn = 0; turn < 100; turn++) {
        uint32_t before = lines;
        cr_assert(fw_line_serve(&device), "more waits");
        cr_assert_leq(lines - before, 4, "turn %d: %u", turn, lines - before);
    }
    cr_assert_gt(lines, 100, "it is served");
}

Test(board_serve, message_that_takes_long_is_the_turn_s_last)
{
    line_us = 56000; /* as a sector of a download */
    for (int turn = 0; turn < 20; turn++) {
        uint32_t before = lines;
        cr_assert(fw_line_serve(&device));
        cr_assert_leq(lines - before, 1, "turn %d: %u", turn, lines - before);
    }
    cr_assert_gt(lines, 10);
}

Test(board_serve, line_that_is_never_silent_ends_a_turn)
{
    junk = true;
    uint64_t from_us = now_us;
    cr_assert(fw_line_serve(&device));
    cr_assert_leq(now_us - from_us, 40000, "a ring of 8 KiB takes 33 ms");
}
