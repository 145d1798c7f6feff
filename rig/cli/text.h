/* Text of the command line to bytes for a console. */
#ifndef RIG_CLI_TEXT_H
#define RIG_CLI_TEXT_H

#include <stddef.h>

/* \r, \n, \t, \\ and \xHH; a line feed is added where neither CR nor LF ends it. malloc. NULL:
 * another escape, or no memory. */
char *rig_cli_text(const char *text, size_t *len);

#endif
