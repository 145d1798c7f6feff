/* The inside of the loopback world, shared by the files of this folder. */
#ifndef SIM_LOOPBACK_INTERNAL_H
#define SIM_LOOPBACK_INTERNAL_H

#include "drivers/http.h"
#include "drivers/mqtt.h"
#include "sim/desk.h"
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

enum lb_server {
    LB_BROKER = SIM_ROUGH_BROKER,
    LB_STORE = SIM_ROUGH_STORE,
    LB_SERVERS = SIM_ROUGH_SERVERS
};

/* One device on its sockets. */
struct lb_device {
    struct sim_loopback *lb;
    struct sim_device *device;
    uint32_t number;
    bool known;               /* it was connected once: the broker has a session for it */
    bool queued[2];           /* it waits for its turn to connect (LB_BROKER), or to download */
    bool connecting, getting; /* it holds one of the places */
    char address[LB_ADDRESS_MAX];
    char id[SIM_UNIT_ID_MAX], secret[SIM_SECRET_MAX], will[LB_WILL_MAX];
    char topic[5][LB_TOPIC_MAX]; /* notification, command, status, telemetry, presence */
    struct agent_mqtt_config mqtt_config;
    struct agent_mqtt *mqtt;
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

struct lb_counts {
    uint64_t connects, refused, gets, got, http_errors;
    uint64_t body_bytes;
};

struct sim_loopback {
    const struct scn *scn;
    struct sim_ground ground;
    bool keep;
    struct ev_loop *loop;
    struct ev_timer wake;
    struct ev_signal stop[2];
    bool started;              /* the devices are there: the time of the scenario runs */
    bool interrupted, heard;   /* heard: a message for the service, since run was called */
    int64_t wall_us, world_us; /* the monotonic clock, and the clock of the world at that moment */
    struct sim_servers servers;
    bool servers_run;
    struct agent_tls *tls;
    struct agent_http *http;
    struct sim_desk *desk;
    struct sim_ground_fleet fleet;
    struct camp_device_info *info; /* ids of the registry, for the desk */
    struct lb_device *device;
    uint32_t devices, roughs, gathered;
    struct sim_queue due; /* when each device runs next */
    struct lb_line line[2];
    struct sim_rough *rough;
    struct lb_counts counts;
    uint64_t rss_before, rss_max, overflows_before;
    struct sim_world *world;
};

/* clock.c */
int64_t lb_now_us(const struct sim_loopback *lb); /* of the world */
int64_t lb_utc_ms(void *ctx);                     /* the same, for certificates */
void lb_set_clock(struct sim_loopback *lb, int64_t now_us);
uint64_t lb_rss_bytes(void);
uint64_t lb_listen_overflows(void); /* of the whole host */

/* link.c */
extern const struct sim_wire lb_wire;
int lb_device_open(struct lb_device *dev);
void lb_device_close(struct lb_device *dev);
void lb_device_woke(struct lb_device *dev); /* it ran: when next? */
void lb_lines_run(struct sim_loopback *lb); /* whoever's turn it is connects or downloads */
int lb_line_init(struct lb_line *line, uint32_t devices, uint32_t places);
void lb_line_free(struct lb_line *line);

/* rough.c */
int lb_rough_open(struct sim_loopback *lb, char *message, size_t len);

#endif
