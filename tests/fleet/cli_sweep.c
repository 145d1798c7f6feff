/* `brickyard sweep` and the replay of its tokens, from the command line. */
#include "program.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(cli_sweep, .init = program_enter, .fini = program_leave);

static const char tiny[] = "scenario: tiny\n"
                           "fleet: [{group: pumps, count: 1, firmware: 1.9.0}]\n"
                           "flash: {bootloader: 512, boot_config: 2x512, slot: 1536, data: 3KiB, "
                           "journal: 2KiB, sector: 512, "
                           "page: 16}\n"
                           "firmware:\n"
                           "  1.9.0: {size: 600, security_counter: 1}\n"
                           "  1.10.0: {size: 616, security_counter: 2}\n"
                           "campaign: {to: 1.10.0, force: true, observe: 0h, phases: [{name: all, "
                           "share: 100%, hold: 1h}]}\n";

static const char token_start[] = "sw1,hash=00112233445566778899aabbccddeeff,scenario=";

/* Nothing on standard output, one line on standard error that names this. */
static void assert_refused(const char *line, const char *names)
{
    cr_expect_eq(program("%s", line), 1, "%s", line);
    cr_expect_str_eq(program_out(), "", "%s", line);
    const char *end = strchr(program_err(), '\n');
    cr_expect(end && !end[1], "%s: %s", line, program_err());
    cr_expect_not_null(strstr(program_err(), names), "%s: %s", line, program_err());
}

Test(cli_sweep, what_cannot_be_meant_is_refused)
{
    static const struct {
        const char *line, *names;
    } row[] = {
        {"sweep", "one scenario"},
        {"sweep tiny.yaml other.yaml", "one scenario"},
        {"sweep missing.yaml", "missing.yaml"},
        {"sweep .", "."},
        {"sweep broken.yaml", "broken.yaml:2:1: "},
        {"sweep tiny.yaml --bogus", "--bogus"},
        {"sweep tiny.yaml --seed 3", "--seed"},
        {"sweep tiny.yaml --cuts", "--cuts"},
        {"sweep tiny.yaml --cuts 0", "or any"},
        {"sweep tiny.yaml --cuts -1", "or any"},
        {"sweep tiny.yaml --cuts 1001", "from 1 to 1000"},
        {"sweep tiny.yaml --cuts many", "--cuts many"},
        {"sweep tiny.yaml --cuts=", "--cuts"},
        {"sweep tiny.yaml --torn sideways", "'sideways' is no form"},
        {"sweep tiny.yaml --torn prefix,sideways,after", "'sideways' is no form"},
        {"sweep tiny.yaml --torn prefix,", "'' is no form"},
        {"sweep tiny.yaml --torn=", "before, nothing, prefix"},
        {"sweep tiny.yaml --dut missing.so", "missing.so"},
        {"sweep tiny.yaml --dut .", "dut_device"},
        {"sweep tiny.yaml --dut=", "--dut"},
        {"sweep tiny.yaml --jobs 0", "--jobs"},
        {"sweep tiny.yaml --jobs 65", "--jobs"},
        {"sweep tiny.yaml --jobs two", "--jobs"},
        {"sweep tiny.yaml --json missing/sweep.json", "missing/sweep.json"},
        {"sweep tiny.yaml --json .", "."},
        {"sweep tiny.yaml --json=", "--json"},
        {"sweep tiny.yaml --junit missing/sweep.xml", "missing/sweep.xml"},
        {"sweep tiny.yaml --json x --junit ./x", "--json and --junit"},
        {"sweep tiny.yaml --json - --junit -", "--json and --junit"},
    };
    program_write("tiny.yaml", tiny);
    program_write("broken.yaml", "[\n");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_refused(row[i].line, row[i].names);
        cr_expect_eq(program_entries(), 2, "%s left something behind", row[i].line);
    }
}

Test(cli_sweep, a_file_that_is_no_plugin_is_refused)
{
    program_write("tiny.yaml", tiny);
    program_write("text.so", "not a shared object\n");
    cr_expect_eq(program("sweep tiny.yaml --dut text.so --json sweep.json"), 1);
    cr_expect_str_eq(program_out(), "");
    cr_expect_gt(strlen(program_err()), 0);
    cr_expect_eq(program_entries(), 2, "no result of a sweep that never was");
}

Test(cli_sweep, a_malformed_token_is_told)
{
    static const char *const rest[] = {
        "",
        "tiny.yaml",
        "tiny.yaml,dut=",
        "tiny.yaml,dut=,history=",
        "tiny.yaml,dut=,history=h,bogus=1",
        "tiny.yaml,dut=,history=%zz",
        "tiny.yaml,dut=,history=%00",
        "tiny.yaml,dut=,history=h,history=h",
    };
    program_write("tiny.yaml", tiny);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        char line[256];
        snprintf(line, sizeof line, "replay %s%s", token_start, rest[i]);
        assert_refused(line, "not a token");
    }
    assert_refused("replay sw1,", "not a token");
}

Test(cli_sweep, a_token_wants_its_scenario_and_its_device)
{
    static const struct {
        const char *rest, *names;
    } row[] = {{"tiny.yaml,dut=,history=h", "its content is not the one"},
               {"missing.yaml,dut=,history=h", "missing.yaml"},
               {"tiny.yaml,dut=missing.so,history=h", "missing.so"}};
    program_write("tiny.yaml", tiny);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char line[256];
        snprintf(line, sizeof line, "replay %s%s", token_start, row[i].rest);
        assert_refused(line, row[i].names);
    }
}

/* The reference scenarios are the catalogue's, and a campaign runs on them as well. */
Test(cli_sweep, its_scenarios_run_as_campaigns_too)
{
    static const char *const name[] = {"tiny", "16k", "64k", "512k"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        cr_expect_eq(
            program("lint %s/scenarios/sweep-%s.yaml", getenv("BRICKYARD_SOURCE"), name[i]), 0,
            "%s", program_err());
        cr_expect_str_eq(program_err(), "", "no warning");
        cr_expect_eq(program("run %s/scenarios/sweep-%s.yaml", getenv("BRICKYARD_SOURCE"), name[i]),
                     0, "%s", program_out());
    }
}

/* A sweep of the tiny scenario's shortest story. */
static int swept(const char *options)
{
    program_write("tiny.yaml", tiny);
    return program("sweep tiny.yaml --story cut-short %s", options);
}

Test(cli_sweep, the_summary_begins_with_the_verdict)
{
    cr_expect_eq(swept("--torn prefix --jobs 2"), 0, "%s%s", program_out(), program_err());
    cr_expect_eq(strncmp(program_out(), "PASS, exit code 0\n", 18), 0, "%s", program_out());
    cr_expect_not_null(strstr(program_out(), "1 cut in each history"), "%s", program_out());
    cr_expect_null(strchr(program_err(), '\r'), "no live display in a file");
}

Test(cli_sweep, json_on_standard_output_is_json_with_the_keys_of_the_contract)
{
    static const char *const key[] = {
        "scenario", "device",     "image_bytes", "operations", "histories", "cuts",     "states",
        "fixpoint", "cuts_per_s", "wall_s",      "forms",      "broken",    "exit_code"};
    cr_expect_eq(swept("--torn after,prefix --quiet --json -"), 0, "%s", program_err());
    cr_expect_str_eq(program_err(), "", "quiet");
    json_t *json = json_loads(program_out(), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json, "%s", program_out());
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        cr_expect_not_null(json_object_get(json, key[i]), "%s", key[i]);
    cr_expect_str_eq(json_string_value(json_object_get(json, "scenario")), "tiny");
    cr_expect_eq(json_integer_value(json_object_get(json, "depth")), 1);
    cr_expect_eq(json_integer_value(json_object_get(json, "exit_code")), 0);
    const json_t *forms = json_object_get(json, "forms");
    cr_expect_eq(json_object_size(forms), 2, "those that were asked for");
    cr_expect_gt(json_integer_value(json_object_get(forms, "prefix")), 0);
    cr_expect_gt(json_integer_value(json_object_get(forms, "after")), 0);
    json_decref(json);
}

Test(cli_sweep, the_forms_are_written_and_nothing_else_is)
{
    cr_expect_eq(swept("-q --torn before --json sweep.json --junit sweep.xml"), 0, "%s",
                 program_err());
    cr_expect_str_eq(program_out(), "");
    cr_expect_str_eq(program_err(), "");
    json_t *json = json_load_file("sweep.json", JSON_REJECT_DUPLICATES, NULL);
    cr_expect_not_null(json);
    json_decref(json);
    cr_expect_eq(program_entries(), 3);
}

Test(cli_sweep, a_json_that_may_not_grow_leaves_the_old_one)
{
    swept("-q --torn before");
    program_write("sweep.json", "old\n");
    program_limit_files(100);
    cr_expect_eq(swept("-q --torn before --json sweep.json"), 8);
    struct stat status;
    cr_expect(stat("sweep.json", &status) == 0 && status.st_size == 4);
    cr_expect_eq(program_entries(), 2, "no half of a file");
}
