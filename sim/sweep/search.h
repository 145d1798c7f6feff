/* The search itself: layers of histories with 0, 1, 2 ... cuts. README.md tells its order. */
#ifndef SIM_SWEEP_SEARCH_H
#define SIM_SWEEP_SEARCH_H

#include "nodes.h"

/* A session of a node, as it was run clean: these choices, and the operations which no earlier run
 * of the same node has shown. */
struct sweep_clean_run {
    uint64_t choices;
    uint32_t from_op, to_op;
};
/* A node of the layer whose sessions are to be cut. */
struct sweep_item {
    uint32_t node;
    struct sweep_state state;
    struct sweep_clean_run *run;
    uint32_t runs;
};
struct sweep_items {
    struct sweep_item *item;
    size_t count, room;
};

struct sweep_found {
    struct sweep_origin origin; /* of the session that failed: parent, choices, blow, boot */
    struct sweep_failure failure;
};

/* A state that was equal to a node, run on all the same: compared when the node's echo is there. */
struct sweep_sample {
    uint32_t node;
    uint64_t echo;
};

/* A piece of work that one thread does at a time. */
enum sweep_task_kind { TASK_ROOT, TASK_CUTS, TASK_BROWN_OUTS, TASK_DAMAGE };
struct sweep_task {
    enum sweep_task_kind kind;
    uint32_t item; /* or the number of the root */
    uint32_t run, from_op, to_op;
};

/* One thread: a worker whose session is cut, and one that runs what follows each cut. */
struct sweep_thread {
    struct sweep_search *search;
    struct sweep_worker outer, inner;
    struct sweep_edges edges;
    struct sweep_items items; /* of the layer that is being made */
    struct sweep_found *found;
    size_t founds, founds_room;
    /* While outer's session is expanded. */
    struct sweep_state shadow; /* what outer's session holds, operation by operation */
    bool shadowed;
    const struct sweep_item *item;
    uint64_t choices;
    uint32_t last_op; /* of that session */
    struct sweep_sample *sample;
    size_t samples, samples_room;
    uint64_t cuts, merged, histories, unfired;
    bool crowded; /* a session had more choices than are told apart */
    bool failed;  /* the root could not be made: message of the search */
    uint64_t form[SIM_SWEEP_FORMS];
    pthread_t id;
};

struct sweep_search {
    const struct sweep_world *world;
    const struct sim_sweep_options *options;
    struct sweep_nodes nodes;
    uint32_t threads;
    struct sweep_thread *thread;
    uint32_t layer; /* cuts of the histories that are extended now */
    bool leaves;    /* their children are run to the end and not kept */
    struct sweep_items todo;
    atomic_size_t next; /* task that nobody has taken */
    struct sweep_task *task;
    size_t tasks;
    atomic_ullong cuts_shown;
    pthread_mutex_t lock;
    pthread_cond_t done;
    uint32_t running;
    char message[256];
};

/* history.c: a failure's token, and the way back. */
void sweep_history_write(const struct sweep_search *search, const struct sweep_origin *origin,
                         char *out, size_t len);
struct sweep_history_run {
    struct sweep_failure failure; /* what was broken, when broken */
    bool broken, fired;           /* fired: every blow of the history fell */
};
/* Runs one history. worker->story may be set. 0, or -1: not a history of this device. */
int sweep_history_run(struct sweep_worker *worker, const char *history,
                      struct sweep_history_run *out, char *message, size_t len);

/* follow.c: runs everything that can come of a state while the power stays. The state is taken
 * over. layer: cuts so far; keep: its nodes are collected in thread->items. */
void sweep_follow(struct sweep_thread *thread, struct sweep_state *state,
                  const struct sweep_origin *origin, bool keep);
void sweep_report_failure(struct sweep_thread *thread, const struct sweep_origin *origin,
                          const struct sweep_failure *failure);
void sweep_items_free(struct sweep_items *items);

/* expand.c: cuts the operations [from, to) of one clean run of an item. */
void sweep_expand(struct sweep_thread *thread, const struct sweep_item *item, uint32_t run,
                  uint32_t from_op, uint32_t to_op);
/* Brown-outs that begin there. */
void sweep_expand_brown_outs(struct sweep_thread *thread, const struct sweep_item *item,
                             uint32_t run, uint32_t from_op, uint32_t to_op);
/* damage.c: what happens to the flash while the device is off. */
void sweep_expand_damage(struct sweep_thread *thread, const struct sweep_item *item);
bool sweep_damage(const struct sweep_world *world, struct sweep_state *state,
                  const struct sweep_blow *blow);

#endif
