/* The table of drivers, by name. */
#include "drivers.h"
#include <assert.h>
#include <string.h>

const struct rig_relay_driver *const rig_relay_drivers[] = {
    /* One line each, so that two additions do not meet. */
    /* clang-format off */
    &rig_relay_command,
    &rig_relay_dcttech,
    &rig_relay_devantech_eth,
    &rig_relay_devantech_usb,
    &rig_relay_gpio,
    &rig_relay_hw667,
    &rig_relay_kmtronic,
    &rig_relay_lcus,
    &rig_relay_lcus_hid,
    &rig_relay_modbus,
    &rig_relay_numato,
    &rig_relay_pdudaemon,
    &rig_relay_scpi,
    &rig_relay_shelly,
    &rig_relay_snmp,
    &rig_relay_tasmota,
    &rig_relay_ucreatefun,
    &rig_relay_usb_hub,
    &rig_relay_ykush,
    NULL,
    /* clang-format on */
};

const struct rig_relay_driver *rig_relay_driver(const char *name)
{
    assert(name);
    for (size_t i = 0; rig_relay_drivers[i]; i++)
        if (!strcmp(rig_relay_drivers[i]->name, name))
            return rig_relay_drivers[i];
    return NULL;
}
