/* What sim/dut.h promises a plugin, and what is no plugin. */
#include "sweeping.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sim_sweep_result result;

/* The odd device boots nothing when a static variable (.data, .bss, in a function) or a byte of RAM
 * is not as after a reset, in whatever session. */
Test(sweep_plugin, each_session_begins_with_variables_as_loaded_and_ram_of_a5)
{
    sweeping_fault(NULL);
    sweeping((struct sim_sweep_options){.dut_path = ODD,
                                        .stories = "wrong-type",
                                        .forms = FORM(PREFIX) | FORM(BROWN_OUT),
                                        .jobs = 2},
             &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect_gt(result.cuts, 1000);
}

static uint32_t count_of(const char *text, const char *what)
{
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* Of each write that is cut the plugin tells that it begins, never that it came back; the next that
 * it tells is from the boot after it. */
Test(sweep_plugin, power_loss_takes_the_control_away_in_the_middle_of_a_write)
{
    static const char *const form[] = {"before", "nothing",  "prefix",    "suffix",  "random",
                                       "after",  "unstable", "reset_pin", "watchdog"};
    sweeping_fault("tells-writes");
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        char history[64], *story;
        snprintf(history, sizeof history, "0.wrong-key/n1/%s@3", form[i]);
        cr_expect_eq(sweeping_replay(ODD, history, &story), 0, "%s", story);
        char *cut = strstr(story, "  --- ");
        cr_assert_not_null(cut, "%s", story);
        char *boot = strstr(cut, "\nsession ");
        cr_expect(boot && !memmem(cut, (size_t)(boot - cut), "came back", 9), "%s", story);
        *cut = 0;
        uint32_t begun = count_of(story, "a write begins");
        cr_expect_gt(begun, 0, "%s", story);
        cr_expect_eq(count_of(story, "a write came back") + 1, begun, "%s", story);
        free(story);
    }
}

/* An error that names the file and says this; nothing was run. */
static void expect_refused(const char *path, const char *says)
{
    struct sim_sweep_options options = {.dut_path = path, .stories = "update"};
    char message[256], story_message[512], *story;
    cr_expect_eq(sweeping_run(&options, &result, message), -1, "%s: %s", path, says);
    cr_expect_not_null(strstr(message, path), "%s is not in: %s", path, message);
    cr_expect_not_null(strstr(message, says), "%s is not in: %s", says, message);
    cr_expect_eq(result.boots + result.histories + result.states, 0, "%s: nothing ran", path);
    cr_expect_eq(sweeping_replay(path, "0.update", &story), -1, "no history is run either");
    snprintf(story_message, sizeof story_message, "%s", message);
    cr_expect_str_eq(story, story_message, "and nothing is told");
    free(story);
}

Test(sweep_plugin, what_is_no_shared_object_is_refused)
{
    char path[] = "/tmp/sweep-plugin-XXXXXX";
    int file = mkstemp(path);
    cr_assert(file >= 0 && write(file, "no shared object\n", 17) == 17);
    close(file);
    expect_refused("/nowhere/device.so", "No such file");
    expect_refused("/tmp", "Is a directory");
    expect_refused(path, "");
    unlink(path);
}

Test(sweep_plugin, what_is_no_device_is_refused)
{
    static const struct {
        const char *fault, *says;
    } row[] = {
        {"abi", "another version of sim/dut.h; accepted: 1"},
        {"null", "another version of sim/dut.h; accepted: 1"},
        {"no-name", "needs name, factory, boot and run"},
        {"no-run", "needs name, factory, boot and run"},
        {"no-variants", "variants"},
        {"range-beyond-the-flash", "not of whole sectors of the flash"},
        {"range-wraps", "not of whole sectors of the flash"},
        {"range-of-half-a-sector", "not of whole sectors of the flash"},
        {"range-of-a-high-part", "a part that is too high; accepted: 0 to 3"},
        {"too-many-ranges", "more than it has room for"},
    };
    sweeping_fault(NULL);
    expect_refused(BARE, "exports no dut_device");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        sweeping_fault(row[i].fault);
        expect_refused(ODD, row[i].says);
    }
}

Test(sweep_plugin, a_factory_that_fails_is_told)
{
    struct sim_sweep_options options = {.dut_path = FAULTY, .stories = "update"};
    char message[256];
    sweeping_fault("fails-in-the-factory");
    cr_expect_eq(sweeping_run(&options, &result, message), -1);
    cr_expect_not_null(strstr(message, "the factory could not install 1.9.0"), "%s", message);
}
