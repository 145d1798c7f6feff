/*
 * One flash operation after the other: the daemon stops itself before each, its record says which
 * one, and it goes on after the time that the part takes. So what is torn is exact: the file is
 * untouched while the daemon stands still.
 */
#include "process_internal.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int64_t LOOK_AGAIN_US = 5000;

enum scn_region pw_region(const struct pw_device *dev, uint32_t addr)
{
    const struct boot_layout *layout = &dev->pw->world->layout;
    if (addr < layout->bootloader_bytes)
        return SCN_REGION_BOOTLOADER;
    if (addr >= layout->data_addr)
        return addr < layout->data_addr + layout->journal_bytes ? SCN_REGION_JOURNAL
                                                                : SCN_REGION_DATA;
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        if (addr >= layout->slot_addr[slot] && addr < layout->slot_addr[slot] + layout->slot_bytes)
            return slot == dev->seen.running_slot ? SCN_REGION_RUNNING_SLOT
                                                  : SCN_REGION_STAGING_SLOT;
    return SCN_REGION_CONFIG;
}

static bool read_record(struct pw_device *dev, struct agent_op *op, uint8_t bytes[AGENT_OP_BYTES])
{
    char path[PW_PATH_MAX];
    if (dev->record_fd < 0) { /* the daemon makes it at its first start */
        snprintf(path, sizeof path, "%s/flash.op", dev->folder);
        dev->record_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return dev->record_fd >= 0 &&
           pread(dev->record_fd, bytes, AGENT_OP_BYTES, 0) == (ssize_t)AGENT_OP_BYTES &&
           agent_op_decode(op, bytes);
}

static int64_t takes_us(const struct pw_device *dev, const struct sim_flash_call *call)
{
    const struct sim_flash_timing *timing = &dev->pw->world->timing;
    return pw_own_us(dev->pw, call->kind == SIM_FLASH_ERASE
                                  ? timing->erase_us
                                  : (int64_t)timing->program_us * call->units);
}

/* False: no flash could do this, and nobody can tell what it would leave. */
static bool is_possible(const struct pw_device *dev, const struct agent_op *op)
{
    const struct sim_flash_base *base = dev->flash.base;
    uint32_t unit = op->kind == AGENT_OP_ERASE ? base->sector_bytes : base->page_bytes;
    return op->kind != AGENT_OP_NONE && op->addr % unit == 0 && op->len % unit == 0 && op->len &&
           op->addr <= base->bytes && op->len <= base->bytes - op->addr &&
           (op->kind == AGENT_OP_PROGRAM || op->len == unit);
}

static void begin(struct pw_device *dev, const struct agent_op *op, const uint8_t *bytes)
{
    bool erase = op->kind == AGENT_OP_ERASE;
    dev->op.open = true;
    dev->op.resumed = false;
    dev->op.number = op->number;
    dev->op.call = (struct sim_flash_call){
        .kind = erase ? SIM_FLASH_ERASE : SIM_FLASH_PROGRAM,
        .addr = op->addr,
        .len = op->len,
        .units = erase ? 1 : op->len / dev->flash.base->page_bytes,
        .data = erase ? NULL : dev->op.bytes,
    };
    if (!erase)
        memcpy(dev->op.bytes, bytes, op->len);
    dev->op.seen_us = pw_now_us(dev->pw);
    dev->op.takes_us = takes_us(dev, &dev->op.call);
    dev->pw->counts.operations++;
    pw_witness_call(dev, &dev->op.call);
}

static void finish(struct pw_device *dev)
{
    sim_flash_apply(&dev->flash, &dev->op.call, NULL);
    dev->op.open = false;
    pw_witness_done(dev, &dev->op.call);
}

static void finish_if_ended(struct pw_device *dev, const struct agent_op *op)
{
    if (dev->op.open && (op->number > dev->op.number || !op->in_progress))
        finish(dev);
}

void pw_settle(struct pw_device *dev)
{
    uint8_t bytes[AGENT_OP_BYTES];
    struct agent_op op;
    if (dev->op.open && read_record(dev, &op, bytes))
        finish_if_ended(dev, &op);
}

void pw_catch_up(struct pw_device *dev)
{
    uint8_t bytes[AGENT_OP_BYTES];
    struct agent_op op;
    if (!read_record(dev, &op, bytes))
        return;
    finish_if_ended(dev, &op);
    if (!op.in_progress || op.number <= dev->op.number)
        return;
    if (is_possible(dev, &op))
        begin(dev, &op, bytes + AGENT_OP_HEAD_BYTES);
    else
        pw_break(dev, REP_PROMISE_FLASH_DISCIPLINE, "an operation at 0x%06x that no flash can do",
                 op.addr);
}

void pw_take_file(struct pw_device *dev)
{
    dev->op.open = false;
    sim_flash_load(&dev->flash, 0, dev->file, dev->pw->flash_bytes);
}

void pw_compare(struct pw_device *dev)
{
    uint32_t other = sim_flash_load(&dev->flash, 0, dev->file, dev->pw->flash_bytes);
    if (other)
        pw_break(dev, REP_PROMISE_FLASH_DISCIPLINE,
                 "%u sectors of its file hold what no operation left there", other);
}

void pw_stopped(struct pw_device *dev)
{
    struct sim_flash_cut cut;
    uint64_t before = dev->op.number;
    pw_read(dev);
    if (dev->power != PW_ON)
        return;
    pw_catch_up(dev);
    if (!dev->op.open || dev->op.number == before) { /* somebody else's SIGSTOP */
        kill(dev->pid, SIGCONT);
        return;
    }
    struct sim_fault *fault =
        dev->pw->started && !dev->pw->ended
            ? sim_fault_flash(&dev->faults, pw_during(dev), pw_region(dev, dev->op.call.addr),
                              &dev->op.call, &cut)
            : NULL;
    if (fault)
        pw_cut(dev, fault, &cut);
    else if (dev->pw->ended)
        pw_resume(dev);
    else
        pw_after(dev, PW_TIMER_RESUME, dev->op.seen_us + dev->op.takes_us);
}

void pw_resume(struct pw_device *dev)
{
    pw_after(dev, PW_TIMER_RESUME, SIM_NEVER);
    if (!dev->pid || !dev->op.open)
        return;
    if (dev->op.resumed) /* no further one has come: has it ended? */
        pw_settle(dev);
    if (dev->op.open)
        pw_after(dev, PW_TIMER_RESUME, pw_now_us(dev->pw) + pw_own_us(dev->pw, LOOK_AGAIN_US));
    if (dev->op.resumed)
        return;
    dev->op.resumed = true;
    if (dev->booting) /* the application starts after this at the earliest */
        dev->seen.app_start_us = pw_now_us(dev->pw);
    kill(dev->pid, SIGCONT);
}
