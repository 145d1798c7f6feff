/* The inside of the loopback world, shared by the files of this folder. */
#ifndef SIM_LOOPBACK_INTERNAL_H
#define SIM_LOOPBACK_INTERNAL_H

#include "drivers/http.h"
#include "drivers/mqtt.h"
#include "sim/loopback.h"
#include "sim/queue.h"
#include "sim/rough.h"
#include "sim/wire.h"
#include "sim/yard.h"

/* Connections under way at once. mosquitto's backlog is 100 and must never overflow, also when
 * everything comes back at the same moment; nginx takes more. */
enum { LB_CONNECTS_MAX = 64, LB_GETS_MAX = 256 };
/* Each device has an address of its own, 127.1.0.0 and up, by which servers and proxies know it. */
static const uint32_t LB_ADDRESS_BASE = 0x7F010000;
enum { LB_TOPIC_MAX = 64, LB_ADDRESS_MAX = 16, LB_WILL_MAX = 96 };

/* Where a device finds a server. */
struct lb_where {
    char ip[LB_ADDRESS_MAX];
    uint16_t port;
    bool on_this_host; /* so that a device's own address leads there */
};

/* One device on its sockets. */
struct lb_device {
    struct sim_loopback *lb;
    struct sim_device *device;
    uint32_t number;
    bool known;                      /* it was connected once: the broker has a session for it */
    bool queued[SIM_ROUGH_SERVERS];  /* it waits for its turn to connect, or to download */
    bool in_line[SIM_ROUGH_SERVERS]; /* its number is in that line, whether it still waits or not */
    bool connecting, getting;        /* it holds one of the places */
    char address[LB_ADDRESS_MAX];
    char id[SIM_UNIT_ID_MAX], secret[SIM_SECRET_MAX], will[LB_WILL_MAX];
    struct lb_where broker;
    char topic[5][LB_TOPIC_MAX]; /* notification, command, status, telemetry, presence */
    struct agent_mqtt_config mqtt_config;
    struct agent_mqtt *mqtt;
    struct agent_identity *identity; /* its certificate, NULL: by secret */
    struct agent_transfer *transfer;
    char url[AGENT_URL_MAX];
    uint32_t offset, status_id;
    struct sim_truth told; /* by a worker to its parent, but for the flash's statistics */
    bool untold;           /* it is in the worker's list of those that may have changed */
};

/* Who waits for a place, first come first served. A ring of device numbers; who does not wait any
 * more (queued is false) is passed over. */
struct lb_line {
    uint32_t *device;
    uint32_t room, first, count;
    uint32_t held, held_max, places;
};

/* A message of the service that is sent later than it was handed over, or of which a worker has yet
 * to say whether a fault spoils it. */
struct lb_late {
    struct lb_late *next;
    int64_t at_us;
    struct camp_out out;
    char payload[];
};

struct lb_counts {
    uint64_t connects, refused, held_max; /* held_max: connects at once */
    uint64_t rss_grown, rss_max;          /* bytes in memory: since the devices came; at the most */
};

/* A worker's devices of which the parent may not know the latest. */
struct lb_untold {
    uint32_t *device; /* NULL: nobody is to be told */
    uint32_t count;
    double at; /* when it was last told */
};

struct lb_spread; /* spread.c */

struct sim_loopback {
    const struct scn *scn;
    const struct sim_given *given; /* NULL: none */
    struct sim_ground ground;
    FILE *tell;
    struct sim_yard yard;
    bool started; /* the devices are there: the time of the scenario runs */
    bool heard;   /* a message for the service, since run was called */
    struct agent_http *http;
    struct sim_ground_fleet fleet;
    struct lb_device *device;
    uint32_t devices, roughs, gathered;
    uint32_t from, to;        /* the devices that this process carries: [from, to) */
    uint32_t processes;       /* wanted; 0: as few as do */
    uint32_t workers;         /* processes that carry devices; 1: this one alone */
    struct lb_spread *spread; /* the workers, NULL: none, or this is one */
    struct lb_untold untold;
    struct sim_queue due;  /* when each device runs next */
    struct lb_late *late;  /* in the order of their times */
    struct lb_late *asked; /* in the order in which workers were asked */
    struct lb_line line[SIM_ROUGH_SERVERS];
    struct sim_rough *rough;
    char stand_in_cert[SIM_PKI_PATH_MAX], stand_in_key[SIM_PKI_PATH_MAX];
    uint32_t transfers, transfers_max; /* open downloads */
    struct lb_counts counts;
    uint64_t rss_before, overflows_before;
    double rss_at; /* when it was last looked at */
};

/* clock.c */
int64_t lb_now_us(const struct sim_loopback *lb); /* of the world */
int64_t lb_device_utc_ms(void *ctx);              /* of struct lb_device: its own clock */

/* given.c */
void lb_where(const struct sim_loopback *lb, uint32_t device, enum sim_rough_server server,
              struct lb_where *out);
void lb_given_rough(struct sim_loopback *lb, struct sim_rough_config *out);

/* report.c */
int lb_report(void *ctx, struct rep_result *result);

/* preflight.c */
/* 0, or -1 with the first fault that can't take effect in this world at this scale. */
int lb_faults_make_sense(const struct scn *scn, char *message, size_t len);
int lb_gates_have_data(const struct scn *scn, char *message, size_t len);
int lb_times_fit(const struct scn *scn, char *message, size_t len);
/* Downloads that one of so many processes may have open at once, once the limit of files is raised;
 * at least 1. */
uint32_t lb_transfers_max(const struct sim_loopback_need *need, uint32_t processes);
/* Where the devices of worker `number` begin, those of number + 1 end: an equal share of files. */
uint32_t lb_share_from(const struct sim_world *world, uint32_t number, uint32_t workers);

/* carry.c: the devices [from, to) in this process, their drivers and proxies */
int lb_carry_open(struct sim_loopback *lb, char *message, size_t len); /* none runs yet */
int lb_carry_devices(struct sim_loopback *lb, char *message, size_t len);
bool lb_carry_due(struct sim_loopback *lb); /* runs who is due; true: more are */
/* One pass of the loop, until something happens or it is until_us; more: there is no time to wait.
 */
void lb_carry_wait(struct sim_loopback *lb, int64_t until_us, bool more);
void lb_carry_close(struct sim_loopback *lb);
void lb_note_memory(struct sim_loopback *lb);

/* worker.c: a process that carries some of the devices; it ends when the parent closes the socket
 */
_Noreturn void lb_worker(struct sim_loopback *lb, int fd);
void lb_worker_untold(struct lb_device *dev); /* something of it may have changed */

/* spread.c, hear.c, silence.c: the parent of workers */
extern const struct sim_ground_devices lb_spread_devices; /* ctx: struct sim_loopback */
/* Forks lb->workers of them; 0 or -1 with the reason. */
int lb_spread_fork(struct sim_loopback *lb, char *message, size_t len);
/* They get their devices ready; 0, or -1 with the reason of the first that could not. */
int lb_spread_open(struct sim_loopback *lb, char *message, size_t len);
void lb_spread_clock(struct sim_loopback *lb); /* tells them the yard's; they run from then on */
/* May a fault spoil this message of the service? Its worker knows. */
bool lb_spread_may_spoil(const struct sim_loopback *lb, const struct camp_out *out);
void lb_spread_letter(struct sim_loopback *lb, const struct camp_out *out);
void lb_spread_spoilt(struct sim_loopback *lb, uint32_t device);
void lb_spread_send(struct sim_loopback *lb); /* what was put since */
void lb_spread_look(struct sim_loopback *lb); /* does one of them hang? No workers: nothing */
const char *
lb_spread_lost(const struct sim_loopback *lb); /* why the run can't go on; NULL: it can */
/* What was asked by inspect is answered, and all is known that a report says. */
int lb_spread_held_out(struct sim_loopback *lb, char *message, size_t len);
/* Ends them all, in any state. */
void lb_spread_close(struct sim_loopback *lb);

/* link.c */
extern const struct sim_wire lb_wire;
int lb_device_open(struct lb_device *dev);
void lb_device_close(struct lb_device *dev);
void lb_device_woke(struct lb_device *dev); /* it ran: when next? */
void lb_lines_run(struct sim_loopback *lb); /* whoever's turn it is connects or downloads */
int lb_line_init(struct lb_line *line, uint32_t devices, uint32_t places);
void lb_line_free(struct lb_line *line);

/* post.c: the service's messages, as they are or spoiled by a fault */
int lb_post_send(struct sim_loopback *lb, const struct camp_out *out);
/* A worker's answer; 0, -1 without memory, 1 when it was not asked. */
int lb_post_answered(struct sim_loopback *lb, uint32_t device, enum scn_how how, int64_t delay_us);
int lb_post_run(struct sim_loopback *lb); /* what is due */
int64_t lb_post_next(const struct sim_loopback *lb);
void lb_post_free(struct sim_loopback *lb);

#endif
