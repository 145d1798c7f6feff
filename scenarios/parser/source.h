/* The bytes of a scenario, before any of them is parsed. */
#ifndef SCN_SOURCE_H
#define SCN_SOURCE_H

#include "report.h"

enum { SCN_SOURCE_MAX = 1 << 20 };

/* Reads a file of at most SCN_SOURCE_MAX bytes; *bytes is the caller's to free. SCN_OK, SCN_EFILE,
 * SCN_ETOO_LARGE or SCN_EMEMORY, with a message. */
int scn_source_read(struct scn_reader *r, const char *path, char **bytes, size_t *len);

/* SCN_OK when the bytes are text: UTF-8 without control characters other than tab and line ends. */
int scn_source_check(struct scn_reader *r, const char *bytes, size_t len);

/* Length of the UTF-8 character at the start of bytes, 0 when it is none. */
size_t scn_utf8_length(const char *bytes, size_t len);

#endif
