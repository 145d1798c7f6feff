/* The summary: a golden text, its width, what comes first, and the numbers that all forms share. */
#include "rep/db.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int render_plain(FILE *out, const struct rep_result *result)
{
    rep_render_terminal(out, result, false);
    return 0;
}

static int render_coloured(FILE *out, const struct rep_result *result)
{
    rep_render_terminal(out, result, true);
    return 0;
}

static char *golden(const char *name)
{
    const char *source = getenv("BRICKYARD_SOURCE");
    char path[512];
    snprintf(path, sizeof path, "%s/tests/reports/golden/%s", source ? source : ".", name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s (set BRICKYARD_SOURCE to the source folder)", path);
    char *text = calloc(1, 65536);
    cr_assert_gt(fread(text, 1, 65535, file), 0u);
    fclose(file);
    return text;
}

/* To accept a new form: BRICKYARD_GOLDEN=FOLDER writes what was rendered there, to be read and
 * copied. */
static void expect_golden(const char *name, void (*sample)(struct rep_result *))
{
    struct rep_result result;
    sample(&result);
    char *got = sample_render(render_plain, &result);
    const char *folder = getenv("BRICKYARD_GOLDEN");
    if (folder) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file, "%s", path);
        fputs(got, file);
        fclose(file);
    }
    char *expect = golden(name);
    cr_expect_str_eq(got, expect, "\n%s", got);
    free(got);
    free(expect);
    rep_result_free(&result);
}

Test(rep_terminal, a_stopped_campaign_reads_as_it_was_agreed)
{
    expect_golden("stopped.txt", sample_stopped);
}

Test(rep_terminal, a_passed_campaign_reads_as_it_was_agreed)
{
    expect_golden("passed.txt", sample_passed);
}

/* Only a replay command may be wider than the page: it is there to be copied whole. */
static void expect_width(const char *text, const char *about)
{
    char *copy = strdup(text);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        size_t columns = 0;
        for (const char *at = line; *at; at++)
            columns += ((unsigned char)*at & 0xC0) != 0x80;
        if (!strstr(line, "brickyard replay "))
            cr_expect_leq(columns, 100u, "%s: %zu columns: %s", about, columns, line);
    }
    free(copy);
}

/* Each side says for itself whether it is a bound, and only two exact values have a change. */
Test(rep_terminal, a_lower_bound_is_shown_on_its_own_side)
{
    static const struct {
        bool before, after;
        int64_t before_den;
        const char *line;
    } row[] = {
        {false, false, 1, "mtbf        4.000    6.000  h                    +50.0%"},
        {true, false, 1, "mtbf       >= 4.000    6.000  h                         -"},
        {false, true, 1, "mtbf        4.000  >= 6.000  h                         -"},
        {true, true, 1, "mtbf       >= 4.000  >= 6.000  h                         -"},
        {false, true, 0, "mtbf       no data  >= 6.000  h                         -"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct rep_result result;
        sample_stopped(&result);
        struct rep_observation *mtbf = &result.observation[0];
        *mtbf = (struct rep_observation){.metric = "mtbf",
                                         .before_num = 4,
                                         .before_den = row[i].before_den,
                                         .after_num = 6,
                                         .after_den = 1,
                                         .before_lower_bound = row[i].before,
                                         .lower_bound = row[i].after,
                                         .unit = "h"};
        char *text = sample_render(render_plain, &result);
        char *line = strstr(text, "\nmtbf");
        cr_assert_not_null(line);
        line[1 + strcspn(line + 1, "\n")] = 0;
        cr_expect_str_eq(line + 1, row[i].line, "row %zu: %s", i, line + 1);
        free(text);
        rep_result_free(&result);
    }
}

Test(rep_terminal, lines_keep_to_100_columns)
{
    struct rep_result result;
    sample_stopped(&result);
    for (uint32_t i = 0; i < result.phases; i++)
        memset(result.phase[i].name, 'p', REP_NAME_MAX - 1);
    for (uint32_t i = 0; i < REP_TEXT_MAX - 1; i++)
        result.explanation[i] = i % 9 ? 'e' : ' ';
    memset(result.alert[0].cause, 'c', REP_TEXT_MAX - 1);
    memset(result.alert[0].device, 'd', REP_NAME_MAX - 1);
    memset(result.observation[0].metric, 'm', REP_NAME_MAX - 1);
    memset(result.observation[0].unit, 'u', REP_NAME_MAX - 1);
    result.phase[0].gate[0].numerator = result.phase[0].gate[0].denominator = (int64_t)1 << 40;
    char *text = sample_render(render_plain, &result);
    expect_width(text, "long names");
    free(text);
    rep_result_free(&result);
}

/* Who and where stay whole, however long; the cause gives way, between its words. */
Test(rep_terminal, ids_and_phases_are_never_cut_short)
{
    static const char cause[] = "no message for twelve hours after rebooting and so presumed to be "
                                "bricked, which somebody has to look at on site";
    static const size_t lengths[] = {5, 24, 40, REP_NAME_MAX - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct rep_result result;
        sample_stopped(&result);
        strcpy(result.alert[0].cause, cause);
        memset(result.alert[0].device, 'd', lengths[i]);
        result.alert[0].device[lengths[i]] = 0;
        for (uint32_t p = 0; p < result.phases; p++) {
            memset(result.phase[p].name, 'Q', lengths[i]);
            result.phase[p].name[lengths[i]] = 0;
        }
        char *text = sample_render(render_plain, &result), words[sizeof cause];
        expect_width(text, "ids and phases");
        cr_expect_not_null(strstr(text, result.alert[0].device), "%s", text);
        size_t shown = 0;
        for (const char *at = text; *at; at++)
            shown += *at == 'Q';
        cr_expect_eq(shown, 9 * lengths[i], "3 phases and 6 gates: %zu in\n%s", shown, text);
        strcpy(words, cause);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
            cr_expect_not_null(strstr(strstr(text, "CAUSE"), word), "%s in\n%s", word, text);
        free(text);
        rep_result_free(&result);
    }
}

Test(rep_terminal, what_was_not_checked_is_not_called_kept)
{
    struct rep_result result;
    sample_passed(&result);
    char *text = sample_render(render_plain, &result);
    cr_expect_not_null(strstr(text, "same_run                 not checked: "), "%s", text);
    free(text);
    text = sample_render(rep_render_junit, &result);
    cr_expect_not_null(strstr(text, "name=\"same_run\">\n      <skipped"), "%s", text);
    free(text);
    result.promise[REP_PROMISE_SAME_RUN].first_what[0] = 0;
    text = sample_render(render_plain, &result);
    cr_expect_not_null(strstr(text, "same_run                 kept"), "%s", text);
    free(text);
    rep_result_free(&result);
}

Test(rep_terminal, colour_only_when_asked_and_no_other_control_characters)
{
    struct rep_result result;
    sample_stopped(&result);
    strcpy(result.explanation, "\033[2J\r\a");
    strcpy(result.alert[0].cause, "\033]0;title\a");
    strcpy(result.device[3].id, "\033[31mred");
    char *text = sample_render(render_plain, &result);
    for (const char *at = text; *at; at++)
        cr_assert(*at == '\n' || (unsigned char)*at >= 0x20, "byte %d at %td", *at, at - text);
    free(text);
    text = sample_render(render_coloured, &result);
    cr_expect_not_null(strstr(text, "\033[1;31mSTOPPED"));
    cr_expect_null(strstr(text, "\033[2J"));
    free(text);
    rep_result_free(&result);
}

Test(rep_terminal, ten_devices_are_shown_bricks_first_and_the_rest_counted)
{
    struct rep_result result;
    sample_stopped(&result);
    result.device = realloc(result.device, 3000 * sizeof *result.device);
    for (uint32_t i = 16; i < 3000; i++)
        result.device[i] = result.device[1];
    result.device_rows = 3000;
    char *text = sample_render(render_plain, &result);
    const char *list = strstr(text, "Devices that failed: 2995");
    cr_assert_not_null(list, "%s", text);
    cr_expect_not_null(strstr(list, "and 2985 more: see --db"));
    unsigned tokens = 0;
    for (const char *at = list; (at = strstr(at, "brickyard replay ")) != NULL; at++)
        tokens++;
    cr_expect_eq(tokens, 10);
    const char *brick = strstr(list, "brick: boot_loop"), *rolled = strstr(list, ": rolled_back");
    cr_assert(brick && rolled);
    cr_expect_lt(brick, rolled);
    free(text);
    rep_result_free(&result);
}

Test(rep_terminal, random_results_do_not_break_it)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rep_result result;
        sample_random(&result, seed);
        char *text = sample_render(render_plain, &result);
        cr_expect_not_null(strstr(text, "exit code "));
        free(text);
        rep_result_free(&result);
    }
}

/* SQLite -> value -> JSON, JUnit and terminal: the same numbers, looked up in each form on its own.
 */
Test(rep_terminal, all_forms_agree_on_the_numbers)
{
    sqlite3 *db;
    struct rep_result result, read;
    sample_stopped(&result);
    cr_assert_eq(rep_db_create(&db, NULL, "x", 1), REP_OK);
    cr_assert_eq(rep_db_write(db, &result), REP_OK);
    cr_assert_eq(rep_db_read(db, &read), REP_OK);
    char *terminal = sample_render(render_plain, &read);
    char *junit = sample_render(rep_render_junit, &read),
         *json = sample_render(rep_render_json, &read);
    json_t *root = json_loads(json, 0, NULL);
    json_t *phases = json_object_get(root, "phases"), *phase, *gate;
    size_t i, j;
    json_array_foreach(phases, i, phase)
    {
        json_array_foreach(json_object_get(phase, "gates"), j, gate)
        {
            char sql[256], ratio[64];
            long long k = json_integer_value(json_object_get(gate, "numerator"));
            long long n = json_integer_value(json_object_get(gate, "denominator"));
            snprintf(ratio, sizeof ratio, "%lld/%lld", k, n);
            cr_expect_not_null(strstr(terminal, ratio), "%s", ratio);
            cr_expect_not_null(strstr(junit, ratio), "%s", ratio);
            snprintf(sql, sizeof sql,
                     "SELECT count(*) FROM gate WHERE phase = %zu AND position = %zu AND "
                     "numerator = %lld AND denominator = %lld AND state = '%s'",
                     i, j, k, n, json_string_value(json_object_get(gate, "state")));
            sqlite3_stmt *query;
            cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
            cr_assert_eq(sqlite3_step(query), SQLITE_ROW);
            cr_expect_eq(sqlite3_column_int(query, 0), 1, "%s", sql);
            sqlite3_finalize(query);
        }
    }
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(root, "updates"), key, value)
    {
        char name[64];
        snprintf(name, sizeof name, "\n%s ", key);
        const char *row = strstr(terminal, name);
        if (strcmp(key, "enrolled") != 0)
            cr_expect(row && strtoll(row + strlen(name), NULL, 10) == json_integer_value(value),
                      "%s", key);
    }
    json_decref(root);
    free(json);
    free(junit);
    free(terminal);
    sqlite3_close(db);
    rep_result_free(&read);
    rep_result_free(&result);
}
