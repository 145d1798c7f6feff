/*
 * States that are to be cut later. They are found in rounds: first what the cuts of the layer
 * before lead to, then what one session of those leads to, then one of these ... until nothing is
 * new. Equal states are not the same bytes, and their sessions not the same operations; so of all
 * that reach a node in the round in which it was found, the one with the smallest place stands for
 * it. It is known when the round is over, before anything of it is run: threads make no difference.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

void sweep_items_free(struct sweep_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        sweep_state_free(&items->item[i].state);
        free(items->item[i].run);
    }
    free(items->item);
    memset(items, 0, sizeof *items);
}

static struct sweep_item *add_item(struct sweep_items *items)
{
    if (items->count == items->room) {
        items->room = items->room ? items->room * 2 : 64;
        items->item = sweep_must(realloc(items->item, items->room * sizeof *items->item));
    }
    struct sweep_item *item = &items->item[items->count++];
    memset(item, 0, sizeof *item);
    return item;
}

uint32_t sweep_keep(struct sweep_thread *thread, const struct sweep_origin *origin,
                    struct sweep_state *state, bool booted)
{
    struct sweep_nodes *nodes = &thread->search->nodes;
    bool is_new, stands;
    uint32_t node = sweep_nodes_visit(nodes, sweep_state_key(&thread->inner, state), origin, booted,
                                      &is_new, &stands);
    if (is_new && booted)
        sweep_node(nodes, node)->face = sweep_face_of(&thread->inner, state);
    sweep_sample(thread, node, origin, state);
    if (stands) {
        struct sweep_item *item = add_item(&thread->items);
        item->node = node;
        item->origin = *origin;
        item->state = *state;
    } else {
        sweep_state_free(state);
    }
    return node;
}

static bool is_same(const struct sweep_origin *a, const struct sweep_origin *b)
{
    return a->parent == b->parent && a->choices == b->choices && a->blow.form == b->blow.form &&
           a->blow.op == b->blow.op && a->blow.at == b->blow.at;
}

static int by_node(const void *a, const void *b)
{
    const struct sweep_item *x = a, *y = b;
    return (x->node > y->node) - (x->node < y->node);
}

/* The threads' items of this round, without those that another has taken the place of. */
void sweep_gather(struct sweep_search *search, struct sweep_items *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < search->threads; i++) {
        struct sweep_items *from = &search->thread[i].items;
        for (size_t n = 0; n < from->count; n++) {
            struct sweep_item *item = &from->item[n];
            if (is_same(&item->origin, &sweep_node(&search->nodes, item->node)->origin))
                *add_item(out) = *item;
            else
                sweep_state_free(&item->state);
        }
        free(from->item);
        memset(from, 0, sizeof *from);
    }
    if (out->count)
        qsort(out->item, out->count, sizeof *out->item, by_node);
    for (size_t n = 0; n < out->count; n++)
        out->item[n].state.flash.now_us = &out->item[n].state.now_us;
}

void sweep_items_move(struct sweep_items *to, struct sweep_items *from)
{
    for (size_t i = 0; i < from->count; i++)
        *add_item(to) = from->item[i];
    for (size_t i = 0; i < to->count; i++)
        to->item[i].state.flash.now_us = &to->item[i].state.now_us;
    free(from->item);
    memset(from, 0, sizeof *from);
}

uint64_t sweep_led_to(struct sweep_worker *worker, struct sweep_state *state)
{
    struct {
        XXH128_hash_t key;
        uint64_t end;
    } what = {{0, 0}, worker->ended};
    if (worker->ended == END_BOOTED || worker->ended == END_RESET)
        what.key = sweep_state_key(worker, state);
    return XXH3_64bits(&what, sizeof what);
}

static void keep_run(struct sweep_item *item, const struct sweep_choices *choices, uint64_t led_to,
                     uint32_t from_op, uint32_t to_op)
{
    item->run = sweep_must(realloc(item->run, (item->runs + 1) * sizeof *item->run));
    item->run[item->runs++] = (struct sweep_clean_run){.choices = sweep_choices_pack(choices),
                                                       .led_to = led_to,
                                                       .from_op = from_op,
                                                       .to_op = to_op};
}

/* The first operation that a session with these picks does not share with the one before it. */
static uint32_t parts_at(const struct sweep_choices *picks, const struct sweep_choices *before)
{
    uint32_t i = 0;
    while (picks->pick[i] == before->pick[i])
        i++;
    return before->op[i];
}

void sweep_run_node(struct sweep_thread *thread, struct sweep_item *item)
{
    struct sweep_worker *worker = &thread->inner;
    struct sweep_choices picks = {.count = 0}, before;
    struct sweep_origin origin = {
        .parent = item->node, .layer = item->origin.layer, .blow = {.form = SIM_SWEEP_FORMS}};
    uint32_t from_op = 0;
    for (bool more = true; more; from_op = more ? parts_at(&picks, &before) : 0) {
        struct sweep_state state;
        sweep_state_clone(&state, &item->state);
        enum sweep_end end = sweep_session(worker, &state, &picks, NULL);
        before = picks = worker->choices;
        thread->crowded |= picks.crowded || state.crowded;
        origin.choices = sweep_choices_pack(&picks);
        keep_run(item, &picks, sweep_led_to(worker, &state), from_op, worker->ops);
        if (sweep_is_over(thread, &origin, thread->search->nodes.round))
            sweep_state_free(&state);
        else
            sweep_add_edge(thread, &origin, sweep_keep(thread, &origin, &state, end == END_BOOTED),
                           end);
        more = sweep_choices_next(&picks);
    }
}
