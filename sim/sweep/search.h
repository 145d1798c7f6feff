/* The search itself: layers of histories with 0, 1, 2 ... cuts. README.md tells its order. */
#ifndef SIM_SWEEP_SEARCH_H
#define SIM_SWEEP_SEARCH_H

#include "nodes.h"

/* A session of a node, as it was run clean: these choices, and the operations which no earlier run
 * of the same node has shown. */
struct sweep_clean_run {
    uint64_t choices;
    uint64_t led_to; /* hash of how it ended and in what state */
    uint32_t from_op, to_op;
};
/* A node of the layer whose sessions are to be cut. */
struct sweep_item {
    uint32_t node;
    struct sweep_origin origin; /* how this state was reached */
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

/* A state that was equal to a node, run on all the same: what came of it is compared with what came
 * of the node when all is known. */
struct sweep_sample {
    uint32_t node;
    uint32_t boots; /* so many were run at most */
    uint64_t echo;
};

/* A piece of work that one thread does at a time. */
enum sweep_task_kind { TASK_ROOT, TASK_RUN, TASK_CUTS, TASK_BROWN_OUTS, TASK_DAMAGE };
struct sweep_task {
    enum sweep_task_kind kind;
    uint32_t item; /* of todo; of fresh, to be run; or the number of the root */
    uint32_t run, from_op, to_op;
};

/* One thread: a worker whose session is cut, and one that runs what follows each cut. */
struct sweep_thread {
    struct sweep_search *search;
    struct sweep_worker outer, inner;
    struct sweep_edges edges;
    struct sweep_items items; /* of the round that is being made */
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
    uint64_t cuts, histories, unfired;
    uint64_t kept;     /* cuts in layers that are kept, without those that stand for a node */
    uint64_t followed; /* cuts in the last layer */
    uint64_t ended;    /* of these: the first boot led to no state that others can lead to */
    bool crowded;      /* a session had more choices than are told apart */
    bool failed;       /* the root could not be made: message of the search */
    uint64_t form[SIM_SWEEP_FORMS];
    pthread_t id;
};

struct sweep_search {
    const struct sweep_world *world;
    const struct sim_sweep_options *options;
    struct sweep_nodes nodes;
    uint32_t threads;
    struct sweep_thread *thread;
    uint32_t layer;                 /* cuts of the histories that are extended now */
    bool leaves;                    /* their children are run to the end and not kept */
    struct sweep_items todo, fresh; /* to be cut; of the last round, to be run */
    atomic_size_t next;             /* task that nobody has taken */
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

/* Boots in a row without a cut, after which a device is taken to go on for ever. Where states
 * merge, sweep_nodes_endless finds what this does not. */
enum { SWEEP_SESSIONS_MAX = 160 };

/* follow.c: runs everything that can come of a cut while the power stays, in the last layer. The
 * state is taken over. */
void sweep_follow(struct sweep_thread *thread, struct sweep_state *state,
                  const struct sweep_origin *origin);
void sweep_report_failure(struct sweep_thread *thread, const struct sweep_origin *origin,
                          const struct sweep_failure *failure);
void sweep_add_edge(struct sweep_thread *thread, const struct sweep_origin *origin, uint32_t to,
                    enum sweep_end end);
/* True when inner's last session was the end of its story; that is noted, and what it broke. */
bool sweep_is_over(struct sweep_thread *thread, const struct sweep_origin *origin,
                   uint32_t sessions);

/* keep.c: states that are to be cut. */
void sweep_items_free(struct sweep_items *items);
/* The items of `from` behind those of `to`. */
void sweep_items_move(struct sweep_items *to, struct sweep_items *from);
/* This state was reached: its node. The state is taken over. */
uint32_t sweep_keep(struct sweep_thread *thread, const struct sweep_origin *origin,
                    struct sweep_state *state, bool booted);
/* Those that stand for the nodes which this round found. */
void sweep_gather(struct sweep_search *search, struct sweep_items *out);
/* All sessions of a kept state, once. */
void sweep_run_node(struct sweep_thread *thread, struct sweep_item *item);
/* How the worker's last session ended, and in what state: the same for the same session. */
uint64_t sweep_led_to(struct sweep_worker *worker, struct sweep_state *state);

/* Of each thread its own; the caller frees the array. */
struct sweep_edges *sweep_all_edges(const struct sweep_search *search);
/* verdict.c: everything of the result but its times; complete: no state is left to be cut. */
void sweep_verdict(struct sweep_search *search, struct sim_sweep_result *out, bool complete);

/* sample.c: equal states are run on, and compared. */
uint64_t sweep_face_of(struct sweep_worker *worker, struct sweep_state *state);
void sweep_sample(struct sweep_thread *thread, uint32_t node, const struct sweep_origin *origin,
                  const struct sweep_state *state);
void sweep_compare_samples(struct sweep_search *search, const struct sweep_edges *edges,
                           struct sim_sweep_result *out);

/* expand.c: a cut has left this state, which is taken over. */
void sweep_hand_over(struct sweep_thread *thread, struct sweep_state *state,
                     const struct sweep_origin *origin);
/* Cuts the operations [from, to) of one clean run of an item. */
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
