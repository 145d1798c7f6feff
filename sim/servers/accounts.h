/*
 * The broker's files that say who may do what: passwords and acl, read by mosquitto at its start.
 * Errors and messages as in files.h.
 */
#ifndef SIM_SERVERS_ACCOUNTS_H
#define SIM_SERVERS_ACCOUNTS_H

#include "sim/servers.h"

/* folder/passwords: every device, service and observer. _ECONFIG for an id or secret that is none,
 * with the device's index; _ECRYPTO, _EIO. */
int sim_accounts_write_passwords(const struct sim_broker_config *config, const char *folder,
                                 char *message, size_t len);
/* folder/acl: the table of sim/servers.h. */
int sim_accounts_write_acl(const char *folder, char *message, size_t len);

#endif
