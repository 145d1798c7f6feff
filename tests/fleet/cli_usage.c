/* The command line before anything runs: what is refused, with one clear line and exit code 1. */
#include "program.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(cli_usage, .init = program_enter, .fini = program_leave);

static const char small[] = "scenario: small\n"
                            "fleet:\n"
                            "  - {group: pumps, count: 6, firmware: 2.3.1, telemetry_every: 1h}\n"
                            "flash: {bootloader: 16KiB, slot: 128KiB, data: 128KiB}\n"
                            "firmware:\n"
                            "  2.3.1: {size: 32KiB}\n"
                            "  2.4.0: {size: 33KiB}\n"
                            "campaign: {to: 2.4.0, force: true, observe: 0h, phases: [{name: all, "
                            "share: 100%, hold: 1h}]}\n";

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* Nothing on standard output, one line on standard error that names this. */
static void assert_refused(int code, const char *names, const char *line)
{
    cr_expect_eq(code, 1, "%s: exit %d", line, code);
    cr_expect_str_eq(program_out(), "", "%s", line);
    cr_expect_eq(lines_of(program_err()), 1, "%s: %s", line, program_err());
    cr_expect_not_null(strstr(program_err(), names), "%s: %s", line, program_err());
}

Test(cli_usage, a_run_that_cannot_be_meant_is_refused)
{
    static const struct {
        const char *line, *names;
    } row[] = {
        {"run", "scenario"},
        {"run small.yaml other.yaml", "one scenario"},
        {"run missing.yaml", "missing.yaml"},
        {"run .", "."},
        {"run small.yaml --bogus", "--bogus"},
        {"run small.yaml --seed", "--seed"},
        {"run small.yaml --seed x", "--seed"},
        {"run small.yaml --seed -1", "--seed"},
        {"run small.yaml --seed 18446744073709551616", "--seed"},
        {"run small.yaml --devices 0", "--devices"},
        {"run small.yaml --devices 1000001", "--devices"},
        {"run small.yaml --devices 5x", "--devices"},
        {"run small.yaml --jobs 0", "--jobs"},
        {"run small.yaml --jobs 65", "--jobs"},
        {"run small.yaml --jobs two", "--jobs"},
        {"run small.yaml --world moon", "--world"},
        {"run small.yaml --world board", "flash.bootloader"},
        {"run small.yaml --html x.html", "not built yet"},
        {"run small.yaml --set campaign.bogus=1", "bogus"},
        {"run small.yaml --set campaign.to", "campaign.to"},
        {"run small.yaml --set campaign.to=9.9.9", "9.9.9"},
        {"run small.yaml --set faults.3.devices=5%", "faults"},
        {"run small.yaml --check-digest zz", "--check-digest"},
        {"run small.yaml --check-digest 0123456789ABCDEF0123456789ABCDEF", "--check-digest"},
        {"run small.yaml --trace pumps-00007", "--trace pumps-00007"},
        {"run small.yaml --trace 6", "--trace 6"},
        {"run small.yaml --trace nobody --quiet", "--trace nobody"},
        {"run small.yaml --db missing/run.db", "missing/run.db"},
        {"run small.yaml --json missing/run.json", "missing/run.json"},
        {"run small.yaml --junit missing/run.xml", "missing/run.xml"},
        {"run small.yaml --db small.yaml", "small.yaml"},
        {"run small.yaml --db .", "."},
        {"run small.yaml --json .", "."},
        {"run small.yaml --junit .", "."},
        {"run small.yaml --json /tmp", "/tmp"},
        {"run small.yaml --db=", "--db"},
        {"run small.yaml --json=", "--json"},
        {"run small.yaml --junit=", "--junit"},
        {"run small.yaml --db x --json x", "--db and --json"},
        {"run small.yaml --db x --junit ./x", "--db and --junit"},
        {"run small.yaml --json ./x --junit x", "--json and --junit"},
        {"run small.yaml --json - --junit -", "--json and --junit"},
    };
    program_write("small.yaml", small);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_refused(program("%s", row[i].line), row[i].names, row[i].line);
        cr_expect_eq(program_entries(), 1, "%s left something behind", row[i].line);
    }
}

Test(cli_usage, an_output_that_may_not_be_written_is_told_before_the_run)
{
    static const char *const option[] = {"--db", "--json", "--junit"};
    program_write("small.yaml", small);
    cr_assert_eq(mkdir("locked", 0555), 0);
    for (size_t i = 0; i < 3; i++) {
        program_as_ordinary_user();
        assert_refused(program("run small.yaml %s locked/result", option[i]), "locked/result",
                       option[i]);
    }
    program_write("read-only.json", "old\n");
    cr_assert_eq(chmod("read-only.json", 0444), 0);
    program_as_ordinary_user();
    assert_refused(program("run small.yaml --json read-only.json"), "read-only.json",
                   "read-only file");
}

Test(cli_usage, commands_that_are_not_built_say_so)
{
    assert_refused(program("explore small.yaml --runs 5"), "not built yet", "explore");
}

Test(cli_usage, without_a_command_the_commands_are_told)
{
    static const char *const command[] = {"run",       "sweep",    "explore", "replay", "lint",
                                          "scenarios", "firmware", "rig",     "report", "service"};
    cr_expect_eq(program("%s", ""), 1);
    cr_expect_str_eq(program_out(), "");
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        cr_expect_not_null(strstr(program_err(), command[i]), "%s", command[i]);
    cr_expect_eq(program("bogus"), 1);
    cr_expect_not_null(strstr(program_err(), "unknown command 'bogus'"));
    cr_expect_eq(program("--help"), 0);
    cr_expect_str_eq(program_err(), "");
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        cr_expect_not_null(strstr(program_out(), command[i]), "%s", command[i]);
}

Test(cli_usage, help_is_no_error)
{
    static const char *const line[] = {"run --help", "sweep --help", "report --help",
                                       "replay --help"};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        cr_expect_eq(program("%s", line[i]), 0, "%s: %s", line[i], program_err());
}

Test(cli_usage, lint_tells_file_line_and_column)
{
    program_write("small.yaml", small);
    program_write("broken.yaml", "scenario: broken\nfleet: [{group: a, cuont: 5}]\n");
    program_write("rubbish.yaml", "\x01\x02\xff\xfe");
    cr_expect_eq(program("lint small.yaml"), 0, "%s", program_err());
    cr_expect_not_null(strstr(program_out(), "small.yaml: sound"));
    assert_refused(program("lint broken.yaml"), "broken.yaml:2:20: ", "unknown key");
    cr_expect_not_null(strstr(program_err(), "'count'"), "%s", program_err());
    assert_refused(program("lint rubbish.yaml"), "rubbish.yaml:1:1: ", "rubbish");
    assert_refused(program("lint missing.yaml"), "missing.yaml", "missing");
    assert_refused(program("run broken.yaml"), "broken.yaml:2:20: ", "run");
    cr_expect_eq(program("lint"), 1);
}

#define WITH_FILE(file)                                                                            \
    "scenario: real\n"                                                                             \
    "fleet: [{group: pumps, count: 2, firmware: 2.3.1}]\n"                                         \
    "firmware:\n"                                                                                  \
    "  2.3.1: {size: 32KiB}\n"                                                                     \
    "  2.4.0: {file: " file "}\n"                                                                  \
    "campaign: {to: 2.4.0, phases: [{name: all, share: 100%}]}\n"

/* What the run would find out first, lint finds out: at the same place, in the same words. */
Test(cli_usage, lint_reads_the_images_that_a_scenario_names)
{
    static const struct {
        const char *text, *why;
    } row[] = {{WITH_FILE("missing.bin"), "missing.bin: No such file"},
               {WITH_FILE("short.bin"), "short.bin: not a firmware image"},
               {WITH_FILE("junk.bin"), "junk.bin: not a firmware image"},
               {WITH_FILE("other.bin"), "other.bin: its header names another version"},
               {WITH_FILE("."), "Is a directory"}};
    char junk[8001] = "";
    memset(junk, 'j', sizeof junk - 1);
    program_write("short.bin", "short");
    program_write("junk.bin", junk);
    program_write("payload", junk);
    static const char build[] =
        "firmware build --payload payload --device-type pump_monitor_v2 --min-hw Rev-A "
        "--version %s --out %s.bin";
    cr_assert_eq(program(build, "9.9.9", "other"), 0, "%s", program_err());
    cr_assert_eq(program(build, "2.4.0", "right"), 0, "%s", program_err());
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        program_write("real.yaml", row[i].text);
        assert_refused(program("lint real.yaml"), "real.yaml:5:17: firmware.2.4.0.file: ", "lint");
        cr_expect_not_null(strstr(program_err(), row[i].why), "%s", program_err());
        assert_refused(program("run real.yaml"), "real.yaml:5:17: firmware.2.4.0.file: ", "run");
    }
    program_write("real.yaml", WITH_FILE("right.bin"));
    cr_expect_eq(program("lint real.yaml"), 0, "%s", program_err());
    cr_expect_str_eq(program_out(), "real.yaml: sound\n");
}

Test(cli_usage, lint_warns_of_a_phase_that_cannot_stop)
{
    program_write("small.yaml", small);
    cr_expect_eq(program("lint small.yaml"), 0);
    cr_expect_not_null(strstr(program_err(), "warning: small.yaml:8:58: "), "%s", program_err());
    cr_expect_not_null(strstr(program_err(), "phase all has no gate: it always passes"));
    cr_expect_eq(program("lint %s/scenarios/campaign-5000.yaml", getenv("BRICKYARD_SOURCE")), 0);
    cr_expect_str_eq(program_err(), "", "standard phases have gates, or are meant to have none");
}

Test(cli_usage, lint_goes_on_after_a_broken_file)
{
    program_write("a.yaml", "scenario: [\n");
    program_write("b.yaml", small);
    cr_expect_eq(program("lint a.yaml b.yaml"), 1);
    cr_expect_not_null(strstr(program_err(), "a.yaml:"));
    cr_expect_not_null(strstr(program_out(), "b.yaml: sound"));
}

Test(cli_usage, the_catalogue_is_told_with_its_summaries)
{
    cr_expect_eq(program("scenarios %s/scenarios", getenv("BRICKYARD_SOURCE")), 0, "%s",
                 program_err());
    cr_expect_not_null(strstr(program_out(), "campaign-5000.yaml"));
    cr_expect_not_null(strstr(program_out(), "the reference campaign"));
    cr_expect_null(strstr(program_out(), "broken"));
    assert_refused(program("scenarios missing"), "missing", "no folder");
}

Test(cli_usage, report_reads_results_and_nothing_else)
{
    program_write("notes.txt", "not a database\n");
    assert_refused(program("report"), "which result", "no file");
    assert_refused(program("report missing.db"), "missing.db", "missing");
    assert_refused(program("report notes.txt"), "notes.txt", "another file");
    assert_refused(program("report notes.txt --html x"), "not built yet", "html");
    assert_refused(program("report a b"), "one result", "two files");
    cr_expect_eq(program_entries(), 1);
}

Test(cli_usage, replay_takes_tokens_and_nothing_else)
{
    static const char *const token[] = {
        "by1",
        "by2,hash=00,seed=1,devices=0,device=pumps-00001,scenario=small.yaml",
        "by1,hash=00,seed=x,devices=0,device=pumps-00001,scenario=small.yaml",
        "by1,hash=00,seed=1,devices=-1,device=pumps-00001,scenario=small.yaml",
        "by1,hash=00,seed=1,devices=0,device=,scenario=small.yaml",
        "by1,hash=00,seed=1,devices=0,device=pumps-00001,scenario=%zz",
        "by1,hash=00,seed=1,devices=0,device=pumps-00001,scenario=small.yaml,bogus=1",
    };
    program_write("small.yaml", small);
    for (size_t i = 0; i < sizeof token / sizeof *token; i++)
        assert_refused(program("replay %s", token[i]), "not a token", token[i]);
    assert_refused(program("replay small.yaml"), "not a token", "a file");
    cr_expect_eq(program("replay"), 1);
    cr_expect_eq(program("replay a b"), 1);
}
