/*
 * The bootloader's flash port on a file or a block device, with the rules of NOR: programs clear
 * bits only, in whole pages; erases set whole sectors to FF. What breaks a rule is an error of the
 * port, changes nothing and is told to `violation`. One process at a time: the file is locked.
 *
 * Ownership: the caller owns struct agent_flash_file and must not move it between open and close.
 * Not for several threads. NULL is misuse unless a comment allows it. What survives SIGKILL: every
 * operation that ended, and the operation record (op.h). What survives a power cut of the host:
 * every operation that ended if `durable`, else what the host had written back by then.
 */
#ifndef FLASH_FILE_FLASH_FILE_H
#define FLASH_FILE_FLASH_FILE_H

#include "boot/flash.h"
#include "flash_file/op.h"

enum agent_flash_file_error {
    AGENT_FLASH_FILE_OK = 0,
    AGENT_FLASH_FILE_EFILE = -1,   /* can't be opened, made, mapped or read */
    AGENT_FLASH_FILE_ESIZE = -2,   /* not of the layout's size */
    AGENT_FLASH_FILE_ELOCKED = -3, /* another process has it */
    AGENT_FLASH_FILE_EOP = -4,     /* the operation record is none */
};
const char *agent_flash_file_error_name(int error); /* never NULL */

struct agent_flash_file_config { /* borrowed until agent_flash_file_close, with all it points to */
    const char *path;
    const char *op_path; /* operation record, made when it is not there; NULL: none is kept */
    /* op_path is the medium of both records, a file or block device of AGENT_RECORDS_BYTES, which
     * outlives a power cut of the machine: each step of the record is on it before the next. */
    bool op_synced;
    const struct boot_layout *layout;
    bool durable; /* each operation is on the medium before it ends (fdatasync) */
    /* Test aid: when the operation of this number begins, after the record and before any byte of
     * the flash, the process stops itself (SIGSTOP), to be killed or continued. 0: never. step: so
     * at every operation, so that a rig sees each one before it is done. */
    uint64_t stop_at;
    bool step;
    /* A rule was broken or the file failed; what is a phrase. May be NULL. */
    void (*violation)(void *ctx, const char *what, uint32_t addr, uint32_t len);
    void *ctx;
};

struct agent_flash_file { /* members are private */
    const struct agent_flash_file_config *config;
    int fd;
    uint32_t bytes;
    uint8_t *op;                           /* the mapped record, NULL: none */
    uint64_t number;                       /* of the last operation */
    struct agent_op cut;                   /* what was in progress when the last process ended */
    uint64_t programs, erases, violations; /* since open */
};

/* The layout's size: from 0 to the end of the data partition. */
uint32_t agent_flash_file_bytes(const struct boot_layout *layout);

/* Makes a blank flash (all FF) of the layout's size. EFILE when path exists or can't be made; then
 * nothing is left there. why (len bytes) tells. */
int agent_flash_file_make(const char *path, const struct boot_layout *layout, char *why,
                          size_t len);

/*
 * Opens and locks. A file must have exactly the layout's size, a block device at least that. An
 * operation that was in progress is told by agent_flash_file_cut and counts as ended from here on.
 * On an error nothing stays open, and why tells.
 */
int agent_flash_file_open(struct agent_flash_file *out,
                          const struct agent_flash_file_config *config, char *why, size_t len);
void agent_flash_file_close(struct agent_flash_file *file);

/* Valid until close. */
void agent_flash_file_port(struct agent_flash_file *file, struct boot_flash *out);

/* The operation that was in progress when the last process ended; in_progress false: none. */
const struct agent_op *agent_flash_file_cut(const struct agent_flash_file *file);
uint64_t agent_flash_file_operations(const struct agent_flash_file *file); /* since the record */

#endif
