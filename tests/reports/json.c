/* The JSON against the page: CONTRACT.md's `run --json`, written out here as it stands there. */
#include "sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The members of one object of the contract, in its order: NAME, or NAME:TYPE for what is no
 * number. */
struct shape {
    const char *where, *members;
};
static const struct shape contract[] = {
    {"",
     "scenario:s seed digest:s verdict:s exit_code devices virtual_s wall_s updates:o bricks:o "
     "presumed_bricked phases:a alerts:a faults:a promises:a belief:o crypto:o flash:o power_cuts "
     "cuts_by:a memory_peak_bytes"},
    {"updates", "enrolled confirmed rolled_back rolled_back_by_campaign refused download_failed "
                "verify_failed silent pending bricked"},
    {"bricks", "no_boot boot_loop unreachable hardware"},
    {"phases", "name:s result:s started_s hold_from_s ended_s cohort confirmed rolled_back bricked "
               "gates:a"},
    {"phases/gates", "metric:s numerator denominator limit:s comparison:s state:s at_s"},
    {"alerts", "at_s level:s cause:s device:s"},
    {"faults", "kind:s scheduled armed fired"},
    {"promises", "name:s broken first_token:s first_what:s"},
    {"belief", "wrong_at_end wrong_longest_s"},
    {"crypto", "sha256_bytes ecdsa_verifies"},
    {"flash", "programs erases wear_max"},
    {"cuts_by", "state:s region:s form:s cuts"},
};

/* Follows a path; the first element of each array on the way stands for all. */
static const json_t *find(const json_t *value, const char *where)
{
    char path[64];
    snprintf(path, sizeof path, "%s", where);
    for (char *key = strtok(path, "/"); key; key = strtok(NULL, "/")) {
        value = json_object_get(value, key);
        if (json_is_array(value))
            value = json_array_get(value, 0);
    }
    return value;
}

static char type_of(const json_t *value)
{
    if (json_is_string(value))
        return 's';
    if (json_is_object(value))
        return 'o';
    if (json_is_array(value))
        return 'a';
    return json_is_number(value) ? 'n' : '?';
}

static json_t *parse(const struct rep_result *result)
{
    json_error_t error;
    char *text = sample_render(rep_render_json, result);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s", error.text);
    free(text);
    return root;
}

static void expect_members(const json_t *object, const struct shape *shape)
{
    char members[512], seen[512] = "";
    size_t used = 0;
    cr_assert(json_is_object(object), "%s", shape->where);
    void *at = json_object_iter((json_t *)object);
    for (; at; at = json_object_iter_next((json_t *)object, at)) {
        char type = type_of(json_object_iter_value(at));
        used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%s", used ? " " : "",
                                 json_object_iter_key(at));
        if (type != 'n')
            used += (size_t)snprintf(seen + used, sizeof seen - used, ":%c", type);
    }
    snprintf(members, sizeof members, "%s", shape->members);
    cr_expect_str_eq(seen, members, "%s is: %s", shape->where[0] ? shape->where : "the root", seen);
}

Test(rep_json, keys_types_and_order_are_the_contracts)
{
    struct rep_result result;
    sample_stopped(&result);
    json_t *root = parse(&result);
    for (size_t i = 0; i < sizeof contract / sizeof contract[0]; i++)
        expect_members(find(root, contract[i].where), &contract[i]);
    json_decref(root);
    rep_result_free(&result);
}

static json_int_t integer(const json_t *root, const char *where, const char *key)
{
    const json_t *value = json_object_get(find(root, where), key);
    cr_assert(json_is_integer(value), "%s/%s", where, key);
    return json_integer_value(value);
}

Test(rep_json, values_are_the_results)
{
    struct rep_result result;
    sample_stopped(&result);
    json_t *root = parse(&result);
    static const struct {
        const char *where, *key;
        json_int_t expect;
    } rows[] = {
        {"", "seed", 7},
        {"", "exit_code", 2},
        {"updates", "confirmed", 20},
        {"updates", "rolled_back_by_campaign", 2},
        {"updates", "silent", 5},
        {"bricks", "no_boot", 1},
        {"bricks", "hardware", 0},
        {"", "presumed_bricked", 3},
        {"phases", "ended_s", 90000},
        {"phases/gates", "numerator", 10},
        {"faults", "armed", 68},
        {"promises", "broken", 2},
        {"belief", "wrong_longest_s", 7300},
        {"crypto", "sha256_bytes", 111111111},
        {"flash", "wear_max", 5},
        {"cuts_by", "cuts", 40},
        {"", "memory_peak_bytes", 777777777},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(integer(root, rows[i].where, rows[i].key), rows[i].expect, "%s/%s",
                     rows[i].where, rows[i].key);
    cr_expect_str_eq(json_string_value(json_object_get(root, "verdict")), "gate_stopped");
    cr_expect_str_eq(json_string_value(json_object_get(find(root, "phases/gates"), "limit")),
                     "< 95%");
    cr_expect_eq(json_real_value(json_object_get(root, "wall_s")), 1.25);
    json_t *late = json_array_get(json_object_get(root, "phases"), 2);
    cr_expect_str_eq(json_string_value(json_object_get(late, "result")), "not_reached");
    cr_expect_eq(json_integer_value(json_object_get(late, "started_s")), -1);
    cr_expect_eq(json_array_size(json_object_get(late, "gates")), 0);
    json_decref(root);
    rep_result_free(&result);
}

Test(rep_json, any_result_is_valid_json)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rep_result result;
        sample_random(&result, seed);
        memset(result.scenario, 0xFF, sizeof result.scenario); /* neither UTF-8 nor terminated */
        json_t *root = parse(&result);
        cr_expect_eq(json_array_size(json_object_get(root, "phases")), result.phases);
        cr_expect_eq(strlen(json_string_value(json_object_get(root, "scenario"))),
                     3u * REP_NAME_MAX);
        json_decref(root);
        rep_result_free(&result);
    }
}

Test(rep_json, a_seed_beyond_signed_integers_keeps_its_digits)
{
    struct rep_result result;
    sample_passed(&result);
    result.seed = INT64_MAX;
    json_t *root = parse(&result);
    cr_expect_eq(integer(root, "", "seed"), INT64_MAX);
    json_decref(root);
    result.seed = UINT64_MAX;
    root = parse(&result);
    cr_expect_str_eq(json_string_value(json_object_get(root, "seed")), "18446744073709551615");
    json_decref(root);
    rep_result_free(&result);
}

Test(rep_json, a_world_on_the_wall_clock_tells_its_facts)
{
    struct rep_result result;
    sample_passed(&result);
    snprintf(result.world, sizeof result.world, "loopback");
    cr_assert_eq(rep_fact_add(&result, "time_scale", "%u", 3600u), 0);
    cr_assert_eq(rep_fact_add(&result, "device.fault_free", "2 s"), 0);
    json_t *root = parse(&result);
    cr_expect_str_eq(json_string_value(json_object_get(root, "world")), "loopback");
    const json_t *facts = json_object_get(root, "facts");
    cr_expect_eq(json_object_size(facts), 2);
    cr_expect_str_eq(json_string_value(json_object_get(facts, "time_scale")), "3600");
    json_decref(root);
    rep_result_free(&result);
}
