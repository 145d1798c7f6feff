/* What the report says of boards. */
#include "world_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void rw_booted(struct rig_world *rw, uint32_t ms)
{
    struct rw_counts *counts = &rw->counts;
    if (counts->samples == counts->room) {
        uint32_t room = counts->room ? 2 * counts->room : 256;
        uint32_t *more = realloc(counts->boot_ms, room * sizeof *more);
        if (!more)
            return; /* one sample less */
        counts->boot_ms = more;
        counts->room = room;
    }
    counts->boot_ms[counts->samples++] = ms;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int say_boots(struct rw_counts *counts, struct rep_result *result)
{
    uint32_t n = counts->samples;
    if (n)
        qsort(counts->boot_ms, n, sizeof *counts->boot_ms, by_size);
    return rep_fact_add(result, "boots",
                        "%" PRIu64 "; %u ms median, %u ms at the most, from power or reset to the "
                        "firmware's first line",
                        counts->boots, n ? counts->boot_ms[n / 2] : 0,
                        n ? counts->boot_ms[n - 1] : 0);
}

static int say_images(const struct sim_world *world, struct rep_result *result)
{
    char text[REP_TEXT_MAX] = "";
    int len = 0;
    for (uint32_t i = 0; i < world->scn->firmwares && len < (int)sizeof text; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s: %u bytes", i ? ", " : "",
                        world->artifact[i].header.version, world->artifact[i].len);
    return rep_fact_add(result, "images", "%s", text);
}

int rw_report(void *ctx, struct rep_result *result)
{
    struct rig_world *rw = ctx;
    struct rw_counts *counts = &rw->counts;
    int error =
        rep_fact_add(result, "QEMU", "%s, ast1030-evb", rw->version) ||
        (rw->rom_bytes && rep_fact_add(result, "ROM", "%" PRIu64 " bytes", rw->rom_bytes)) ||
        say_images(rw->run->world, result) || say_boots(counts, result) ||
        rep_fact_add(result, "resets",
                     "%" PRIu64 " by the watchdog, %" PRIu64 " by the board itself",
                     counts->resets[RIG_RESET_WATCHDOG], counts->resets[RIG_RESET_GUEST]) ||
        (counts->lock_ups &&
         rep_fact_add(result, "lock-ups",
                      "%" PRIu64 " of a processor by its firmware; QEMU ends there, a board by its "
                      "watchdog: the part kept its power, and it started as from that, at once",
                      counts->lock_ups)) ||
        (counts->unclean &&
         rep_fact_add(result, "unclean power cuts",
                      "%" PRIu64
                      ": QEMU did not stop in time; nothing was judged by the flash file",
                      counts->unclean));
    return error ? -1 : 0;
}
