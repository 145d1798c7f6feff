/*
 * The service from inside. One struct svc holds everything; each file of this folder does one part
 * of it: what is rolled out (plan.c), the database and the clock (state.c), orders (control.c),
 * reports (report.c), the loop (service.c).
 */
#ifndef SVC_SERVICE_H
#define SVC_SERVICE_H

#include "camp/campaign.h"
#include "daemon_kit/log.h"
#include "rep/result.h"
#include "settle.h"
#include "sim/desk.h"
#include "sim/roster.h"
#include "sim/service.h"
#include <ev.h>

/* ---- The log: a line for each event, key=value, on standard error ---- */

#define SVC_LOG(level, event, ...)                                                                 \
    AGENT_LOG((&(const struct agent_log){.out = stderr}), (level), (event), __VA_ARGS__)

/* ---- plan.c ---- */

struct svc_plan {
    struct scn *scn;
    struct sim_roster roster;
    struct camp_device_info *registry;
    char *manifest;       /* compact JSON */
    char fingerprint[33]; /* of scenario and manifest, hex */
};
/* 0, or -1 with the message. Free in both cases. */
int svc_plan_load(struct svc_plan *out, const struct sim_service_settings *settings,
                  char message[SIM_SERVICE_MESSAGE_MAX]);
void svc_plan_free(struct svc_plan *plan);

/* ---- state.c ---- */

struct svc_state {
    int lock; /* file descriptor, -1: none */
    sqlite3 *db;
    int64_t started_us; /* real time of the first start, which is the campaign's `start` */
    bool resumed;       /* the database was there */
};
/* Locks and opens the database, makes its tables, or checks that they are this campaign's. 0, or -1
 * with the message. Close in both cases. */
int svc_state_open(struct svc_state *out, const struct sim_service_settings *settings,
                   const struct svc_plan *plan, char message[SIM_SERVICE_MESSAGE_MAX]);
void svc_state_close(struct svc_state *state);

/* ---- service.c ---- */

struct svc {
    const struct sim_service_settings *settings;
    struct svc_plan plan;
    struct svc_state state;
    struct camp_config camp_config;
    struct camp *camp;
    struct ev_loop *loop;
    struct ev_timer wake;
    struct ev_signal stop[2], ask; /* SIGTERM, SIGINT; SIGUSR1 */
    struct agent_tls *tls;
    struct agent_identity *identity;
    struct sim_desk *desk;
    struct agent_kit_control *control;
    int64_t now_us;  /* of the campaign, at its last tick or message */
    int64_t said_us; /* of the campaign, at its last message */
    struct svc_settle settle;
    uint64_t backlog; /* messages of before the connection, so far */
    bool heard;       /* something that was not followed by a tick yet */
    bool settled;     /* since the last connection: what waited at the broker has come */
    bool failed;      /* the database: nothing may be acknowledged any more */
    bool asked;       /* for a report */
    int signal;       /* that ends it, 0: none */
    uint32_t downs;   /* in a row */
    char why[200];    /* of the last of them */
    uint64_t hostile_told;
    uint32_t steps;
};

/* A tick now, and what came of it is sent. 0, or -1: the database failed. */
int svc_tick(struct svc *svc);
int64_t svc_now_us(const struct svc *svc);
const char *svc_state_name(enum camp_state state);
/* Nothing will change any more but by an order; *stopped: by a gate, or for want of data. */
bool svc_is_over(const struct svc *svc, bool *stopped);

/* ---- control.c ---- */

/* Opens svc->control. -1: message tells. */
int svc_control_open(struct svc *svc, char message[SIM_SERVICE_MESSAGE_MAX]);

/* ---- report.c ---- */

/* What is known now. 0 or -1 (no memory). Free by rep_result_free in both cases. */
int svc_report_make(const struct svc *svc, struct rep_result *out);
/* Writes what the configuration asks for. The result's exit code, or -1 (it was logged). */
int svc_report_write(const struct svc *svc);

#endif
