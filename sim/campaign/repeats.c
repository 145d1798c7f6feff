/*
 * Telemetry that comes twice. QoS 1 may deliver a message again, also hours later, and to a service
 * that was killed between its commit and the broker's acknowledgement. Counted twice, it would tell
 * each reset twice and hide a missing message.
 *
 * A repeat is the same message byte for byte. Its seq alone is no mark: that starts anew with each
 * boot, and `at` alone is none for a device that boots twice within its resolution; together with
 * the measurements they are. A message without `at` can't be told from the same one of the next
 * boot, so it counts.
 *
 * MQTT keeps the order, and all that comes again was under way at once, so it is among the last
 * CAMP_MARKS of its device. A repeat is not noted anew: noted, each would push out the mark of one
 * that is still to be repeated.
 */
#include "camp.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

uint64_t camp_telemetry_mark(const char *json, uint32_t len)
{
    uint64_t mark = XXH3_64bits(json, len);
    return mark ? mark : 1;
}

bool camp_telemetry_is_repeat(const struct camp_measured *measured, uint64_t mark)
{
    for (uint32_t i = 0; i < measured->marks; i++)
        if (measured->mark[i] == mark)
            return true;
    return false;
}

int camp_marks_make(struct camp_measured *measured)
{
    if (!measured->mark)
        measured->mark = malloc(CAMP_MARKS * sizeof measured->mark[0]);
    return measured->mark ? 0 : -1;
}

int camp_telemetry_note(struct camp_measured *measured, uint64_t mark)
{
    if (!mark)
        return 0;
    if (camp_marks_make(measured))
        return -1;
    measured->marks += measured->marks < CAMP_MARKS;
    memmove(measured->mark + 1, measured->mark, (measured->marks - 1) * sizeof measured->mark[0]);
    measured->mark[0] = mark;
    return 0;
}
