/* The forms of a sweep's result: verdict first, the contract's keys, and nothing claimed that was
 * not shown. */
#include "rep/result.h"
#include "sim/sweep.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void sample_sound(struct sim_sweep_result *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->scenario, "sweep-tiny");
    strcpy(r->device, "brickyard");
    r->image_bytes = 600;
    r->depth = 1;
    r->operations = 110;
    r->histories = 777;
    r->cuts = 778;
    r->merged = 555;
    r->states = 223;
    r->boots = 1600;
    r->forms = 1u << SIM_SWEEP_PREFIX | 1u << SIM_SWEEP_RANDOM | 1u << SIM_SWEEP_ROT;
    r->form[SIM_SWEEP_PREFIX] = 700;
    r->form[SIM_SWEEP_RANDOM] = 78;
    r->sampled_pairs = 12;
    r->sha256_bytes = 4096;
    r->ecdsa_verifies = 99;
    r->memory_peak_bytes = 1 << 20;
    r->wall_s = 2;
    r->cuts_per_s = 389;
}

static void add_broken(struct sim_sweep_result *r, const char *promise, const char *what,
                       const char *token)
{
    struct sim_sweep_broken *row = &r->broken[r->brokens++];
    row->promise = promise;
    snprintf(row->what, sizeof row->what, "%s", what);
    snprintf(row->token, sizeof row->token, "%s", token);
    row->cuts = 2;
    row->states = 31;
    r->exit_code = 3;
}

static void sample_unsafe(struct sim_sweep_result *r)
{
    sample_sound(r);
    add_broken(r, "no_brick", "no image boots", "sw1,hash=1,scenario=a,dut=,history=h1");
    add_broken(r, "no_brick", "boots in a loop", "sw1,hash=1,scenario=a,dut=,history=h2");
    add_broken(r, "convergence", "1.9.0 stays", "sw1,hash=1,scenario=a,dut=,history=h3");
}

static char *printed(const struct sim_sweep_result *r)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    cr_assert_not_null(out);
    sim_sweep_print(out, r);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static char *written(int (*render)(FILE *, const struct sim_sweep_result *),
                     const struct sim_sweep_result *r)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    cr_assert_not_null(out);
    cr_assert_eq(render(out, r), 0);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static unsigned occurrences(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

static void expect_first_line(const struct sim_sweep_result *r, const char *line)
{
    char *text = printed(r);
    cr_expect(!strncmp(text, line, strlen(line)) && text[strlen(line)] == '\n', "%s", text);
    free(text);
}

Test(sweep_print, the_first_line_is_the_verdict)
{
    static struct sim_sweep_result r;
    sample_sound(&r);
    expect_first_line(&r, "PASS, exit code 0");
    r.exit_code = 8;
    expect_first_line(&r, "UNFINISHED, exit code 8");
    r.cuts = 0;
    expect_first_line(&r, "NOT VALID, exit code 8");
    r.cuts = 778;
    r.unfired = 3;
    expect_first_line(&r, "NOT VALID, exit code 8");
    r.exit_code = 0;
    expect_first_line(&r, "NOT VALID, exit code 0");
    sample_unsafe(&r);
    expect_first_line(&r, "UNSAFE, exit code 3: no_brick, convergence");
    sample_sound(&r);
    add_broken(&r, "convergence", "1.9.0 stays", "sw1,");
    r.exit_code = 4;
    expect_first_line(&r, "DID NOT CONVERGE, exit code 4: convergence");
}

Test(sweep_print, it_tells_what_was_swept_and_how_often)
{
    static const char *const word[] = {
        "sweep-tiny: device brickyard, image of 600 bytes, 1 cut in each history\n",
        "110 operations without a cut, 777 histories, 1600 boots",
        "778 cuts and their boots, 223 states",
        "555 of these boots led to states that were seen before",
        "389 cuts/s, 2.0 s of wall time, 1.0 MiB of memory",
        "4.0 KiB hashed, 99 signatures verified",
        "12 pairs of equal states were run on and compared, 0 differ"};
    static struct sim_sweep_result r;
    sample_sound(&r);
    char *text = printed(&r);
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        cr_expect_not_null(strstr(text, word[i]), "%s in %s", word[i], text);
    cr_expect_null(strstr(text, "Fixpoint"), "%s", text);
    cr_expect_null(strstr(text, "Broken"), "%s", text);
    free(text);
    r.depth = 3;
    text = printed(&r);
    cr_expect_not_null(strstr(text, "up to 3 cuts in each history"), "%s", text);
    free(text);
    r.depth = 0;
    text = printed(&r);
    cr_expect_not_null(strstr(text, "any number of cuts in each history"), "%s", text);
    free(text);
}

Test(sweep_print, forms_are_those_that_were_asked_for)
{
    static struct sim_sweep_result r;
    sample_sound(&r);
    r.form[SIM_SWEEP_WORN] = 1;
    char *text = printed(&r), *forms = strstr(text, "\nForms\n");
    cr_assert_not_null(forms);
    cr_expect_not_null(strstr(forms, "\nprefix   700\n"), "%s", forms);
    cr_expect_not_null(strstr(forms, "\nrot        0\n"), "%s", forms);
    cr_expect_not_null(strstr(forms, "\nworn       1\n"), "%s", forms);
    cr_expect_null(strstr(forms, "suffix"), "%s", forms);
    free(text);
    r.forms = 0;
    text = printed(&r);
    for (int i = 0; i < SIM_SWEEP_FORMS; i++)
        cr_expect_not_null(strstr(strstr(text, "\nForms\n"), sim_sweep_form_name(i)));
    free(text);
}

Test(sweep_print, each_kind_has_its_command_on_a_line_of_its_own)
{
    static struct sim_sweep_result r;
    sample_unsafe(&r);
    char *text = printed(&r);
    cr_expect_not_null(strstr(text,
                              "\n  no_brick: boots in a loop\n    in 31 states; 2 cuts lead there\n"
                              "    brickyard replay sw1,hash=1,scenario=a,dut=,history=h2\n"),
                       "%s", text);
    cr_expect_eq(occurrences(text, "\n    brickyard replay sw1,"), 3, "%s", text);
    free(text);
    r.broken[0].token[0] = 0;
    r.more_broken = true;
    text = printed(&r);
    cr_expect_eq(occurrences(text, "\n    brickyard replay sw1,"), 2, "%s", text);
    cr_expect_not_null(strstr(text, "no token"), "%s", text);
    cr_expect_not_null(strstr(text, "and more kinds than these 3\n"), "%s", text);
    free(text);
}

/* The longest token is printed whole, because it is there to be copied. */
Test(sweep_print, a_token_is_never_cut)
{
    static struct sim_sweep_result r;
    sample_unsafe(&r);
    memset(r.broken[0].token, 'x', SIM_SWEEP_TOKEN_MAX - 1);
    char *text = printed(&r);
    cr_expect_not_null(strstr(text, r.broken[0].token), "%s", text);
    free(text);
    char *xml = written(sim_sweep_junit, &r);
    cr_expect_not_null(strstr(xml, r.broken[0].token));
    free(xml);
    char *text_json = written(sim_sweep_json, &r);
    cr_expect_not_null(strstr(text_json, r.broken[0].token));
    free(text_json);
}

Test(sweep_print, a_fixpoint_is_claimed_only_where_it_was_shown)
{
    static const char sentence[] = "no reachable state bricks, 223 states, 778 cuts";
    static const char sampled[] = "Random bits are sampled; they are outside the fixpoint.";
    static struct sim_sweep_result r;
    sample_sound(&r);
    r.depth = 0;
    r.fixpoint = true;
    char *text = printed(&r);
    cr_expect_not_null(strstr(text, sentence), "%s", text);
    cr_expect_not_null(strstr(text, sampled), "%s", text);
    free(text);
    r.forms &= ~(1u << SIM_SWEEP_RANDOM);
    r.form[SIM_SWEEP_RANDOM] = 0;
    text = printed(&r);
    cr_expect_not_null(strstr(text, sentence), "%s", text);
    cr_expect_null(strstr(text, sampled), "%s", text);
    free(text);
    r.unequal_pairs = 1;
    text = printed(&r);
    cr_expect_null(strstr(text, sentence), "%s", text);
    cr_expect_not_null(strstr(text, "error of the sweep: 1 of 12 pairs"), "%s", text);
    free(text);
    sample_unsafe(&r);
    r.fixpoint = true;
    text = printed(&r);
    cr_expect_null(strstr(text, "no reachable state bricks"), "%s", text);
    cr_expect_not_null(strstr(text, "every reachable state was visited"), "%s", text);
    free(text);
}

Test(sweep_json, has_the_keys_of_the_contract_in_its_order_and_more)
{
    static const char *const key[] = {
        "scenario", "device",           "image_bytes",   "operations", "histories",
        "cuts",     "states",           "fixpoint",      "cuts_per_s", "wall_s",
        "forms",    "broken",           "exit_code",     "depth",      "merged",
        "boots",    "sampled_pairs",    "unequal_pairs", "unfired",    "more_broken",
        "crypto",   "memory_peak_bytes"};
    static struct sim_sweep_result r;
    sample_unsafe(&r);
    r.unfired = 4;
    char *text = written(sim_sweep_json, &r);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *value;
    cr_assert_not_null(json, "%s", text);
    size_t i = 0;
    const char *name;
    json_object_foreach(json, name, value)
    {
        cr_assert_lt(i, sizeof key / sizeof *key, "%s", name);
        cr_expect_str_eq(name, key[i++]);
    }
    cr_expect_eq(i, sizeof key / sizeof *key);
    cr_expect_eq(json_integer_value(json_object_get(json, "exit_code")), 3);
    cr_expect_eq(json_integer_value(json_object_get(json, "states")), 223);
    cr_expect(json_is_false(json_object_get(json, "fixpoint")));
    const json_t *forms = json_object_get(json, "forms");
    cr_expect_eq(json_object_size(forms), 3);
    cr_expect_eq(json_integer_value(json_object_get(forms, "prefix")), 700);
    cr_expect(json_is_integer(json_object_get(forms, "rot")), "asked for, never done");
    const json_t *broken = json_object_get(json, "broken"), *row = json_array_get(broken, 1);
    cr_expect_eq(json_array_size(broken), 3);
    cr_expect_eq(json_object_size(row), 5);
    cr_expect_str_eq(json_string_value(json_object_get(row, "promise")), "no_brick");
    cr_expect_str_eq(json_string_value(json_object_get(row, "what")), "boots in a loop");
    cr_expect_str_eq(json_string_value(json_object_get(row, "token")), r.broken[1].token);
    cr_expect_eq(json_integer_value(json_object_get(row, "cuts")), 2);
    cr_expect_eq(json_integer_value(json_object_get(row, "states")), 31);
    cr_expect_eq(
        json_integer_value(json_object_get(json_object_get(json, "crypto"), "ecdsa_verifies")), 99);
    json_decref(json);
    free(text);
}

Test(sweep_json, nothing_broken_is_an_empty_list)
{
    static struct sim_sweep_result r;
    sample_sound(&r);
    char *text = written(sim_sweep_json, &r);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    cr_expect(json_is_array(json_object_get(json, "broken")));
    cr_expect_eq(json_array_size(json_object_get(json, "broken")), 0);
    json_decref(json);
    free(text);
}

Test(sweep_junit, there_is_a_case_for_each_promise_and_one_for_the_sweep)
{
    static struct sim_sweep_result r;
    sample_sound(&r);
    char *xml = written(sim_sweep_junit, &r);
    for (int i = 0; i < REP_PROMISES; i++) {
        char start[96];
        snprintf(start, sizeof start, "<testcase classname=\"promises\" name=\"%s\">",
                 rep_promise_name(i));
        cr_expect_not_null(strstr(xml, start), "%s", start);
    }
    cr_expect_not_null(strstr(xml, "<testcase classname=\"sweep-tiny\" name=\"sweep\">"));
    cr_expect_not_null(strstr(xml, " tests=\"8\" failures=\"0\" errors=\"0\" skipped=\"1\""), "%s",
                       xml);
    free(xml);
}

Test(sweep_junit, a_broken_promise_fails_with_all_its_kinds)
{
    static struct sim_sweep_result r;
    sample_unsafe(&r);
    char *xml = written(sim_sweep_junit, &r);
    cr_expect_not_null(strstr(xml, " tests=\"8\" failures=\"2\" errors=\"0\" skipped=\"1\""), "%s",
                       xml);
    cr_expect_not_null(
        strstr(xml, "<failure message=\"no image boots (31 states, 2 cuts): brickyard replay "
                    "sw1,hash=1,scenario=a,dut=,history=h1&#10;boots in a loop"),
        "%s", xml);
    free(xml);
}

Test(sweep_junit, what_proves_nothing_is_an_error_and_passes_nothing)
{
    static const struct {
        uint64_t unequal, unfired;
        int code;
    } row[] = {{1, 0, 8}, {0, 1, 8}, {0, 0, 8}, {0, 1, 6}, {1, 0, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        static struct sim_sweep_result r;
        sample_sound(&r);
        r.unequal_pairs = row[i].unequal;
        r.unfired = row[i].unfired;
        r.exit_code = row[i].code;
        char *xml = written(sim_sweep_junit, &r);
        cr_expect_not_null(strstr(xml, " tests=\"8\" failures=\"0\" errors=\"1\" skipped=\"7\""),
                           "row %zu: %s", i, xml);
        free(xml);
    }
}

Test(sweep_forms_of_result, hostile_text_stays_text)
{
    static struct sim_sweep_result r;
    sample_unsafe(&r);
    strcpy(r.device, "<a>&\"\xff\x01\033[2J");
    strcpy(r.broken[0].what, "]]></failure>\n\xc3");
    char *text = printed(&r), *xml = written(sim_sweep_junit, &r),
         *json = written(sim_sweep_json, &r);
    cr_expect_null(strchr(text, '\033'));
    cr_expect_null(strstr(xml, "</failure>\n"));
    json_t *root = json_loads(json, 0, NULL);
    cr_expect_not_null(root, "%s", json);
    json_decref(root);
    free(text);
    free(xml);
    free(json);
}

/* A disk that is full is told, not taken for a form. */
Test(sweep_forms_of_result, a_form_that_could_not_be_written_is_an_error)
{
    static struct sim_sweep_result r;
    char small[64];
    sample_unsafe(&r);
    for (int i = 0; i < 2; i++) {
        FILE *out = fmemopen(small, sizeof small, "w");
        cr_assert_not_null(out);
        setvbuf(out, NULL, _IONBF, 0);
        cr_expect_lt((i ? sim_sweep_junit : sim_sweep_json)(out, &r), 0, "%d", i);
        fclose(out);
    }
}
