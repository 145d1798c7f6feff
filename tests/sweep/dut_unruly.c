/*
 * A device that does what would end or hang its host, where UNRULY in the environment says so when
 * it is loaded: "boot-null" does it in boot(), "run-loop" in run(). It boots slot A and updates
 * nothing, so a sweep finds more than that only where it is unruly.
 */
#include "sim/dut.h"

#include <stdlib.h>
#include <string.h>

enum { RAM_BYTES = 64, PAGE_MAX = 4096 };

static char unruly[32];

__attribute__((constructor)) static void choose(void)
{
    const char *name = getenv("UNRULY");
    strncpy(unruly, name ? name : "", sizeof unruly - 1);
}

#ifdef UNRULY_EXITS
__attribute__((used)) static void give_up(void)
{
    _Exit(0);
}
#endif
#ifdef UNRULY_THREAD_LOCAL
_Thread_local int boots = 1;
#endif

/* A frame after the other, until the stack is full; `deeper` hides that from the compiler. */
static int dig(volatile char *above);
static int (*volatile deeper)(volatile char *) = dig;
static int dig(volatile char *above)
{
    volatile char here[512];
    here[0] = here[511] = above ? *above : 0;
    return deeper(here) + here[0];
}

/* As in libc, and meant to be this one. */
int rand(void)
{
    return -7;
}

static void act(const char *where, void *ram)
{
    static volatile int *volatile nowhere;
    static volatile uint32_t turns;
    size_t len = strlen(where);
    if (strncmp(unruly, where, len) != 0 || unruly[len] != '-')
        return;
    const char *what = unruly + len + 1;
    if (!strcmp(what, "null"))
        *nowhere = 1;
    if (!strcmp(what, "abort"))
        abort();
    if (!strcmp(what, "ram"))
        for (size_t i = 0; i <= RAM_BYTES; i++)
            ((volatile uint8_t *)ram)[i] = 0;
    if (!strcmp(what, "names") && rand() != -7)
        abort();
    if (!strcmp(what, "deep"))
        dig(NULL);
    while (!strcmp(what, "loop"))
        turns++;
}

static int factory(void *ram, const struct dut_port *port, const struct dut_image *image)
{
    const struct dut_layout *layout = &port->unit->layout;
    static uint8_t page[PAGE_MAX];
    act("factory", ram);
    for (uint32_t at = 0, len; at < image->len; at += len) {
        len = image->len - at < layout->page_bytes ? image->len - at : layout->page_bytes;
        memset(page, 0xFF, sizeof page);
        memcpy(page, image->bytes + at, len);
        if (port->program(port->ctx, layout->slot_addr[0] + at, page, layout->page_bytes))
            return -1;
    }
    return 0;
}

static void boot(void *ram, const struct dut_port *port, enum dut_reset reset, struct dut_boot *out)
{
    (void)reset;
    act("boot", ram);
    memset(out, 0, sizeof *out);
    out->boots = true;
    out->image_addr = port->unit->layout.slot_addr[0];
}

static enum dut_run run(void *ram, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *booted)
{
    (void)port, (void)reset, (void)booted;
    act("run", ram);
    return DUT_RUN_IDLE;
}

static uint32_t ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max)
{
    (void)max;
    act("ranges", NULL);
    out[0] = (struct dut_range){unit->layout.config_addr, unit->layout.config_bytes, 0};
    return 1;
}

static uint32_t canonical(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max)
{
    (void)view, (void)part, (void)max;
    act("canonical", ram);
    *out = 0;
    return 1;
}

static const struct dut device = {
    .abi = DUT_ABI,
    .name = "unruly",
    .ram_bytes = RAM_BYTES,
    .variants = 1,
    .factory = factory,
    .boot = boot,
    .run = run,
    .ranges = ranges,
    .canonical = canonical,
};

const struct dut *dut_device(void)
{
    return &device;
}
