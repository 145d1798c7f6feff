/*
 * Where the power goes. Two sources: the `before` hook orders a cut in a unit of the call, and
 * cut_at_us is a time on the device's clock. The earlier unit wins; in the same unit the hook does,
 * because it names a form. A call whose cut takes no power is not hit by cut_at_us behind that cut:
 * if that time is past when the call is over, it hits the next operation.
 *
 *   |--- unit 0 ---|--- unit 1 ---|--- unit 2 ---|      a call of three pages
 *   ^ BEFORE in 0         ^ tears unit 1
 *   cut_at_us <= now      ^ ^ on a border: BEFORE in the unit which would begin
 */
#include "cells.h"

#include <assert.h>
#include <stdlib.h>

static const struct sim_flash_hit no_hit = {.cut = {.unit = SIM_FLASH_NO_CUT}};

static struct sim_flash_hit hit_by_hook(struct sim_flash *flash, const struct sim_flash_call *call,
                                        uint32_t unit_us)
{
    struct sim_flash_cut cut = {0};
    if (!flash->hooks.before || !flash->hooks.before(flash->hooks.ctx, call, &cut))
        return no_hit;
    assert(cut.unit < call->units && cut.form < SCN_TORNS && cut.then <= SIM_FLASH_CALL_LIES);
    uint32_t inside_us = unit_us / 2;
    if (cut.form == SCN_TORN_BEFORE)
        inside_us = 0;
    else if (cut.form == SCN_TORN_AFTER)
        inside_us = unit_us;
    int64_t at_us = *flash->now_us + (int64_t)cut.unit * unit_us + inside_us;
    return (struct sim_flash_hit){.cut = cut, .at_us = at_us};
}

static struct sim_flash_hit hit_by_time(const struct sim_flash *flash,
                                        const struct sim_flash_call *call, uint32_t unit_us)
{
    int64_t now_us = *flash->now_us, at_us = flash->cut_at_us;
    if (at_us <= now_us)
        return (struct sim_flash_hit){.cut = {.form = SCN_TORN_BEFORE}, .at_us = now_us};
    if (at_us >= now_us + (int64_t)call->units * unit_us)
        return no_hit;
    int64_t into_us = at_us - now_us;
    struct sim_flash_cut cut = {.unit = (uint32_t)(into_us / unit_us),
                                .form = into_us % unit_us ? flash->cut_form : SCN_TORN_BEFORE};
    return (struct sim_flash_hit){.cut = cut, .at_us = at_us};
}

struct sim_flash_hit sim_flash_hit_find(struct sim_flash *flash, const struct sim_flash_call *call,
                                        uint32_t unit_us)
{
    struct sim_flash_hit hook = hit_by_hook(flash, call, unit_us);
    struct sim_flash_hit time = hit_by_time(flash, call, unit_us);
    struct sim_flash_hit hit = time.cut.unit < hook.cut.unit ? time : hook;
    if (hit.cut.unit != SIM_FLASH_NO_CUT && hit.cut.form == SCN_TORN_ANY)
        hit.cut.form = (enum scn_torn)(
            SCN_TORN_NOTHING +
            sim_rng_below(&flash->torn_rng, SCN_TORN_UNSTABLE - SCN_TORN_NOTHING + 1));
    return hit;
}

_Noreturn void sim_flash_power_lost(struct sim_flash *flash, int64_t at_us)
{
    if (*flash->now_us < at_us)
        *flash->now_us = at_us;
    /* This cut is spent. Left in the past it would hit the first operation after the next power-on.
     */
    if (flash->cut_at_us <= *flash->now_us)
        flash->cut_at_us = INT64_MAX;
    flash->stats.cuts++;
    assert(flash->hooks.power_lost);
    flash->hooks.power_lost(flash->hooks.ctx);
    abort(); /* power_lost returned: the device would go on without power */
}
