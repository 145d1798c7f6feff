/*
 * Untimed resets: which of those that a message tells are news. `resets` are those that the device
 * does not know to be told, and so the same ones may come in two messages: the first was counted,
 * but its acknowledgement was lost, or a boot came before it. `resets_total` counts those of the
 * device's life and is told in every message; what exceeds the last one is news, whatever came
 * twice, late or never.
 *
 * A total that is smaller than the last is an older message that was overtaken, or the device lost
 * its record and begins again: a later `at` tells, and `resets` counts once more. (As many resets
 * as the old record held, between its loss and the next message, would hide it.) A message without
 * `at` or without the total is taken for what it says.
 */
#include "camp.h"

static bool tells_total(const struct camp_resets_said *said)
{
    return said->total >= 0 && said->at_us >= 0;
}

uint32_t camp_resets_news(const struct camp_measured *measured, const struct camp_resets_said *said)
{
    if (!tells_total(said) || measured->total < 0)
        return said->untold;
    if (said->total < measured->total)
        return said->at_us > measured->total_us ? said->untold : 0;
    int64_t news = said->total - measured->total;
    return news < UINT32_MAX ? (uint32_t)news : UINT32_MAX;
}

void camp_resets_note(struct camp_measured *measured, const struct camp_resets_said *said)
{
    if (!tells_total(said))
        return;
    if (said->total > measured->total || said->at_us > measured->total_us)
        measured->total = said->total;
    if (said->at_us > measured->total_us)
        measured->total_us = said->at_us;
}
