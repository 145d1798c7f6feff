/* Power: what the flash model tells, how a cut takes the control flow away, what is left
 * afterwards. */
#include "device_internal.h"
#include <string.h>

static _Noreturn void power_gone(struct sim_device *dev)
{
    longjmp(dev->off, 1);
}

static enum scn_during during_of(const struct sim_device *dev)
{
    return dev->in_rom ? SCN_DURING_BOOT : (enum scn_during)(SCN_DURING_IDLE + (int)dev->state);
}

static bool before_call(void *ctx, const struct sim_flash_call *call, struct sim_flash_cut *cut)
{
    struct sim_device *dev = ctx;
    dev_witness_call(dev, call);
    if (!dev->faults.count)
        return false;
    struct sim_fault *fault =
        sim_fault_flash(&dev->faults, during_of(dev), dev_region(dev, call->addr), call, cut);
    if (!fault)
        return false;
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->form,
            "power loss, in unit %u of this call", cut->unit + 1);
    dev->cutting = fault;
    return true;
}

static void after_call(void *ctx, const struct sim_flash_call *call)
{
    struct sim_device *dev = ctx;
    FILE *trace = dev->log.trace;
    /* Each call is an event, but only runs of them are told: a download alone is hundreds. */
    dev->log.trace = NULL;
    sim_log_event(&dev->log, dev->now_us,
                  call->kind == SIM_FLASH_ERASE ? SIM_EV_ERASE : SIM_EV_PROGRAM, call->addr,
                  call->len, NULL);
    dev->log.trace = trace;
    if (trace)
        dev_fold(dev, call);
}

static void violation(void *ctx, enum sim_flash_violation kind, uint32_t addr)
{
    static const struct {
        enum rep_promise promise;
        const char *what;
    } as[SIM_FLASH_V_KINDS] = {
        [SIM_FLASH_V_ALIGN] = {REP_PROMISE_FLASH_DISCIPLINE, "flash operation not aligned"},
        [SIM_FLASH_V_BOUNDS] = {REP_PROMISE_FLASH_DISCIPLINE, "flash operation out of bounds"},
        [SIM_FLASH_V_OVERWRITE] = {REP_PROMISE_FLASH_DISCIPLINE,
                                   "program of a bit that is not erased"},
        [SIM_FLASH_V_PROTECTED] = {REP_PROMISE_RUNNING_IMAGE,
                                   "running image or bootloader written"},
    };
    struct sim_device *dev = ctx;
    (void)addr;
    /* Rotten bits in an erased page, and what a stuck sector kept from its erase, are no fault of
     * who programs it. */
    if (kind == SIM_FLASH_V_OVERWRITE && dev->flash_damaged)
        return;
    dev_break(dev, as[kind].promise, as[kind].what);
}

static void torn(void *ctx, enum sim_flash_op_kind kind, uint32_t addr, enum scn_torn form)
{
    struct sim_device *dev = ctx;
    uint32_t row = dev->in_rom ? SIM_CUT_BOOT : (uint32_t)dev->state;
    dev->shard->cuts[row][dev_region(dev, addr)][form]++;
    dev_log(dev, SIM_EV_CUT, addr, (uint64_t)form << 8 | kind, "%s at 0x%06x left %s",
            kind == SIM_FLASH_ERASE ? "erase" : "program", addr, scn_torn_name((int)form));
    if (!dev->cutting)
        dev->cutting =
            sim_fault_next_timed(&dev->faults); /* the clock struck in the middle of it */
    dev_fired(dev, dev->cutting);
    dev->cut_told = true;
}

static void power_lost(void *ctx)
{
    struct sim_device *dev = ctx;
    if (!dev->cut_told) /* it struck while flash was read: nothing is torn */
        dev_cut_now(dev, sim_fault_next_timed(&dev->faults));
    power_gone(dev);
}

void dev_flash_hooks(struct sim_device *dev)
{
    dev->flash.hooks = (struct sim_flash_hooks){
        .ctx = dev,
        .before = before_call,
        .after = after_call,
        .violation = violation,
        .torn = torn,
        .power_lost = power_lost,
    };
    dev->flash.boot_protect_to = dev->world->layout.bootloader_bytes;
}

void dev_stop_app(struct sim_device *dev)
{
    if (dev->connected)
        dev_mqtt_down(dev);
    if (dev->wire)
        dev->wire->drop(dev->wire_ctx);
    for (int t = TIMER_WATCHDOG; t < TIMER_FLUSH; t++)
        dev->timer[t] = SIM_NEVER;
    dev->timer[TIMER_BOOT] = dev->timer[TIMER_APP] = SIM_NEVER;
    dev_http_lost(dev);
    dev->http = (struct sim_http){0};
    dev->connected = false;
}

_Noreturn void dev_cut_now(struct sim_device *dev, struct sim_fault *fault)
{
    uint32_t row = dev->in_rom               ? SIM_CUT_BOOT
                   : dev->power == POWER_APP ? (uint32_t)dev->state
                                             : SIM_CUT_OFF;
    dev->shard->cuts[row][SIM_CUT_NO_OP][SCN_TORN_NOTHING]++;
    dev->cutting = fault;
    dev_log(dev, SIM_EV_CUT, UINT64_MAX, 0, "between flash operations");
    dev_fired(dev, fault);
    power_gone(dev);
}

void dev_power_was_cut(struct sim_device *dev)
{
    int64_t off_for = dev->cutting && dev->cutting->for_us > 0 ? dev->cutting->for_us : 30000000;
    dev->cutting = NULL;
    dev->cut_told = false;
    dev->cuts++;
    dev->in_rom = false;
    dev->flash.cut_at_us = INT64_MAX;
    dev_stop_app(dev);
    memset(dev->agent, 0xA5, sizeof *dev->agent); /* nothing in RAM lives on */
    dev->power = POWER_OFF;
    dev_preempt(dev);
    dev_log(dev, SIM_EV_POWER_OFF, (uint64_t)off_for, 0, "for %lld s",
            (long long)(off_for / 1000000));
    dev->timer[TIMER_POWER_ON] = dev->now_us + off_for;
}

void dev_power_on(struct sim_device *dev)
{
    dev_log(dev, SIM_EV_POWER_ON, 0, 0, "power is back");
    dev_reset(dev, BOOT_RESET_POWER_ON, 20000);
}
