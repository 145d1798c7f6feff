/* The inside of the site, shared by the files of this folder. */
#ifndef RIG_SITE_INTERNAL_H
#define RIG_SITE_INTERNAL_H

#include "rig/emulated.h"
#include "rig/factory.h"
#include "rig/site.h"
#include "rig/wiring.h"
#include "sim/stepped.h"

enum { RS_PATH_MAX = 700, RS_WHY_MAX = 500, RS_EARS = 64, RS_KEPT_MAX = 4096, RS_FACTS_MAX = 8192 };

struct rs_emulated {
    struct rig_emulated bench;
    /* Its facts, asked for every second: what is on now, its memory. */
    int control; /* -1: not connected */
    bool asked;
    ev_io answer;
    ev_timer again;
    char said[RS_FACTS_MAX];
    size_t have;
    uint64_t kib_sum, kib_samples, kib_most;
    int64_t late_us_max; /* its own, of its contacts */
};

/* One board in use, by the number of its device. */
struct rs_place {
    const struct rig_bench_board *board;
    struct rig_lock *lock;
    int64_t dark_since_us; /* it is off; 0: not known */
    struct rig_site_board facts;
};

/* When something came from it: the latest RS_EARS times of `heard`. */
struct rs_ears {
    int64_t at_us[RS_EARS];
    uint64_t heard;
};

struct rs_latency {
    const struct rig_bench_board *board;
    int64_t us;
};

struct rig_site {
    struct rig_site_config config;
    struct sim_stepped *stepped;
    const struct sim_body_run *run;
    struct rig_wiring *wiring;
    struct rig_aim_store *latencies;
    struct agent_http *http; /* of all gateways */
    struct rs_place *place;
    uint32_t places;
    struct rs_emulated emulated;
    char folder[RS_PATH_MAX];
    struct rig_site_facts facts;
    uint64_t gone_while_off, bounces, silent_starts, uncalibrated;
    uint64_t aims, given_up; /* markers that set one on its way; lines too costly to look through */
    struct rs_latency keep[RS_KEPT_MAX];
    uint32_t kept;
    double began_at;   /* ev_time */
    ev_signal ends[2]; /* SIGINT, SIGTERM, while flashing commands may run */
    int stop[2];       /* a pipe; readable: interrupted */
    bool interrupted;
    bool touched; /* a relay was given a command */
};

enum rs_power {
    RS_OFF,
    RS_ON,    /* was asked for */
    RS_GOING, /* "off" was asked for */
    RS_GONE   /* and the relay has answered */
};

struct sim_body {
    struct rig_site *site;
    const struct sim_body_device *given;
    struct rs_place *place;
    const struct rig_bench_board *board;
    struct rig_console *console, *line; /* line: the OTA line */
    struct gateway *gateway;
    struct gateway_config gateway_config;
    char connect_to[RIG_FACTORY_CONNECT_TO_MAX];
    enum rs_power power;
    bool probed;           /* it was given power to be flashed, and that was not taken yet */
    bool answered;         /* ON: the relay has answered */
    bool spoke, end_said;  /* of its boot, since power on; why it resets was told, and it has not
                              booted since */
    uint32_t lines;        /* since power on */
    bool started;          /* the firmware's first line was seen */
    bool ends;             /* it boots nothing, and is off for that */
    uint32_t silent_tries; /* power on without a word, in a row */
    bool mute;             /* and it is off for good, for that */
    int64_t on_at_us, off_sent_us, off_done_us; /* rig_port_now_us */
    uint32_t still;          /* GONE: how often in a row nothing spoke for power */
    ev_timer settle, listen; /* off for long enough; has it said anything? */
    struct rs_ears ears;
    struct rig_marker *marker;
    uint64_t given_up; /* of its lines, as far as the site has counted them */
    uint32_t aimed;    /* own cuts so far */
    bool aiming;       /* one of them is on its way */
    ev_timer aim;      /* until it is handed to the controller */
    int64_t aimed_at_us, aim_send_us;
    bool aimed_late;
};

/* As far as the rig knows: what goes over its line gets there. */
static inline bool rs_has_power(const struct sim_body *body)
{
    return body->power == RS_ON || body->power == RS_GOING;
}

/* body.c: the functions of struct sim_body_kind. */
int rs_open(void *ctx, struct sim_body **out, const struct sim_body_device *device, char *message,
            size_t len);
void rs_close(struct sim_body *body);
int rs_made(struct sim_body *body, char *message, size_t len);
bool rs_flash(struct sim_body *body, uint8_t *out, uint32_t len);

/* flashing.c: the flashing command, while the loop goes on; SIGINT and SIGTERM end it. */
int rs_flashing_begin(struct rig_site *site, char *message, size_t len);
void rs_flashing_end(struct rig_site *site);
int rs_flashing_do(struct sim_body *body, const char *log, char *why, size_t len);
/* RIG_EGONE: interrupted. */
int rs_wait_us(struct rig_site *site, int64_t us);

/* power.c */
int rs_on(struct sim_body *body, char *message, size_t len);
void rs_off(struct sim_body *body);
void rs_off_at(struct sim_body *body, int64_t at_us); /* rig_port_now_us */
uint32_t rs_dark_within_ms(void *ctx);                /* ctx: the site */
void rs_watch(struct sim_body *body, int64_t open_ms, bool at_end);
void rs_power_init(struct sim_body *body);
void rs_power_end(struct sim_body *body); /* off, as far as that goes; no event is called */
/* The board's name and its relay are put before it. */
void rs_lost(struct sim_body *body, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first line of ROM or bootloader since power on. reset: why it runs, where that is not for the
 * power that it was given; NULL: it is, or the word did not get here whole. */
void rs_spoke(struct sim_body *body, const char *reset);

/* console.c: what the console tells. */
extern const struct rig_console_events rs_console_events, rs_line_events; /* ctx: sim_body */

/* aimed.c: cuts of the rig's own. */
int rs_aim(struct sim_body *body, char *message, size_t len); /* -1: no such expression */
void rs_aim_made(struct sim_body *body);                      /* power is on */
void rs_aim_cancel(struct sim_body *body);                    /* something else cuts it */
void rs_aim_sent(struct sim_body *body, const struct rig_answer *answer); /* "off", whoever's */
void rs_aim_hit(struct sim_body *body);                                   /* it is dark */
void rs_hear(struct sim_body *body); /* something came, by console or line */
void rs_latency_keep(struct rig_site *site, const struct rig_bench_board *board, int64_t us);
void rs_latency_store(struct rig_site *site);

/* places.c: which device is on which board. */
int rs_places_take(struct rig_site *site, const struct sim_world *world, char *message, size_t len);
void rs_places_release(struct rig_site *site);
/* Whether it could, of a bench that nobody uses; nothing is locked. */
int rs_places_fit(const struct rig_bench *bench, const struct sim_world *world, char *message,
                  size_t len);

/* emulated.c */
void rs_emulated_watch(struct rig_site *site); /* on the run's loop */
void rs_emulated_end(struct rig_site *site);
int rs_emulated_report(struct rig_site *site, struct rep_result *result);

/* report.c */
int rs_report(void *ctx, struct rep_result *result);

#endif
