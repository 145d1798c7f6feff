/*
 * Telemetry that comes twice. QoS 1 may deliver a message again, also hours later, and to a service
 * that was killed between its commit and the broker's acknowledgement. Counted twice, it would tell
 * each reset twice and hide a missing message.
 *
 * A repeat is the same message byte for byte. Its seq alone is no mark: that starts anew with each
 * boot, and `at` alone is none for a device that boots twice within its resolution; together with
 * the measurements they are. A message without `at` can't be told from the same one of the next
 * boot, so it counts. MQTT keeps the order, so what comes again is among a device's last few.
 */
#include "camp.h"

#include <string.h>
#include <xxhash.h>

uint64_t camp_telemetry_mark(const char *json, uint32_t len)
{
    uint64_t mark = XXH3_64bits(json, len);
    return mark ? mark : 1;
}

bool camp_telemetry_is_repeat(const struct camp_measured *measured, uint64_t mark)
{
    for (int i = 0; i < CAMP_MARKS; i++)
        if (mark && measured->mark[i] == mark)
            return true;
    return false;
}

void camp_telemetry_note(struct camp_measured *measured, uint64_t mark)
{
    if (!mark)
        return;
    memmove(measured->mark + 1, measured->mark, (CAMP_MARKS - 1) * sizeof measured->mark[0]);
    measured->mark[0] = mark;
}
