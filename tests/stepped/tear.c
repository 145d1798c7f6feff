/* A cut operation leaves in the file what the simulator leaves in its cells. */
#include "sim/stepped.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECTOR = 4096, PAGE = 256, SECTORS = 4, BYTES = SECTORS * SECTOR, CALL = 3 * PAGE };

struct bench {
    struct boot_layout layout;
    struct sim_flash_base base;
    struct sim_flash_timing timing;
    int64_t now_us;
    struct sim_flash flash, twin;
    int fd;
    uint8_t data[CALL];
};

/* A flash and a file that hold the same: half programmed sectors. */
static void setup(struct bench *bench, uint64_t seed)
{
    static uint8_t content[BYTES];
    struct sim_rng rng;
    sim_rng_init(&rng, seed, 0, SIM_RNG_IMAGE, 0);
    memset(bench, 0, sizeof *bench);
    memset(content, 0xFF, sizeof content);
    for (uint32_t i = 0; i < BYTES; i++)
        if (i % SECTOR < SECTOR / 2)
            content[i] = (uint8_t)sim_rng_u32(&rng);
    for (uint32_t i = 0; i < CALL; i++)
        bench->data[i] = (uint8_t)sim_rng_u32(&rng);
    cr_assert_eq(sim_flash_base_init(&bench->base, BYTES, SECTOR, PAGE), 0);
    cr_assert_eq(sim_flash_base_put(&bench->base, 0, content, BYTES), 0);
    cr_assert_eq(
        sim_flash_init(&bench->flash, &bench->base, NULL, &bench->timing, &bench->now_us, seed, 7),
        0);
    cr_assert_eq(sim_flash_clone(&bench->twin, &bench->flash), 0);
    bench->fd = memfd_create("flash", MFD_CLOEXEC);
    cr_assert_eq(write(bench->fd, content, BYTES), (ssize_t)BYTES);
}

static void teardown(struct bench *bench)
{
    close(bench->fd);
    sim_flash_free(&bench->flash);
    sim_flash_free(&bench->twin);
    sim_flash_base_free(&bench->base);
}

static struct sim_flash_call call_of(const struct bench *bench, enum sim_flash_op_kind kind)
{
    if (kind == SIM_FLASH_ERASE)
        return (struct sim_flash_call){kind, SECTOR, SECTOR, 1, NULL};
    return (struct sim_flash_call){kind, SECTOR + SECTOR / 2, CALL, 3, bench->data};
}

/* Byte for byte, but for bits that the twin holds unstably: those may read either way. */
static void same_as_twin(struct bench *bench, const char *what)
{
    uint8_t file[BYTES], low[BYTES], high[BYTES], cells[BYTES];
    cr_assert_eq(pread(bench->fd, file, BYTES, 0), (ssize_t)BYTES);
    sim_flash_peek(&bench->twin, 0, low, BYTES, 0);
    sim_flash_peek(&bench->twin, 0, high, BYTES, 1);
    sim_flash_peek(&bench->flash, 0, cells, BYTES, 1);
    cr_assert_not(sim_flash_has_unstable(&bench->flash, 0, BYTES), "%s", what);
    cr_assert_arr_eq(file, cells, BYTES, "%s: the flash is what its file is", what);
    for (uint32_t i = 0; i < BYTES; i++)
        cr_assert((file[i] & low[i]) == low[i] && (file[i] | high[i]) == high[i], "%s, byte %u",
                  what, i);
}

static uint32_t tear_once(enum scn_torn form, enum sim_flash_op_kind kind, uint32_t unit,
                          uint64_t seed)
{
    struct bench bench;
    struct sim_rng reading;
    char what[64];
    setup(&bench, seed);
    const struct sim_flash_call call = call_of(&bench, kind);
    const struct sim_flash_cut cut = {.unit = unit, .form = form};
    sim_rng_init(&reading, seed, 7, SIM_RNG_UNSTABLE, 0);
    sim_flash_apply(&bench.twin, &call, &cut);
    uint32_t open = (uint32_t)sim_flash_has_unstable(&bench.twin, 0, BYTES);
    cr_assert_eq(sim_stepped_tear(&bench.flash, bench.fd, &call, &cut, &reading), 0);
    snprintf(what, sizeof what, "%s of kind %d, unit %u, seed %llu", scn_torn_name((int)form),
             (int)kind, unit, (unsigned long long)seed);
    same_as_twin(&bench, what);
    teardown(&bench);
    return open;
}

Test(stepped_tear, leaves_in_the_file_what_apply_leaves_in_the_cells)
{
    uint32_t unstable = 0;
    for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            uint32_t open = tear_once((enum scn_torn)form, SIM_FLASH_ERASE, 0, seed);
            for (uint32_t unit = 0; unit < 3; unit++)
                open += tear_once((enum scn_torn)form, SIM_FLASH_PROGRAM, unit, seed);
            cr_assert(form == SCN_TORN_UNSTABLE ? open == 4 : open == 0);
            unstable += open;
        }
    cr_assert_eq(unstable, 20);
}

Test(stepped_tear, a_whole_call_is_a_call_without_a_cut)
{
    struct bench bench;
    struct sim_rng reading;
    setup(&bench, 3);
    const struct sim_flash_call call = call_of(&bench, SIM_FLASH_PROGRAM);
    sim_rng_init(&reading, 3, 7, SIM_RNG_UNSTABLE, 0);
    sim_flash_apply(&bench.twin, &call, NULL);
    cr_assert_eq(sim_stepped_tear(&bench.flash, bench.fd, &call, NULL, &reading), 0);
    same_as_twin(&bench, "whole");
    teardown(&bench);
}

Test(stepped_tear, a_file_that_cannot_be_written_is_an_error)
{
    struct bench bench;
    struct sim_rng reading;
    setup(&bench, 4);
    const struct sim_flash_call call = call_of(&bench, SIM_FLASH_ERASE);
    sim_rng_init(&reading, 4, 7, SIM_RNG_UNSTABLE, 0);
    cr_assert_eq(sim_stepped_tear(&bench.flash, -1, &call, NULL, &reading), -1);
    teardown(&bench);
}

Test(stepped_tear, load_takes_whole_sectors_and_says_how_many_differ)
{
    struct bench bench;
    uint8_t sector[SECTOR], back[SECTOR];
    setup(&bench, 5);
    memset(sector, 0xFF, sizeof sector);
    sector[9] = 0x5A;
    cr_assert_eq(sim_flash_load(&bench.flash, 2 * SECTOR, sector, SECTOR), 1);
    cr_assert_eq(sim_flash_load(&bench.flash, 2 * SECTOR, sector, SECTOR), 0);
    sim_flash_peek(&bench.flash, 2 * SECTOR, back, SECTOR, 1);
    cr_assert_arr_eq(back, sector, SECTOR);
    teardown(&bench);
}
