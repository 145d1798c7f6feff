/* What boot_run alone needs of the config's store. */
#ifndef BOOT_CORE_CONFIG_STORE_H
#define BOOT_CORE_CONFIG_STORE_H

#include "boot/config.h"

/*
 * boot_config_read, which also says whether the next read must give the same record. It need not
 * after a cut in a completion mark; then the caller writes the record again which it goes by.
 */
int boot_config_read_settled(const struct boot_flash *flash, const struct boot_layout *layout,
                             struct boot_config *out, int *sector, bool *settled);

#endif
