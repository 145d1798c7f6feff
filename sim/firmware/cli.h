/*
 * `brickyard firmware`: the options of its commands, once for all, and the commands themselves. A
 * command gets its options checked for presence, prints its own errors, and returns the exit code.
 */
#ifndef SIM_FIRMWARE_CLI_H
#define SIM_FIRMWARE_CLI_H

#include "files.h"
#include <stdint.h>

enum sim_fw_option {
    SIM_FW_OPT_ID,
    SIM_FW_OPT_OUT,
    SIM_FW_OPT_PUB,
    SIM_FW_OPT_FORCE,
    SIM_FW_OPT_PAYLOAD,
    SIM_FW_OPT_SIZE,
    SIM_FW_OPT_SEED,
    SIM_FW_OPT_VERSION,
    SIM_FW_OPT_DEVICE_TYPE,
    SIM_FW_OPT_MIN_HW,
    SIM_FW_OPT_COUNTER,
    SIM_FW_OPT_KEY,
    SIM_FW_OPT_IMAGE,
    SIM_FW_OPT_SIGNATURE,
    SIM_FW_OPT_CERT_ID,
    SIM_FW_OPT_URL,
    SIM_FW_OPT_FIRMWARE_ID,
    SIM_FW_OPT_RELEASE_NOTES,
    SIM_FW_OPT_ROLLBACK_VERSION,
    SIM_FW_OPT_PUBLISHED_AT,
    SIM_FW_OPTIONS
};

/* Exit codes (CONTRACT.md). */
enum { SIM_FW_EXIT_OK = 0, SIM_FW_EXIT_USAGE = 1, SIM_FW_EXIT_UNSAFE = 3 };

/* The largest image that is read or built: far more than any slot, far less than a machine's
 * memory. */
enum { SIM_FW_IMAGE_MAX = 256 << 20, SIM_FW_PEM_MAX = 64 << 10, SIM_FW_SIGNATURE_FILE_MAX = 4096 };

struct sim_fw_arguments {
    const char *command;         /* "sign", for messages */
    char *value[SIM_FW_OPTIONS]; /* NULL: not given; flags: "" when given */
};

int sim_fw_command_keygen(const struct sim_fw_arguments *arguments);
int sim_fw_command_build(const struct sim_fw_arguments *arguments);
int sim_fw_command_sign(const struct sim_fw_arguments *arguments);
int sim_fw_command_verify(const struct sim_fw_arguments *arguments);
int sim_fw_command_manifest(const struct sim_fw_arguments *arguments);

/* "brickyard firmware COMMAND: SUBJECT: CAUSE" on standard error; subject is a file or an option.
 */
int sim_fw_complain(const struct sim_fw_arguments *arguments, const char *subject,
                    const char *cause, ...) __attribute__((format(printf, 3, 4)));

/* The same for a file; returns SIM_FW_EXIT_USAGE. */
int sim_fw_complain_file(const struct sim_fw_arguments *arguments, const char *path,
                         const struct sim_fw_why *why);

/* A whole number up to max, which with_unit lets end in KiB or MiB. Complains and returns false
 * otherwise. */
bool sim_fw_number(const struct sim_fw_arguments *arguments, enum sim_fw_option option,
                   bool with_unit, uint64_t max, uint64_t *out);

/* The option's name with its dashes. */
const char *sim_fw_option_name(enum sim_fw_option option);

/* Complains and returns true when the output would replace one of the inputs (NULL: none). */
bool sim_fw_output_is_input(const struct sim_fw_arguments *arguments, const char *output,
                            const char *input);

/*
 * Reads an image file and its header. 0; SIM_FW_EXIT_USAGE when it can't be read,
 * SIM_FW_EXIT_UNSAFE when what was read is no sound image. Both have complained. image is then
 * empty.
 */
int sim_fw_read_image(const struct sim_fw_arguments *arguments, struct sim_fw_bytes *image,
                      struct boot_image *header);

#endif
