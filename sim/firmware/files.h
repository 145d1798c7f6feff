/*
 * Real files of `brickyard firmware`: read whole, with a limit, and written under a temporary name
 * first, so that no reader ever sees half of one. On an error `why` says the cause in words; the
 * caller adds the path.
 */
#ifndef SIM_FIRMWARE_FILES_H
#define SIM_FIRMWARE_FILES_H

#include "sim/firmware.h"
#include <stdbool.h>
#include <sys/stat.h>

struct sim_fw_why {
    char text[200];
};

struct sim_fw_bytes {
    uint8_t *data; /* malloc'ed; NULL when len is 0 */
    size_t len;
};

/* Wipes (it may be a private key) and frees. */
void sim_fw_bytes_free(struct sim_fw_bytes *bytes);

void sim_fw_explain(struct sim_fw_why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Reads a regular file of at most max bytes. SIM_FW_EIO for what can't be opened or read or is no
 * regular file, SIM_FW_ERANGE when it is longer, SIM_FW_EMEMORY; out is then empty.
 */
int sim_fw_file_read(struct sim_fw_bytes *out, const char *path, size_t max,
                     struct sim_fw_why *why);

/* True when both paths lead to one file; false also where one of them does not exist. */
bool sim_fw_file_same(const char *a, const char *b);

/* An output between its two steps. Zeroed: none, which commit and discard accept. */
struct sim_fw_output {
    const char *path;
    char *temporary; /* in the same folder, complete and synced */
    bool replace;
};

/*
 * Writes data beside path under a temporary name. replace false: SIM_FW_EEXISTS when path is there.
 * SIM_FW_EIO also for a path that is there and is no regular file, so that no device is replaced.
 */
int sim_fw_output_prepare(struct sim_fw_output *out, const char *path,
                          const struct sim_fw_bytes *data, mode_t mode, struct sim_fw_why *why);
/* Gives the file its name. An error leaves nothing behind but what was there before. */
int sim_fw_output_commit(struct sim_fw_output *out, struct sim_fw_why *why);
/* Removes the temporary file, if there is one. */
void sim_fw_output_discard(struct sim_fw_output *out);

/* Prepare and commit, replacing what is there; mode 0666 less the umask. */
int sim_fw_file_write(const char *path, const struct sim_fw_bytes *data, struct sim_fw_why *why);

#endif
