/*
 * The campaign service from inside. One struct camp holds everything; each file of this folder
 * changes one part of it. Every change of a device goes between camp_change_begin and
 * camp_change_end, which keep the tallies true and mark the device's row dirty; so gates, holds and
 * reports never scan the fleet, and a restart rebuilds the tallies from the rows alone.
 */
#ifndef CAMP_CAMP_H
#define CAMP_CAMP_H

#include "agent/window.h"
#include "camp/campaign.h"
#include "sim/queue.h"

#define CAMP_SECOND INT64_C(1000000)
#define CAMP_HOUR (3600 * CAMP_SECOND)
#define CAMP_DAY (24 * CAMP_HOUR)
#define CAMP_NEVER INT64_MAX

enum {
    CAMP_VERSION_MAX = 32,
    CAMP_ALERTS_PER_KIND = 20, /* then one that says there are more */
    CAMP_EVENT_MAX = 256,
    CAMP_PHASES_MAX = SCN_PHASES_MAX + 1, /* the observation is the last one */
};

/* Statuses on the wire, in the order of an update. */
enum camp_status_kind {
    CAMP_ST_NONE, /* enrolled, nothing heard about the update yet */
    CAMP_ST_NOTIFIED,
    CAMP_ST_SCHEDULED,
    CAMP_ST_DOWNLOADING,
    CAMP_ST_DOWNLOAD_FAILED,
    CAMP_ST_VERIFIED,
    CAMP_ST_VERIFY_FAILED,
    CAMP_ST_WAITING_APPLY,
    CAMP_ST_APPLYING,
    CAMP_ST_REBOOTING,
    CAMP_ST_HEALTH_CHECK,
    CAMP_ST_CONFIRMED,
    CAMP_ST_ROLLED_BACK,
    CAMP_ST_REFUSED,
    CAMP_STATUS_KINDS
};

enum camp_command {
    CAMP_CMD_NONE,
    CAMP_CMD_APPLY,
    CAMP_CMD_DEFER,
    CAMP_CMD_ROLLBACK,
    CAMP_CMD_PING
};

/* Why an alert is raised; alerts.c says to whom. */
enum camp_alert_kind {
    CAMP_ALERT_DOWNLOAD_FAILED,
    CAMP_ALERT_VERIFY_FAILED,
    CAMP_ALERT_REFUSED,
    CAMP_ALERT_ROLLED_BACK_BOOT,   /* watchdog, hard fault, trial boots used up */
    CAMP_ALERT_ROLLED_BACK_HEALTH, /* one of the health checks failed */
    CAMP_ALERT_PRESUMED_BRICK,
    CAMP_ALERT_GATE,
    CAMP_ALERT_NO_DATA,
    CAMP_ALERT_PAUSED, /* by the operator, and the next one too */
    CAMP_ALERT_ROLLBACK_ORDERED,
    CAMP_ALERT_BURN_IN,
    CAMP_ALERT_KINDS
};

/* Sums over telemetry of one firmware on one device. base_us is one interval before its first
 * message. */
struct camp_span {
    int64_t base_us; /* -1: no message yet */
    int64_t expected, received;
    int64_t energy, memory, cpu; /* each message's value, summed */
    int64_t resets;
};

/* Telemetry of a device that comes again is among its last so many: as many as a broker may have
 * under way to the service (mosquitto's max_inflight_messages: 20, in our configurations 100). */
enum { CAMP_MARKS = 128 };

/* What the device measures and answers; a row of its own, because it changes far more often. */
struct camp_measured {
    int64_t last_us; /* arrival of the last message that was counted, -1 never */
    struct camp_span before, after;
    int64_t ping_us;  /* tick at which the last ping was sent, -1 never */
    int64_t ping_out; /* number of the outgoing message it was, 0: answered or given up */
    int64_t answers, answers_bad;
    int64_t reset_us; /* the last unplanned reset that was told, -1 never */
    int64_t crash_us; /* the first one of the confirmed candidate, -1 never */
    int64_t total;    /* unplanned resets in its life, as it told them last; -1: it tells none */
    int64_t total_us; /* by its clock, when it told them */
    uint64_t *mark;   /* of the last messages that counted, the latest first; room for CAMP_MARKS,
                         NULL as long as there are none: a fleet that tells runs has none */
    uint32_t marks;
};

struct camp_device {
    int32_t phase;     /* that selected it, -1 none */
    uint32_t position; /* in the order of that phase */
    uint32_t seq;      /* of the last status that counted */
    uint8_t status, outcome;
    bool presumed;    /* bricked; its outcome is then SILENT */
    bool crashed;     /* unplanned reset within 48 h of confirming */
    bool deferred;    /* told not to apply, because the campaign stopped or was paused */
    bool ordered;     /* rollback was ordered */
    uint32_t alerted; /* bits by enum camp_alert_kind */
    int64_t enrolled_us, notified_us, heard_us, outcome_us, confirmed_us; /* -1 never */
    int64_t approve_us; /* when the operator's desk answers, CAMP_NEVER: nothing asked */
    int64_t silent_us;  /* without an outcome by then it is silent; the notification says so too */
    int64_t version_us;
    char version[CAMP_VERSION_MAX];
    char reason[REP_NAME_MAX];
    struct camp_measured measured;
    uint32_t lane;
    bool dirty, dirty_measured;
};

/* Running totals over the labs or over the rest of the fleet. */
struct camp_tally {
    int64_t selected; /* queued ones included */
    int64_t outcome[REP_OUTCOMES];
    int64_t presumed, under_way, confirmed_ever, crashed;
    int64_t expected, missed;
    int64_t answers, answers_bad, pings_open;
    int64_t compared; /* devices with means before and after */
    int64_t memory_before, memory_after, cpu_before, cpu_after, energy_before, energy_after;
};

/* Devices that share site, window and zone wait in one lane, in the order of their position. */
struct camp_lane {
    const char *site;
    bool always; /* no window, or a forced campaign */
    struct agent_window window;
    struct agent_zone zone;
    bool open;
    int64_t until_us;   /* `open` holds until then */
    uint32_t rank;      /* follows the sun: order of the first opening in this phase */
    uint32_t head, end; /* in camp->waiting */
};

struct camp_gate_now {
    enum rep_gate_state state;
    int64_t numerator, denominator;
    int64_t at_us;  /* when the state was entered or judged for good */
    bool overruled; /* the operator resumed in spite of it: it stays as it was, and is judged no
                       more */
};

struct camp_phase_now {
    const struct scn_phase *plan;
    bool lab; /* which tally judges it */
    enum rep_phase_result result;
    int64_t started_us, hold_from_us, ended_us; /* -1 never */
    int64_t paused_us; /* how much of the hold was spent in a pause, which does not count */
    uint32_t cohort, confirmed, rolled_back, bricked; /* final once ended */
    struct camp_gate_now gate[SCN_GATES_MAX];
    bool dirty;
};

struct camp_alert {
    int64_t at_us;
    enum camp_alert_kind kind;
    enum rep_alert_level level;
    int32_t device; /* -1: the campaign */
    char cause[REP_TEXT_MAX];
};

struct camp_send {
    int64_t number; /* grows by one; names the command on the wire */
    int64_t at_us;
    uint32_t device;
    enum camp_command command; /* NONE: the notification */
};

struct camp_event { /* told with the time of its tick */
    const char *kind;
    char text[CAMP_EVENT_MAX];
};

struct camp_order {
    enum camp_operator_action action;
    int64_t at_us;
};

enum camp_statement {
    CAMP_SQL_BEGIN,
    CAMP_SQL_COMMIT,
    CAMP_SQL_STATE,
    CAMP_SQL_DEVICE,
    CAMP_SQL_MEASURED,
    CAMP_SQL_PHASE,
    CAMP_SQL_GATE,
    CAMP_SQL_ALERT,
    CAMP_SQL_SEND,
    CAMP_SQL_TAKEN,
    CAMP_STATEMENTS
};

struct camp {
    const struct camp_config *config;
    uint32_t pace; /* of the configuration, never 0 */
    sqlite3 *db;
    sqlite3_stmt *statement[CAMP_STATEMENTS];
    char message[256];
    bool broken; /* a transaction failed; nothing is sent or written any more */

    enum camp_state state;
    int64_t now_us;
    bool deaf; /* not all that was said has been heard */
    int64_t deaf_from_us, connected_us;
    uint64_t backlog;
    int32_t at_phase; /* -1 before the first tick */
    int64_t stopped_us;
    int64_t rate_next_us; /* nominal time of the next enrolment under a rate */
    struct camp_counts counts;
    bool dirty;   /* the row of camp_state */
    bool changed; /* a tally changed since the gates were last judged */

    uint32_t phases;
    struct camp_phase_now phase[CAMP_PHASES_MAX];
    struct scn_phase observation;

    struct camp_device *device;
    struct sim_queue
        due; /* when a device needs attention at the latest; may be early, never late */
    struct camp_tally tally[2]; /* [0] the fleet, [1] the labs */
    uint32_t *dirty_row, dirty_rows;
    uint32_t *dirty_measured, dirty_measureds;

    int64_t telemetry_every_min_us; /* of the fleet, 0: no telemetry */
    uint32_t lanes;
    struct camp_lane *lane;
    uint32_t *waiting; /* queued devices, lane by lane */
    uint32_t waiting_count;
    int64_t enrol_next_us;

    uint32_t orders; /* of the operator, not taken yet */
    struct camp_order order[CAMP_ORDERS_MAX];

    uint32_t alerts, alerts_room, alerts_stored;
    struct camp_alert *alert;
    uint32_t alert_count[CAMP_ALERT_KINDS];

    struct camp_send *send; /* ring of sends_room */
    uint32_t send_head, sends, sends_room;
    uint32_t sends_committed; /* of the waiting ones; the others may not leave yet */
    int64_t send_number, taken_number;
    int64_t keep_from;    /* messages from this number on stay in camp_outgoing */
    int64_t taken_stored; /* those up to this number are gone from it */
    char *payload;        /* of the message taken last */
    size_t payload_room;

    uint32_t events, events_room;
    struct camp_event *event;
    void (*on_event)(void *ctx, int64_t at_us, const char *kind, const char *text);
    void *on_event_ctx;
};

/* tally.c */
static inline struct camp_tally *camp_tally_of(struct camp *camp, uint32_t device)
{
    return &camp->tally[camp->config->device[device].lab];
}
/* The device's part in its tally, added (+1) or taken out (-1). */
void camp_tally_apply(struct camp *camp, uint32_t device, int sign);
/* Around every change of a device. begin returns it; end marks its row (and not its measurements)
 * dirty. */
struct camp_device *camp_change_begin(struct camp *camp, uint32_t device);
void camp_change_end(struct camp *camp, uint32_t device);
/* The same where only camp_device.measured (or crashed) changed. */
void camp_change_end_measured(struct camp *camp, uint32_t device);
void camp_mark_row(struct camp *camp, uint32_t device);
int64_t camp_tally_decided(const struct camp_tally *tally);

/* wire.c: what comes in. Strings are printable ASCII, anything else became '?'. */
struct camp_wire_status {
    char device_id[CAMP_ID_MAX], campaign_id[REP_NAME_MAX];
    char version[CAMP_VERSION_MAX], reason[REP_NAME_MAX];
    uint32_t seq;
    enum camp_status_kind status;
};
bool camp_wire_status(struct camp_wire_status *out, const char *json, uint32_t len);
/* An answer to a ping: {"device_id", "seq", "at", "pong": the ping's command_id}. */
struct camp_wire_pong {
    char device_id[CAMP_ID_MAX]; /* "" when it has none */
    int64_t number;
};
bool camp_wire_pong(struct camp_wire_pong *out, const char *json, uint32_t len);
/* One message of telemetry; device and times are left to whoever knows them. */
enum { CAMP_RESETS_UNTIMED = -1 }; /* first_reset_us: the message did not say when */
bool camp_wire_telemetry(struct camp_telemetry *out, char device_id[CAMP_ID_MAX], const char *json,
                         uint32_t len);
/* Does it say when it was sent? */
bool camp_wire_is_dated(const char *json, uint32_t len);
/* When, by its `at`: microseconds since 1970. False: not in the form of RFC 3339, in UTC. */
bool camp_wire_at(int64_t *out_us, const char *json, uint32_t len);
/* What it tells of the device's life, -1: nothing. */
int64_t camp_wire_resets_total(const char *json, uint32_t len);
bool camp_wire_is_pong(const char *json, uint32_t len);
const char *camp_status_name(int status);
const char *camp_command_name(int command);

/* outgoing.c */
int camp_outgoing_open(struct camp *camp);
void camp_send(struct camp *camp, uint32_t device, enum camp_command command);
void camp_send_restore(struct camp *camp, const struct camp_send *send);
/* Messages up to this number need not be sent again. */
int64_t camp_sent_up_to(const struct camp *camp);

/* alerts.c */
void camp_alert_device(struct camp *camp, enum camp_alert_kind kind, uint32_t device,
                       int64_t at_us);
void camp_alert_campaign(struct camp *camp, enum camp_alert_kind kind, enum rep_alert_level level,
                         const char *cause, int64_t at_us);
int camp_alert_restore(struct camp *camp, const struct camp_alert *alert);
enum rep_alert_level camp_gate_level(enum scn_metric metric);
bool camp_reason_is_boot(const char *reason);
void camp_event(struct camp *camp, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* lanes.c and enrol.c */
int camp_lanes_open(struct camp *camp);
void camp_lanes_fill(struct camp *camp); /* from the devices of the current phase that wait */
/* When a device that is notified now gets its first fair chance: now, or at the next opening of its
 * window if that is closed or about to close. */
int64_t camp_chance_us(const struct camp *camp, uint32_t device);
void camp_select(struct camp *camp, struct camp_phase_now *phase);
void camp_enrol(struct camp *camp);
void camp_enrol_rearm(struct camp *camp);

/* deadlines.c */
int64_t camp_device_due(const struct camp *camp, uint32_t device);
/* Brings the device's place in the queue forward if need be. */
void camp_device_rearm(struct camp *camp, uint32_t device);
void camp_deadlines_run(struct camp *camp);

/* track.c */
void camp_heard(struct camp *camp, uint32_t device, int64_t at_us);

/* deaf.c */
/* When a message that comes at at_us was said. */
int64_t camp_said_us(struct camp *camp, uint32_t device, const char *json, uint32_t len,
                     int64_t at_us);
/* Up to this time all was heard: silence until then is silence. */
int64_t camp_heard_until_us(const struct camp *camp);

/* measure.c */
void camp_measure_confirmed(struct camp *camp, uint32_t device);
/* When silence of a confirmed device counts as missed telemetry. */
int64_t camp_quiet_from(const struct camp *camp, uint32_t device);
void camp_measure_quiet(struct camp *camp, uint32_t device);

/* repeats.c: what came before by its mark, never 0; a mark of 0 is no repeat and is not noted.
 * -1: no memory. */
uint64_t camp_telemetry_mark(const char *json, uint32_t len);
bool camp_telemetry_is_repeat(const struct camp_measured *measured, uint64_t mark);
int camp_telemetry_note(struct camp_measured *measured, uint64_t mark);
int camp_marks_make(struct camp_measured *measured); /* room for them; none is set */

/* resets.c */
struct camp_resets_said {
    uint32_t untold; /* `resets`, without times */
    int64_t total;   /* `resets_total`, -1: the message does not say */
    int64_t at_us;   /* by the device's clock, -1: it has none */
};
uint32_t camp_resets_news(const struct camp_measured *measured,
                          const struct camp_resets_said *said);
void camp_resets_note(struct camp_measured *measured, const struct camp_resets_said *said);

/* burn_in.c: a lab phase that was done before */
bool camp_burn_in_takes(const struct camp *camp, const struct camp_phase_now *phase);
void camp_burn_in_start(struct camp *camp, struct camp_phase_now *phase);
bool camp_burn_in_passes(const struct camp *camp);
void camp_burn_in_counts(const struct camp *camp, struct camp_phase_now *phase);
int camp_burn_in_gates(const struct camp *camp, const struct camp_phase_now *phase,
                       struct rep_phase *out);

/* gates.c */
/* The command_ms gate of a phase, NULL when it has none; its limit in the current phase. */
const struct scn_gate *camp_gate_ping(const struct camp_phase_now *phase);
int64_t camp_ping_limit_us(const struct camp *camp);
/* Fills in the numbers of the current gates after a load; no state changes. */
void camp_gates_refresh(struct camp *camp, struct camp_phase_now *phase);
/* Judges every gate of the phase; gives the first red one, or NULL. */
const struct scn_gate *camp_gates_judge(struct camp *camp, struct camp_phase_now *phase, bool final,
                                        bool *all_green);

/* phases.c and trigger.c */
void camp_phases_begin(struct camp *camp); /* the first one, at the first tick */
void camp_phases_run(struct camp *camp);
int64_t camp_hold_end_us(const struct camp_phase_now *phase); /* of a hold that began */
bool camp_phase_is_observation(const struct camp *camp, const struct camp_phase_now *phase);
int64_t camp_phase_next_at(const struct camp *camp);
void camp_phase_close(struct camp *camp, struct camp_phase_now *phase,
                      enum rep_phase_result result);
void camp_trigger(struct camp *camp, struct camp_phase_now *phase);
/* The campaign pauses or rolls back now, and every device is told what its state asks for. */
void camp_stop(struct camp *camp, bool rollback);
void camp_trigger_burn_in(struct camp *camp, struct camp_phase_now *phase);
void camp_trigger_no_data(struct camp *camp, struct camp_phase_now *phase);
void camp_rollback_finish(struct camp *camp);

/* operator.c */
void camp_operator_run(struct camp *camp);
/* Paused by the operator and by no gate: the phase is open, its hold and its deadlines stand still.
 */
bool camp_is_held(const struct camp *camp);

/* observe.c */
enum { CAMP_OBSERVATIONS = 5 };
void camp_observe(const struct camp *camp, struct rep_observation out[CAMP_OBSERVATIONS]);

/* store.c, load.c and measured.c */
int camp_store_open(struct camp *camp);
int camp_store_commit(struct camp *camp); /* everything dirty, in one transaction */
void camp_store_close(struct camp *camp);
int camp_load(struct camp *camp); /* nothing there: nothing changes */
int camp_error_db(struct camp *camp, const char *what);
enum { CAMP_SUMS_BYTES = 168, CAMP_MEASURED_BYTES_MAX = CAMP_SUMS_BYTES + 20 + 8 * CAMP_MARKS };
uint32_t camp_measured_encode(uint8_t out[CAMP_MEASURED_BYTES_MAX], const struct camp_measured *in);
/* CAMP_ECONFIG: no such row; CAMP_EMEMORY. */
int camp_measured_decode(struct camp_measured *out, const uint8_t *in, uint32_t len);

#endif
