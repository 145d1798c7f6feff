/* Each reset is told apart, and a trial that ends in a fault is over. */
#include "bench.h"
#include "sim/firmware.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

static void setup(void)
{
    bench_init(&bench);
}

static void teardown(void)
{
    bench_free(&bench);
}

TestSuite(board_resets, .init = setup, .fini = teardown);

static void install(int slot, const char *payload, uint32_t number)
{
    struct bench_image image;
    bench_image(&image, payload, 0);
    bench_install(&bench, slot, &image, 0, number);
    bench_image_free(&image);
}

static void start_trial_of(const char *payload)
{
    install(BOOT_SLOT_A, "idle", 1);
    bench_config(&bench);
    if (payload)
        install(BOOT_SLOT_B, payload, 0);
    bench_trial(&bench);
}

Test(board_resets, a_hard_fault_ends_a_trial)
{
    start_trial_of("hard_fault");
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=boot slot=B trial=yes trial_left=2 reset=\"power on\""));
    cr_assert(bench_wait(&bench, "event=rom reset=\"hard fault\" boots=2"));
    cr_assert(bench_wait(&bench, "fault_status=0x"));
    uint32_t pc = bench_number(&bench, "fault_pc=");
    cr_expect(pc > BOARD_APP_ADDR && pc < BOARD_APP_ADDR + 8192, "pc %x", pc);
    cr_expect_neq(bench_number(&bench, "fault_status="), 0);
    cr_assert(bench_wait(&bench, "event=boot slot=A trial=no"));
    cr_assert(bench_wait(&bench, "last_end=hard_fault cause=\"hard fault in a trial\""));
    cr_assert(bench_wait(&bench, "event=payload slot=0 trial=0 reset=4 cause=3 boots=2"));
}

Test(board_resets, the_watchdog_ends_a_trial_that_hangs)
{
    bench.factory.watchdog_s = 1;
    bench_factory(&bench);
    start_trial_of("idle");
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=boot slot=B trial=yes"));
    int64_t begun_us = bench_now_us();
    cr_assert(bench_wait(&bench, "event=rom reset=watchdog boots=2"));
    cr_expect_geq(bench_now_us() - begun_us, 950000);
    cr_assert(bench_wait(&bench, "event=boot slot=A trial=no"));
    cr_assert(bench_wait(&bench, "last_end=watchdog cause=\"watchdog reset in a trial\""));
}

Test(board_resets, a_software_reset_uses_up_a_trial_boot_and_is_told)
{
    start_trial_of("software");
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=boot slot=B trial=yes trial_left=2 reset=\"power on\""));
    cr_assert(bench_wait(&bench, "event=boot slot=B trial=yes trial_left=1"));
    cr_assert(bench_wait(&bench, "reset=\"software reset\" last_end=software cause="));
    cr_assert(bench_wait(&bench, "event=payload slot=1 trial=1 reset=2"));
}

Test(board_resets, the_reset_pin_is_told_by_its_latch)
{
    install(BOOT_SLOT_A, "idle", 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    bench_command(&bench, "stop", NULL);
    bench_command(&bench, "system_reset", NULL);
    bench_strap(&bench, 1, true);
    bench_command(&bench, "cont", NULL);
    cr_assert(bench_wait(&bench, "event=rom reset=\"reset pin\" boots=2 straps=2"));
    cr_assert(bench_wait(&bench, "event=payload slot=0 trial=0 reset=1"));
}

Test(board_resets, power_cycles_in_a_trial_use_it_up)
{
    start_trial_of("idle");
    for (int left = 2; left >= 0; left--) {
        char expected[80];
        snprintf(expected, sizeof expected, "event=boot slot=B trial=yes trial_left=%d", left);
        bench_on(&bench);
        cr_assert(bench_wait(&bench, expected));
        bench_off(&bench);
    }
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=boot slot=A trial=no"));
}

/* Signed bytes that are no program: jumping there would lock the core up. */
Test(board_resets, an_image_without_a_vector_table_is_a_fault_of_its_trial)
{
    struct bench_image image;
    install(BOOT_SLOT_A, "idle", 1);
    bench_config(&bench);
    bench_image(&image, "idle", 0);
    memset(image.bytes + BOOT_IMAGE_HEADER_BYTES, 0xA5, 8);
    bench_install(&bench, BOOT_SLOT_B, &image, 0, 0);
    bench_image_free(&image);
    bench_trial(&bench);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=image_refused slot=B why=\"no vector table\""));
    cr_assert(bench_wait(&bench, "event=boot slot=A trial=no"));
    cr_assert(bench_wait(&bench, "cause=\"hard fault in a trial\""));
}

Test(board_resets, the_strap_keeps_it_in_the_bootloader)
{
    install(BOOT_SLOT_A, "idle", 1);
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=payload"));
    bench_command(&bench, "stop", NULL);
    bench_command(&bench, "system_reset", NULL);
    bench_strap(&bench, 0, true);
    bench_command(&bench, "cont", NULL);
    cr_assert(bench_wait(&bench, "event=stay why=strap"));
    cr_expect_not(bench_says(&bench, "event=", 300));
    int64_t before_us = bench_cpu_us(&bench);
    cr_expect_not(bench_says(&bench, "event=", 1000));
    cr_expect_lt(bench_cpu_us(&bench) - before_us, 200000);
}

Test(board_resets, a_broken_factory_block_boots_nothing)
{
    install(BOOT_SLOT_A, "idle", 1);
    bench.nor[BOARD_FACTORY_ADDR + 300] ^= 1; /* in a trusted key */
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=stay why=\"no factory block\""));
    cr_expect_not(bench_says(&bench, "event=", 300));
}

Test(board_resets, an_empty_board_says_so_and_waits)
{
    bench_on(&bench);
    cr_assert(bench_wait(&bench, "event=no_boot error=BOOT_OK slot_a="));
    int64_t before_us = bench_cpu_us(&bench);
    cr_expect_not(bench_says(&bench, "event=", 1000));
    cr_expect_lt(bench_cpu_us(&bench) - before_us, 200000);
}
