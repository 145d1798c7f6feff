/* The drivers, one line each, by name: the table's (drivers.c) and nobody else's. */
#ifndef RIG_RELAY_DRIVERS_H
#define RIG_RELAY_DRIVERS_H

#include "rig/relay.h"

extern const struct rig_relay_driver rig_relay_command;
extern const struct rig_relay_driver rig_relay_dcttech;
extern const struct rig_relay_driver rig_relay_devantech_eth;
extern const struct rig_relay_driver rig_relay_devantech_usb;
extern const struct rig_relay_driver rig_relay_gpio;
extern const struct rig_relay_driver rig_relay_hw667;
extern const struct rig_relay_driver rig_relay_kmtronic;
extern const struct rig_relay_driver rig_relay_lcus;
extern const struct rig_relay_driver rig_relay_lcus_hid;
extern const struct rig_relay_driver rig_relay_modbus;
extern const struct rig_relay_driver rig_relay_numato;
extern const struct rig_relay_driver rig_relay_pdudaemon;
extern const struct rig_relay_driver rig_relay_scpi;
extern const struct rig_relay_driver rig_relay_shelly;
extern const struct rig_relay_driver rig_relay_snmp;
extern const struct rig_relay_driver rig_relay_tasmota;
extern const struct rig_relay_driver rig_relay_ucreatefun;
extern const struct rig_relay_driver rig_relay_usb_hub;
extern const struct rig_relay_driver rig_relay_ykush;

#endif
