/* The tables of the terminal summary, laid out by libsmartcols (util-linux). */
#include "rep/grid.h"
#include "rep/text.h"
#include "terminal.h"

#include <stdlib.h>
#include <string.h>

enum { ALERTS_SHOWN = 20 };

static void cell_time(struct libscols_line *line, size_t column, int64_t seconds)
{
    char text[48];
    rep_text_time(text, sizeof text, seconds);
    rep_grid_cell(line, column, "%s", text);
}

void rep_terminal_phases(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"PHASE", SCOLS_FL_WRAP},      {"RESULT", 0},
        {"STARTED", SCOLS_FL_RIGHT},   {"HOLD", SCOLS_FL_RIGHT},
        {"ENDED", SCOLS_FL_RIGHT},     {"COHORT", SCOLS_FL_RIGHT},
        {"CONFIRMED", SCOLS_FL_RIGHT}, {"ROLLED", SCOLS_FL_RIGHT},
        {"PRESUMED", SCOLS_FL_RIGHT},  {NULL, 0}};
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    for (uint32_t i = 0; i < terminal->result->phases; i++) {
        const struct rep_phase *phase = &terminal->result->phase[i];
        struct libscols_line *line = rep_grid_line(table);
        rep_grid_cell(line, 0, "%s", phase->name);
        rep_grid_cell(line, 1, "%s", rep_phase_result_name((int)phase->result));
        rep_grid_paint(line, 1, phase->result == REP_PHASE_STOPPED ? "red" : NULL);
        cell_time(line, 2, phase->started_s);
        cell_time(line, 3, phase->hold_from_s);
        cell_time(line, 4, phase->ended_s);
        rep_grid_cell(line, 5, "%u", phase->cohort);
        rep_grid_cell(line, 6, "%u", phase->confirmed);
        rep_grid_cell(line, 7, "%u", phase->rolled_back);
        rep_grid_cell(line, 8, "%u", phase->bricked);
    }
    rep_grid_print(terminal->out, table);
}

/* A limit that names a share is shown beside a share; "> 500 ms" beside the plain quotient. */
static bool is_share(const char *limit)
{
    return strpbrk(limit, "%/") != NULL;
}

static void gate_line(struct libscols_line *line, const struct rep_phase *phase,
                      const struct rep_gate *gate)
{
    static const char *const colours[] = {"yellow", "green", "red"};
    char value[64];
    rep_text_ratio(value, sizeof value, gate->numerator, gate->denominator, is_share(gate->limit));
    rep_grid_cell(line, 0, "%s", phase->name);
    rep_grid_cell(line, 1, "%s", gate->metric);
    rep_grid_cell(line, 2, "%lld/%lld", (long long)gate->numerator, (long long)gate->denominator);
    rep_grid_cell(line, 3, "%s", value);
    rep_grid_cell(line, 4, "%s", gate->limit);
    rep_grid_cell(line, 5, "%s", rep_gate_state_name((int)gate->state));
    rep_grid_paint(line, 5, colours[gate->state]);
    cell_time(line, 6, gate->at_s);
}

static bool is_explained(const struct rep_result *result, uint32_t phase, uint32_t gate)
{
    const struct rep_gate *this = &result->phase[phase].gate[gate];
    for (uint32_t i = 0; i <= phase; i++) {
        uint32_t gates = i == phase ? gate : result->phase[i].gates;
        for (uint32_t j = 0; j < gates; j++) {
            const struct rep_gate *that = &result->phase[i].gate[j];
            if (!strcmp(this->metric, that->metric) &&
                !strcmp(this->comparison, that->comparison) && this->min_sample == that->min_sample)
                return true;
        }
    }
    return false;
}

/* How each metric is compared, once, however many phases use it. */
static void explain_gates(const struct rep_terminal *terminal)
{
    const struct rep_result *result = terminal->result;
    for (uint32_t i = 0; i < result->phases; i++) {
        for (uint32_t j = 0; j < result->phase[i].gates; j++) {
            const struct rep_gate *gate = &result->phase[i].gate[j];
            if (!is_explained(result, i, j))
                rep_terminal_text(terminal, 4, "  %s: %s; on hold below %u", gate->metric,
                                  gate->comparison, gate->min_sample);
        }
    }
}

void rep_terminal_gates(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"PHASE", SCOLS_FL_WRAP},   {"GATE", SCOLS_FL_TRUNC},
        {"K/N", SCOLS_FL_RIGHT},    {"VALUE", SCOLS_FL_RIGHT},
        {"RED IF", SCOLS_FL_TRUNC}, {"STATE", 0},
        {"JUDGED", SCOLS_FL_RIGHT}, {NULL, 0}};
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    for (uint32_t i = 0; i < terminal->result->phases; i++) {
        const struct rep_phase *phase = &terminal->result->phase[i];
        for (uint32_t j = 0; j < phase->gates; j++)
            gate_line(rep_grid_line(table), phase, &phase->gate[j]);
    }
    rep_grid_print(terminal->out, table);
    explain_gates(terminal);
}

void rep_terminal_outcomes(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"OUTCOME", 0}, {"DEVICES", SCOLS_FL_RIGHT}, {"SHARE", SCOLS_FL_RIGHT}, {NULL, 0}};
    const struct rep_result *result = terminal->result;
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    /* Who is bricked is not for the service to say, so that its belief has no such row. */
    int outcomes = result->cut_short ? REP_OUT_BRICKED : REP_OUTCOMES;
    for (int i = REP_OUT_CONFIRMED; i < outcomes; i++) {
        char share[64];
        struct libscols_line *line = rep_grid_line(table);
        rep_text_ratio(share, sizeof share, result->updates[i], result->enrolled, true);
        rep_grid_cell(line, 0, "%s", rep_outcome_name(i));
        rep_grid_cell(line, 1, "%u", result->updates[i]);
        rep_grid_cell(line, 2, "%s", share);
        rep_grid_paint(line, 1, i == REP_OUT_BRICKED && result->updates[i] ? "red" : NULL);
    }
    rep_grid_print(terminal->out, table);
}

void rep_terminal_promises(const struct rep_terminal *terminal)
{
    for (uint32_t i = 0; i < terminal->result->promises; i++) {
        const struct rep_promise_row *row = &terminal->result->promise[i];
        const char *name = rep_promise_name((int)row->promise);
        if (!row->broken && row->first_what[0]) {
            rep_terminal_text(terminal, 27, "  %-24s not checked: %s", name, row->first_what);
            continue;
        }
        if (!row->broken) {
            fprintf(terminal->out, "  %-24s kept\n", name);
            continue;
        }
        fprintf(terminal->out, "  %-24s %sBROKEN%s %llu times\n", name,
                terminal->colour ? "\033[1;31m" : "", terminal->colour ? "\033[0m" : "",
                (unsigned long long)row->broken);
        rep_terminal_text(terminal, 6, "    first: %s", row->first_what);
        if (row->first_token[0])
            fprintf(terminal->out, "    brickyard replay %s\n", row->first_token);
    }
}

/* Columns that the longest of these texts takes. */
static unsigned wider(unsigned width, const char *text)
{
    unsigned columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns > width ? columns : width;
}

struct alert_cells {
    char at[48], device[3 * REP_NAME_MAX + 1];
    const char *level;
};

static void alert_cells(struct alert_cells *out, const struct rep_alert *alert)
{
    rep_text_time(out->at, sizeof out->at, alert->at_s);
    out->level = rep_alert_level_name((int)alert->level);
    rep_text_clean(out->device, sizeof out->device, alert->device[0] ? alert->device : "-",
                   REP_NAME_MAX, REP_TEXT_LINE);
}

/* One alert in columns of these widths; printf counts bytes, so that the padding is printed apart.
 */
static void alert_line(const struct rep_terminal *terminal, const struct rep_alert *alert,
                       const unsigned width[3])
{
    enum { CAUSE_COLUMNS_MIN = 30, CAUSE_INDENT = 4 };
    struct alert_cells cells;
    alert_cells(&cells, alert);
    bool red = terminal->colour && alert->level != REP_ALERT_OPERATIONS;
    unsigned column = width[0] + width[1] + width[2] + 6;
    fprintf(terminal->out, "%*s%s  %s%s%s%*s  %s%*s  ", (int)(width[0] - wider(0, cells.at)), "",
            cells.at, red ? "\033[31m" : "", cells.level, red ? "\033[0m" : "",
            (int)(width[1] - wider(0, cells.level)), "", cells.device,
            (int)(width[2] - wider(0, cells.device)), "");
    bool room = column + CAUSE_COLUMNS_MIN <= REP_TERMINAL_COLUMNS;
    rep_terminal_behind(terminal, column, room ? column : CAUSE_INDENT, alert->cause);
}

/* No table of libscols: a device's id must stay whole, and a cause breaks between words. */
void rep_terminal_alerts(const struct rep_terminal *terminal)
{
    const struct rep_result *result = terminal->result;
    uint32_t shown = result->alerts < ALERTS_SHOWN ? result->alerts : ALERTS_SHOWN;
    unsigned width[3] = {2, 5, 6}; /* of the titles */
    for (uint32_t i = 0; i < shown; i++) {
        struct alert_cells cells;
        alert_cells(&cells, &result->alert[i]);
        width[0] = wider(width[0], cells.at);
        width[1] = wider(width[1], cells.level);
        width[2] = wider(width[2], cells.device);
    }
    fprintf(terminal->out, "%*s  %-*s  %-*s  CAUSE\n", (int)width[0], "AT", (int)width[1], "LEVEL",
            (int)width[2], "DEVICE");
    for (uint32_t i = 0; i < shown; i++)
        alert_line(terminal, &result->alert[i], width);
    if (result->alerts > shown)
        fprintf(terminal->out, "and %u more: see --db, table alert\n", result->alerts - shown);
}

void rep_terminal_faults(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"#", SCOLS_FL_RIGHT},     {"FAULT", SCOLS_FL_TRUNC}, {"SCHEDULED", SCOLS_FL_RIGHT},
        {"ARMED", SCOLS_FL_RIGHT}, {"FIRED", SCOLS_FL_RIGHT}, {NULL, 0}};
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    for (uint32_t i = 0; i < terminal->result->faults; i++) {
        const struct rep_fault *fault = &terminal->result->fault[i];
        struct libscols_line *line = rep_grid_line(table);
        rep_grid_cell(line, 0, "%u", fault->number);
        rep_grid_cell(line, 1, "%s", fault->kind);
        rep_grid_cell(line, 2, "%llu", (unsigned long long)fault->scheduled);
        rep_grid_cell(line, 3, "%llu", (unsigned long long)fault->armed);
        rep_grid_cell(line, 4, "%llu", (unsigned long long)fault->fired);
        rep_grid_paint(line, 4, fault->fired < fault->armed ? "red" : NULL);
    }
    rep_grid_print(terminal->out, table);
}

/* The change in percent of the value before, from both values in thousandths. Nothing is known of a
 * change from or to a bound. */
static void change(char *text, size_t room, const struct rep_observation *row)
{
    __int128 before = row->before_den > 0 ? (__int128)row->before_num * 1000 / row->before_den : 0;
    __int128 after = row->after_den > 0 ? (__int128)row->after_num * 1000 / row->after_den : 0;
    if (before <= 0 || row->after_den <= 0 || row->before_lower_bound || row->lower_bound)
        snprintf(text, room, "-");
    else
        snprintf(text, room, "%+.1f%%", (double)(after - before) * 100.0 / (double)before);
}

void rep_terminal_observations(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"METRIC", SCOLS_FL_TRUNC}, {"BEFORE", SCOLS_FL_RIGHT}, {"AFTER", SCOLS_FL_RIGHT},
        {"UNIT", SCOLS_FL_TRUNC},   {"CHANGE", SCOLS_FL_RIGHT}, {NULL, 0}};
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    for (uint32_t i = 0; i < terminal->result->observations; i++) {
        const struct rep_observation *row = &terminal->result->observation[i];
        char before[64], after[64], difference[64];
        struct libscols_line *line = rep_grid_line(table);
        rep_text_ratio(before, sizeof before, row->before_num, row->before_den, false);
        rep_text_ratio(after, sizeof after, row->after_num, row->after_den, false);
        change(difference, sizeof difference, row);
        rep_grid_cell(line, 0, "%s", row->metric);
        rep_grid_cell(line, 1, "%s%s", row->before_lower_bound ? ">= " : "", before);
        rep_grid_cell(line, 2, "%s%s", row->lower_bound ? ">= " : "", after);
        rep_grid_cell(line, 3, "%s", row->unit);
        rep_grid_cell(line, 4, "%s", difference);
    }
    rep_grid_print(terminal->out, table);
}

void rep_terminal_facts(const struct rep_terminal *terminal)
{
    static const struct rep_grid_column columns[] = {
        {"WHAT", 0}, {"IS", SCOLS_FL_WRAP}, {NULL, 0}};
    struct libscols_table *table = rep_grid_new(terminal->out, terminal->colour, columns);
    for (uint32_t i = 0; i < terminal->result->facts; i++) {
        struct libscols_line *line = rep_grid_line(table);
        rep_grid_cell(line, 0, "%s", terminal->result->fact[i].name);
        rep_grid_cell(line, 1, "%s", terminal->result->fact[i].value);
    }
    rep_grid_print(terminal->out, table);
}
