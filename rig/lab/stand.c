/* The lab as a stand of the sweep: power, reset and orders of each session, and the look behind it.
 */
#include "lab.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *refuses(void *ctx, const struct dut_unit *unit)
{
    const struct rig_lab *lab = ctx;
    const struct rig_lab_machine *machine = lab->machine;
    const struct dut_layout *layout = &unit->layout;
    if (layout->flash_bytes <= machine->flash_bytes &&
        layout->sector_bytes == machine->sector_bytes && layout->page_bytes == machine->page_bytes)
        return NULL;
    return "the board's flash is another; accepted: 1MiB or less, sector 4KiB, page 256, as "
           "scenarios/sweep-board.yaml has it";
}

static void begin(void *ctx, const struct sim_stand_session *session)
{
    struct rig_lab *lab = ctx;
    lab->session = session;
}

static void leave_failed(struct rig_lab *lab, const char *what)
{
    const struct sim_stand_session *session = lab->session;
    lab->session = NULL;
    session->fails(session->sweep, what);
}

/* The board's flash holds what the simulator's holds now. */
static void start_cold(struct rig_lab *lab)
{
    char what[LAB_WHAT];
    lab_power_off(lab);
    lab_flash_load(lab, lab->session->flash);
    if (lab_power_on(lab, what, sizeof what))
        leave_failed(lab, what);
}

/*
 * After a cut the board is switched off and on with what the cut left. A device that came to rest,
 * or reset, has its flash as it is: it starts by a reset, also where the story cycles its power,
 * for nothing of it lives on but flash (the program fills RAM before each order). What damage has
 * done to the simulator's flash while the device was off has to be brought over, too.
 */
static void start(struct rig_lab *lab)
{
    char what[LAB_WHAT];
    const struct lab_range none = {0, 0};
    if (!lab->on || lab->was_cut || !lab_flash_holds(lab, lab->session->flash, none))
        start_cold(lab);
    else if (lab_reset(lab, what, sizeof what))
        leave_failed(lab, what);
}

static void order_unit(struct rig_lab *lab)
{
    int32_t result;
    lab_begin(&lab->out, LAB_DO_UNIT);
    lab_put_unit(&lab->out, lab->port->unit);
    (void)lab_order(lab, &result);
    if (result)
        leave_failed(lab, "the board does not understand its unit");
}

/* Bits become unstable in a cut alone, so never within a session. */
static void begin_order(struct rig_lab *lab, uint8_t kind)
{
    const struct sim_flash *flash = lab->session->flash;
    lab_begin(&lab->out, kind);
    lab_put8(&lab->out, !sim_flash_has_unstable(flash, 0, flash->base->bytes));
}

static int factory(void *ctx, const struct dut_port *port, const struct dut_image *image)
{
    struct rig_lab *lab = ctx;
    int32_t result;
    lab->port = port;
    start_cold(lab);
    order_unit(lab);
    if (image->len > lab->machine->flash_bytes)
        leave_failed(lab, "an image that is larger than the flash");
    memcpy(lab->buffer, image->bytes, image->len);
    lab->buffered = image->len;
    begin_order(lab, LAB_DO_FACTORY);
    lab_put_image(&lab->out, image);
    (void)lab_order(lab, &result);
    return result;
}

static void boot(void *ctx, const struct dut_port *port, enum dut_reset reset, struct dut_boot *out)
{
    struct rig_lab *lab = ctx;
    int32_t result;
    lab->port = port;
    start(lab);
    order_unit(lab);
    begin_order(lab, LAB_DO_BOOT);
    lab_put8(&lab->out, (uint32_t)reset);
    struct lab_reader in = lab_order(lab, &result);
    lab_get_boot(&in, out);
    if (!lab_read_all(&in))
        leave_failed(lab, "the board's bootloader gives no whole answer");
}

static enum dut_run run(void *ctx, const struct dut_port *port, enum dut_reset reset,
                        const struct dut_boot *from)
{
    struct rig_lab *lab = ctx;
    int32_t result;
    lab->port = port;
    if (!lab->at_rest)
        leave_failed(lab, "an image is to run on a board that has not booted it");
    begin_order(lab, LAB_DO_RUN);
    lab_put8(&lab->out, (uint32_t)reset);
    lab_put_boot(&lab->out, from);
    (void)lab_order(lab, &result);
    if (result != DUT_RUN_IDLE && result != DUT_RUN_RESET)
        leave_failed(lab, "the board's image ends in a way that is none");
    return (enum dut_run)result;
}

/* A cut leaves the call that it hit half done in the simulator and not begun on the board, which
 * has the sectors of it brought over at its next start. Everything else has to be equal. */
static enum sim_stand_finding end(void *ctx, bool cut, char *what, size_t len)
{
    struct rig_lab *lab = ctx;
    struct lab_range without = lab->touching;
    bool equal = true;
    lab->was_cut = cut && lab->touching.len;
    if (!cut)
        without = (struct lab_range){0, 0};
    if (lab->on) {
        lab->counts.sessions += lab->session->number != 0;
        equal = lab_flash_equal(lab, lab->session->flash, without, what, len);
    }
    lab->found |= !equal;
    lab->session = NULL;
    lab->port = NULL;
    return equal ? SIM_STAND_EQUAL : SIM_STAND_DIFFERS;
}

int rig_lab_create(struct rig_lab **out, const struct rig_lab_machine *machine)
{
    struct rig_lab *lab = calloc(1, sizeof *lab);
    *out = lab;
    if (!lab)
        return -1;
    lab->machine = machine;
    lab->stand = (struct sim_stand){.ctx = lab,
                                    .refuses = refuses,
                                    .begin = begin,
                                    .factory = factory,
                                    .boot = boot,
                                    .run = run,
                                    .end = end};
    lab->buffer = calloc(1, machine->flash_bytes);
    lab->basket = calloc(1, machine->flash_bytes);
    lab->was = calloc(1, machine->flash_bytes);
    if (lab->buffer && lab->basket && lab->was)
        return 0;
    rig_lab_free(lab);
    *out = NULL;
    return -1;
}

void rig_lab_free(struct rig_lab *lab)
{
    if (!lab)
        return;
    lab_power_off(lab);
    free(lab->buffer);
    free(lab->basket);
    free(lab->was);
    free(lab);
}

const struct rig_lab_counts *rig_lab_counts(const struct rig_lab *lab)
{
    return &lab->counts;
}

const struct sim_stand *rig_lab_stand(const struct rig_lab *lab)
{
    return &lab->stand;
}
