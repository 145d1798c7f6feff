/* The phases and gates of the design's section 6, as a table. */
#include "form.h"
#include <assert.h>
#include <string.h>

struct standard_gate {
    enum scn_metric metric;
    const char *stop_if;
};

struct standard_phase {
    const char *name;
    bool lab;
    struct scn_ratio share;
    const char *criticality; /* of the devices that may be taken; "": any */
    int64_t hold_h;
    uint32_t rate_per_hour;
    bool stagger;
    bool trends; /* memory and CPU against before */
};

static const struct standard_phase standard[] = {
    {"phase-0 lab", true, {1, 1}, "", 24, 0, false, false},
    {"phase-1 canary", false, {1, 100}, "low", 48, 0, false, false},
    {"phase-2 early adopters", false, {10, 100}, "", 72, 0, false, true},
    {"phase-3a general 50%", false, {50, 100}, "", 24, 500, true, false},
    {"phase-3b general 100%", false, {100, 100}, "", 24, 500, true, false},
};

static const struct standard_gate lab_gates[] = {
    {SCN_METRIC_CRASH, "> 0%"},
    {SCN_METRIC_TELEMETRY_GAP, "> 5%"},
    {SCN_METRIC_COMMAND_MS, ">= 500ms"},
    {SCN_METRIC_BRICK, "> 0%"},
};
static const struct standard_gate field_gates[] = {
    {SCN_METRIC_SUCCESS, "< 95%"},      {SCN_METRIC_CRASH, "> 2%"},
    {SCN_METRIC_TELEMETRY_GAP, "> 5%"}, {SCN_METRIC_BRICK, "> 0%"},
    {SCN_METRIC_ROLLBACK, "> 5%"},
};
static const struct standard_gate trend_gates[] = {
    {SCN_METRIC_MEMORY, "> 10%"},
    {SCN_METRIC_CPU, "> 20%"},
};

static void add_gates(struct scn_phase *phase, const struct standard_gate *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scn_gate *gate = &phase->gate[phase->gates++];
        memset(gate, 0, sizeof *gate);
        gate->metric = from[i].metric;
        gate->min_sample = 1;
        snprintf(gate->text, sizeof gate->text, "%s", from[i].stop_if);
        bool ok = scn_gate_parse(gate);
        assert(ok);
        (void)ok;
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add_phase(struct scn_phase *phase, const struct standard_phase *from)
{
    memset(phase, 0, sizeof *phase);
    snprintf(phase->name, sizeof phase->name, "%s", from->name);
    snprintf(phase->where_criticality, sizeof phase->where_criticality, "%s", from->criticality);
    phase->size = from->lab ? SCN_SIZE_LAB : SCN_SIZE_SHARE;
    phase->share = from->share;
    phase->hold_us = from->hold_h * INT64_C(3600000000);
    phase->rate_per_hour = from->rate_per_hour;
    phase->stagger = from->stagger;
    if (from->lab) {
        add_gates(phase, lab_gates, COUNT(lab_gates));
        return;
    }
    add_gates(phase, field_gates, COUNT(field_gates));
    if (from->trends)
        add_gates(phase, trend_gates, COUNT(trend_gates));
}

void scn_standard_phases(struct scn_campaign *campaign, bool has_lab)
{
    campaign->standard_phases = true;
    campaign->phases = 0;
    for (size_t i = 0; i < COUNT(standard); i++)
        if (has_lab || !standard[i].lab)
            add_phase(&campaign->phase[campaign->phases++], &standard[i]);
}
