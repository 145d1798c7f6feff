#include "zones.h"
#include "scn/scenario.h"
#include <string.h>

/* The table is sorted, so the name is found by halving. */
const char *scn_zone_posix(const char *iana_name)
{
    size_t low = 0, high = scn_zones_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(iana_name, scn_zones[middle].name);
        if (!order)
            return scn_zones[middle].posix;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
