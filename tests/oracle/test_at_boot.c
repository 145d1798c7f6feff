/* What a bootloader may do in a slot before it jumps. */
#include "world.h"
#include <criterion/criterion.h>
#include <string.h>

enum verdict { MAY, WRITES, CONFIRMS };
enum place { CONFIG, IMAGE, LAST_OF_IMAGE, BODY, MARK, LAST_MARK };

static struct world world;
static struct sim_flash flash;

static void open_all(void)
{
    world_open(&world, 0);
    world_flash(&world, &flash);
}

static void close_all(void)
{
    sim_flash_free(&flash);
    world_close(&world);
}

TestSuite(oracle_at_boot, .init = open_all, .fini = close_all);

static uint32_t addr_of(int slot, enum place place)
{
    const struct boot_layout *layout = &world.layout;
    uint32_t trailer = boot_layout_trailer(layout, slot);
    return place == CONFIG          ? layout->config_addr
           : place == IMAGE         ? layout->slot_addr[slot]
           : place == LAST_OF_IMAGE ? trailer - layout->page_bytes
           : place == BODY          ? trailer + BOOT_TRAILER_BODY_BYTES - layout->page_bytes
           : place == MARK          ? trailer + BOOT_TRAILER_BODY_BYTES
                                    : trailer + layout->sector_bytes - layout->page_bytes;
}

static enum verdict judge(enum sim_flash_op_kind kind, uint32_t addr, uint32_t pages)
{
    static const uint8_t data[64];
    bool erase = kind == SIM_FLASH_ERASE, confirms;
    struct sim_flash_call call = {.kind = kind,
                                  .addr = addr,
                                  .len = erase ? world.layout.sector_bytes
                                               : pages * world.layout.page_bytes,
                                  .units = pages,
                                  .data = erase ? NULL : data};
    const char *what = sim_oracle_at_boot(world.oracle, &flash, &call, &confirms);
    cr_assert(what || !confirms);
    return !what ? MAY : confirms ? CONFIRMS : WRITES;
}

/* Slot A is confirmed, slot B erased. */
Test(oracle_at_boot, it_marks_a_confirmed_slot_and_does_nothing_else)
{
    static const struct {
        int slot;
        enum place place;
        enum sim_flash_op_kind kind;
        uint32_t pages;
        enum verdict expect;
    } rows[] = {
        {0, CONFIG, SIM_FLASH_ERASE, 1, MAY},
        {0, CONFIG, SIM_FLASH_PROGRAM, 1, MAY},
        {0, MARK, SIM_FLASH_PROGRAM, 1, MAY},
        {0, LAST_MARK, SIM_FLASH_PROGRAM, 1, MAY},
        {1, MARK, SIM_FLASH_PROGRAM, 1, CONFIRMS},
        {1, LAST_MARK, SIM_FLASH_PROGRAM, 1, CONFIRMS},
        {0, IMAGE, SIM_FLASH_PROGRAM, 1, WRITES},
        {1, IMAGE, SIM_FLASH_PROGRAM, 1, WRITES},
        {0, IMAGE, SIM_FLASH_ERASE, 1, WRITES},
        {1, IMAGE, SIM_FLASH_ERASE, 1, WRITES},
        {0, LAST_OF_IMAGE, SIM_FLASH_PROGRAM, 2, WRITES},
        {0, BODY, SIM_FLASH_PROGRAM, 1, WRITES},
        {0, BODY, SIM_FLASH_PROGRAM, 2, WRITES},
        {0, LAST_MARK, SIM_FLASH_PROGRAM, 2, WRITES}, /* and what comes behind the slot */
        {0, BODY, SIM_FLASH_ERASE, 1, WRITES},
        {1, BODY, SIM_FLASH_ERASE, 1, WRITES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(judge(rows[i].kind, addr_of(rows[i].slot, rows[i].place), rows[i].pages),
                     rows[i].expect, "row %zu", i);
}

/* Slot B's first mark page, in two sessions: so much of the mark stands, and the rest is torn. */
static void tear_mark(const uint8_t mark[BOOT_MARK_BYTES], uint32_t stands)
{
    struct sim_flash_call call = {.kind = SIM_FLASH_PROGRAM,
                                  .addr = addr_of(1, MARK),
                                  .len = BOOT_MARK_BYTES,
                                  .units = 1,
                                  .data = mark};
    if (stands)
        sim_flash_apply(&flash, &call,
                        &(struct sim_flash_cut){.form = SCN_TORN_PREFIX, .tear = stands});
    sim_flash_apply(&flash, &call, &(struct sim_flash_cut){.form = SCN_TORN_UNSTABLE});
    cr_assert(sim_flash_has_unstable(&flash, call.addr, call.len));
}

/* The agent's confirmation was cut; the bootloader, which read it right, finishes it. */
Test(oracle_at_boot, a_torn_mark_may_have_read_right)
{
    for (uint32_t stands = 0; stands < BOOT_MARK_BYTES; stands++) {
        uint8_t mark[BOOT_MARK_BYTES] = {'B', 'Y', 'M', '1', 9, 0, 0, 0, BOOT_MARK_CONFIRMED};
        world_seal(mark, sizeof mark);
        tear_mark(mark, stands);
        cr_expect_eq(judge(SIM_FLASH_PROGRAM, addr_of(1, MARK), 1), MAY, "%u", stands);
        close_all();
        open_all();
    }
}

Test(oracle_at_boot, torn_bits_that_never_read_as_a_mark_confirm_nothing)
{
    uint8_t other_kind[BOOT_MARK_BYTES] = {'B', 'Y', 'M', '1', 9, 0, 0, 0, BOOT_MARK_CONFIRMED + 1};
    uint8_t other_magic[BOOT_MARK_BYTES] = {'B', 'Y', 'D', '1', 9, 0, 0, 0, BOOT_MARK_CONFIRMED};
    tear_mark(other_kind, 12);
    cr_expect_eq(judge(SIM_FLASH_PROGRAM, addr_of(1, MARK), 1), CONFIRMS);
    close_all();
    open_all();
    tear_mark(other_magic, 4);
    cr_expect_eq(judge(SIM_FLASH_PROGRAM, addr_of(1, MARK), 1), CONFIRMS);
}
