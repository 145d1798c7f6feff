/*
 * Soundness of the canonical form by trial: an update is cut at each of its operations in each
 * form, and the recovery from each different state once more. Whenever two states look the same and
 * are not, both are run on, undisturbed and with a further cut at the same operation, and must do
 * the same operations at the same places (of either config sector, of either bank), boot and tell
 * the same, and look the same in the end. Not with bad sectors: the sweep merges no states then.
 */
#include "host.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Of the pairs one in PAIRS_OF is run on; 1 takes minutes. */
#ifndef PAIRS_OF
#define PAIRS_OF 1
#endif
enum { CANON_MAX = 8192, STATES_MAX = 20000, FURTHER_CUTS = 3 };

static struct host host;
static struct host_image v1, v2;

/* All that a device and its service are between two power sessions. */
struct state {
    uint32_t bytes; /* of the canonical form */
    uint8_t form[CANON_MAX];
    struct dut_range scratch; /* len 0: none */
    uint8_t flash[HOST_FLASH_MAX];
    bool rollback, offered;
    bool spent; /* no operation is left to be cut: the story is over */
};

struct found {
    uint32_t count, pairs;
    struct state *state[STATES_MAX];
};

static void take(struct state *out)
{
    out->bytes = host_canonical(&host, out->form, sizeof out->form);
    cr_assert_gt(out->bytes, 0);
    if (!host_scratch(&host, &out->scratch, 1))
        out->scratch = (struct dut_range){0, 0, 0};
    memcpy(out->flash, host.flash, sizeof out->flash);
    out->rollback = host.rollback;
    out->offered = host.offered != NULL;
}

static void put_back(const struct state *state)
{
    memcpy(host.flash, state->flash, sizeof host.flash);
    host.rollback = state->rollback;
    host.offered = state->offered ? &v2 : NULL;
    host.now_ms = 1774008000000;
    host.reports = 0;
    host.writes = 0;
    host.cut_at = UINT32_MAX;
    host.trace = 0xcbf29ce484222325u;
}

/* What is in scratch says nothing, not even whether it is blank: a torn erase leaves a sector blank
 * or not by what was there before. */
static bool same_sector(const struct state *a, const struct state *b, uint32_t sector)
{
    return sector - a->scratch.addr < a->scratch.len ||
           !memcmp(a->flash + sector, b->flash + sector, HOST_SECTOR);
}

/* The same outside of what the canonical form stands for. */
static bool same_elsewhere(const struct state *a, const struct state *b)
{
    struct dut_range range[4];
    uint32_t ranges = host.dut->ranges(&host.unit, range, 4);
    for (uint32_t at = 0; at < host.unit.layout.flash_bytes; at += HOST_SECTOR) {
        bool inside = false;
        for (uint32_t i = 0; i < ranges; i++)
            inside |= at - range[i].addr < range[i].len;
        if (!inside && !same_sector(a, b, at))
            return false;
    }
    return !memcmp(&a->scratch, &b->scratch, sizeof a->scratch) && a->rollback == b->rollback &&
           a->offered == b->offered;
}

static bool looks_same(const struct state *a, const struct state *b)
{
    return a->bytes == b->bytes && !memcmp(a->form, b->form, a->bytes) && same_elsewhere(a, b);
}

/* Runs on, with a cut in the write `at` (UINT32_MAX: none). */
static void run_to_cut(const struct state *from, uint32_t at, enum host_torn torn,
                       struct state *out)
{
    put_back(from);
    host.cut_at = at;
    host.torn = torn;
    enum host_end end = host_run(&host);
    cr_assert(at == UINT32_MAX || end == HOST_CUT || host.writes <= at);
    take(out);
    out->spent = end != HOST_CUT;
}

/* The same, and on to the end; the trace of it all. */
static uint64_t run_on(const struct state *from, uint32_t at, enum host_torn torn,
                       struct state *out)
{
    run_to_cut(from, at, torn, out);
    if (!out->spent)
        host_run(&host);
    take(out);
    return host.trace;
}

static void compare(const struct state *a, const struct state *b, uint32_t at, enum host_torn torn)
{
    static struct state end_a, end_b;
    uint64_t trace_a = run_on(a, at, torn, &end_a), trace_b = run_on(b, at, torn, &end_b);
    cr_assert_eq(trace_a, trace_b, "cut at %d: another way", (int)at);
    cr_assert(looks_same(&end_a, &end_b), "cut at %d: another end", (int)at);
}

static void have_one_future(const struct state *a, const struct state *b, uint32_t lot)
{
    compare(a, b, UINT32_MAX, HOST_TORN_DONE);
    for (uint32_t i = 0; i < FURTHER_CUTS; i++) {
        uint32_t at = (lot * 31 + i * 17) % 40;
        enum host_torn torn = (enum host_torn)((lot + i) % HOST_TORNS);
        compare(a, b, at, torn);
    }
}

/* A new state is kept; one that looks like another must have its future. */
static void add(struct found *found, const struct state *state)
{
    for (uint32_t i = 0; i < found->count; i++) {
        if (!looks_same(found->state[i], state))
            continue;
        if (memcmp(found->state[i]->flash, state->flash, sizeof state->flash)) {
            if (found->pairs++ % PAIRS_OF == 0)
                have_one_future(found->state[i], state, found->pairs);
        }
        return;
    }
    cr_assert_lt(found->count, STATES_MAX);
    found->state[found->count] = malloc(sizeof *state);
    *found->state[found->count++] = *state;
}

/* Each `stride`-th write from here, in each form. */
static void cut_all(struct found *found, const struct state *from, uint32_t stride)
{
    static struct state after;
    for (uint32_t at = 0, cut = 0;; at++, cut++) {
        enum host_torn torn = (enum host_torn)(cut % HOST_TORNS);
        run_to_cut(from, at / HOST_TORNS * stride, torn, &after);
        if (after.spent)
            return;
        add(found, &after);
    }
}

static void explore(uint32_t stride)
{
    static struct found found;
    static struct state start;
    memset(&found, 0, sizeof found);
    take(&start);
    add(&found, &start);
    cut_all(&found, &start, 1);
    uint32_t first = found.count;
    for (uint32_t i = 1; i < first; i++)
        cut_all(&found, found.state[i], stride);
    cr_log_info("%u states after one cut, %u after two; %u pairs", first, found.count, found.pairs);
    cr_assert_gt(found.pairs, first / 8, "too few to tell anything");
    for (uint32_t i = 0; i < found.count; i++)
        free(found.state[i]);
}

static void set_up(uint32_t variant, uint32_t page_bytes)
{
    host_init(&host, variant, page_bytes);
    host_image(&host, &v1, "1.9.0", 9000, HOST_KEY_GOOD);
    host_image(&host, &v2, "1.10.0", 9000, HOST_KEY_GOOD);
    host_factory(&host, &v1);
    host_run(&host);
}

static void tear_down(void)
{
    host_image_free(&v1);
    host_image_free(&v2);
    host_free(&host);
}

TestSuite(dut_futures, .fini = tear_down);

/* What is done to the device, in geometries where marks and journal run out soon, or not. */
enum { PAGE_SMALL = 256, PAGE_LARGE = 1024 };

static void update(uint32_t page, bool good)
{
    set_up(page == PAGE_SMALL, page);
    if (!good)
        strcpy(host.bad_version, "1.10.0");
    host.fails[DUT_CHECK_DRIVERS] = true;
    host.offered = &v2;
    explore(page == PAGE_SMALL ? 23 : 11);
}

Test(dut_futures, of_a_good_update)
{
    update(PAGE_LARGE, true);
}

Test(dut_futures, of_a_good_update_of_many_pages)
{
    update(PAGE_SMALL, true);
}

Test(dut_futures, of_an_update_that_fails)
{
    update(PAGE_LARGE, false);
}

Test(dut_futures, of_a_rollback_by_order)
{
    set_up(0, PAGE_LARGE);
    host_update(&host, &v2);
    host.rollback = true;
    explore(5);
}
