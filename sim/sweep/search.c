/* Layers, threads, and what comes out. */
#include "search.h"
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Operations of one session that are one piece of work. */
enum { WINDOW = 48, PROGRESS_MS = 200 };

static double clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void root(struct sweep_thread *thread, uint32_t number)
{
    struct sweep_search *search = thread->search;
    struct sweep_origin origin = {
        .parent = SWEEP_NODE_NONE, .choices = number, .blow = {.form = SIM_SWEEP_FORMS}};
    struct sweep_state state;
    char message[sizeof search->message];
    uint32_t stories = search->world->stories;
    if (sweep_root(&thread->inner, &state, number / stories, number % stories, message,
                   sizeof message)) {
        pthread_mutex_lock(&search->lock);
        snprintf(search->message, sizeof search->message, "%s", message);
        pthread_mutex_unlock(&search->lock);
        return;
    }
    thread->histories++;
    sweep_keep(thread, &origin, &state, false);
}

static void work(struct sweep_thread *thread, const struct sweep_task *task)
{
    struct sweep_search *search = thread->search;
    struct sweep_item *item = task->kind == TASK_ROOT  ? NULL
                              : task->kind == TASK_RUN ? &search->fresh.item[task->item]
                                                       : &search->todo.item[task->item];
    /* Sessions of a story depend on its variant: what the factory left is part of the unit. */
    if (item)
        thread->inner.unit.variant = thread->outer.unit.variant = item->state.env.variant;
    switch (task->kind) {
    case TASK_ROOT:
        root(thread, task->item);
        break;
    case TASK_RUN:
        sweep_run_node(thread, item);
        break;
    case TASK_CUTS:
        sweep_expand(thread, item, task->run, task->from_op, task->to_op);
        break;
    case TASK_BROWN_OUTS:
        sweep_expand_brown_outs(thread, item, task->run, task->from_op, task->to_op);
        break;
    default:
        sweep_expand_damage(thread, item);
        break;
    }
}

static void *thread_main(void *ctx)
{
    struct sweep_thread *thread = ctx;
    struct sweep_search *search = thread->search;
    struct sweep_guard guard;
    size_t next;
    sweep_guard_begin(&guard);
    while ((next = atomic_fetch_add(&search->next, 1)) < search->tasks)
        work(thread, &search->task[next]);
    sweep_guard_end(&guard);
    pthread_mutex_lock(&search->lock);
    search->running--;
    pthread_cond_signal(&search->done);
    pthread_mutex_unlock(&search->lock);
    return NULL;
}

static uint64_t states_of(const struct sweep_search *search)
{
    uint64_t states = 0;
    uint32_t all = atomic_load(&search->nodes.count);
    for (uint32_t i = 0; i < all; i++)
        states += sweep_node(&search->nodes, i)->booted;
    return states;
}

static void show(struct sweep_search *search, double began_s)
{
    const struct sim_sweep_options *options = search->options;
    size_t next = atomic_load(&search->next);
    uint64_t broken = 0;
    for (uint32_t i = 0; i < search->threads; i++)
        broken += search->thread[i].founds;
    struct sim_sweep_progress progress = {
        .layer = search->layer,
        .cuts = atomic_load(&search->cuts_shown),
        .states = atomic_load(&search->nodes.count),
        .todo = next < search->tasks ? search->tasks - next : 0,
        .wall_s = clock_s() - began_s,
        .broken = broken,
    };
    progress.story =
        next < search->tasks && search->todo.count && search->task[next].kind > TASK_RUN
            ? search->world->story[search->todo.item[search->task[next].item].state.env.story]->name
            : "";
    options->progress(options->ctx, &progress);
}

/* Runs all tasks; the caller's thread shows how far it is. */
static void run_tasks(struct sweep_search *search, double began_s)
{
    atomic_store(&search->next, 0);
    search->running = search->threads;
    for (uint32_t i = 0; i < search->threads; i++)
        if (pthread_create(&search->thread[i].id, NULL, thread_main, &search->thread[i])) {
            fprintf(stderr, "sweep: a thread could not be started\n");
            abort();
        }
    pthread_mutex_lock(&search->lock);
    while (search->running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&search->done, &search->lock, &until);
        if (search->running > 0 && search->options->progress)
            show(search, began_s);
    }
    pthread_mutex_unlock(&search->lock);
    for (uint32_t i = 0; i < search->threads; i++)
        pthread_join(search->thread[i].id, NULL);
}

static void add_task(struct sweep_search *search, struct sweep_task task)
{
    if ((search->tasks & (search->tasks + 1)) == 0) {
        search->task = realloc(search->task, 2 * (search->tasks + 1) * sizeof *search->task);
        if (!search->task)
            abort();
    }
    search->task[search->tasks++] = task;
}

/* Where any number of cuts is asked for, each story says which of its steps are cut. */
static bool is_cut(const struct sweep_search *search, const struct sweep_env *env)
{
    return !search->options->any || search->world->story[env->story]->cut_any >> env->step & 1;
}

static void plan(struct sweep_search *search)
{
    bool whole = search->layer == 0 && !search->options->any;
    search->tasks = 0;
    for (uint32_t i = 0; i < search->todo.count; i++) {
        const struct sweep_item *item = &search->todo.item[i];
        for (uint32_t run = 0; run < item->runs && is_cut(search, &item->state.env); run++) {
            uint32_t to = item->run[run].to_op;
            for (uint32_t at = item->run[run].from_op; at < to; at += WINDOW) {
                struct sweep_task task = {TASK_CUTS, i, run, at,
                                          at + WINDOW < to ? at + WINDOW : to};
                add_task(search, task);
                task.kind = TASK_BROWN_OUTS;
                if (whole)
                    add_task(search, task);
            }
        }
        if (whole)
            add_task(search, (struct sweep_task){.kind = TASK_DAMAGE, .item = i});
    }
}

static struct sweep_edges *all_edges(const struct sweep_search *search)
{
    struct sweep_edges *edges = calloc(search->threads, sizeof *edges);
    if (!edges)
        abort();
    for (uint32_t i = 0; i < search->threads; i++)
        edges[i] = search->thread[i].edges;
    return edges;
}

/* Where states are kept, a cut that leads to a state which another leads to is not booted. */
static void count_cuts(struct sweep_search *search, const struct sweep_items *fresh)
{
    for (size_t i = 0; i < fresh->count; i++) {
        const struct sweep_blow *blow = &fresh->item[i].origin.blow;
        if (blow->form == SIM_SWEEP_FORMS)
            continue;
        search->thread[0].cuts++;
        search->thread[0].kept--; /* of the others is told how many there were */
        search->thread[0].histories++;
        search->thread[0].form[blow->form]++;
    }
}

/* What the tasks reached, and what comes of that, round by round: the next to be cut. */
static void run_rounds(struct sweep_search *search, double began_s)
{
    struct sweep_items todo = {NULL, 0, 0};
    for (;; sweep_items_move(&todo, &search->fresh)) {
        sweep_gather(search, &search->fresh);
        if (search->nodes.round == 0)
            count_cuts(search, &search->fresh);
        if (search->fresh.count == 0)
            break;
        search->nodes.round++;
        search->tasks = 0;
        for (uint32_t i = 0; i < search->fresh.count; i++)
            add_task(search, (struct sweep_task){.kind = TASK_RUN, .item = i});
        run_tasks(search, began_s);
    }
    search->nodes.round = 0;
    sweep_items_free(&search->todo);
    search->todo = todo;
    sweep_nodes_rank(&search->nodes, search->layer);
}

/* Layer by layer. True when no state is left that was not cut everywhere. */
static bool search_layers(struct sweep_search *search, struct sim_sweep_result *out, double began_s)
{
    const struct sim_sweep_options *options = search->options;
    search->tasks = 0;
    for (uint32_t i = 0; i < search->world->dut->variants * search->world->stories; i++)
        if (i < search->world->stories ||
            search->world->story[i % search->world->stories]->variants)
            add_task(search, (struct sweep_task){.kind = TASK_ROOT, .item = i});
    run_tasks(search, began_s);
    while (!*search->message) {
        run_rounds(search, began_s);
        if (search->layer == 0)
            for (uint32_t i = 0; i < search->todo.count; i++)
                for (uint32_t run = 0; run < search->todo.item[i].runs; run++)
                    out->operations +=
                        search->todo.item[i].run[run].to_op - search->todo.item[i].run[run].from_op;
        if (search->todo.count == 0)
            return true;
        search->leaves = !options->any && search->layer + 1 == options->cuts;
        search->nodes.leaves = search->leaves;
        plan(search);
        run_tasks(search, began_s);
        search->layer++;
        if (search->leaves)
            return false;
    }
    return false;
}

struct endless {
    struct sweep_search *search;
};

static void found_endless(void *ctx, uint32_t node)
{
    struct endless *endless = ctx;
    struct sweep_search *search = endless->search;
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

static void fill_result(struct sweep_search *search, struct sim_sweep_result *out, bool complete,
                        double began_s)
{
    bool crowded = false;
    struct rusage usage;
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
    out->wall_s = clock_s() - began_s;
    out->cuts_per_s = out->wall_s > 0 ? (double)out->cuts / out->wall_s : 0;
    getrusage(RUSAGE_SELF, &usage);
    out->memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

static void judge(struct sweep_search *search, struct sim_sweep_result *out)
{
    struct sweep_edges *edges = all_edges(search);
    struct endless endless = {search};
    if (search->leaves)
        sweep_nodes_relax(&search->nodes, edges, search->threads, search->layer);
    sweep_nodes_endless(&search->nodes, edges, search->threads, found_endless, &endless);
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

static int begin(struct sweep_search *search, struct sweep_world *world,
                 const struct sim_sweep_options *options, char *message, size_t len)
{
    memset(search, 0, sizeof *search);
    search->world = world;
    search->options = options;
    search->threads = options->jobs ? options->jobs : 1;
    pthread_mutex_init(&search->lock, NULL);
    pthread_cond_init(&search->done, NULL);
    search->thread = calloc(search->threads, sizeof *search->thread);
    if (!search->thread || sweep_nodes_init(&search->nodes)) {
        snprintf(message, len, "sweep: no memory");
        return -1;
    }
    for (uint32_t i = 0; i < search->threads; i++) {
        struct sweep_thread *thread = &search->thread[i];
        thread->search = search;
        if (sweep_worker_init(&thread->outer, world, options->dut_path, message, len) ||
            sweep_worker_init(&thread->inner, world, options->dut_path, message, len))
            return -1;
    }
    return 0;
}

static void end(struct sweep_search *search)
{
    for (uint32_t i = 0; search->thread && i < search->threads; i++) {
        struct sweep_thread *thread = &search->thread[i];
        sweep_worker_free(&thread->outer);
        sweep_worker_free(&thread->inner);
        sweep_items_free(&thread->items);
        free(thread->edges.edge);
        free(thread->found);
        free(thread->sample);
    }
    sweep_items_free(&search->todo);
    sweep_items_free(&search->fresh);
    sweep_nodes_free(&search->nodes);
    free(search->thread);
    free(search->task);
}

/* Forms that apply when nothing else was asked for. */
static uint32_t forms_of(const struct sim_sweep_options *options)
{
    uint32_t all = (1u << SIM_SWEEP_FORMS) - 1, finite = all;
    /* In an operation without effect is before it, but for wear. */
    finite &= ~(1u << SIM_SWEEP_NOTHING | 1u << SIM_SWEEP_RANDOM | 1u << SIM_SWEEP_PIN |
                1u << SIM_SWEEP_WATCHDOG | 1u << SIM_SWEEP_BROWN_OUT | 1u << SIM_SWEEP_ROT |
                1u << SIM_SWEEP_STUCK | 1u << SIM_SWEEP_WORN);
    if (options->forms)
        return options->forms;
    return options->any ? finite : all;
}

static int sweep(const struct sim_sweep_options *options, struct sim_sweep_result *out,
                 char *message, size_t len)
{
    struct sweep_plugin plugin;
    struct sweep_world world;
    struct sweep_search search;
    struct sim_sweep_options with = *options;
    double began_s = clock_s();
    memset(out, 0, sizeof *out);
    with.forms = forms_of(options);
    if (sweep_plugin_load(&plugin, options->dut_path, message, len)) {
        sweep_plugin_free(&plugin);
        return -1;
    }
    struct sweep_call host = sweep_guard_enter(NULL, "one of refuses(), pack(), ranges()");
    int error = sweep_world_build(&world, &with, plugin.dut, message, len);
    sweep_guard_leave(host);
    if (!error)
        error = begin(&search, &world, &with, message, len);
    if (!error) {
        bool complete = search_layers(&search, out, began_s);
        if (*search.message) {
            snprintf(message, len, "%s", search.message);
            error = -1;
        } else {
            judge(&search, out);
            fill_result(&search, out, complete, began_s);
        }
        out->depth = options->any ? 0 : options->cuts;
        out->forms = with.forms;
        snprintf(out->scenario, sizeof out->scenario, "%s", options->scn->name);
        snprintf(out->device, sizeof out->device, "%s", plugin.dut->name);
        out->image_bytes = world.image[IMAGE_UPDATE].dut.len;
        end(&search);
    }
    sweep_world_free(&world);
    sweep_plugin_free(&plugin);
    return error;
}

int sim_sweep_run(const struct sim_sweep_options *options, struct sim_sweep_result *out,
                  char *message, size_t len)
{
    struct sweep_guard guard;
    sweep_guard_begin(&guard);
    int error = sweep(options, out, message, len);
    sweep_guard_end(&guard);
    return error;
}
