#include "boot/error.h"

const char *boot_error_name(int error)
{
    static const char *const name[] = {"BOOT_OK",      "BOOT_EFLASH",    "BOOT_ELAYOUT",
                                       "BOOT_EFORMAT", "BOOT_ENOTFOUND", "BOOT_ERANGE",
                                       "BOOT_ESTATE"};
    if (error > BOOT_OK || error < BOOT_ESTATE)
        return "BOOT_?";
    return name[-error];
}
