/* Inside of the flash file: what its two files share. */
#ifndef FLASH_FILE_SETTLE_H
#define FLASH_FILE_SETTLE_H

#include "flash_file/flash_file.h"

/* The operation of file->number has ended: the record says so. False: it could not be synced. */
bool agent_flash_file_settle(struct agent_flash_file *file);

#endif
