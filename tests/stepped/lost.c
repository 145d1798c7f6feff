/* A body that stands still before each operation, and whose power went in a way that proves
 * nothing: what carried it did not write all that the body had seen as done. */
#include "board.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 256 };

static bool loses; /* as its power goes */
static struct sim_body_op op;
static uint8_t page[PAGE];
static uint8_t *file;

static void off(struct sim_body *body)
{
    (void)body;
    if (loses)
        st_lost(&dev, "its pages are lost");
}

static void go_on(struct sim_body *body)
{
    (void)body;
}

static bool last_op(struct sim_body *body, struct sim_body_op *out)
{
    (void)body;
    *out = op;
    return op.number != 0;
}

static const struct sim_body_kind stepping = {.name = "board",
                                              .what = "board",
                                              .waits = true,
                                              .off = off,
                                              .go_on = go_on,
                                              .last_op = last_op};

static void open_stepping(void)
{
    board_open_cuts();
    st.kind = &stepping;
    dev.flash_fd = memfd_create("flash", MFD_CLOEXEC);
    cr_assert_eq(write(dev.flash_fd, part, st.flash_bytes), (ssize_t)st.flash_bytes);
    file = mmap(NULL, st.flash_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev.flash_fd, 0);
    dev.file = file;
    dev.booting = false; /* the scenario's cuts are for boots; these are our own */
    loses = false;
}

static void close_stepping(void)
{
    munmap(file, st.flash_bytes);
    close(dev.flash_fd);
    board_close();
}

TestSuite(stepped_lost, .init = open_stepping, .fini = close_stepping);

/* A page of its journal: it stood before it, went on, and ended it if `ended`. In the file: only
 * if `there`. */
static void programs(uint32_t number, bool ended, bool there)
{
    memset(page, 0x5A, sizeof page);
    uint32_t addr = world.layout.data_addr + (number - 1) * PAGE;
    op = (struct sim_body_op){
        .number = number,
        .in_progress = true,
        .call = {.kind = SIM_FLASH_PROGRAM, .addr = addr, .len = PAGE, .data = page}};
    st_stands(&dev);
    cr_assert(dev.op.open && dev.op.resumed);
    op.in_progress = !ended;
    if (there)
        memcpy(file + addr, page, PAGE);
}

static uint64_t torn(void)
{
    uint64_t sum = 0;
    for (int form = 0; form < SCN_TORNS; form++)
        sum += st.counts.forms[form];
    return sum;
}

static void cut(void)
{
    st_cut(&dev, &dev.faults.fault[0], NULL);
}

Test(stepped_lost, a_page_that_was_done_and_is_not_there_breaks_a_promise)
{
    programs(1, true, false);
    cut();
    cr_assert_eq(dev.seen.broken[REP_PROMISE_FLASH_DISCIPLINE], 1);
    cr_assert_eq(dev.seen.cuts, 1);
}

Test(stepped_lost, a_power_off_that_lost_it_is_not_held_against_the_device)
{
    loses = true;
    programs(1, true, false);
    cut();
    cr_assert(strstr(st.lost, "its pages are lost"), "%s", st.lost);
    cr_assert_eq(broken(), 0);
    cr_assert_eq(dev.power, ST_OFF);
    cr_assert_eq(dev.seen.cuts, 0, "it counts for nothing");
}

Test(stepped_lost, what_was_in_progress_is_torn_only_where_the_rest_is_known)
{
    programs(1, false, true);
    cut();
    cr_assert_eq(torn(), 1);
    cr_assert_eq(broken(), 0);
}

Test(stepped_lost, what_was_in_progress_is_left_alone_where_it_is_not)
{
    loses = true;
    programs(1, false, true);
    cut();
    cr_assert_eq(torn(), 0);
    cr_assert_eq(memcmp(file + op.call.addr, page, PAGE), 0);
}

/* The powers that are ordered after the run. */
Test(stepped_lost, a_power_off_at_the_end_that_lost_pages_is_not_held_against_it_either)
{
    for (int i = 0; i < 2; i++) {
        loses = i;
        programs(1, true, false);
        st_devices.inspect(&st, 0, false);
        cr_assert_eq(dev.seen.broken[REP_PROMISE_FLASH_DISCIPLINE], !loses);
        cr_assert_eq(st.lost[0] != '\0', loses);
        close_stepping();
        open_stepping();
    }
}

Test(stepped_lost, an_end_after_it_is_none_of_the_device)
{
    loses = true;
    programs(1, true, false);
    st_off(&dev);
    st_ended(&dev, "in the bootloader, which boots nothing", false, true);
    cr_assert_eq(broken(), 0);
    cr_assert_eq(dev.seen.dead_boots, 0);
}

/* ---- Asked to end, and does not ---- */

static void ask_to_end(struct sim_body *body)
{
    (void)body;
    if (loses)
        st_lost(&dev, "somebody else killed it");
}

static void end_all_by_asking(void)
{
    struct sim_body_kind asking = stepping;
    asking.ask_to_end = ask_to_end;
    st.kind = &asking;
    st_end_all(&st);
    st.kind = &stepping;
}

Test(stepped_lost, who_does_not_end_breaks_convergence)
{
    end_all_by_asking();
    cr_assert_eq(dev.seen.broken[REP_PROMISE_CONVERGENCE], 1);
}

Test(stepped_lost, who_was_killed_by_others_while_it_ended_breaks_nothing)
{
    loses = true;
    end_all_by_asking();
    cr_assert(strstr(st.lost, "somebody else"), "%s", st.lost);
    cr_assert_eq(broken(), 0);
}
