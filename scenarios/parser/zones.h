/* The world's time zones: IANA names and what POSIX says of their present rules. */
#ifndef SCN_ZONES_H
#define SCN_ZONES_H

#include <stddef.h>

struct scn_zone {
    const char *name, *posix;
};

/* Sorted by name, in byte order. */
extern const struct scn_zone scn_zones[];
extern const size_t scn_zones_count;

#endif
