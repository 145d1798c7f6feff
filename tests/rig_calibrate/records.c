/* An emulator's record of the last cut. */
#include "kit.h"
#include "rig/emulated.h"
#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(rig_records, .init = kit_open, .fini = kit_close);

static bool read_cut(int64_t *at_us, int64_t after_us, const char *console)
{
    const struct rig_emulated emulated = {.there = true};
    const struct rig_bench_board board = {.name = "a", .console = {.path = kit_path(console)}};
    return rig_emulated_cut(at_us, &emulated, &board, after_us);
}

Test(rig_records, the_last_whole_line_counts)
{
    int64_t at_us = 0;
    cr_assert(!read_cut(&at_us, 0, "b.console"), "no file");
    kit_write("b.cuts", "");
    cr_assert(!read_cut(&at_us, 0, "b.console"));
    kit_write("b.cuts", "{\"n\":1,\"at_us\":500}\n{\"n\":2,\"at_us\":900,\"due_us\":1}\n");
    cr_assert(read_cut(&at_us, 899, "b.console"));
    cr_assert_eq(at_us, 900);
    cr_assert(!read_cut(&at_us, 900, "b.console"), "that was an earlier one");
    kit_write("b.cuts", "{\"n\":1,\"at_us\":500}\n{\"n\":2,\"at_us\":9");
    cr_assert(read_cut(&at_us, 0, "b.console"));
    cr_assert_eq(at_us, 500, "the second is being written");
}

Test(rig_records, a_long_file_is_read_from_its_end)
{
    int64_t at_us = 0;
    FILE *file = fopen(kit_path("b.cuts"), "w");
    for (int i = 1; i <= 2000; i++)
        fprintf(file, "{\"n\":%d,\"at_us\":%d,\"kind\":null,\"strays\":0}\n", i, i * 10);
    fclose(file);
    cr_assert(read_cut(&at_us, 19999, "b.console"));
    cr_assert_eq(at_us, 20000);
}

Test(rig_records, what_is_no_record_tells_nothing)
{
    static const char *const text[] = {
        "\n", "nonsense\n", "[]\n", "{\"at_us\":\"900\"}\n", "{\"at_us\":900.5}\n", "{}\n"};
    int64_t at_us;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        kit_write("b.cuts", text[i]);
        cr_assert(!read_cut(&at_us, 0, "b.console"), "row %zu", i);
    }
    kit_write("b.cuts", "{\"at_us\":900}\n");
    cr_assert(!read_cut(&at_us, 0, "b.tty"), "a console of another kind");
    cr_assert(!read_cut(&at_us, 0, ".console"));
}
