/*
 * The console lines of boards with our bootloader and firmware: members "key=value" as ota-agent
 * writes them. Pure. NULL is misuse.
 */
#ifndef RIG_LOG_LINE_H
#define RIG_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>

bool rig_log_is(const char *line, const char *event); /* " event=EVENT" */
/* Only the firmware knows the time: its lines begin with it, the bootloader's do not. */
bool rig_log_of_firmware(const char *line);
/* The value of " key=", without its quotation marks; false: there is none. */
bool rig_log_member(const char *line, const char *key, char *out, size_t len);
/* The bootloader's line is the boot. What the firmware calls so becomes "not_boot". */
void rig_log_disown_boot(const char *line, char *out, size_t len);

#endif
