/* Faults at work on a device: flash damage, network drops, power that goes at a time of its own. */
#include "device_internal.h"

void dev_fired(struct sim_device *dev, struct sim_fault *fault)
{
    if (!fault)
        return;
    dev_log(dev, SIM_EV_FAULT_FIRED, fault->fault, fault->kind, "%s (fault %u of the scenario)",
            scn_fault_kind_name((int)fault->kind), fault->fault + 1);
    sim_fault_fired(&dev->faults, fault);
    dev_arm_timer(dev);
}

/* The next fault with a time of its own. A power loss also arms the flash: the operation which is
 * in progress at that moment is torn. */
void dev_arm_timer(struct sim_device *dev)
{
    struct sim_fault *fault = sim_fault_next_timed(&dev->faults);
    dev->timer[TIMER_FAULT] = fault ? fault->at_us : SIM_NEVER;
    bool power = fault && fault->kind == SCN_FAULT_POWER_LOSS;
    dev->flash.cut_at_us = power && dev->power != POWER_OFF ? fault->at_us : SIM_NEVER;
    dev->flash.cut_form = fault ? fault->form : SCN_TORN_ANY;
}

/* A network drop that was still to come in the state which ends: it strikes now, as the scenario
 * named the state. The agent, which may be the one that ends it, hears of it later. */
void dev_state_ends(struct sim_device *dev, enum scn_during state)
{
    for (uint32_t i = 0; i < dev->faults.count; i++) {
        struct sim_fault *fault = &dev->faults.fault[i];
        if (fault->kind != SCN_FAULT_NETWORK_DROP || !fault->armed || fault->during != state)
            continue;
        if (dev->http.drop == fault)
            dev->http.drop = NULL;
        dev_link_drop(dev, SIM_OUT_LINK, fault);
    }
}

/* What was armed in the state that a cut or a reset took away waits for that state again. */
void dev_preempt(struct sim_device *dev)
{
    sim_fault_preempt(&dev->faults);
    dev_arm_timer(dev);
}

static uint32_t damage_address(const struct sim_device *dev, const struct sim_fault *fault)
{
    const struct boot_layout *layout = &dev->world->layout;
    int running = dev->running_slot == BOOT_SLOT_B ? BOOT_SLOT_B : BOOT_SLOT_A;
    const struct {
        uint32_t from, len;
    } region[SCN_REGIONS] = {
        [SCN_REGION_BOOTLOADER] = {0, layout->bootloader_bytes},
        [SCN_REGION_CONFIG] = {layout->config_addr, 2 * layout->sector_bytes},
        [SCN_REGION_RUNNING_SLOT] = {layout->slot_addr[running], layout->slot_bytes},
        [SCN_REGION_STAGING_SLOT] = {layout->slot_addr[1 - running], layout->slot_bytes},
        [SCN_REGION_JOURNAL] = {layout->data_addr, layout->journal_bytes},
        [SCN_REGION_DATA] = {layout->data_addr + layout->journal_bytes,
                             layout->data_bytes - layout->journal_bytes},
    };
    return region[fault->region].from + fault->draw[0] % region[fault->region].len;
}

static void damage(struct sim_device *dev, struct sim_fault *fault)
{
    uint32_t addr = damage_address(dev, fault);
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, addr, "%s at 0x%06x (%s)",
            scn_how_name((int)fault->how), addr, scn_region_name((int)fault->region));
    if (fault->how == SCN_HOW_BIT_ROT)
        sim_flash_flip(&dev->flash, addr, fault->draw[1] % 8);
    else
        sim_flash_set_defect(&dev->flash, addr,
                             fault->how == SCN_HOW_STUCK ? SIM_FLASH_STUCK : SIM_FLASH_WORN);
    /* What DESIGN section 2 calls not survivable: the bootloader, and what takes both copies or
     * slots. */
    if (fault->region == SCN_REGION_BOOTLOADER || fault->region == SCN_REGION_RUNNING_SLOT ||
        fault->how != SCN_HOW_BIT_ROT)
        dev->hardware_damage = true;
    dev->flash_damaged = true;
    dev->data_damage |= fault->region == SCN_REGION_DATA;
    dev_fired(dev, fault);
}

void dev_strike(struct sim_device *dev, struct sim_fault *fault)
{
    if (fault->until_us && fault->until_us <= dev->now_us) {
        dev_trouble_ends(dev, fault);
        return;
    }
    switch (fault->kind) {
    case SCN_FAULT_POWER_LOSS:
        if (dev->power == POWER_OFF || dev->power == POWER_DEAD) {
            fault->at_us = dev->now_us + 60000000; /* nothing to take away yet */
            return;
        }
        dev_cut_now(dev, fault);
    case SCN_FAULT_NETWORK_DROP:
        if (fault->at_us == SIM_NEVER) {
            /* Armed by a state that was entered just now: it strikes within seconds, or as the
             * state ends. */
            dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->kind, "network drop");
            fault->at_us = dev->now_us + dev_own_us(dev, fault->draw[0] % 5000000);
            dev_arm_timer(dev);
        } else {
            dev_link_drop(dev, SIM_OUT_LINK, fault);
        }
        break;
    case SCN_FAULT_BROKER_DOWN:
        dev_link_drop(dev, SIM_OUT_MQTT, fault);
        break;
    case SCN_FAULT_CDN_DOWN:
        dev_link_drop(dev, SIM_OUT_HTTP, fault);
        break;
    case SCN_FAULT_FLASH_DAMAGE:
        damage(dev, fault);
        break;
    case SCN_FAULT_SLOW_LINK:
        dev_begin_slow(dev, fault);
        break;
    case SCN_FAULT_CLOCK_SKEW:
        dev_begin_skew(dev, fault);
        break;
    case SCN_FAULT_BAD_CERTIFICATE:
        dev_begin_bad_certificate(dev, fault);
        break;
    default:
        break;
    }
}
