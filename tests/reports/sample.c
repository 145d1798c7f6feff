#include "sample.h"

#include "fields.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TOKEN "by1:canary-stops-bad-firmware:9f3c:s7:d0123:c4401p"

static void *rows(const void *first, size_t bytes)
{
    void *copy = malloc(bytes);
    cr_assert_not_null(copy);
    memcpy(copy, first, bytes);
    return copy;
}
#define ROWS(member, count, type, ...)                                                             \
    do {                                                                                           \
        const struct type list[] = {__VA_ARGS__};                                                  \
        result->member = rows(list, sizeof list);                                                  \
        result->count = sizeof list / sizeof list[0];                                              \
    } while (0)

static void add_gates(struct rep_phase *phase, int64_t confirmed, int64_t crashed, bool red)
{
    const struct rep_gate list[] = {
        {"success", "< 95%", "confirmed / reported, silent count as failures; red if < 95%",
         confirmed, phase->cohort, 1, REP_GATE_GREEN, 180000},
        {"crash", "> 2%", "devices with an unplanned reset within 48 h of confirming / confirmed",
         crashed, phase->cohort, 10, red ? REP_GATE_RED : REP_GATE_GREEN, 183600},
        {"round_trip", "> 500 ms", "sum of milliseconds / answers", 81234, 1000, 1, REP_GATE_HOLD,
         -1},
    };
    phase->gate = rows(list, sizeof list);
    phase->gates = 3;
}

static void name_run(struct rep_result *result, const char *scenario, const char *why)
{
    rep_result_init(result);
    strcpy(result->scenario, scenario);
    strcpy(result->summary, "a firmware that crashes, and a canary that sees it");
    strcpy(result->scenario_hash,
           "9f3c00112233445566778899aabbccddeeff00112233445566778899aabbccdd");
    strcpy(result->world, "virtual");
    strcpy(result->candidate, "2.4.0");
    strcpy(result->digest, "00112233445566778899aabbccddeeff");
    strcpy(result->start, "2026-03-19T10:00:00Z");
    strcpy(result->explanation, why);
    result->seed = 7;
    result->devices = 5010;
    result->virtual_s = 190000;
    result->wall_s = 1.25;
    result->jobs = 2;
    result->sha256_bytes = 111111111;
    result->ecdsa_verifies = 222;
    result->flash_programs = 333333;
    result->flash_erases = 4444;
    result->wear_max = 5;
    result->power_cuts = 66;
    result->memory_peak_bytes = 777777777;
}

static void add_promises(struct rep_result *result)
{
    result->promises = REP_PROMISES;
    result->promise = calloc(REP_PROMISES, sizeof *result->promise);
    for (int i = 0; i < REP_PROMISES; i++)
        result->promise[i].promise = (enum rep_promise)i;
    strcpy(result->promise[REP_PROMISE_SAME_RUN].first_what, "no --check-digest was given");
}

static void add_devices(struct rep_result *result)
{
    struct rep_device *device = calloc(16, sizeof *device);
    static const enum rep_outcome outcomes[] = {REP_OUT_CONFIRMED,   REP_OUT_ROLLED_BACK,
                                                REP_OUT_ROLLED_BACK, REP_OUT_BRICKED,
                                                REP_OUT_SILENT,      REP_OUT_NONE};
    for (uint32_t i = 0; i < 16; i++) {
        device[i] = (struct rep_device){.number = 100 + i, .phase = 1, .boots = 3 + i, .cuts = i};
        snprintf(device[i].id, sizeof device[i].id, "pump-%04u", 100 + i);
        strcpy(device[i].group, "pumps");
        strcpy(device[i].site, "site-07");
        strcpy(device[i].version, "2.3.1");
        strcpy(device[i].believed, "2.4.0");
        device[i].outcome = outcomes[i % 6];
        device[i].enrolled_s = 90000 + i;
        device[i].outcome_s = i % 6 == 5 ? -1 : 95000 + (int64_t)i;
        if (i % 6 == 3)
            device[i].brick = REP_BRICK_BOOT_LOOP;
        if (i % 6 >= 1 && i % 6 <= 4)
            snprintf(device[i].token, sizeof device[i].token, TOKEN "%u", i);
        strcpy(device[i].reason, i % 6 == 1 ? "hard_fault" : "");
    }
    result->device = device;
    result->device_rows = 16;
}

static void add_outcomes(struct rep_result *result)
{
    static const uint32_t counts[REP_OUTCOMES] = {4950, 20, 21, 2, 1, 3, 4, 5, 2, 2};
    memcpy(result->updates, counts, sizeof counts);
    result->enrolled = 60;
    result->bricks[REP_BRICK_NONE] = 5008;
    result->bricks[REP_BRICK_NO_BOOT] = 1;
    result->bricks[REP_BRICK_BOOT_LOOP] = 1;
    result->presumed_bricked = 3;
    result->belief_wrong_at_end = 1;
    result->belief_wrong_longest_s = 7300;
}

void sample_stopped(struct rep_result *result)
{
    name_run(result, "canary-stops-bad-firmware",
             "the gate crash of the canary turned red: 2 of 50");
    result->verdict = REP_GATE_STOPPED;
    result->exit_code = 2;
    ROWS(phase, phases, rep_phase, {"lab", REP_PHASE_PASSED, 0, 3600, 90000, 10, 10, 0, 0, 0, NULL},
         {"canary", REP_PHASE_STOPPED, 90000, 97200, 183600, 50, 20, 21, 3, 0, NULL},
         {"early adopters", REP_PHASE_NOT_REACHED, -1, -1, -1, 500, 0, 0, 0, 0, NULL});
    add_gates(&result->phase[0], 10, 0, false);
    add_gates(&result->phase[1], 48, 2, true);
    ROWS(alert, alerts, rep_alert,
         {95000, REP_ALERT_OPERATIONS, "download failed three times", "pump-0103"},
         {183600, REP_ALERT_ENGINEERING_LEAD, "gate crash is red: 2/50, limit > 2%", ""});
    ROWS(fault, faults, rep_fault, {"power_loss", 1, 70, 68, 66}, {"network_drop", 2, 5, 5, 5});
    add_promises(result);
    result->promise[REP_PROMISE_NO_BRICK].broken = 2;
    strcpy(result->promise[REP_PROMISE_NO_BRICK].first_token, TOKEN "3");
    strcpy(result->promise[REP_PROMISE_NO_BRICK].first_what, "pump-0103 restarts for ever");
    ROWS(cut, cuts, rep_cuts, {"Downloading", "slot_b", "prefix", 40},
         {"Applying", "boot_config", "unstable", 26});
    ROWS(observation, observations, rep_observation,
         {"mtbf", 31557600, 3600, 7200, 1, false, true, "h"},
         {"energy", 4000, 1000, 4100, 1000, false, false, "W"},
         {"telemetry", 999, 1000, 0, 0, false, false, "received / expected"});
    add_outcomes(result);
    add_devices(result);
}

void sample_passed(struct rep_result *result)
{
    name_run(result, "campaign-5000", "every gate green, no promise broken");
    result->verdict = REP_PASS;
    result->exit_code = 0;
    result->enrolled = 5010;
    result->updates[REP_OUT_CONFIRMED] = 5010;
    ROWS(phase, phases, rep_phase,
         {"canary", REP_PHASE_PASSED, 0, 7200, 183600, 50, 50, 0, 0, 0, NULL});
    add_gates(&result->phase[0], 50, 0, false);
    result->phase[0].gates = 2;
    add_promises(result);
}

uint64_t sample_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void random_text(char *text, size_t bytes, uint64_t *state)
{
    static const char *const pieces[] = {"a",  "Z", "9", " ",  "<",       "&",
                                         "\"", "'", "%", "\\", "\xC3\xA9"};
    size_t length = sample_next(state) % 8 == 0 ? bytes - 1 : sample_next(state) % bytes, used = 0;
    while (used < length) {
        const char *piece = pieces[sample_next(state) % 11];
        if (used + strlen(piece) > length)
            piece = "x";
        memcpy(text + used, piece, strlen(piece));
        used += strlen(piece);
    }
}

static void random_field(const struct rep_field *field, void *row, uint64_t *state)
{
    void *member = (char *)row + field->offset;
    uint64_t bits = sample_next(state);
    if (sample_next(state) % 4 == 0)
        bits = sample_next(state) % 2 ? 0 : ~(uint64_t)0;
    int name = 0, names = 0;
    double real = (double)(bits % 1000000) / 1000;
    switch (field->kind) {
    case REP_KIND_TEXT:
        random_text(member, field->bytes, state);
        break;
    case REP_KIND_NAME:
        while (field->label(names))
            names++;
        name = (int)(sample_next(state) % (uint64_t)names);
        memcpy(member, &name, sizeof name);
        break;
    case REP_KIND_BOOL:
        *(bool *)member = bits & 1;
        break;
    case REP_KIND_REAL:
        memcpy(member, &real, sizeof real);
        break;
    default:
        if (field->kind == REP_KIND_U64)
            bits >>= 1;
        memcpy(member, &bits, field->bytes);
    }
}

static void random_rows(const struct rep_table *table, void *owner, uint64_t *state)
{
    uint32_t count = (uint32_t)(sample_next(state) % 20);
    char *first = count ? calloc(count, table->row_bytes) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t f = 0; f < table->fields_n; f++)
            random_field(&table->fields[f], first + i * table->row_bytes, state);
    }
    memcpy((char *)owner + table->count_offset, &count, sizeof count);
    memcpy((char *)owner + table->array_offset, &first, sizeof first);
}

void sample_random(struct rep_result *result, uint64_t seed)
{
    rep_result_init(result);
    for (size_t f = 0; f < rep_table_run.fields_n; f++)
        random_field(&rep_table_run.fields[f], result, &seed);
    result->exit_code = (int)(sample_next(&seed) % 9);
    for (size_t t = 0; t < rep_tables_n; t++)
        random_rows(&rep_tables[t], result, &seed);
    for (uint32_t i = 0; i < result->phases; i++)
        random_rows(&rep_table_gate, &result->phase[i], &seed);
}

static const char *row_difference(const struct rep_table *table, const void *a, const void *b)
{
    for (size_t f = 0; f < table->fields_n; f++) {
        const struct rep_field *field = &table->fields[f];
        const char *one = (const char *)a + field->offset, *other = (const char *)b + field->offset;
        if (field->kind == REP_KIND_TEXT ? strcmp(one, other) : memcmp(one, other, field->bytes))
            return field->name;
    }
    return NULL;
}

static const char *rows_difference(const struct rep_table *table, const void *a, const void *b)
{
    uint32_t counts[2];
    const char *firsts[2], *found = NULL;
    const void *owners[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        memcpy(&counts[i], (const char *)owners[i] + table->count_offset, sizeof counts[i]);
        memcpy(&firsts[i], (const char *)owners[i] + table->array_offset, sizeof firsts[i]);
    }
    if (counts[0] != counts[1])
        return table->name;
    for (uint32_t i = 0; !found && i < counts[0]; i++)
        found = row_difference(table, firsts[0] + i * table->row_bytes,
                               firsts[1] + i * table->row_bytes);
    return found;
}

const char *sample_difference(const struct rep_result *a, const struct rep_result *b)
{
    const char *found = row_difference(&rep_table_run, a, b);
    for (size_t t = 0; !found && t < rep_tables_n; t++)
        found = rows_difference(&rep_tables[t], a, b);
    for (uint32_t i = 0; !found && i < a->phases; i++)
        found = rows_difference(&rep_table_gate, &a->phase[i], &b->phase[i]);
    return found;
}

char *sample_render(int (*render)(FILE *, const struct rep_result *),
                    const struct rep_result *result)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    cr_assert_eq(render(out, result), 0);
    fclose(out);
    return text;
}

void sample_folder(char path[64])
{
    strcpy(path, "/tmp/brickyard-rep-XXXXXX");
    cr_assert_not_null(mkdtemp(path));
}

/* Visits every file of the folder; removes them if asked. */
static unsigned folder_files(const char *path, bool remove_them)
{
    unsigned files = 0;
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        files++;
        if (remove_them)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    return files;
}

unsigned sample_folder_count(const char *path)
{
    return folder_files(path, false);
}

void sample_folder_remove(const char *path)
{
    folder_files(path, true);
    rmdir(path);
}

void sample_full_device(char path[128], const char *folder)
{
    snprintf(path, 128, "%s/full", folder);
    FILE *out = mknod(path, S_IFCHR | 0666, makedev(1, 7)) ? NULL : fopen(path, "w");
    if (out) {
        fclose(out);
        return;
    }
    /* Not root, or the temporary folder is mounted without devices. */
    unlink(path);
    snprintf(path, 128, "/dev/full");
}
