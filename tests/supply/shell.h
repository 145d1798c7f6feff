/*
 * The command line under test, run by a shell as a person would: $FW is the program, the working
 * directory a fresh one with a blank in its name. Standard output and error go to the files ../out
 * and ../err, so that the folder holds what the command left there and nothing else.
 */
#ifndef TESTS_SUPPLY_SHELL_H
#define TESTS_SUPPLY_SHELL_H

#include <stdbool.h>

/* Enters a fresh folder; leaves and removes it. For fixtures. */
void shell_enter(void);
void shell_leave(void);

/* Runs the line; returns its exit code, or 1000 + signal. */
int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the last line wrote to standard output and standard error. */
const char *shell_out(void);
const char *shell_err(void);

/* Files and folders in the working directory. */
unsigned shell_entries(void);

#endif
