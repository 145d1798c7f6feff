/*
 * Stepping: a write watchpoint on the probe's word `begun`. The core stops before the store, so
 * that nothing of the operation is done yet; everything before it is in the flash file, because
 * QEMU drains its block layer when it stops, and answers only then.
 *
 *   hit -> read the probe -> read the bytes -> `stands` ... go_on: watch off, step, watch on, run
 */
#include "board_internal.h"
#include <stddef.h>
#include <string.h>

enum { PROBE_BYTES = sizeof(struct board_probe), KIND_PROGRAM = 1, KIND_ERASE = 2 };
enum { MAILBOX_BYTES = offsetof(struct board_mailbox, slot) };
_Static_assert((int)MAILBOX_BYTES <= (int)RIG_GDB_WRITE_MAX, "one packet");
_Static_assert(PROBE_BYTES == 24, "six words");

static void watch(struct rig_board *board, bool set)
{
    rig_gdb_watch(board->gdb, BOARD_PROBE_ADDR + (uint32_t)offsetof(struct board_probe, begun), 4,
                  set);
    board->watched = set;
}

void bb_step_begin(struct rig_board *board)
{
    board->step = BB_RUNS;
    if (!board->watched)
        watch(board, true);
    rig_gdb_continue(board->gdb);
    rig_gdb_flush(board->gdb);
}

static void put_word(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

/* The start of the mailbox: magic, no note, watchdog_armed. */
void bb_step_begin_as_watchdog(struct rig_board *board)
{
    uint8_t box[MAILBOX_BYTES] = {0};
    put_word(box + offsetof(struct board_mailbox, magic), BOARD_MAILBOX_MAGIC);
    put_word(box + offsetof(struct board_mailbox, watchdog_armed), 1);
    rig_gdb_write(board->gdb, BOARD_MAILBOX_ADDR, box, sizeof box);
    board->as_watchdog = false;
    bb_step_begin(board);
}

static void step_over(struct rig_board *board)
{
    board->step = BB_STEPS;
    watch(board, false);
    rig_gdb_step(board->gdb);
    rig_gdb_flush(board->gdb);
}

static void stepped_over(struct rig_board *board)
{
    board->step = BB_RUNS;
    board->begins = false;
    watch(board, true);
    if (!board->reset_wanted)
        rig_gdb_continue(board->gdb);
    rig_gdb_flush(board->gdb);
    if (board->reset_wanted)
        bb_pull(board);
}

void bb_remember(struct rig_board *board, const struct rig_op *op)
{
    board->any = true;
    board->last = *op;
    if (op->data && op->len <= sizeof board->last_data)
        memmove(board->last_data, op->data, op->len);
    board->last.data = op->data && op->len <= sizeof board->last_data ? board->last_data : NULL;
}

static void stand(struct rig_board *board, const uint8_t *data)
{
    unsigned life = board->life;
    bb_wires_work(board); /* what it said, and what the bus saw, before this */
    if (board->life != life || board->going)
        return;
    if (board->reset_wanted) {
        bb_pull(board);
        return;
    }
    struct rig_op op = {.number = ++board->number,
                        .erase = board->probe.kind == KIND_ERASE,
                        .addr = board->probe.addr,
                        .len = board->probe.len,
                        .data = data};
    board->step = BB_STANDS;
    board->begins = true;
    board->begun_then = board->probe.begun;
    board->facts.stops++;
    board->last_ended = false;
    bb_remember(board, &op);
    op = board->last;
    if (board->config.events.stands)
        board->config.events.stands(board->config.ctx, &op);
    else
        step_over(board);
}

static void got_data(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)len;
    stand(ctx, bytes);
}

static uint32_t word(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The guest's words: not trusted. */
static bool plausible(const struct board_probe *probe)
{
    bool program = probe->kind == KIND_PROGRAM && probe->len <= BOARD_NOR_PAGE &&
                   probe->addr % BOARD_NOR_PAGE + probe->len <= BOARD_NOR_PAGE;
    bool erase = probe->kind == KIND_ERASE && probe->len == BOARD_NOR_SECTOR &&
                 probe->addr % BOARD_NOR_SECTOR == 0;
    return (program || erase) && probe->len && probe->addr <= BOARD_NOR_BYTES - probe->len;
}

static void got_probe(void *ctx, const uint8_t *bytes, size_t len)
{
    struct rig_board *board = ctx;
    if (!bytes || len != PROBE_BYTES) {
        bb_lost(board, "gdb: the probe can't be read", false);
        return;
    }
    const struct board_probe *was =
        &(struct board_probe){word(bytes),      word(bytes + 4),  word(bytes + 8),
                              word(bytes + 12), word(bytes + 16), word(bytes + 20)};
    board->probe = *was;
    if (!plausible(was)) {
        board->facts.bad_probes++; /* a store there which is no operation */
        step_over(board);
        return;
    }
    if (was->kind == KIND_ERASE || was->data > BOARD_SRAM_BYTES - was->len) {
        stand(board, NULL);
        return;
    }
    rig_gdb_read(board->gdb, was->data, was->len, got_data, board);
    rig_gdb_flush(board->gdb);
}

void bb_step_stopped(void *ctx, const struct rig_gdb_stop *stop)
{
    struct rig_board *board = ctx;
    if (board->going || board->reviving)
        return;
    if (stop->signal == RIG_GDB_ALARM) {
        bb_revive(board, RIG_RESET_WATCHDOG);
    } else if (stop->signal == RIG_GDB_TRAP && stop->watch && board->step == BB_RUNS) {
        board->step = BB_LOOKS;
        rig_gdb_read(board->gdb, BOARD_PROBE_ADDR, PROBE_BYTES, got_probe, board);
        rig_gdb_flush(board->gdb);
    } else if (stop->signal == RIG_GDB_TRAP && board->step == BB_STEPS) {
        stepped_over(board);
    }
}

void rig_board_go_on(struct rig_board *board)
{
    if (board->step == BB_STANDS && board->gdb && !board->going && !board->reviving)
        step_over(board);
}
