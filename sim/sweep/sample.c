/*
 * Equal states are to have the same future. That rests on the device's word (dut.canonical), so it
 * is tried: some of the ways to a state are run on although the state is known, and what comes of
 * it is compared with what came of the state that stands for it.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/*
 * One in so many of the ways to a state is run on all the same, to the next boot; of these one in
 * so many to the end of its story, for what a canonical form leaves out may matter many boots
 * later.
 */
enum { SAMPLE_OF = 64, WHOLE_OF = 8, WHOLE_BOOTS = 32 };
/* With any number of cuts: there most cuts lead to what is known, and cost no boot. */
enum { SAMPLE_OF_ANY = 1024 };

/* Who is sampled goes by the way that leads there alone, so that threads do not matter. */
static uint64_t lot_of(const struct sweep_thread *thread, const struct sweep_origin *origin)
{
    struct {
        XXH128_hash_t parent;
        uint64_t choices, boot_choices, form, op, at;
    } way = {{0, 0},          origin->choices, origin->boot_choices, origin->blow.form,
             origin->blow.op, origin->blow.at};
    if (origin->parent != SWEEP_NODE_NONE)
        way.parent = sweep_node(&thread->search->nodes, origin->parent)->key;
    return XXH3_64bits(&way, sizeof way);
}

/* Where bytes are compared as bytes they hold the time at which they were written, and equal states
 * may have been reached at different times: what is written then differs, and means the same. */
static bool is_told_by_meaning(const struct sweep_worker *worker, const struct sweep_state *state)
{
    bool told = worker->world->parts > 0;
    for (uint32_t part = 0; part < worker->world->parts; part++)
        told &= state->part[part].viewed;
    return told;
}

/* What is to be the same of a booted state and of each that is equal to it. */
uint64_t sweep_face_of(struct sweep_worker *worker, struct sweep_state *state)
{
    struct {
        XXH128_hash_t key;
        struct sweep_env env;
        uint32_t running, image_addr, trial;
    } face;
    memset(&face, 0, sizeof face);
    XXH128_hash_t key = sweep_state_key(worker, state);
    if (is_told_by_meaning(worker, state))
        face.key = key;
    face.env = state->env;
    face.running = state->running;
    face.image_addr = state->boot.image_addr;
    face.trial = state->boot.trial;
    return XXH3_64bits(&face, sizeof face);
}

static uint64_t echo_after(uint64_t before, uint64_t face_or_end)
{
    uint64_t both[2] = {before, face_or_end};
    return XXH3_64bits(both, sizeof both);
}

/* Runs the state on, the first choice each time, for so many boots at most. */
static uint64_t run_echo(struct sweep_worker *worker, struct sweep_state *state, uint32_t boots)
{
    uint64_t echo = 0;
    for (uint32_t sessions = 0; boots > 0 && sessions < SWEEP_SESSIONS_MAX; sessions++) {
        enum sweep_end end = sweep_session(worker, state, NULL, NULL);
        if (end == END_RESET)
            continue;
        echo = echo_after(echo, end == END_BOOTED ? sweep_face_of(worker, state) : (uint64_t)end);
        boots = end == END_BOOTED ? boots - 1 : 0;
    }
    return echo;
}

/* A state equal to this node was reached in this way: perhaps it is run on. Also where it is the
 * first that was seen: who is the first depends on threads. */
void sweep_sample(struct sweep_thread *thread, uint32_t node, const struct sweep_origin *origin,
                  const struct sweep_state *state)
{
    struct sweep_state on;
    uint64_t lot = lot_of(thread, origin);
    uint64_t of = thread->search->options->any ? SAMPLE_OF_ANY : SAMPLE_OF;
    uint32_t boots = lot / of % WHOLE_OF == 0 ? WHOLE_BOOTS : 1;
    if (lot % of != 0)
        return;
    if (thread->samples == thread->samples_room) {
        thread->samples_room = thread->samples_room ? thread->samples_room * 2 : 64;
        thread->sample =
            sweep_must(realloc(thread->sample, thread->samples_room * sizeof *thread->sample));
    }
    sweep_state_clone(&on, state);
    thread->sample[thread->samples++] = (struct sweep_sample){
        .node = node, .boots = boots, .echo = run_echo(&thread->inner, &on, boots)};
    sweep_state_free(&on);
}

/* What came of a node: the boots on its way with the first choices. False where that is not known.
 */
static bool echo_of_node(const struct sweep_nodes *nodes, const struct sweep_edge *const *first,
                         const struct sweep_sample *sample, uint64_t *echo)
{
    uint32_t node = sample->node, boots = sample->boots;
    *echo = 0;
    while (boots > 0) {
        const struct sweep_edge *edge = first[node];
        if (!edge || edge->end == END_RUNNING)
            return false;
        node = edge->to;
        if (node == SWEEP_NODE_NONE) {
            *echo = echo_after(*echo, edge->end);
            return true;
        }
        if (!sweep_node(nodes, node)->booted)
            continue;
        *echo = echo_after(*echo, sweep_node(nodes, node)->face);
        boots--;
    }
    return true;
}

void sweep_compare_samples(struct sweep_search *search, const struct sweep_edges *edges,
                           struct sim_sweep_result *out)
{
    const struct sweep_edge **first =
        sweep_nodes_first_edges(&search->nodes, edges, search->threads);
    uint64_t echo;
    for (uint32_t i = 0; i < search->threads; i++)
        for (size_t s = 0; s < search->thread[i].samples; s++) {
            const struct sweep_sample *sample = &search->thread[i].sample[s];
            if (!echo_of_node(&search->nodes, first, sample, &echo))
                continue;
            out->sampled_pairs++;
            out->unequal_pairs += echo != sample->echo;
        }
    free(first);
}
