# Drivers that speak over a network, against devices on the loopback.
brickyard_test(rig_relay_net WAITS SOURCES net_server.c net_command.c net_devantech.c net_pdudaemon.c
    net_scpi.c net_shelly.c net_snmp.c net_snmpd.c net_tasmota.c LINK rig_relay PkgConfig::libcrypto Threads::Threads)
target_include_directories(test_rig_relay_net PRIVATE ${CMAKE_SOURCE_DIR}/rig/relay)
