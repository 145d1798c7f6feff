/*
 * The event log of a run. Each node (device, or the service) has its own chain: XXH3-64 of the
 * event with the last link as seed; the run's digest is XXH3-128 over all chains in node order. So
 * the digest depends neither on threads nor on the order in which nodes ran, and dropping, changing
 * or swapping any one event changes it. A traced node also writes each event as a line of text.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include <stdint.h>
#include <stdio.h>

enum sim_event_kind {
    SIM_EV_POWER_ON = 1,
    SIM_EV_POWER_OFF,
    SIM_EV_RESET,
    SIM_EV_BOOT,
    SIM_EV_NO_BOOT,
    SIM_EV_APP_START,
    SIM_EV_STATE,
    SIM_EV_ERASE,
    SIM_EV_PROGRAM,
    SIM_EV_CUT,
    SIM_EV_MQTT_UP,
    SIM_EV_MQTT_DOWN,
    SIM_EV_RECEIVED,
    SIM_EV_PUBLISHED,
    SIM_EV_HTTP_GET,
    SIM_EV_HTTP_HEAD,
    SIM_EV_HTTP_END,
    SIM_EV_HTTP_ERROR,
    SIM_EV_HEALTH,
    SIM_EV_CRASH,
    SIM_EV_HANG,
    SIM_EV_CONFIRMED,
    SIM_EV_TELEMETRY,
    SIM_EV_INTERLOCK,
    SIM_EV_FAULT_ARMED,
    SIM_EV_FAULT_FIRED,
    SIM_EV_PROMISE,
    SIM_EV_ALERT,
    SIM_EV_PHASE,
    SIM_EV_GATE,
    SIM_EV_NOTIFY,
    SIM_EV_COMMAND,
    SIM_EV_STATUS,
    SIM_EV_RESTART,
    SIM_EV_LINK_DOWN,
    SIM_EV_LINK_UP,
    SIM_EV_OPERATOR,
    SIM_EV_CLOCK,
    SIM_EV_KINDS
};
const char *sim_event_name(int kind);

/* 40 bytes hashed in this order, little endian. */
struct sim_event {
    int64_t at_us;
    uint32_t node;
    uint32_t kind;
    uint64_t a, b;
    uint64_t sequence;
};

struct sim_log {
    uint64_t chain;    /* start value: 0 */
    uint64_t sequence; /* events so far */
    uint32_t node;
    FILE *trace;      /* NULL: not traced */
    int64_t start_us; /* for the trace's relative times */
    /* Test hook: the event with this sequence is dropped (1), changed (2) or swapped with the next
     * (3). */
    uint64_t mutate_sequence;
    int mutate;
    int held;
    struct sim_event held_event;
};

void sim_log_init(struct sim_log *log, uint32_t node, int64_t start_us);
/* Appends. text (may be NULL) is for people and is not hashed: what it tells beyond a and b has to
 * be in one of them, as a hash where it is long. Format of the trace line: time, kind, text. */
void sim_log_event(struct sim_log *log, int64_t at_us, enum sim_event_kind kind, uint64_t a,
                   uint64_t b, const char *text);
/* A line of the trace alone, which is no event: for people, never hashed. Nothing without a trace.
 */
void sim_log_note(const struct sim_log *log, int64_t at_us, const char *label, const char *text);
/* XXH3-128 over chains and lengths, big endian canonical form. */
void sim_log_digest(const struct sim_log *const *logs, uint32_t count, uint8_t out[16]);

#endif
