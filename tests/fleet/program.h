/*
 * The program as a user or a CI job starts it, without a shell: arguments in a line (parted at
 * blanks), exit code, standard output and error as text. Each test works in a fresh folder of its
 * own.
 */
#ifndef TESTS_FLEET_PROGRAM_H
#define TESTS_FLEET_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Enters a fresh working directory; leaves and removes it. For fixtures. */
void program_enter(void);
void program_leave(void);

/* Runs `brickyard LINE`; returns its exit code, or 1000 + signal. */
int program(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What the last one wrote, as text. */
const char *program_out(void);
const char *program_err(void);

/* For the next run only: no file above this size (SIGXFSZ ignored, so that writing fails with
 * EFBIG); without root's right to write everywhere; standard output to this file. */
void program_limit_files(size_t bytes);
void program_as_ordinary_user(void);
void program_output_to(const char *path);

/* Starts it and returns at once; kill with SIGKILL, which returns true when it was still running.
 */
pid_t program_start(const char *line);
bool program_kill(pid_t pid);
/* Waits until a file of this name has appeared in the working directory since program_watch, and
 * `changes` writes to any file there after it. */
int program_watch(void);
void program_await(int watch, const char *name, unsigned changes);

/* Scenario files in the working directory. */
void program_write(const char *name, const char *text);
unsigned program_entries(void); /* files in the working directory */

#endif
