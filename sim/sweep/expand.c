/*
 * Cuts one session at each of its operations. The session runs once; before each operation unit
 * (a page, a sector) the flash as it is then is copied, the unit is torn in the copy, and what
 * follows is run by the thread's other worker: nothing is replayed from the start.
 */
#include "search.h"

#include <string.h>

/* The forms that end a session at an operation, and where prefix and suffix tear. */
enum { TEARS_MAX = 3 };

static uint32_t tears(const struct sweep_search *search, uint8_t form,
                      const struct sim_flash_call *call, uint32_t out[TEARS_MAX])
{
    const struct dut_layout *layout = &search->world->unit.layout;
    bool erase = call->kind == SIM_FLASH_ERASE;
    uint32_t unit = erase ? layout->sector_bytes : layout->page_bytes;
    uint32_t edge = erase ? layout->page_bytes : 1;
    out[0] = out[1] = out[2] = 0;
    if (form != SIM_SWEEP_PREFIX && form != SIM_SWEEP_SUFFIX)
        return 1;
    out[0] = unit / 2;
    /* Deeper searches tear in the middle only: each point more multiplies their states. */
    if (search->options->any || search->options->cuts > 1)
        return 1;
    out[1] = edge;
    out[2] = unit - edge;
    return TEARS_MAX;
}

void sweep_hand_over(struct sweep_thread *thread, struct sweep_state *state,
                     const struct sweep_origin *origin)
{
    if (thread->search->leaves) {
        sweep_follow(thread, state, origin);
        return;
    }
    thread->kept++;
    sweep_keep(thread, origin, state, false);
}

static void child(struct sweep_thread *thread, const struct sim_flash_call *unit,
                  const struct sweep_blow *blow)
{
    struct sweep_search *search = thread->search;
    struct sweep_state state;
    struct sim_flash_cut cut = sweep_cut_of(blow, 0);
    uint32_t sector = unit->addr / search->world->unit.layout.sector_bytes;
    sweep_state_clone(&state, &thread->shadow);
    sim_flash_reseed(&state.flash, search->world->scn->seed, blow->op, blow->form);
    sim_flash_apply(&state.flash, unit, &cut);
    sweep_state_torn(&state, unit->kind, unit->addr, cut.form);
    sweep_state_rehash(search->world, &state, &thread->shadow.flash, &sector, 1);
    sweep_env_cut(search->world, &state.env, blow->form);
    state.booted = false;
    struct sweep_origin origin = {.parent = thread->item->node,
                                  .layer = search->layer + 1,
                                  .choices = thread->choices,
                                  .blow = *blow};
    atomic_fetch_add(&search->cuts_shown, 1);
    sweep_hand_over(thread, &state, &origin);
}

static bool asked_for(const struct sweep_search *search, uint32_t form)
{
    return search->world->forms >> form & 1;
}

/*
 * After an operation is before the next one: where states are visited once, that is not run twice.
 * There, places that read unstably add up over any number of cuts, and each multiplies the states:
 * while so many are left that matter, no further one is made.
 */
static bool applies(struct sweep_thread *thread, uint8_t form, uint32_t op)
{
    const struct sweep_search *search = thread->search;
    if (search->options->any && form == SIM_SWEEP_AFTER && op + 1 < thread->last_op)
        return false;
    if (search->options->any && form == SIM_SWEEP_UNSTABLE &&
        sweep_live_units(&thread->inner, &thread->shadow) >= SWEEP_UNSTABLE_AT_ONCE)
        return false;
    return asked_for(search, form);
}

/* Brings the shadow up to what outer's session holds now. */
static void cast_shadow(struct sweep_thread *thread)
{
    struct sweep_worker *outer = &thread->outer;
    sweep_state_clone(&thread->shadow, outer->state);
    sweep_state_rehash(outer->world, &thread->shadow, &thread->item->state.flash,
                       outer->dirty_sector, outer->dirties);
    thread->shadowed = true;
}

static void at_op(struct sweep_worker *outer, const struct sim_flash_call *call, uint32_t unit,
                  uint32_t op)
{
    struct sweep_thread *thread = outer->at_ctx;
    bool erase = call->kind == SIM_FLASH_ERASE;
    uint32_t page = outer->world->unit.layout.page_bytes;
    if (!thread->shadowed) {
        cast_shadow(thread);
        /* A window that begins inside of a call: its first pages are done. */
        for (uint32_t done = 0; done < unit; done++) {
            struct sim_flash_call first = {SIM_FLASH_PROGRAM, call->addr + done * page, page, 1,
                                           call->data + done * page};
            uint32_t sector = first.addr / outer->world->unit.layout.sector_bytes;
            struct sim_flash before;
            sim_flash_clone(&before, &thread->shadow.flash);
            sim_flash_apply(&thread->shadow.flash, &first, NULL);
            sweep_state_rehash(outer->world, &thread->shadow, &before, &sector, 1);
            sim_flash_free(&before);
        }
    }
    thread->shadow.env = outer->state->env;
    thread->shadow.now_us = outer->state->now_us;
    struct sim_flash_call one = *call;
    if (!erase)
        one = (struct sim_flash_call){SIM_FLASH_PROGRAM, call->addr + unit * page, page, 1,
                                      call->data + unit * page};
    for (uint8_t form = 0; form <= SIM_SWEEP_WATCHDOG; form++) {
        uint32_t at[TEARS_MAX];
        uint32_t points = applies(thread, form, op) ? tears(thread->search, form, call, at) : 0;
        for (uint32_t i = 0; i < points; i++)
            child(thread, &one, &(struct sweep_blow){.form = form, .op = op, .at = at[i]});
    }
    uint32_t sector = one.addr / outer->world->unit.layout.sector_bytes;
    struct sim_flash before;
    sim_flash_clone(&before, &thread->shadow.flash);
    sim_flash_apply(&thread->shadow.flash, &one, NULL);
    sweep_state_settle(&thread->shadow);
    sweep_state_rehash(outer->world, &thread->shadow, &before, &sector, 1);
    sim_flash_free(&before);
}

void sweep_expand(struct sweep_thread *thread, const struct sweep_item *item, uint32_t run,
                  uint32_t from_op, uint32_t to_op)
{
    struct sweep_worker *outer = &thread->outer;
    struct sweep_choices picks;
    struct sweep_state state;
    thread->item = item;
    thread->choices = item->run[run].choices;
    thread->last_op = item->run[run].to_op;
    thread->shadowed = false;
    sweep_choices_unpack(&picks, thread->choices);
    sweep_state_clone(&state, &item->state);
    outer->at_op = at_op;
    outer->at_ctx = thread;
    outer->at_from = from_op;
    outer->at_to = to_op;
    sweep_session(outer, &state, &picks, NULL);
    outer->at_op = NULL;
    /* Run a second time, a session does the same. Anything else is an error of the sweep. */
    if (outer->ops != item->run[run].to_op ||
        sweep_choices_pack(&outer->choices) != thread->choices ||
        sweep_led_to(outer, &state) != item->run[run].led_to)
        thread->unfired += to_op - from_op;
    if (thread->shadowed)
        sweep_state_free(&thread->shadow);
    sweep_state_free(&state);
}

/* Calls that suffer before the power goes. */
static const uint32_t brown_out_calls[] = {1, 2, 4};

static void brown_out(struct sweep_thread *thread, const struct sweep_item *item,
                      const struct sweep_choices *picks, const struct sweep_blow *blow)
{
    struct sweep_worker *outer = &thread->outer;
    struct sweep_state state;
    sweep_state_clone(&state, &item->state);
    sweep_session(outer, &state, picks, blow);
    struct sweep_origin origin = {.parent = item->node,
                                  .layer = thread->search->layer + 1,
                                  .choices = sweep_choices_pack(&outer->choices),
                                  .blow = *blow};
    atomic_fetch_add(&thread->search->cuts_shown, 1);
    if (outer->ended == END_CUT) {
        sweep_hand_over(thread, &state, &origin);
        return;
    }
    if (outer->ended == END_BROKEN)
        sweep_report_failure(thread, &origin, &outer->failure);
    else
        thread->unfired++;
    sweep_state_free(&state);
}

void sweep_expand_brown_outs(struct sweep_thread *thread, const struct sweep_item *item,
                             uint32_t run, uint32_t from_op, uint32_t to_op)
{
    struct sweep_choices picks;
    if (!asked_for(thread->search, SIM_SWEEP_BROWN_OUT))
        return;
    sweep_choices_unpack(&picks, item->run[run].choices);
    for (uint32_t op = from_op; op < to_op; op++)
        for (size_t i = 0; i < sizeof brown_out_calls / sizeof *brown_out_calls; i++)
            for (uint32_t lies = 0; lies < 2; lies++)
                brown_out(thread, item, &picks,
                          &(struct sweep_blow){.form = SIM_SWEEP_BROWN_OUT,
                                               .op = op,
                                               .at = brown_out_calls[i] * 2 + lies});
}
