/* What the search found out, as a result: failures by kind and with tokens, and all counts. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

static void found_endless(void *ctx, uint32_t node)
{
    struct sweep_search *search = ctx;
    struct sweep_origin origin = {.parent = node,
                                  .layer = sweep_node(&search->nodes, node)->origin.layer,
                                  .blow = {.form = SIM_SWEEP_FORMS}};
    struct sweep_failure failure = {.promise = REP_PROMISE_CONVERGENCE,
                                    .endless = true,
                                    .what = "never comes to rest, though the power stays"};
    sweep_report_failure(&search->thread[0], &origin, &failure);
}

struct ranked {
    const struct sweep_found *found;
    struct sweep_order order;
    XXH128_hash_t parent;
};

/* The fewest cuts, then the place in the search. */
static int by_place(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    const struct sweep_origin *p = &x->found->origin, *q = &y->found->origin;
    if (p->layer != q->layer)
        return p->layer < q->layer ? -1 : 1;
    int order = sweep_order_compare(x->order, y->order);
    if (order)
        return order;
    if (p->choices != q->choices)
        return p->choices < q->choices ? -1 : 1;
    if (p->boot_choices != q->boot_choices)
        return p->boot_choices < q->boot_choices ? -1 : 1;
    return XXH128_cmp(&x->parent, &y->parent);
}

static struct sim_sweep_broken *kind_of(struct sim_sweep_result *out,
                                        const struct sweep_failure *failure)
{
    const char *promise = rep_promise_name((int)failure->promise);
    for (uint32_t i = 0; i < out->brokens; i++)
        if (!strcmp(out->broken[i].promise, promise) && !strcmp(out->broken[i].what, failure->what))
            return &out->broken[i];
    if (out->brokens == SIM_SWEEP_BROKEN_MAX) {
        out->more_broken = true;
        return NULL;
    }
    struct sim_sweep_broken *broken = &out->broken[out->brokens++];
    broken->promise = promise;
    snprintf(broken->what, sizeof broken->what, "%s", failure->what);
    return broken;
}

/* What a token tells has to happen again. */
static bool breaks_again(struct sweep_search *search, const struct sweep_failure *failure,
                         const char *history)
{
    struct sweep_history_run run;
    char message[256] = "";
    int error = sweep_history_run(&search->thread[0].inner, history, &run, message, sizeof message);
    return !error && run.fired && run.broken && run.failure.promise == failure->promise;
}

static void write_token(const struct sweep_search *search, const char *history, char *out,
                        size_t len)
{
    struct sim_sweep_token token;
    const char *path = search->world->scn->path;
    const char *dut = search->options->dut_path ? search->options->dut_path : "";
    memset(&token, 0, sizeof token);
    *out = 0;
    /* A token with a part of a path would name another file. */
    if (strlen(path) >= sizeof token.scenario || strlen(dut) >= sizeof token.dut)
        return;
    for (size_t i = 0; i < 16; i++)
        snprintf(token.hash + 2 * i, 3, "%02x", search->world->scn->content_hash[i]);
    memcpy(token.scenario, path, strlen(path));
    memcpy(token.dut, dut, strlen(dut));
    snprintf(token.history, sizeof token.history, "%s", history);
    sim_sweep_token_write(out, len, &token);
}

static void collect_broken(struct sweep_search *search, struct sim_sweep_result *out)
{
    size_t all = 0, count = 0;
    for (uint32_t i = 0; i < search->threads; i++)
        all += search->thread[i].founds;
    if (all == 0)
        return;
    struct ranked *ranked = calloc(all, sizeof *ranked);
    if (!ranked)
        abort();
    for (uint32_t i = 0; i < search->threads; i++)
        for (size_t f = 0; f < search->thread[i].founds; f++) {
            const struct sweep_found *found = &search->thread[i].found[f];
            ranked[count].found = found;
            ranked[count].order = sweep_order_of(&search->nodes, &found->origin);
            if (found->origin.parent != SWEEP_NODE_NONE)
                ranked[count].parent = sweep_node(&search->nodes, found->origin.parent)->key;
            count++;
        }
    qsort(ranked, count, sizeof *ranked, by_place);
    for (size_t i = 0; i < count; i++) {
        const struct sweep_found *found = ranked[i].found;
        struct sim_sweep_broken *broken = kind_of(out, &found->failure);
        if (!broken)
            continue;
        if (broken->states++ == 0) {
            char history[sizeof((struct sim_sweep_token *)0)->history];
            sweep_history_write(search, &found->origin, history, sizeof history);
            write_token(search, history, broken->token, sizeof broken->token);
            broken->cuts = found->origin.layer;
            if (!breaks_again(search, &found->failure, history))
                out->unrepeated++;
            else if (out->exit_code != 3)
                out->exit_code = found->failure.endless ? 4 : 3;
        }
    }
    free(ranked);
}

static uint64_t states_of(const struct sweep_search *search)
{
    uint64_t states = 0;
    uint32_t all = atomic_load(&search->nodes.count);
    for (uint32_t i = 0; i < all; i++)
        states += sweep_node(&search->nodes, i)->booted;
    return states;
}

/* Cuts of the last layer whose first boot was, in the search's order, the first way to its state.
 */
static uint64_t firsts_of(const struct sweep_search *search)
{
    uint64_t firsts = 0;
    uint32_t all = atomic_load(&search->nodes.count);
    for (uint32_t i = 0; i < all; i++) {
        const struct sweep_origin *origin = &sweep_node(&search->nodes, i)->origin;
        firsts += origin->boots && origin->blow.form != SIM_SWEEP_FORMS && !origin->boot_choices;
    }
    return firsts;
}

static void count(struct sweep_search *search, struct sim_sweep_result *out, bool complete)
{
    bool crowded = false;
    for (uint32_t i = 0; i < search->threads; i++) {
        const struct sweep_thread *thread = &search->thread[i];
        out->histories += thread->histories;
        out->cuts += thread->cuts;
        out->merged += thread->kept + thread->followed - thread->ended;
        out->boots += thread->inner.boots + thread->outer.boots;
        out->sha256_bytes +=
            thread->inner.openssl.sha256_bytes + thread->outer.openssl.sha256_bytes;
        out->ecdsa_verifies +=
            thread->inner.openssl.ecdsa_verifies + thread->outer.openssl.ecdsa_verifies;
        for (int f = 0; f < SIM_SWEEP_FORMS; f++)
            out->form[f] += thread->form[f];
        crowded |= thread->crowded;
    }
    out->merged -= firsts_of(search);
    out->states = states_of(search);
    out->fixpoint = search->options->any && complete && !crowded;
}

static void judge(struct sweep_search *search, struct sim_sweep_result *out)
{
    struct sweep_edges *edges = sweep_all_edges(search);
    if (search->leaves)
        sweep_nodes_relax(&search->nodes, edges, search->threads, search->layer);
    sweep_nodes_endless(&search->nodes, edges, search->threads, found_endless, search);
    sweep_compare_samples(search, edges, out);
    free(edges);
    collect_broken(search, out);
    uint64_t cuts = 0;
    for (uint32_t i = 0; i < search->threads; i++) {
        cuts += search->thread[i].cuts;
        out->unfired += search->thread[i].unfired;
    }
    /* A promise that was broken twice is broken, whatever else went wrong. */
    if (out->exit_code == 0 && (out->unequal_pairs || out->unfired || out->unrepeated || cuts == 0))
        out->exit_code = 8;
}

void sweep_verdict(struct sweep_search *search, struct sim_sweep_result *out, bool complete)
{
    judge(search, out);
    count(search, out, complete);
}
