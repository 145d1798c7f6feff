/*
 * Bodies that do not stand still: boards behind a relay. A cut is asked for at a moment and comes
 * when it comes; what it tore is in the part itself. The flash is looked at while the power is off,
 * if it can be read at all; in between the console and the broker are all that there is.
 *
 *   state entered ──► moment drawn within it ──► cut ──► dark ──► flash read, judged ──► on again
 *                     (or the state ends before: cut as it ends)
 */
#include "stepped_internal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a state lasts, until it was seen to end; and how much a new one counts. */
enum { FIRST_GUESS_US = 300000, LESSON = 4 };
/* For relays to answer, each with its tries, one after the other. */
enum { RELAYS_WITHIN_MS = 120000 };

/* ---- Moments ---- */

/* The last of n cuts falls anywhere in the state, those before it nearer to its beginning: who is
 * cut as a state ends never enters it again. */
static int64_t window_us(const struct sim_stepped *st, const struct sim_fault *fault,
                         enum scn_during state)
{
    int64_t lasts_us = st->lasts_us[state] ? st->lasts_us[state] : FIRST_GUESS_US;
    uint32_t all = fault->left + fault->fired_count;
    int64_t us = all ? lasts_us * (fault->fired_count + 1) / all : lasts_us;
    return us > 0 ? us : 1;
}

void st_free_enter(struct st_device *dev, enum scn_during state)
{
    struct sim_stepped *st = dev->st;
    dev->entered_us = st_now_us(st);
    if (dev->moment)
        return;
    struct sim_fault *fault = sim_fault_moment(&dev->faults, state);
    if (!fault)
        return;
    int64_t delay_us = (int64_t)(fault->draw[0] % (uint32_t)window_us(st, fault, state));
    dev->moment = fault;
    st_after(dev, ST_TIMER_MOMENT, st_now_us(st) + st_own_us(st, delay_us));
}

static void learn(struct st_device *dev, enum scn_during state)
{
    struct sim_stepped *st = dev->st;
    int64_t us = (st_now_us(st) - dev->entered_us) / st->scn->campaign.time_scale;
    int64_t *lasts = &st->lasts_us[state];
    us = us < 1000 ? 1000 : us > 60000000 ? 60000000 : us;
    *lasts = *lasts ? *lasts + (us - *lasts) / LESSON : us;
}

void st_free_leave(struct st_device *dev, enum scn_during state)
{
    learn(dev, state);
    if (dev->moment && dev->moment->during == state)
        st_free_cut(dev, dev->moment);
}

void st_free_moment(struct st_device *dev)
{
    st_after(dev, ST_TIMER_MOMENT, SIM_NEVER);
    if (dev->moment && dev->power == ST_ON)
        st_free_cut(dev, dev->moment);
}

/* ---- Power ---- */

void st_free_cut(struct st_device *dev, struct sim_fault *fault)
{
    if (dev->cutting)
        return;
    st_after(dev, ST_TIMER_MOMENT, SIM_NEVER);
    dev->moment = NULL;
    dev->cutting = fault;
    dev->st->kind->off(dev->body);
}

static void was_cut(struct st_device *dev)
{
    struct sim_fault *fault = dev->cutting;
    int64_t off_us = !fault ? 0 : fault->for_us > 0 ? fault->for_us : ST_DEFAULT_OFF_US;
    uint32_t row = dev->booting ? SIM_CUT_BOOT : (uint32_t)dev->state;
    dev->cutting = NULL;
    dev->st->fleet.shard->cuts[row][SIM_CUT_NO_OP][SCN_TORN_NOTHING]++;
    bool late =
        fault && !dev->st->scn->fault[fault->fault].has_at && fault->during != st_during(dev);
    if (late)
        dev->st->counts.kills_late++;
    else if (fault)
        st_count_cut(dev, fault, false);
    else
        dev->st->counts.kills_of_its_own++;
    dev->seen.cuts++;
    dev->connected = false;
    dev->lost_us = st_now_us(dev->st);
    st_note(dev, "power was cut during %s", scn_during_name((int)st_during(dev)));
    if (fault)
        st_fired(dev, fault);
    st_preempt(dev);
    if (dev->power == ST_OFF)
        st_after(dev, ST_TIMER_POWER, st_now_us(dev->st) + off_us);
}

void st_dark(void *ctx)
{
    struct st_device *dev = ctx;
    bool was_on = dev->power == ST_ON;
    dev->dark = true;
    if (was_on)
        dev->power = ST_OFF;
    if (!dev->looked) /* when it ended, just now */
        st_free_look(dev);
    dev->looked = false;
    if (dev->cutting || (was_on && !dev->st->ended))
        was_cut(dev);
}

void st_lost(void *ctx, const char *why)
{
    struct st_device *dev = ctx;
    struct sim_stepped *st = dev->st;
    st_note(dev, "infrastructure: %s", why);
    if (!st->lost[0])
        snprintf(st->lost, sizeof st->lost, "%s: %s", dev->unit->id, why);
}

/* What the part holds was read just now, if it can be read: a board that was well once, and has
 * another bootloader region than the factory gave it, is silent for that. */
void st_mute(void *ctx, const char *why)
{
    struct st_device *dev = ctx;
    if ((dev->st->started || dev->known) && !st_bootloader_is_whole(dev))
        st_die(dev, REP_BRICK_NO_BOOT,
               "not a word of its boot, and its bootloader region is not what the factory wrote");
    else
        st_lost(dev, why);
}

/* A factory's board that nobody has cut yet: what keeps it from the broker is between the two. Left
 * alone it would be called unreachable in the end, which is a brick. */
void st_free_absent(struct sim_stepped *st)
{
    char why[ST_SAID_MAX];
    for (uint32_t d = 0; d < st->devices; d++) {
        struct st_device *dev = &st->device[d];
        const char *said = strrchr(dev->said, '|');
        if (dev->known || !dev->spawned || dev->seen.cuts)
            continue;
        snprintf(why, sizeof why,
                 "it did not reach the broker within %d s, before the campaign began: look at its "
                 "OTA line, and at whether that is its own; its console said last: %.160s",
                 SIM_YARD_GATHER_S,
                 said         ? said + 2
                 : *dev->said ? dev->said
                              : "nothing");
        st_lost(dev, why);
    }
}

static bool all_dark(const struct sim_stepped *st)
{
    for (uint32_t d = 0; d < st->devices; d++)
        if (st->device[d].spawned && !st->device[d].dark)
            return false;
    return true;
}

/* The bodies themselves give up before that (`lost`). */
uint32_t st_free_dark_within_ms(const struct sim_stepped *st)
{
    return RELAYS_WITHIN_MS +
           (st->kind->dark_within_ms ? st->kind->dark_within_ms(st->kind_ctx) : 0);
}

/* All are switched off, and looked at. One that does not get dark is lost. A cut that is on its way
 * took effect; one whose moment has not come was none. */
void st_free_end_all(struct sim_stepped *st)
{
    for (uint32_t d = 0; d < st->devices; d++) {
        struct st_device *dev = &st->device[d];
        if (dev->moment)
            sim_fault_disarm(dev->moment);
        dev->moment = NULL;
        if (dev->spawned && !dev->dark)
            st_off(dev);
    }
    uint32_t within_ms = st_free_dark_within_ms(st);
    double until = ev_time() + within_ms / 1000.0;
    while (!all_dark(st) && ev_time() < until && !st->lost[0])
        sim_yard_wait(&st->yard, st_now_us(st) + st_own_us(st, 50000));
    if (!all_dark(st) && !st->lost[0])
        snprintf(st->lost, sizeof st->lost, "a %s was not seen to be off within %u s",
                 st->kind->what, within_ms / 1000);
}

/* ---- The oracle: what the part holds, now that it is off ---- */

static struct sim_oracle *oracle(const struct st_device *dev)
{
    return dev->st->fleet.shard->oracle;
}

/* What its console said to run must be there, verify, and be as said. False: it is not. */
static bool judge_running(struct st_device *dev, const struct sim_oracle_slot *slot)
{
    struct st_witness *seen = &dev->seen;
    const char *why = sim_oracle_may_run(slot, dev->group->device_type, dev->unit->hw_revision,
                                         seen->counter_floor);
    if (why)
        st_break(dev, REP_PROMISE_VERIFIED_CODE, "slot %c, which ran: %s", 'A' + seen->running_slot,
                 why);
    else if (strcmp(slot->version, seen->version))
        st_break(dev, REP_PROMISE_VERIFIED_CODE, "slot %c holds %s, and its console said %s",
                 'A' + seen->running_slot, slot->version, seen->version);
    else if (dev->confirm_said && !slot->confirmed)
        st_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "it said that %s is confirmed, and it is not",
                 seen->version);
    return !why;
}

static void confirm(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    seen->running_confirmed = true;
    seen->restless_boots = seen->trial_boots = 0;
    seen->confirmed_us = st_now_us(dev->st);
}

/* Lines that a console lost: the flash knows what ran, and whether it is confirmed. */
static void make_up(struct st_device *dev, const struct sim_oracle_slot *slot)
{
    struct st_witness *seen = &dev->seen;
    if (!dev->version_heard && st_witness_version(dev, slot->version, false))
        seen->running_confirmed = false;
    if (slot->confirmed && !seen->running_confirmed && !strcmp(seen->version, slot->version)) {
        confirm(dev);
        dev->was_settled = dev->was_settled || (dev->st->ended && dev->was_powered &&
                                                dev->was_connected && dev->state == AGENT_IDLE);
    }
}

/* What ran when the power went; nothing while it was booting. */
static void look_at_running(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    struct sim_oracle_slot slot;
    if (dev->booting)
        return;
    bool known = seen->running_slot >= 0;
    sim_oracle_slot(oracle(dev), &dev->flash, known ? seen->running_slot : st_slot_that_runs(dev),
                    &slot);
    if (known && dev->version_said ? !judge_running(dev, &slot) : !slot.valid)
        return;
    make_up(dev, &slot);
    seen->running = slot;
    if (known && slot.confirmed)
        st_witness_floor(dev);
}

void st_free_look(struct st_device *dev)
{
    struct sim_stepped *st = dev->st;
    uint8_t *bytes = st->kind->flash ? malloc(st->flash_bytes) : NULL;
    if (bytes && st->kind->flash(dev->body, bytes, st->flash_bytes)) {
        sim_flash_load(&dev->flash, 0, bytes, st->flash_bytes);
        dev->flash_known = true;
        look_at_running(dev);
        if (!st_boots_again(dev))
            st_break(dev, REP_PROMISE_NO_BRICK, "after a cut no slot verifies");
    }
    free(bytes);
    dev->version_said = dev->confirm_said = false;
}

/* ---- The story: what the console alone can tell ---- */

void st_free_boot(struct st_device *dev, int slot, bool trial)
{
    struct st_witness *seen = &dev->seen;
    seen->boots++;
    seen->dead_boots = 0;
    seen->running_slot = slot;
    seen->running_confirmed = dev->confirm_said = !trial;
    dev->version_said = dev->version_heard = false;
    seen->app_start_us = st_now_us(dev->st);
    st_note(dev, "boot %u: slot %c, %s", seen->boots, 'A' + slot, trial ? "on trial" : "confirmed");
    if (++seen->restless_boots > ST_RESTLESS_BOOTS_MAX)
        st_die(dev, REP_BRICK_BOOT_LOOP, "it boots again and again");
}

void st_free_jumped(struct st_device *dev)
{
    if (!dev->st->kind->free || !dev->booting || dev->power != ST_ON)
        return;
    st_leave(dev, SCN_DURING_BOOT);
    dev->booting = false;
    dev->state = AGENT_IDLE;
    dev->seen.boots++;
    dev->seen.dead_boots = 0;
    dev->seen.app_start_us = st_now_us(dev->st);
    st_note(dev, "boot %u: its bootloader's line was lost", dev->seen.boots);
}

/* The firmware's own word, once a boot; the flash is asked when it can be. */
void st_free_version(struct st_device *dev, const char *version)
{
    struct st_witness *seen = &dev->seen;
    if (dev->version_heard)
        return;
    dev->version_heard = true;
    bool changed = st_witness_version(dev, version, seen->running_confirmed);
    if (!changed && seen->running_confirmed && seen->confirmed_us < 0)
        seen->confirmed_us = st_now_us(dev->st); /* cut between the mark and its line */
    dev->version_said = seen->running_slot >= 0;
    uint32_t firmware = st_firmware_of(dev, seen->version);
    seen->ailments =
        firmware == UINT32_MAX || seen->running_confirmed ? 0 : st_ailments(dev, firmware);
    st_witness_trials(dev, changed);
}

/* Before the mark the trial must have lasted, by this clock, and sent telemetry. */
void st_free_confirmed(struct st_device *dev)
{
    struct st_witness *seen = &dev->seen;
    if (seen->running_confirmed || seen->running_slot < 0)
        return;
    if (!st_healthy(dev))
        st_break(dev, REP_PROMISE_CONFIRM_HEALTHY, "confirmed before all five checks had passed%s",
                 seen->ailments ? ": one is made to fail" : "");
    seen->telemetry_owed = !seen->telemetry_heard;
    dev->confirm_said = true;
    confirm(dev);
    st_note(dev, "%s is confirmed in slot %c", seen->version, 'A' + seen->running_slot);
}
