/*
 * What comes of a cut of the last layer while the power stays: boot, run, reset, boot ... to the
 * end of the story, or to a state that was seen before. Where a session asks for a choice (how
 * unstable bits read, how the firmware behaves), each pick is followed. Nothing of it is cut again,
 * so no state is kept (keep.c does that in the layers before).
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

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

static struct pending *push(struct stack *stack)
{
    if (stack->count == stack->room) {
        stack->room = stack->room ? stack->room * 2 : 16;
        stack->at = sweep_must(realloc(stack->at, stack->room * sizeof *stack->at));
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
        thread->found =
            sweep_must(realloc(thread->found, thread->founds_room * sizeof *thread->found));
    }
    thread->found[thread->founds].origin = *origin;
    thread->found[thread->founds++].failure = *failure;
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

void sweep_add_edge(struct sweep_thread *thread, const struct sweep_origin *origin, uint32_t to,
                    enum sweep_end end)
{
    if (origin->parent == SWEEP_NODE_NONE || origin->blow.form != SIM_SWEEP_FORMS)
        return;
    sweep_edges_add(&thread->edges, &(struct sweep_edge){.from = origin->parent,
                                                         .to = to,
                                                         .choices = origin->choices,
                                                         .boot_choices = origin->boot_choices,
                                                         .boots = origin->boots,
                                                         .end = (uint8_t)end});
}

/* Ends the story of a session's state, when it has one: broken, at rest, or never at rest. */
bool sweep_is_over(struct sweep_thread *thread, const struct sweep_origin *origin,
                   uint32_t sessions)
{
    struct sweep_worker *worker = &thread->inner;
    enum sweep_end end = worker->ended;
    struct sweep_failure endless = {.promise = REP_PROMISE_CONVERGENCE,
                                    .endless = true,
                                    .what = "boots again and again, without an end"};
    if (end != END_BROKEN && end != END_REST && sessions <= SWEEP_SESSIONS_MAX)
        return false;
    bool over = end == END_BROKEN || end == END_REST;
    sweep_add_edge(thread, origin, SWEEP_NODE_NONE, over ? end : END_RUNNING);
    if (end != END_REST)
        sweep_report_failure(thread, origin, end == END_BROKEN ? &worker->failure : &endless);
    return true;
}

/* The node of what a session of the last layer led to; NONE: it has none. Off states are not kept
 * there, but they may be known from an earlier layer. */
static uint32_t node_of(struct sweep_thread *thread, const struct sweep_origin *origin,
                        struct sweep_state *state, bool *is_new)
{
    struct sweep_worker *worker = &thread->inner;
    struct sweep_nodes *nodes = &thread->search->nodes;
    XXH128_hash_t key = sweep_state_key(worker, state);
    bool stands;
    if (worker->ended != END_BOOTED) {
        uint32_t known = sweep_nodes_find(nodes, key);
        *is_new = known == SWEEP_NODE_NONE;
        return known;
    }
    uint32_t node = sweep_nodes_visit(nodes, key, origin, true, is_new, &stands);
    if (*is_new)
        sweep_node(nodes, node)->face = sweep_face_of(worker, state);
    return node;
}

/* One session has ended with `state`; what follows is pushed, or is known already. False when it
 * led to no node: its story is over, or goes on by itself. */
static bool take_over(struct sweep_thread *thread, struct stack *stack,
                      const struct sweep_origin *origin, struct sweep_state *state,
                      uint32_t sessions)
{
    bool is_new;
    enum sweep_end end = thread->inner.ended;
    if (sweep_is_over(thread, origin, sessions)) {
        sweep_state_free(state);
        return false;
    }
    uint32_t node = node_of(thread, origin, state, &is_new);
    if (node != SWEEP_NODE_NONE) {
        sweep_add_edge(thread, origin, node, end);
        sweep_sample(thread, node, origin, state);
    }
    if (!is_new) {
        sweep_state_free(state);
        return true;
    }
    struct pending *next = push(stack);
    next->state = *state;
    next->state.flash.now_us = &next->state.now_us;
    next->origin = *origin;
    next->node = node;
    next->sessions = sessions;
    return node != SWEEP_NODE_NONE;
}

/* All sessions of one state; true when the first of them led to a node. */
static bool run_all(struct sweep_thread *thread, struct stack *stack, struct pending *from)
{
    struct sweep_worker *worker = &thread->inner;
    struct sweep_choices picks = {.count = 0};
    bool leads = false, first = true;
    do {
        struct sweep_state state;
        sweep_state_clone(&state, &from->state);
        sweep_session(worker, &state, &picks, NULL);
        picks = worker->choices;
        thread->crowded |= picks.crowded || state.crowded;
        struct sweep_origin origin = origin_after(from, sweep_choices_pack(&picks));
        bool led = take_over(thread, stack, &origin, &state, from->sessions + 1);
        leads |= led && first;
        first = false;
    } while (sweep_choices_next(&picks));
    return leads;
}

void sweep_follow(struct sweep_thread *thread, struct sweep_state *state,
                  const struct sweep_origin *origin)
{
    struct stack stack = {NULL, 0, 0};
    struct pending *first = push(&stack);
    first->state = *state;
    first->state.flash.now_us = &first->state.now_us;
    first->origin = *origin;
    first->sessions = 0;
    first->node = SWEEP_NODE_NONE;
    thread->cuts++;
    thread->histories++;
    thread->form[origin->blow.form]++;
    thread->followed++;
    for (bool begun = false; stack.count > 0; begun = true) {
        struct pending from = stack.at[--stack.count];
        from.state.flash.now_us = &from.state.now_us;
        bool leads = run_all(thread, &stack, &from);
        thread->ended += !leads && !begun;
        sweep_state_free(&from.state);
    }
    free(stack.at);
}
