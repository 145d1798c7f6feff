/* A sound image boots; what the hardware layer promises is true of it. */
#include "bench.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct bench bench;

static void setup(void)
{
    bench_init(&bench);
}

static void teardown(void)
{
    bench_free(&bench);
}

TestSuite(board_boot, .init = setup, .fini = teardown);

static void install(int slot, const char *payload, uint32_t bytes, uint32_t number)
{
    struct bench_image image;
    bench_image(&image, payload, bytes);
    bench_install(&bench, slot, &image, 0, number);
    bench_image_free(&image);
}

Test(board_boot, an_image_boots_and_is_told_why)
{
    install(BOOT_SLOT_A, "idle", 0, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "level=info event=rom reset=\"power on\" boots=1"));
    int64_t first_us = bench_now_us() - bench.started_us;
    cr_assert(bench_wait(&bench, "device=pump-7 event=boot slot=A trial=no trial_left=0 "
                                 "reset=\"power on\" last_end=running"));
    cr_assert(bench_wait(&bench, "config=rebuilt watchdog_s=30 boots=1"));
    cr_assert(bench_wait(&bench, "event=payload slot=0 trial=0 reset=0"));
    cr_expect(bench_wait(&bench, "armed=1"));
    cr_log_info("exec to first line %ld us, to the application %ld us\n", (long)first_us,
                (long)(bench_now_us() - bench.started_us));
}

static void measure(uint32_t bytes)
{
    install(BOOT_SLOT_A, "idle", bytes, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    cr_assert(bench_wait(&bench, "fault_status"));
    uint32_t verify_us = bench_number(&bench, "verify_us=");
    uint32_t copy_us = bench_number(&bench, "copy_us=");
    cr_log_info("%u KiB: verified in %u us, copied and held against it in %u us\n",
                (unsigned)bytes / 1024, verify_us, copy_us);
    cr_expect(verify_us > 1000 && verify_us < 60000000 && copy_us > 100 && copy_us < 60000000);
}

Test(board_boot, verification_of_64_kib_is_timed)
{
    measure(64 << 10);
}

Test(board_boot, verification_of_256_kib_is_timed)
{
    measure(256 << 10);
}

Test(board_boot, the_largest_image_boots)
{
    install(BOOT_SLOT_A, "idle", BOARD_SLOT_BYTES - BOARD_NOR_SECTOR, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload slot=0"));
}

Test(board_boot, the_config_is_kept_over_power_cycles)
{
    install(BOOT_SLOT_A, "idle", 0, 1);
    for (int i = 0; i < 3; i++) {
        bench_on(&bench);
        cr_assert(bench_wait(&bench, i ? "config=read" : "config=rebuilt"));
        cr_assert(bench_wait(&bench, "event=payload slot=0 trial=0 reset=0 cause="));
        cr_expect_eq(bench_number(&bench, "cause="), i ? BOOT_CAUSE_NONE : BOOT_CAUSE_CONFIG_LOST);
        bench_off(&bench);
    }
}

Test(board_boot, flash_operations_take_the_data_sheets_times_and_keep_the_bounds)
{
    const uint32_t addr = BOARD_DATA_ADDR + BOARD_DATA_BYTES - BOARD_NOR_SECTOR;
    install(BOOT_SLOT_A, "flash", 0, 1);
    bench_config(&bench);
    memset(bench.nor + addr, 0x55, BOARD_NOR_SECTOR);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=flash"));
    cr_assert(bench_wait(&bench, " open=0"));
    cr_expect_geq(bench_number(&bench, "erase_us="), 45000);
    cr_expect_geq(bench_number(&bench, "page_us="), 700);
    cr_expect_eq(bench_number(&bench, "errors="), 0);
    cr_expect_eq(bench_number(&bench, "refused="), 1);
    bench_off(&bench);
    uint8_t expected[BOARD_NOR_SECTOR];
    memset(expected, 0xFF, sizeof expected);
    memset(expected + BOARD_NOR_PAGE, 0, BOARD_NOR_PAGE);
    memcpy(expected + BOARD_NOR_PAGE, "\x12\x34\x56", 3);
    cr_expect(!memcmp(bench.nor + addr, expected, sizeof expected));
}

Test(board_boot, the_line_carries_every_byte_both_ways)
{
    enum { BYTES = 64 << 10, AT_ONCE = 2048 };
    static uint8_t out[BYTES], in[BYTES];
    install(BOOT_SLOT_A, "echo", 0, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    cr_assert(bench_wait(&bench, "fault_status"));
    for (size_t i = 0; i < BYTES; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    size_t got = 0;
    for (size_t put = 0; put < BYTES; put += AT_ONCE) { /* less than the ring is under way */
        cr_assert(write(bench.line, out + put, AT_ONCE) == AT_ONCE);
        struct pollfd ready = {.fd = bench.line, .events = POLLIN};
        while (got < put + AT_ONCE) {
            cr_assert(poll(&ready, 1, BENCH_WAIT_MS) > 0, "%zu bytes came back", got);
            ssize_t more = read(bench.line, in + got, sizeof in - got);
            cr_assert(more > 0);
            got += (size_t)more;
        }
    }
    cr_expect(!memcmp(in, out, BYTES));
}

Test(board_boot, waiting_costs_no_processor)
{
    install(BOOT_SLOT_A, "idle", 0, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    cr_assert(bench_wait(&bench, "fault_status"));
    int64_t before_us = bench_cpu_us(&bench);
    cr_expect_not(bench_says(&bench, "event=", 2000));
    int64_t used_us = bench_cpu_us(&bench) - before_us;
    cr_log_info("2 s of waiting used %ld us of the host's processor\n", (long)used_us);
    cr_expect_lt(used_us, 400000);
}

Test(board_boot, a_kicked_watchdog_does_not_bite)
{
    bench.factory.watchdog_s = 5; /* longer than the host holds QEMU up */
    bench_factory(&bench);
    install(BOOT_SLOT_A, "kick", 0, 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    cr_expect_not(bench_says(&bench, "event=rom", 7000));
}
