#include "write_log.h"
#include <endian.h>
#include <string.h>

enum { AT_VERSION = 8, AT_UNIT = 24, AT_UNITS = 8, AT_FLAGS = 16, AT_FURTHER = 24, VERSION = 1 };
static const uint64_t magic = 0x6A736677736872;

static uint64_t number(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

bool rig_log_next(const uint8_t *log, size_t len, size_t *at, struct rig_log_entry *out)
{
    size_t head = *at ? *at : RIG_LOG_UNIT;
    if (head > len || len - head < RIG_LOG_UNIT)
        return false;
    uint64_t left = (len - head) / RIG_LOG_UNIT - 1;
    uint64_t unit = number(log + head), units = number(log + head + AT_UNITS);
    uint64_t flags = number(log + head + AT_FLAGS);
    bool discard = flags & RIG_LOG_DISCARD;
    if ((!units && !flags) || number(log + head + AT_FURTHER) || (!discard && units > left) ||
        unit > UINT32_MAX || units > UINT32_MAX)
        return false;
    *out = (struct rig_log_entry){.addr = unit * RIG_LOG_UNIT,
                                  .len = units * RIG_LOG_UNIT,
                                  .flags = flags,
                                  .data = discard ? NULL : log + head + RIG_LOG_UNIT};
    *at = head + RIG_LOG_UNIT + (discard ? 0 : (size_t)units * RIG_LOG_UNIT);
    return true;
}

/* Behind the last entry there may be what was to become one: zeros. */
bool rig_log_check(const uint8_t *log, size_t len)
{
    struct rig_log_entry entry;
    uint32_t unit;
    size_t at = 0;
    if (!len)
        return true;
    if (len < RIG_LOG_UNIT || number(log) != magic || number(log + AT_VERSION) != VERSION)
        return false;
    memcpy(&unit, log + AT_UNIT, sizeof unit);
    if (le32toh(unit) != RIG_LOG_UNIT)
        return false;
    while (rig_log_next(log, len, &at, &entry))
        continue;
    for (size_t i = at ? at : RIG_LOG_UNIT; i < len; i++)
        if (log[i])
            return false;
    return true;
}
