/*
 * One flash operation after the other: the body stands still before each and says which one, and it
 * goes on after the time that the part takes (the ground's, or its firmware's own). So what is torn
 * is exact: the file is untouched while the body stands.
 */
#include "stepped_internal.h"
#include <string.h>

/* When it is not seen to stand: has the operation ended? A body that waits itself is held back by
 * nobody, and nothing hangs on it. */
static const int64_t LOOK_AGAIN_US = 5000, LOOK_AGAIN_WAITS_US = 100000;

enum scn_region st_region(const struct st_device *dev, uint32_t addr)
{
    return sim_fault_region(&dev->st->yard.world->layout, dev->seen.running_slot, addr);
}

static bool last_op(struct st_device *dev, struct sim_body_op *op)
{
    return dev->st->kind->last_op(dev->body, op);
}

static int64_t takes_us(const struct st_device *dev, const struct sim_flash_call *call)
{
    const struct sim_flash_timing *timing = &dev->st->yard.world->timing;
    if (dev->st->kind->waits)
        return 0;
    return st_own_us(dev->st, call->kind == SIM_FLASH_ERASE
                                  ? timing->erase_us
                                  : (int64_t)timing->program_us * call->units);
}

/* False: no flash could do this, and nobody can tell what it would leave. */
static bool is_possible(const struct st_device *dev, const struct sim_flash_call *call)
{
    const struct sim_flash_base *base = dev->flash.base;
    bool erase = call->kind == SIM_FLASH_ERASE;
    uint32_t unit = erase ? base->sector_bytes : base->page_bytes;
    return call->addr % unit == 0 && call->len % unit == 0 && call->len &&
           call->addr <= base->bytes && call->len <= base->bytes - call->addr &&
           (erase ? call->len == unit : call->len <= ST_OP_DATA_MAX && call->data);
}

static void begin(struct st_device *dev, const struct sim_body_op *op)
{
    bool erase = op->call.kind == SIM_FLASH_ERASE;
    dev->op.open = true;
    dev->op.resumed = false;
    dev->op.number = op->number;
    dev->op.call = op->call;
    dev->op.call.units = erase ? 1 : op->call.len / dev->flash.base->page_bytes;
    dev->op.call.data = erase ? NULL : dev->op.bytes;
    if (!erase)
        memcpy(dev->op.bytes, op->call.data, op->call.len);
    dev->op.seen_us = st_now_us(dev->st);
    dev->op.takes_us = takes_us(dev, &dev->op.call);
    dev->st->counts.operations++;
    st_witness_call(dev, &dev->op.call);
}

static void finish(struct st_device *dev)
{
    sim_flash_apply(&dev->flash, &dev->op.call, NULL);
    dev->op.open = false;
    st_witness_done(dev, &dev->op.call);
}

static void finish_if_ended(struct st_device *dev, const struct sim_body_op *op)
{
    if (dev->op.open && (op->number > dev->op.number || !op->in_progress))
        finish(dev);
}

void st_settle(struct st_device *dev)
{
    struct sim_body_op op;
    if (!dev->st->kind->free && dev->op.open && last_op(dev, &op))
        finish_if_ended(dev, &op);
}

void st_catch_up(struct st_device *dev)
{
    struct sim_body_op op;
    if (!last_op(dev, &op))
        return;
    finish_if_ended(dev, &op);
    if (!op.in_progress || op.number <= dev->op.number)
        return;
    if (is_possible(dev, &op.call))
        begin(dev, &op);
    else
        st_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "an operation at 0x%06x that no flash can do",
                 op.call.addr);
}

void st_take_file(struct st_device *dev)
{
    const struct sim_flash_call *call = &dev->op.call;
    uint32_t size = dev->flash.base->sector_bytes, from = call->addr - call->addr % size;
    uint32_t len = (call->addr + call->len - from + size - 1) / size * size;
    dev->op.open = false;
    sim_flash_load(&dev->flash, from, dev->file + from, len);
}

void st_compare(struct st_device *dev)
{
    if (dev->st->lost[0])
        return;
    uint32_t other = sim_flash_load(&dev->flash, 0, dev->file, dev->st->flash_bytes);
    dev->compare_owed = false;
    if (other)
        st_break(dev, REP_PROMISE_FLASH_DISCIPLINE,
                 "%u sectors of its file hold what no operation left there", other);
}

static void aim(struct st_device *dev)
{
    struct sim_flash_cut cut;
    struct sim_fault *fault =
        dev->st->started && !dev->st->ended
            ? sim_fault_flash(&dev->faults, st_during(dev), st_region(dev, dev->op.call.addr),
                              &dev->op.call, &cut)
            : NULL;
    if (fault)
        st_cut(dev, fault, &cut);
    else if (dev->st->ended || dev->st->kind->waits)
        st_resume(dev);
    else
        st_after(dev, ST_TIMER_RESUME, dev->op.seen_us + dev->op.takes_us);
}

void st_stands(void *ctx)
{
    struct st_device *dev = ctx;
    uint64_t before = dev->op.number;
    if (dev->power != ST_ON)
        return;
    st_catch_up(dev);
    if (!dev->op.open || dev->op.number == before) { /* no operation: somebody else stopped it */
        dev->st->kind->go_on(dev->body);
        return;
    }
    if (dev->compare_owed)
        st_compare(dev);
    aim(dev);
}

static int64_t look_again_us(const struct sim_stepped *st)
{
    return st_own_us(st, st->kind->waits ? LOOK_AGAIN_WAITS_US : LOOK_AGAIN_US);
}

void st_resume(struct st_device *dev)
{
    st_after(dev, ST_TIMER_RESUME, SIM_NEVER);
    if (dev->power != ST_ON || !dev->op.open)
        return;
    if (dev->op.resumed) /* no further one has come: has it ended? */
        st_settle(dev);
    if (dev->op.open)
        st_after(dev, ST_TIMER_RESUME, st_now_us(dev->st) + look_again_us(dev->st));
    if (dev->op.resumed)
        return;
    dev->op.resumed = true;
    if (dev->booting) /* the application starts after this at the earliest */
        dev->seen.app_start_us = st_now_us(dev->st);
    dev->st->kind->go_on(dev->body);
}
