/* The inside of a running fleet, shared by the files of this folder. */
#ifndef SIM_FLEET_INTERNAL_H
#define SIM_FLEET_INTERNAL_H

#include "sim/fleet.h"
#include <pthread.h>
#include <stdatomic.h>

struct sim_pending {
    struct sim_up up;
    uint8_t *bytes;
}; /* a message on its way to the service */

/* A device whose version the service does not know yet. */
struct sim_fleet;
struct sim_disbelief {
    uint32_t device;
    int64_t since_us;
};

/* A restart of the service (number: of the fault) or an order of the operator (number: in the
 * campaign). */
struct sim_service_event {
    int64_t at_us;
    bool is_order;
    uint32_t number;
};

/* After the campaign is over: time for stragglers. */
enum { SIM_SETTLE_HOURS = 72 };

struct sim_part { /* one shard: its thread's tools and its devices */
    struct sim_shard shard;
    struct sim_queue queue; /* node n is device n * parts + own index */
    uint32_t *changed, changes;
};

/* Worker threads that run the parts up to a tick and meet at its end. */
enum { SIM_CREW_MAX = 64 };
struct sim_worker {
    struct sim_fleet *fleet;
    uint32_t part;
};
struct sim_crew {
    struct sim_worker worker[SIM_CREW_MAX];
    pthread_t thread[SIM_CREW_MAX];
    uint32_t threads;
    pthread_mutex_t lock;
    pthread_cond_t go, done;
    atomic_uint round, finished;
    bool end;
    int64_t until_us;
};

struct sim_fleet {
    const struct scn *scn;
    const struct sim_fleet_options *options;
    struct sim_world world;
    struct sim_device **device;
    uint32_t devices;
    uint32_t traced; /* UINT32_MAX: none */
    uint32_t *seen_changes;
    struct sim_part *part;
    uint32_t parts;
    struct sim_crew crew;

    sqlite3 *db;
    struct camp *camp;
    struct camp_config camp_config;
    struct camp_device_info *registry;
    struct sim_log log; /* the service's own chain */

    struct sim_pending *pending;
    uint32_t pendings, pending_capacity;
    struct sim_disbelief *disbelief;
    uint32_t disbeliefs;
    int64_t belief_wrong_longest_us;
    struct sim_service_event *service_event; /* those before service_event_next happened */
    uint32_t service_events, service_event_next;

    int64_t now_us, done_at_us;
    int64_t days_max; /* of virtual time: a run that takes longer is not believed to end */
    bool gave_up;     /* it took longer */
    uint64_t ticks;
    int64_t quiet_at_us;    /* on a ground: when something last went on */
    int64_t followed_at_us; /* on a ground: when belief and truth were last compared */
    bool said;              /* on a ground: the service heard something since its last tick */
    uint32_t diverged, belief_wrong;
    uint32_t away;     /* devices that a fault which lasts keeps out of reach at the end */
    double wall_start; /* wall clock, for the report only */
    char *message;
    size_t message_len;
};

/* fleet.c */
int sim_fleet_say(struct sim_fleet *fleet, const char *what, int error); /* returns error */
void sim_fleet_show(const struct sim_fleet *fleet);
/* The campaign, or an order that is ahead, has still something to do; gave_up: it took too long. */
bool sim_fleet_goes_on(struct sim_fleet *fleet);
int sim_fleet_service_events(struct sim_fleet *fleet); /* restarts and orders that are due */

/* wall.c: the run on a ground of its own */
int sim_wall_open(struct sim_fleet *fleet);
int sim_wall_run(struct sim_fleet *fleet);

/* crew.c */
int sim_crew_start(struct sim_fleet *fleet);
void sim_crew_stop(struct sim_fleet *fleet);
void sim_crew_run(struct sim_fleet *fleet, int64_t until_us); /* every device up to until_us */
int64_t sim_crew_next(const struct sim_fleet *fleet);

/* post.c */
int sim_post_collect(struct sim_fleet *fleet); /* from the shards */
void sim_post_to_service(struct sim_fleet *fleet, int64_t until_us);
int sim_post_to_devices(struct sim_fleet *fleet);
int64_t sim_post_next(const struct sim_fleet *fleet);
void sim_post_free(struct sim_fleet *fleet);

/* schedule.c */
int sim_schedule_build(struct sim_fleet *fleet);
int64_t sim_schedule_next(const struct sim_fleet *fleet); /* SIM_NEVER: nothing is ahead */
const struct sim_service_event *
sim_schedule_take(struct sim_fleet *fleet); /* the next that is due, or NULL */
bool sim_schedule_restarted(const struct sim_fleet *fleet, uint32_t fault);
bool sim_schedule_orders_ahead(const struct sim_fleet *fleet);
/* Virtual days within which any campaign with this plan has come to its end; never under 400. */
int64_t sim_schedule_days_max(const struct sim_fleet *fleet);

/* truth.c: what is true of a device, whoever carries it */
void sim_fleet_truth(const struct sim_fleet *fleet, uint32_t device, struct sim_truth *out);
uint32_t sim_fleet_changes(const struct sim_fleet *fleet, uint32_t device);
void sim_fleet_inspect(struct sim_fleet *fleet, uint32_t device);

/* burn_in.c: 0, or SIM_FLEET_EWORLD with the reason said */
int sim_fleet_check_burn_in(struct sim_fleet *fleet);

/* belief.c */
void sim_belief_follow(struct sim_fleet *fleet);
void sim_belief_end(struct sim_fleet *fleet);
bool sim_fleet_settled(const struct sim_fleet *fleet);

/* collect.c, judge.c */
double sim_fleet_wall_s(void);
/* What is known of a run at any time: names, seed, size, and the time it took until now. */
void sim_fleet_identify(const struct sim_fleet *fleet, struct rep_result *out);
int sim_fleet_collect(struct sim_fleet *fleet, struct rep_result *out);
void sim_fleet_judge(const struct sim_fleet *fleet, struct rep_result *result);

#endif
