/* What is true of the unit, in the terms of bootloader and agent. */
#include "own.h"
#include <string.h>

enum { TRIALS_MAX = 15, FAULTY_BOOTS = 5 };

void own_layout(struct boot_layout *out, const struct dut_layout *layout)
{
    *out = (struct boot_layout){
        .sector_bytes = layout->sector_bytes,
        .page_bytes = layout->page_bytes,
        .bootloader_bytes = layout->bootloader_bytes,
        .config_addr = layout->config_addr,
        .slot_addr = {layout->slot_addr[0], layout->slot_addr[1]},
        .slot_bytes = layout->slot_bytes,
        .data_addr = layout->data_addr,
        .data_bytes = layout->data_bytes,
        .journal_bytes = layout->journal_bytes,
    };
}

const char *own_refuses(const struct dut_unit *unit)
{
    struct boot_layout layout;
    own_layout(&layout, &unit->layout);
    if (boot_layout_check(&layout))
        return "a layout by the rules of bootloader/FORMAT.md: sector 512 or more, page 16 to 4096 "
               "and a config body with two marks in a sector, slots of 3 sectors or more, journal "
               "of 4 sectors or more";
    if (unit->layout.config_bytes != 2 * unit->layout.sector_bytes)
        return "a boot config of two sectors";
    if (unit->keys < 1 || unit->keys > OWN_KEYS_MAX)
        return "1 to 8 trusted keys";
    if (unit->trial_boots < 1 || unit->trial_boots > TRIALS_MAX)
        return "1 to 15 trial boots";
    return NULL;
}

void own_env(struct own_env *out, const struct dut_port *port)
{
    const struct dut_unit *unit = port->unit;
    uint32_t keys = unit->keys < OWN_KEYS_MAX ? unit->keys : OWN_KEYS_MAX;
    out->flash = (struct boot_flash){port->ctx, port->read, port->program, port->erase};
    out->crypto = (struct boot_crypto){port->ctx, port->sha256_begin, port->sha256_update,
                                       port->sha256_final, port->ecdsa_verify};
    own_layout(&out->layout, &unit->layout);
    for (uint32_t i = 0; i < keys; i++) {
        memcpy(out->key[i].cert_id, unit->key[i].id, sizeof out->key[i].cert_id);
        memcpy(out->key[i].public_key, unit->key[i].public_key, sizeof out->key[i].public_key);
    }
    out->keys = (struct boot_keys){out->key, keys};
    out->boot = (struct boot_env){
        .flash = &out->flash,
        .layout = &out->layout,
        .crypto = &out->crypto,
        .keys = &out->keys,
        .device_type = unit->device_type,
        .hw_revision = unit->hw_revision,
        .trial_boots = (uint8_t)unit->trial_boots,
        .faulty_boots = FAULTY_BOOTS,
        .watchdog_s = unit->watchdog_s,
    };
}
