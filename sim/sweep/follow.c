/*
 * What comes of a state while the power stays: boot, run, reset, boot ... to the end of the story,
 * or to a state that was seen before. Where a session asks for a choice (how unstable bits read,
 * how the firmware behaves), each pick is followed.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/* Boots in a row without a cut, after which a device is taken to go on for ever. Where states
 * merge, sweep_nodes_endless finds what this does not. */
enum { SESSIONS_MAX = 160 };
/* Of the states that were seen before, one in so many is run on all the same and compared. */
enum { SAMPLE_OF = 64 };

struct pending {
    struct sweep_state state;
    struct sweep_origin origin; /* of a state without a node: as for a node */
    uint32_t node;              /* NONE: no node of its own */
    uint32_t sessions;
};
struct stack {
    struct pending *at;
    size_t count, room;
};

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "sweep: no memory for more states\n");
        abort();
    }
    return memory;
}

static struct pending *push(struct stack *stack)
{
    if (stack->count == stack->room) {
        stack->room = stack->room ? stack->room * 2 : 16;
        stack->at = must(realloc(stack->at, stack->room * sizeof *stack->at));
        for (size_t i = 0; i < stack->count; i++)
            stack->at[i].state.flash.now_us = &stack->at[i].state.now_us;
    }
    return &stack->at[stack->count++];
}

void sweep_report_failure(struct sweep_thread *thread, const struct sweep_origin *origin,
                          const struct sweep_failure *failure)
{
    if (thread->founds == thread->founds_room) {
        thread->founds_room = thread->founds_room ? thread->founds_room * 2 : 64;
        thread->found = must(realloc(thread->found, thread->founds_room * sizeof *thread->found));
    }
    thread->found[thread->founds].origin = *origin;
    thread->found[thread->founds++].failure = *failure;
}

static void keep_run(struct sweep_item *item, const struct sweep_choices *choices, uint32_t from_op,
                     uint32_t to_op)
{
    item->run = must(realloc(item->run, (item->runs + 1) * sizeof *item->run));
    item->run[item->runs++] = (struct sweep_clean_run){
        .choices = sweep_choices_pack(choices), .from_op = from_op, .to_op = to_op};
}

static struct sweep_item *keep_item(struct sweep_thread *thread, uint32_t node,
                                    const struct sweep_state *state)
{
    struct sweep_items *items = &thread->items;
    if (items->count == items->room) {
        items->room = items->room ? items->room * 2 : 64;
        items->item = must(realloc(items->item, items->room * sizeof *items->item));
    }
    struct sweep_item *item = &items->item[items->count++];
    memset(item, 0, sizeof *item);
    item->node = node;
    sweep_state_clone(&item->state, state);
    return item;
}

void sweep_items_free(struct sweep_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        sweep_state_free(&items->item[i].state);
        free(items->item[i].run);
    }
    free(items->item);
    memset(items, 0, sizeof *items);
}

/* The origin of what a session of this pending state leads to. */
static struct sweep_origin origin_after(const struct pending *from, uint64_t choices)
{
    struct sweep_origin origin = from->origin;
    if (from->node == SWEEP_NODE_NONE) {
        origin.boot_choices = choices;
        origin.boots = true;
        return origin;
    }
    return (struct sweep_origin){.parent = from->node,
                                 .layer = from->origin.layer,
                                 .choices = choices,
                                 .blow = {.form = SIM_SWEEP_FORMS}};
}

static void add_edge(struct sweep_thread *thread, const struct sweep_origin *origin, uint32_t to)
{
    if (origin->parent == SWEEP_NODE_NONE || origin->blow.form != SIM_SWEEP_FORMS)
        return;
    sweep_edges_add(&thread->edges, &(struct sweep_edge){.from = origin->parent,
                                                         .to = to,
                                                         .choices = origin->choices,
                                                         .boot_choices = origin->boot_choices,
                                                         .boots = origin->boots});
}

static bool is_sampled(const struct sweep_thread *thread, uint32_t node)
{
    return sweep_node(&thread->search->nodes, node)->key.low64 % SAMPLE_OF == 0;
}

/* What a session led to: the same for equal states. */
static uint64_t echo_of(struct sweep_worker *worker, struct sweep_state *state)
{
    struct {
        XXH128_hash_t key;
        uint64_t end;
    } echo = {{0, 0}, worker->ended};
    if (worker->ended == END_BOOTED || worker->ended == END_RESET)
        echo.key = sweep_state_key(worker, state);
    return XXH3_64bits(&echo, sizeof echo) | 1;
}

/* Runs a state on that was seen before, and keeps what it leads to for comparison. */
static void sample(struct sweep_thread *thread, uint32_t node, const struct sweep_state *state)
{
    struct sweep_state on;
    if (thread->samples == thread->samples_room) {
        thread->samples_room = thread->samples_room ? thread->samples_room * 2 : 64;
        thread->sample =
            must(realloc(thread->sample, thread->samples_room * sizeof *thread->sample));
    }
    sweep_state_clone(&on, state);
    sweep_session(&thread->inner, &on, NULL, NULL);
    thread->sample[thread->samples++] =
        (struct sweep_sample){.node = node, .echo = echo_of(&thread->inner, &on)};
    sweep_state_free(&on);
}

/* One session of `from` has ended with `state`; what follows is pushed, or is known already. */
static bool take_over(struct sweep_thread *thread, struct stack *stack,
                      const struct sweep_origin *origin, struct sweep_state *state,
                      uint32_t sessions, bool keep)
{
    struct sweep_worker *worker = &thread->inner;
    enum sweep_end end = worker->ended;
    bool is_new = true, merged = false;
    uint32_t node = SWEEP_NODE_NONE;
    if (end == END_BROKEN || end == END_REST || sessions > SESSIONS_MAX) {
        struct sweep_failure endless = {.promise = REP_PROMISE_CONVERGENCE,
                                        .endless = true,
                                        .what = "boots again and again, without an end"};
        add_edge(thread, origin, SWEEP_NODE_NONE);
        if (end != END_REST)
            sweep_report_failure(thread, origin, end == END_BROKEN ? &worker->failure : &endless);
        sweep_state_free(state);
        return false;
    }
    if (end == END_BOOTED || keep) {
        node = sweep_nodes_visit(&thread->search->nodes, sweep_state_key(worker, state), origin,
                                 end == END_BOOTED, &is_new);
        add_edge(thread, origin, node);
        merged = !is_new;
    } else {
        /* Off states of the last layer are not kept, but they may be known from an earlier one. */
        node = sweep_nodes_find(&thread->search->nodes, sweep_state_key(worker, state));
        merged = node != SWEEP_NODE_NONE;
        if (merged)
            add_edge(thread, origin, node);
    }
    if (merged) {
        if (is_sampled(thread, node))
            sample(thread, node, state);
        sweep_state_free(state);
        return true;
    }
    struct pending *next = push(stack);
    next->state = *state;
    next->state.flash.now_us = &next->state.now_us;
    next->origin = *origin;
    next->node = node;
    next->sessions = sessions;
    return false;
}

static bool is_first(const struct sweep_choices *picks)
{
    return sweep_choices_pack(picks) == 0;
}

/* All sessions of one state; true when each led to something known. */
static bool run_all(struct sweep_thread *thread, struct stack *stack, struct pending *from,
                    bool keep)
{
    struct sweep_worker *worker = &thread->inner;
    struct sweep_choices picks = {.count = 0};
    struct sweep_item *item =
        keep && from->node != SWEEP_NODE_NONE ? keep_item(thread, from->node, &from->state) : NULL;
    size_t at = thread->items.count - 1;
    uint32_t from_op = 0;
    bool all_known = true;
    do {
        struct sweep_state state;
        sweep_state_clone(&state, &from->state);
        sweep_session(worker, &state, &picks, NULL);
        picks = worker->choices;
        thread->crowded |= picks.crowded || state.crowded;
        if (from->node != SWEEP_NODE_NONE && from_op == 0 && is_first(&picks) &&
            is_sampled(thread, from->node))
            sweep_node(&thread->search->nodes, from->node)->echo = echo_of(worker, &state);
        struct sweep_origin origin = origin_after(from, sweep_choices_pack(&picks));
        if (item)
            keep_run(&thread->items.item[at], &picks, from_op, worker->ops);
        if (!take_over(thread, stack, &origin, &state, from->sessions + 1, keep))
            all_known = false;
        struct sweep_choices before = picks;
        if (!sweep_choices_next(&picks))
            break;
        uint32_t i = 0;
        while (picks.pick[i] == before.pick[i])
            i++;
        from_op = before.op[i];
    } while (true);
    return all_known;
}

void sweep_follow(struct sweep_thread *thread, struct sweep_state *state,
                  const struct sweep_origin *origin, bool keep)
{
    struct stack stack = {NULL, 0, 0};
    bool entry = origin->blow.form != SIM_SWEEP_FORMS, is_new = true;
    struct pending *first = push(&stack);
    first->state = *state;
    first->state.flash.now_us = &first->state.now_us;
    first->origin = *origin;
    first->sessions = 0;
    first->node = SWEEP_NODE_NONE;
    if (keep)
        first->node = sweep_nodes_visit(&thread->search->nodes,
                                        sweep_state_key(&thread->inner, &first->state), origin,
                                        false, &is_new);
    /* In a search without an end of cuts, a state is visited once; else each cut has its boot. */
    if (!is_new && thread->search->options->any) {
        thread->merged++;
        sweep_state_free(&stack.at[--stack.count].state);
    }
    bool begun = false;
    while (stack.count > 0) {
        struct pending from = stack.at[--stack.count];
        from.state.flash.now_us = &from.state.now_us;
        bool known = run_all(thread, &stack, &from, keep && (begun || is_new));
        if (entry && !begun) {
            thread->cuts++;
            thread->histories++;
            thread->form[origin->blow.form]++;
            thread->merged += known;
        }
        begun = true;
        sweep_state_free(&from.state);
    }
    free(stack.at);
}
