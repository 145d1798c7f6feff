/*
 * The campaign service: enrols cohorts phase by phase, notifies, follows statuses and telemetry,
 * judges the gates, pauses, rolls back, raises alerts. Its only input is messages and the time; it
 * includes no device, flash or oracle header, and the same code serves every world.
 *
 * State is in SQLite (tables camp_*), loaded at camp_open and written through once per tick in one
 * transaction, before the outputs of that tick may be taken; so a service that is killed at any
 * moment and opened again from its database goes on with the same outcome (outputs of a tick that
 * was not committed were never sent; committed ones are kept in an outgoing table until taken and
 * are sent again after a restart: devices tolerate duplicates). Times are microseconds since 1970
 * (UTC). Not thread-safe. Deterministic: no clock, no random source but the seed in its
 * configuration.
 */
#ifndef CAMP_CAMPAIGN_H
#define CAMP_CAMPAIGN_H

#include "rep/result.h"
#include "scn/scenario.h"
#include <sqlite3.h>

enum { CAMP_ID_MAX = 32, CAMP_PAYLOAD_MAX = 4096 };

/* The registry: what a fleet owner knows of a device. Borrowed; lives as long as the campaign. */
struct camp_device_info {
    char id[CAMP_ID_MAX];
    const char *group, *site, *zone_posix, *criticality, *ota_window, *device_type, *hw_revision;
    const char *version; /* installed at the start */
    bool lab;
    int64_t telemetry_every_us;
};

struct camp_config {
    const struct scn_campaign *plan;
    const struct camp_device_info *device;
    uint32_t devices;
    const char *campaign_id;
    const char *manifest;  /* JSON of the candidate, as in DESIGN section 4 */
    const char *candidate; /* version */
    const char *rollback_version;
    uint64_t seed; /* order of enrolment inside a cohort */
    int64_t start_us;
    /* Microseconds of start_us's clock in one real one: 1, or the time scale of a world in which
     * phases go faster than commands. 0 is taken for 1. */
    uint32_t pace;
    /* A finished lab phase, done by a burn-in: it is not run, its result and gates stand in its
     * place. The same at each opening. NULL: none. */
    const struct rep_phase *burn_in;
};
/* The first gate of the plan's lab phases that this burn-in did not judge (same metric, same limit
 * as written, `of:` the same, and where it is green at least the plan's min_sample); NULL: it
 * judged all of them. A campaign is not opened with one that lacks any. */
const struct scn_gate *camp_burn_in_lacks(const struct scn_campaign *plan,
                                          const struct rep_phase *burn_in);
/* What a gate is judged by; of command_ms, the counts of late answers. */
struct rep_gate_rule camp_gate_rule(const struct scn_gate *gate);
/* memory, cpu: the denominator is a mean, and min_sample the devices that it is of. */
bool camp_gate_is_mean(enum scn_metric metric);
/* In words: numerator, denominator, treatment of silence. */
const char *camp_gate_words(const struct scn_gate *gate, char *out, size_t room);

enum camp_error { CAMP_OK = 0, CAMP_EDB = -1, CAMP_ECONFIG = -2, CAMP_EMEMORY = -3 };
struct camp; /* opaque */

/* Opens on a database: new tables, or goes on from those that are there (same campaign_id; else
 * CAMP_ECONFIG). On an error *out (NULL only without memory) serves for camp_message and
 * camp_close, nothing else. */
int camp_open(struct camp **out, const struct camp_config *config, sqlite3 *db);
void camp_close(struct camp *camp); /* frees memory only; what was not committed is lost */
const char *camp_message(const struct camp *camp); /* of the last error */

/* Inputs, in any order within a tick; at_us is the arrival. Hostile payloads are counted and
 * dropped. */
void camp_status(struct camp *camp, uint32_t device, const char *json, uint32_t len, int64_t at_us);
void camp_pong(struct camp *camp, uint32_t device, const char *json, uint32_t len, int64_t at_us);

/* A run of equal telemetry messages (a real driver gives runs of one): the service works out what
 * was expected from the time, not from what the device claims. */
struct camp_telemetry {
    uint32_t device;
    int64_t first_us, last_us; /* arrival of the first and the last message of the run */
    uint32_t received;         /* messages in it; 0 only with resets: the news of those alone */
    char version[32];
    int64_t energy_mw, memory_kb, cpu_permille; /* means over the run */
    uint32_t resets; /* unplanned resets of this version, once confirmed, that were not told yet
                        (the device's own measurement; a status tells those of a trial) */
    int64_t first_reset_us, last_reset_us; /* when they happened, at the latest at last_us */
};
void camp_telemetry(struct camp *camp, const struct camp_telemetry *run);
/* A payload of telemetry/<device> as it arrives: one message {"device_id", "seq", "at", "version",
 * "energy_mw", "memory_kb", "cpu_permille"}; with "resets", "first_reset_ms", "last_reset_ms" the
 * news of unplanned resets; with "resets" alone a message that also tells how many there were since
 * the last one (daemons and boards), 0 mostly, and with "resets_total" how many in the device's
 * life; with "pong" an answer to a ping. */
void camp_telemetry_json(struct camp *camp, uint32_t device, const char *json, uint32_t len,
                         int64_t at_us);

/*
 * An order of the operator, taken at the next tick before the gates are judged; at_us is its
 * arrival. An input like the others: killed before that tick's commit, the service does not know of
 * it and it has to be given again. An order that makes no sense in the state (README, the
 * operator's orders) is ignored with an event. CAMP_ECONFIG: no such action; CAMP_EMEMORY: more
 * than CAMP_ORDERS_MAX between two ticks.
 */
enum camp_operator_action {
    CAMP_OPERATOR_PAUSE,
    CAMP_OPERATOR_RESUME,
    CAMP_OPERATOR_ROLLBACK,
    CAMP_OPERATOR_ACTIONS
};
enum { CAMP_ORDERS_MAX = 16 };
int camp_operator(struct camp *camp, enum camp_operator_action action, int64_t at_us);

/* Acts at now_us (a tick): deadlines, orders, enrolment, holds, gates, alerts. Commits. CAMP_EDB:
 * nothing of this tick happened, the run must end (exit 8). */
int camp_tick(struct camp *camp, int64_t now_us);

/*
 * From from_us on the service has not heard what was said (no connection; it did not run), and what
 * waited comes now, out of its time: until camp_hears ticks commit it and take orders, and judge
 * nothing. A second call while it is deaf changes nothing. Not remembered over a restart: whoever
 * opens again says so.
 */
void camp_deaf(struct camp *camp, int64_t from_us);
/* The connection is there again since at_us. Backlog: how many messages came while it was deaf that
 * date themselves before that; never less. */
void camp_connected(struct camp *camp, int64_t at_us);
uint64_t camp_backlog(const struct camp *camp);
void camp_hears(struct camp *camp);

/* The latest time that it knows of: of a tick that it remembers, or of something that it heard.
 * Time goes on from there. */
int64_t camp_latest_us(const struct camp *camp);

/* When camp_tick has something to do without new input; INT64_MAX: never. */
int64_t camp_next_at(const struct camp *camp);

enum camp_out_kind { CAMP_OUT_NOTIFICATION, CAMP_OUT_COMMAND };
struct camp_out {
    enum camp_out_kind kind;
    uint32_t device;
    const char *payload;
    uint32_t len;
    int64_t number; /* grows by one with each message, over restarts too */
};
/* Takes the next message to send; false when there is none. Payload valid until the next call. */
bool camp_next_out(struct camp *camp, struct camp_out *out);
/* A message that was taken is forgotten by the next commit. Where it can still be lost after that
 * (sent, and not acknowledged), say before each tick from which number on none may be forgotten;
 * INT64_MAX, as at first: no such. */
void camp_keep_from(struct camp *camp, int64_t number);

enum camp_state {
    CAMP_RUNNING,
    CAMP_OBSERVING,
    CAMP_PAUSED,
    CAMP_ROLLING_BACK,
    CAMP_STOPPED,
    CAMP_FINISHED
};
enum camp_state camp_state(const struct camp *camp);
/* True when nothing more will happen by itself: finished, or paused/rolled back with no device
 * under way or silent_after past. */
bool camp_done(const struct camp *camp);

/* What the service believes of a device, for the report and for promise 5. */
struct camp_belief {
    const char *version;      /* running version as last reported */
    enum rep_outcome outcome; /* never BRICKED: see presumed_bricked */
    bool presumed_bricked;
    char reason[REP_NAME_MAX];
    int32_t phase;
    int64_t enrolled_us, outcome_us; /* -1: never */
};
void camp_belief(const struct camp *camp, uint32_t device, struct camp_belief *out);

/* What was measured of a device since it confirmed, in the numbers that the gates sum up. */
struct camp_figures {
    int64_t expected, received;        /* telemetry */
    int64_t answers, answers_bad;      /* pings that were answered or given up; late or given up */
    bool crashed;                      /* unplanned reset within 48 h of confirming */
    int64_t notified_us, confirmed_us; /* -1: never */
};
void camp_figures(const struct camp *camp, uint32_t device, struct camp_figures *out);

/* Progress for the display. */
void camp_progress(const struct camp *camp, const char **phase, uint32_t *cohort,
                   uint32_t *confirmed, uint32_t *rolled_back, uint32_t *bricked);

/* An estimate of when the campaign ends if nothing goes wrong: the holds and the observation that
 * are left, and a day of waiting for windows in each phase to come. -1: nobody knows (it is paused,
 * is being rolled back, or was stopped). For a display only; it must never reach the digest. */
int64_t camp_end_estimate_us(const struct camp *camp);

/* What came in, by what became of it. dropped: hostile or unreadable; late: a status whose seq was
 * not new, or telemetry counted before; foreign: of another campaign, or of a device that is not
 * enrolled. */
struct camp_counts {
    uint64_t statuses, telemetry, pongs, late, foreign, dropped;
};
void camp_counts(const struct camp *camp, struct camp_counts *out);

/* Fills phases (with gates), alerts, observations, presumed_bricked of the result (mallocs the
 * arrays). */
int camp_report(const struct camp *camp, struct rep_result *result);

/* Alerts and phase changes as they happen, for the event log: called inside camp_tick, may be NULL.
 */
void camp_on_event(struct camp *camp,
                   void (*hook)(void *ctx, int64_t at_us, const char *kind, const char *text),
                   void *ctx);

#endif
