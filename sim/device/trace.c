/* The story of a traced device: events as lines, flash operations in summary. */
#include "device_internal.h"
#include <stdarg.h>

static const char *const region_names[SCN_REGIONS] = {
    [SCN_REGION_BOOTLOADER] = "bootloader",     [SCN_REGION_CONFIG] = "boot config",
    [SCN_REGION_RUNNING_SLOT] = "running slot", [SCN_REGION_STAGING_SLOT] = "staging slot",
    [SCN_REGION_JOURNAL] = "journal",           [SCN_REGION_DATA] = "data",
};

void dev_unfold(struct sim_device *dev)
{
    struct sim_fold *fold = &dev->fold;
    char text[160];
    if (!fold->calls)
        return;
    int at = snprintf(text, sizeof text, "%s:", region_names[fold->region]);
    if (fold->erases)
        at += snprintf(text + at, sizeof text - (size_t)at, " %u sector%s erased", fold->erases,
                       fold->erases > 1 ? "s" : "");
    if (fold->pages)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s %u page%s programmed",
                       fold->erases ? "," : "", fold->pages, fold->pages > 1 ? "s" : "");
    snprintf(text + at, sizeof text - (size_t)at, ", 0x%06x to 0x%06x", fold->from, fold->to - 1);
    sim_log_note(&dev->log, fold->since_us, "flash", text);
    fold->calls = 0;
}

void dev_fold(struct sim_device *dev, const struct sim_flash_call *call)
{
    struct sim_fold *fold = &dev->fold;
    enum scn_region region = dev_region(dev, call->addr);
    if (fold->calls && fold->region != region)
        dev_unfold(dev);
    if (!fold->calls)
        *fold = (struct sim_fold){
            .region = region, .from = call->addr, .to = call->addr, .since_us = dev->now_us};
    fold->calls++;
    if (call->kind == SIM_FLASH_ERASE)
        fold->erases++;
    else
        fold->pages += call->units;
    if (call->addr < fold->from)
        fold->from = call->addr;
    if (call->addr + call->len > fold->to)
        fold->to = call->addr + call->len;
}

void dev_log(struct sim_device *dev, enum sim_event_kind kind, uint64_t a, uint64_t b,
             const char *format, ...)
{
    char text[640];
    if (dev->log.trace) {
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        dev_unfold(dev); /* what was written before comes first */
    }
    sim_log_event(&dev->log, dev->now_us, kind, a, b, dev->log.trace ? text : NULL);
}
