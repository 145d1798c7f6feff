/*
 * Errors of the bootloader core. 0 is OK, errors are negative and pass through unchanged; an
 * outcome (which slot boots, whether an image verifies) is an enum of its own and never one of
 * these. Freestanding C11; no state; safe from any thread.
 */
#ifndef BOOT_ERROR_H
#define BOOT_ERROR_H

enum boot_error {
    BOOT_OK = 0,
    BOOT_EFLASH = -1,    /* the flash port reported a failed read, program or erase */
    BOOT_ELAYOUT = -2,   /* a layout which breaks the rules of layout.h */
    BOOT_EFORMAT = -3,   /* bytes that are no valid record of the wanted kind (magic, size, CRC) */
    BOOT_ENOTFOUND = -4, /* no valid record: both config copies lost, empty trailer, unknown key */
    BOOT_ERANGE = -5,    /* a value that does not fit its field, or an address out of its region */
    BOOT_ESTATE = -6, /* not allowed now: staging the running slot, confirming an unbooted slot */
};

/* The error's name ("BOOT_EFLASH"), or "BOOT_?" for a number that is none. Never NULL. */
const char *boot_error_name(int error);

#endif
