/* Layers and threads. */
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

struct sweep_edges *sweep_all_edges(const struct sweep_search *search)
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

/* Forms that apply when nothing else was asked for. Damage is a blow of its own: cuts after it are
 * tried when both are asked for. */
static uint32_t forms_of(const struct sim_sweep_options *options)
{
    const uint32_t all = (1u << SIM_SWEEP_FORMS) - 1;
    const uint32_t damage = 1u << SIM_SWEEP_ROT | 1u << SIM_SWEEP_STUCK | 1u << SIM_SWEEP_WORN;
    /* In an operation without effect is before it, but for wear. */
    const uint32_t infinite = 1u << SIM_SWEEP_NOTHING | 1u << SIM_SWEEP_RANDOM |
                              1u << SIM_SWEEP_PIN | 1u << SIM_SWEEP_WATCHDOG |
                              1u << SIM_SWEEP_BROWN_OUT;
    if (options->forms)
        return options->forms;
    if (options->any)
        return all & ~damage & ~infinite;
    return options->cuts > 1 ? all & ~damage : all;
}

static void measure(struct sim_sweep_result *out, double began_s)
{
    struct rusage usage;
    out->wall_s = clock_s() - began_s;
    out->cuts_per_s = out->wall_s > 0 ? (double)out->cuts / out->wall_s : 0;
    getrusage(RUSAGE_SELF, &usage);
    out->memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
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
            sweep_verdict(&search, out, complete);
            measure(out, began_s);
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
