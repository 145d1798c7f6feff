/* States that were seen (sim/sweep/nodes.c): who may name the way to one, and which never end. */
#include "nodes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct sweep_nodes *nodes;
static struct sweep_edges edges;

static void begin(void)
{
    nodes = malloc(sizeof *nodes);
    cr_assert(nodes && sweep_nodes_init(nodes) == 0);
    nodes->leaves = true;
}

static void end(void)
{
    sweep_nodes_free(nodes);
    free(nodes);
    free(edges.edge);
}

TestSuite(sweep_nodes, .init = begin, .fini = end);

static XXH128_hash_t key(uint64_t number)
{
    return XXH3_128bits(&number, sizeof number);
}

static uint32_t visit(uint64_t number, struct sweep_origin origin, bool *is_new)
{
    bool stands;
    return sweep_nodes_visit(nodes, key(number), &origin, true, is_new, &stands);
}

static uint32_t root(uint64_t number)
{
    bool is_new;
    return visit(number, (struct sweep_origin){.parent = SWEEP_NODE_NONE, .choices = number},
                 &is_new);
}

static struct sweep_origin cut(uint32_t parent, uint32_t op, uint8_t form)
{
    return (struct sweep_origin){
        .parent = parent,
        .layer = sweep_node(nodes, parent)->origin.layer + 1,
        .blow = {.form = form, .op = op},
    };
}

/* A cut-free way to a node, as an origin and as an edge. */
static uint32_t after(uint64_t number, uint32_t parent, uint64_t choices)
{
    bool is_new;
    uint32_t node = visit(number,
                          (struct sweep_origin){.parent = parent,
                                                .layer = sweep_node(nodes, parent)->origin.layer,
                                                .choices = choices,
                                                .blow = {.form = SIM_SWEEP_FORMS}},
                          &is_new);
    sweep_edges_add(&edges, &(struct sweep_edge){.from = parent, .to = node, .choices = choices});
    return node;
}

static void ends(uint32_t node)
{
    sweep_edges_add(&edges, &(struct sweep_edge){.from = node, .to = SWEEP_NODE_NONE});
}

Test(sweep_nodes, a_state_is_new_once)
{
    bool first, second;
    uint32_t top = root(0);
    uint32_t a = visit(1, cut(top, 5, SIM_SWEEP_BEFORE), &first);
    uint32_t b = visit(1, cut(top, 7, SIM_SWEEP_BEFORE), &second);
    cr_expect(first && !second);
    cr_expect_eq(a, b);
    cr_expect_eq(sweep_nodes_find(nodes, key(1)), a);
    cr_expect_eq(sweep_nodes_find(nodes, key(2)), SWEEP_NODE_NONE);
    cr_expect_eq(atomic_load(&nodes->count), 2);
}

Test(sweep_nodes, the_smaller_place_names_the_way_whoever_came_first)
{
    static const struct {
        uint32_t op;
        uint8_t form;
    } way[] = {
        {7, SIM_SWEEP_BEFORE}, {5, SIM_SWEEP_AFTER}, {5, SIM_SWEEP_PREFIX}, {9, SIM_SWEEP_BEFORE}};
    uint32_t top = root(0), node = 0;
    bool is_new;
    for (size_t start = 0; start < 4; start++) {
        for (size_t i = 0; i < 4; i++) {
            size_t at = (start + i) % 4;
            node = visit(10 + start, cut(top, way[at].op, way[at].form), &is_new);
        }
        cr_expect_eq(sweep_node(nodes, node)->origin.blow.op, 5, "from %zu on", start);
        cr_expect_eq(sweep_node(nodes, node)->origin.blow.form, SIM_SWEEP_PREFIX);
    }
}

Test(sweep_nodes, a_state_of_an_earlier_layer_keeps_its_way)
{
    bool is_new;
    uint32_t top = root(0);
    uint32_t early = visit(1, cut(top, 900, SIM_SWEEP_AFTER), &is_new);
    visit(1, cut(early, 0, SIM_SWEEP_BEFORE), &is_new);
    cr_expect_not(is_new);
    cr_expect_eq(sweep_node(nodes, early)->origin.parent, top);
    cr_expect_eq(sweep_node(nodes, early)->origin.layer, 1);
}

Test(sweep_nodes, a_session_without_a_cut_never_takes_a_way_over_by_itself)
{
    bool is_new;
    uint32_t top = root(0);
    uint32_t by_cut = visit(1, cut(top, 5, SIM_SWEEP_BEFORE), &is_new);
    uint32_t other = visit(2, cut(top, 3, SIM_SWEEP_BEFORE), &is_new);
    after(1, other, 0);
    cr_expect_eq(sweep_node(nodes, by_cut)->origin.blow.op, 5, "places come at a layer's end");
    sweep_nodes_relax(nodes, &edges, 1, 1);
    cr_expect_eq(sweep_node(nodes, by_cut)->origin.parent, other);
    cr_expect_eq(sweep_node(nodes, by_cut)->origin.blow.form, SIM_SWEEP_FORMS);
}

/* A chain from a cut; a smaller cut that comes to its middle later moves all behind it. */
Test(sweep_nodes, a_smaller_place_goes_along_the_sessions_without_a_cut)
{
    bool is_new;
    uint32_t top = root(0), chain[5];
    chain[0] = visit(1, cut(top, 50, SIM_SWEEP_BEFORE), &is_new);
    for (uint32_t i = 1; i < 5; i++)
        chain[i] = after(1 + i, chain[i - 1], i);
    sweep_nodes_relax(nodes, &edges, 1, 1);
    struct sweep_order before = sweep_node(nodes, chain[4])->order;
    for (uint32_t i = 1; i < 5; i++)
        cr_expect_lt(sweep_order_compare(sweep_node(nodes, chain[i - 1])->order,
                                         sweep_node(nodes, chain[i])->order),
                     0, "each session is one place further");

    visit(3, cut(top, 4, SIM_SWEEP_BEFORE), &is_new);
    cr_expect_not(is_new);
    sweep_nodes_relax(nodes, &edges, 1, 1);
    cr_expect_eq(sweep_node(nodes, chain[1])->origin.parent, chain[0], "before it: as it was");
    cr_expect_eq(sweep_node(nodes, chain[2])->origin.blow.op, 4);
    cr_expect_eq(sweep_node(nodes, chain[3])->origin.parent, chain[2]);
    cr_expect_lt(sweep_order_compare(sweep_node(nodes, chain[4])->order, before), 0);
}

/* Whichever edge comes first in the list: of two ways with one place the smaller choices win. */
Test(sweep_nodes, ways_with_one_place_are_told_apart_by_their_choices)
{
    for (uint64_t turn = 0; turn < 2; turn++) {
        bool is_new;
        uint32_t top = root(turn);
        uint32_t from = visit(100 + turn, cut(top, 5, SIM_SWEEP_BEFORE), &is_new);
        uint32_t to = after(200 + turn, from, turn ? 3 : 8);
        after(200 + turn, from, turn ? 8 : 3);
        sweep_nodes_relax(nodes, &edges, 1, 1);
        cr_expect_eq(sweep_node(nodes, to)->origin.choices, 3);
    }
}

Test(sweep_nodes, a_circle_without_a_cut_comes_to_an_end)
{
    bool is_new;
    uint32_t a = visit(1, cut(root(0), 5, SIM_SWEEP_BEFORE), &is_new);
    uint32_t b = after(2, a, 0), c = after(3, b, 0);
    after(1, c, 0);
    sweep_nodes_relax(nodes, &edges, 1, 1);
    cr_expect_eq(sweep_node(nodes, a)->origin.blow.op, 5);
    cr_expect_eq(sweep_node(nodes, c)->origin.parent, b);
}

/* In a layer that is kept, who stands for a node is settled when its round is over. */
Test(sweep_nodes, in_rounds_a_later_way_never_takes_over)
{
    bool is_new;
    nodes->leaves = false;
    uint32_t top = root(0);
    uint32_t a = visit(1, cut(top, 9, SIM_SWEEP_BEFORE), &is_new);
    visit(1, cut(top, 4, SIM_SWEEP_BEFORE), &is_new);
    cr_expect_eq(sweep_node(nodes, a)->origin.blow.op, 4, "in the same round the smaller place");
    uint32_t b = visit(2, cut(top, 2, SIM_SWEEP_BEFORE), &is_new);
    nodes->round = 1;
    uint32_t c = after(3, a, 5);
    after(3, b, 7);
    cr_expect_eq(sweep_node(nodes, c)->origin.parent, b, "without a cut, too");
    nodes->round = 2;
    after(1, b, 0);
    cr_expect_eq(sweep_node(nodes, a)->origin.blow.op, 4, "not in a later one");
}

Test(sweep_nodes, ranks_follow_places_in_each_layer)
{
    bool is_new;
    uint32_t top = root(0), second = root(1);
    uint32_t late = visit(10, cut(top, 9, SIM_SWEEP_BEFORE), &is_new);
    uint32_t early = visit(11, cut(top, 2, SIM_SWEEP_BEFORE), &is_new);
    sweep_nodes_rank(nodes, 0);
    sweep_nodes_rank(nodes, 1);
    cr_expect_eq(sweep_node(nodes, top)->rank, 0);
    cr_expect_eq(sweep_node(nodes, second)->rank, 1);
    cr_expect_eq(sweep_node(nodes, early)->rank, 0);
    cr_expect_eq(sweep_node(nodes, late)->rank, 1);
    struct sweep_origin behind_late = cut(late, 0, SIM_SWEEP_BEFORE);
    struct sweep_origin behind_early = cut(early, 99, SIM_SWEEP_BEFORE);
    cr_expect_lt(sweep_order_compare(sweep_order_of(nodes, &behind_early),
                                     sweep_order_of(nodes, &behind_late)),
                 0, "the parent's rank counts more than the operation");
}

enum { FOUND_MAX = 16 };
struct found {
    uint32_t node[FOUND_MAX], count;
};

static void note_found(void *ctx, uint32_t node)
{
    struct found *found = ctx;
    cr_assert_lt(found->count, FOUND_MAX);
    found->node[found->count++] = node;
}

/*
 *     a -> b -> end       c <-> d       e -> c       f -> c, f -> b
 */
Test(sweep_nodes, endless_is_what_no_way_without_a_cut_leads_out_of)
{
    struct found found = {.count = 0};
    uint32_t a = root(0), b = after(1, a, 0), c = root(2), e = root(4), f = root(5);
    uint32_t d = after(3, c, 0);
    ends(b);
    after(2, d, 0);
    after(2, e, 0);
    after(2, f, 0);
    after(1, f, 1);
    sweep_nodes_endless(nodes, &edges, 1, note_found, &found);
    cr_expect_eq(found.count, 3);
    for (uint32_t i = 0; i < found.count; i++)
        cr_expect(found.node[i] == c || found.node[i] == d || found.node[i] == e, "%u",
                  found.node[i]);
}

Test(sweep_nodes, many_states_are_all_found_again)
{
    enum { MANY = 3 * SWEEP_CHUNK + 5 };
    uint32_t wrong = 0;
    for (uint64_t i = 0; i < MANY; i++)
        root(i);
    for (uint64_t i = 0; i < MANY; i++)
        wrong += sweep_nodes_find(nodes, key(i)) != i;
    cr_expect_eq(wrong, 0);
    cr_expect_eq(atomic_load(&nodes->count), MANY);
}
