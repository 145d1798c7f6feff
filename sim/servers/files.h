/*
 * Messages, files and folders of the servers. Functions that can fail return enum
 * sim_servers_error; message (len bytes) gets the sentence. Pointers are not NULL.
 */
#ifndef SIM_SERVERS_FILES_H
#define SIM_SERVERS_FILES_H

#include "sim/servers.h"
#include <stdio.h>

/* Writes the sentence and returns error, so that a failure is one statement. */
int sim_fail(int error, char *message, size_t len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* 1..max characters of A-Z a-z 0-9 . _ -, the first not a dot: safe in a path, a URL, an MQTT topic
 * and both servers' configurations. */
bool sim_name_is_plain(const char *name, size_t max);
/* An absolute path which neither server's configuration takes for anything else, short enough that
 * every path below it fits. _ECONFIG otherwise. */
int sim_folder_check(const char *folder, char *message, size_t len);

/* out = folder/name. Misuse when it does not fit. */
void sim_path_join(char out[SIM_PKI_PATH_MAX], const char *folder, const char *name);

/* A new file folder/name for writing, an older one unlinked first; NULL with the message: _EIO. */
FILE *sim_file_create(const char *folder, const char *name, mode_t mode, char *message, size_t len);
/* Closes. _EIO when any write failed. */
int sim_file_close(FILE *file, const char *folder, const char *name, char *message, size_t len);

/* The last lines of a file from byte `from` on, joined by " | "; "its log is empty" when so. */
void sim_file_last_lines(const char *path, uint64_t from, char *out, size_t len);

/* Makes one level, 0700. */
int sim_folder_make(const char *folder, char *message, size_t len);
/* Makes it, or takes it when it is there and empty. Its parent must be there. */
int sim_folder_take(const char *folder, char *message, size_t len);

#endif
