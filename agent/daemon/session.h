/*
 * One power session of the device: its flash, the record of how the last one ended, the crypto
 * port, and the boot. Owned by the caller, not to be moved between open and close; settings and log
 * are borrowed. NULL is misuse. What survives: flash_file/flash_file.h, flash_file/reset.h.
 */
#ifndef DAEMON_SESSION_H
#define DAEMON_SESSION_H

#include "boot/boot.h"
#include "boot/openssl.h"
#include "flash_file/flash_file.h"
#include "flash_file/reset.h"
#include "settings.h"

struct agent_session {
    const struct agent_settings *settings;
    const struct agent_log *log;
    char op_path[AGENT_PATH_MAX + 8], reset_path[AGENT_PATH_MAX + 8];
    struct agent_flash_file_config file_config;
    struct agent_flash_file file;
    struct boot_flash flash;
    struct boot_openssl openssl;
    struct boot_crypto crypto;
    struct boot_keys keys;
    struct boot_env env;
    int reset_fd; /* -1: none */
    struct agent_reset reset;
    struct agent_boot boot;
};

/* The environment of bootloader and agent over the flash at path; op_path NULL: no record is kept.
 * 0; -1: nothing stays open, message tells. */
int agent_session_open(struct agent_session *out, const struct agent_settings *settings,
                       const struct agent_log *log, const char *path, bool with_records,
                       char message[AGENT_MESSAGE_MAX]);
void agent_session_close(struct agent_session *session);

/* Reads how the last session ended, notes that one runs, and lets the bootloader decide. A sudden
 * end was the hardware watchdog's if by_watchdog. 0 with session->boot; -1: no slot boots (a
 * brick), logged. */
int agent_session_boot(struct agent_session *session, bool by_watchdog);

/* So many faults were told. */
void agent_session_told(struct agent_session *session, uint32_t faults);

/*
 * `--factory`: a new flash with a bootloader region, the boot config, and this image in slot A with
 * its trailer and a confirmed mark; records of an older flash are removed. The image must verify as
 * at a boot. A file is made under another name and renamed when it is whole; one that exists is
 * refused unless force. 0; -1: nothing is left behind, message tells.
 */
struct agent_factory {
    const char *image, *signature, *cert_id;
    bool force;
};
int agent_factory_make(const struct agent_settings *settings, const struct agent_log *log,
                       const struct agent_factory *factory, char message[AGENT_MESSAGE_MAX]);

#endif
