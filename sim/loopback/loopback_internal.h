/* The inside of the loopback world, shared by the files of this folder. */
#ifndef SIM_LOOPBACK_INTERNAL_H
#define SIM_LOOPBACK_INTERNAL_H

#include "drivers/http.h"
#include "drivers/mqtt.h"
#include "sim/desk.h"
#include "sim/host.h"
#include "sim/loopback.h"
#include "sim/queue.h"
#include "sim/rough.h"
#include "sim/servers.h"
#include "sim/wire.h"
#include "sim/world.h"

/* Connections under way at once. mosquitto's backlog is 100 and must never overflow, also when
 * everything comes back at the same moment; nginx takes more. */
enum { LB_CONNECTS_MAX = 64, LB_GETS_MAX = 256 };
/* Each device has an address of its own, 127.1.0.0 and up, by which servers and proxies know it. */
static const uint32_t LB_ADDRESS_BASE = 0x7F010000;
enum { LB_TOPIC_MAX = 64, LB_ADDRESS_MAX = 16, LB_WILL_MAX = 96 };

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
    char topic[5][LB_TOPIC_MAX]; /* notification, command, status, telemetry, presence */
    struct agent_mqtt_config mqtt_config;
    struct agent_mqtt *mqtt;
    struct agent_identity *identity; /* its certificate, NULL: by secret */
    struct agent_transfer *transfer;
    char url[AGENT_URL_MAX];
    uint32_t offset, status_id;
};

/* Who waits for a place, first come first served. A ring of device numbers; who does not wait any
 * more (queued is false) is passed over. */
struct lb_line {
    uint32_t *device;
    uint32_t room, first, count;
    uint32_t held, held_max, places;
};

/* A message of the service that is sent later than it was handed over. */
struct lb_late {
    struct lb_late *next;
    int64_t at_us;
    struct camp_out out;
    char payload[];
};

struct lb_counts {
    uint64_t connects, refused;
};

struct sim_loopback {
    const struct scn *scn;
    struct sim_ground ground;
    FILE *tell;
    struct ev_loop *loop;
    struct ev_timer wake;
    struct ev_signal stop[2];
    bool started;            /* the devices are there: the time of the scenario runs */
    bool interrupted, heard; /* heard: a message for the service, since run was called */
    struct sim_host_clock clock;
    struct sim_servers servers;
    bool servers_run;
    struct agent_tls *tls;
    struct agent_http *http;
    struct sim_desk *desk;
    struct sim_ground_fleet fleet;
    char service_secret[SIM_SECRET_MAX]; /* of the user `service`, borrowed by the desk */
    struct lb_device *device;
    uint32_t devices, roughs, gathered;
    struct sim_queue due; /* when each device runs next */
    struct lb_late *late; /* in the order of their times */
    struct lb_line line[SIM_ROUGH_SERVERS];
    struct sim_rough *rough;
    uint32_t transfers, transfers_max; /* open downloads */
    struct lb_counts counts;
    uint64_t rss_before, rss_max, overflows_before;
    double rss_at; /* when it was last looked at */
    struct sim_world *world;
};

/* clock.c */
int64_t lb_now_us(const struct sim_loopback *lb); /* of the world */
int64_t lb_utc_ms(void *ctx);                     /* the same, for certificates */
int64_t lb_device_utc_ms(void *ctx);              /* of struct lb_device: its own clock */

/* report.c */
int lb_report(void *ctx, struct rep_result *result);

/* preflight.c */
/* 0, or -1 with the first fault that can't take effect in this world at this scale. */
int lb_faults_make_sense(const struct scn *scn, char *message, size_t len);
int lb_gates_have_data(const struct scn *scn, char *message, size_t len);
int lb_times_fit(const struct scn *scn, char *message, size_t len);
/* Downloads that may be open at once, once the limit of files is raised; never under 64. */
uint32_t lb_transfers_max(const struct sim_loopback_need *need);

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
int lb_post_run(struct sim_loopback *lb); /* what is due */
int64_t lb_post_next(const struct sim_loopback *lb);
void lb_post_free(struct sim_loopback *lb);

#endif
