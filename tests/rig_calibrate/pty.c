/* `brickyard rig calibrate` against a board whose latency is known. */
#include "board.h"
#include "rig/aim.h"
#include "run.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>

static struct board board;

static void end(void)
{
    board_stop(&board);
    kit_close();
}

TestSuite(rig_calibrate, .init = kit_open, .fini = end);

static json_t *answer(void)
{
    json_error_t error;
    json_t *json = json_loads(kit_read("out"), 0, &error);
    cr_assert(json, "%s: %s", error.text, kit_read("out"));
    return json;
}

static int64_t number(json_t *json, const char *object, const char *key)
{
    json_t *value = json_object_get(json_object_get(json, object), key);
    cr_assert(json_is_integer(value), "%s.%s", object, key);
    return json_integer_value(value);
}

static int64_t samples_below(json_t *json, int64_t us)
{
    json_t *bin, *bins = json_object_get(json_object_get(json, "latency"), "bins");
    int64_t sum = 0;
    size_t i;
    json_array_foreach(bins, i, bin)
    {
        if (json_integer_value(json_object_get(bin, "from_us")) < us)
            sum += json_integer_value(json_object_get(bin, "count"));
    }
    return sum;
}

/* What the board saw of itself: its last byte after the frame. */
static int64_t board_median(uint32_t from, uint32_t cuts)
{
    struct rig_histogram histogram = {.samples = 0};
    for (uint32_t i = 0; i < cuts; i++)
        rig_histogram_add(&histogram, board.facts->latency_us[from + i]);
    return rig_histogram_quantile(&histogram, 500);
}

/* This process and the board's have a busy host between them; the median has little of that. What
 * is measured is measured again, on a board of its own, where the host stood still: it is wrong if
 * it is wrong each time. */
enum { NEAR_US = 8000, TRIES = 3 };

static bool is_near(int64_t got, int64_t wanted, const char *what)
{
    bool near = got >= wanted - NEAR_US && got <= wanted + NEAR_US;
    if (!near)
        cr_log_warn("%s: %lld us, not %lld us", what, (long long)got, (long long)wanted);
    return near;
}

static json_t *calibrated(int64_t hold_1_us, int64_t hold_2_us, const char *words)
{
    end();
    kit_open();
    board = (struct board){.tick_us = 1000, .hold_us = {hold_1_us, hold_2_us}};
    board_start(&board);
    cr_assert_eq(run_brickyard(words), 0, "%s", kit_read("err"));
    return answer();
}

static bool finds_both_delays(json_t *json)
{
    int64_t least_us = board.facts->latency_us[0], below = samples_below(json, 40000);
    for (uint32_t i = 1; i < 12; i++)
        if (board.facts->latency_us[i] < least_us)
            least_us = board.facts->latency_us[i];
    /* They take turns, unless one is made again. */
    return is_near(number(json, "latency", "least_us"), least_us,
                   "the shortest, as the board saw it") &&
           number(json, "latency", "p95_us") > 50000 && below >= 3 && below <= 9;
}

Test(rig_calibrate, the_histogram_finds_both_delays_of_a_contact)
{
    bool finds = false;
    for (int tries = 0; tries < TRIES && !finds; tries++) {
        json_t *json =
            calibrated(20000, 60000, "rig calibrate --bench BENCH a --cuts 12 --check 0 --json");
        cr_assert_eq(number(json, "latency", "samples"), 12);
        cr_assert_eq(number(json, "kept", "samples"), 12);
        cr_assert_eq(number(json, "check", "cuts"), 0);
        finds = finds_both_delays(json);
        json_decref(json);
    }
    cr_assert(finds, "%s", kit_read("out"));
    cr_assert_geq(board.facts->offs, 12u);
    cr_assert(!board.facts->powered, "it is left off");
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("12 cuts"));
}

/* Without the latency all would be 30 ms late. */
static bool hits_the_moment(json_t *json)
{
    int64_t told = number(json, "latency", "median_us"), mean = number(json, "check", "mean_us");
    json_t *error = json_object_get(json_object_get(json, "check"), "error");
    return is_near(told, board_median(0, 7), "as the board saw it") &&
           is_near(told, 30000, "as the board was made") && mean < 25000 && mean > -25000 &&
           json_integer_value(json_object_get(error, "least_us")) < 10000 &&
           json_integer_value(json_object_get(error, "median_us")) < 25000;
}

Test(rig_calibrate, aimed_cuts_hit_the_moment_that_was_asked)
{
    bool hits = false;
    for (int tries = 0; tries < TRIES && !hits; tries++) {
        json_t *json =
            calibrated(30000, 30000, "rig calibrate --bench BENCH a --cuts 7 --check 7 --json");
        cr_assert_eq(number(json, "check", "cuts"), 7);
        cr_assert_eq(number(json, "check", "measured"), 7);
        cr_assert_eq(number(json, "check", "latency_us"), number(json, "latency", "median_us"));
        hits = hits_the_moment(json) && !number(json, "check", "late");
        json_decref(json);
    }
    cr_assert(hits, "%s", kit_read("out"));
}

/* It is mute at three: where such a cut is aimed at only some ms after its line, it tells something
 * all the same. */
Test(rig_calibrate, an_aimed_cut_that_tells_nothing_is_made_again)
{
    board = (struct board){.tick_us = 1000, .hold_us = {30000, 30000}, .mute_on = 4};
    board_start(&board);
    cr_assert_eq(run_brickyard("rig calibrate --bench BENCH a --cuts 3 --check 2 --json"), 0, "%s",
                 kit_read("err"));
    json_t *json = answer();
    cr_expect_geq(json_integer_value(json_object_get(json, "useless")), 1);
    cr_expect_eq(number(json, "latency", "samples"), 3);
    cr_expect_eq(number(json, "check", "cuts"), 2);
    cr_expect_eq(number(json, "check", "measured"), 2);
    cr_expect_geq(board.facts->offs, 6u);
    json_decref(json);
}

Test(rig_calibrate, what_is_kept_grows_until_it_is_forgotten)
{
    board = (struct board){.tick_us = 1000, .hold_us = {10000, 10000}};
    board_start(&board);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 2 --check 0"), 0, "%s", kit_read("err"));
    cr_assert(run_told("a: 2 cuts by r channel 1 (lcus)") && run_told("  #") &&
              run_told("What no aim can take out"));
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 1 --check 0 --json"), 0);
    json_t *json = answer();
    cr_assert_eq(number(json, "kept", "samples"), 3);
    json_decref(json);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 1 --check 0 --forget --json"), 0);
    json = answer();
    cr_assert_eq(number(json, "kept", "samples"), 1);
    json_decref(json);
}

Test(rig_calibrate, a_board_that_prints_too_rarely_is_refused)
{
    board = (struct board){.tick_us = 30000};
    board_start(&board);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --boot 1500ms"), 1);
    cr_assert(run_said("it prints too rarely: pauses of ") &&
              run_said("wanted: every 5 ms at the most"));
    cr_assert_str_eq(kit_read("out"), "");
    cr_assert(board.facts->offs && !board.facts->powered);
}

Test(rig_calibrate, a_board_without_a_word_is_infrastructure)
{
    board = (struct board){.tick_us = 0};
    board_start(&board);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --boot 500ms"), 8);
    cr_assert(run_said("not a word on its console"));
}

Test(rig_calibrate, a_contact_that_does_not_open_is_infrastructure)
{
    int code = 0;
    board = (struct board){.tick_us = 1000, .stuck = true};
    board_start(&board);
    /* The board is played by this process: where the host stops that, it is silent, as one without
     * power is. */
    for (int i = 0; i < 5 && code != 8; i++)
        code = run_rig("calibrate --bench BENCH a");
    cr_assert_eq(code, 8);
    cr_assert(run_said("it talks on") && run_said("its contact sticks"));
}

Test(rig_calibrate, without_lines_there_is_no_marker)
{
    board = (struct board){.tick_us = 1000, .hold_us = {5000, 5000}, .text = "."};
    board_start(&board);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 1 --check 1"), 1);
    cr_assert(run_said("it prints no lines") && run_told("a: 1 cuts"));
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 1 --check 0"), 0);
}

Test(rig_calibrate, ctrl_c_leaves_the_board_off)
{
    struct run run;
    board = (struct board){.tick_us = 1000, .hold_us = {5000, 5000}};
    board_start(&board);
    run_start(&run, "calibrate --bench BENCH a --cuts 10000");
    for (int i = 0; i < 6000 && !board.facts->offs; i++)
        run_is_over(&run, 20);
    cr_assert(board.facts->offs);
    kill(run.child.pid, SIGTERM);
    cr_assert_eq(run_end(&run), 8);
    cr_assert(run_said("interrupted after "));
    for (int i = 0; i < 3000 && board.facts->powered; i++)
        kit_line_is_silent(&board.console, 10);
    cr_assert(!board.facts->powered);
}

Test(rig_calibrate, what_can_not_be_is_said_before_anything_is_switched)
{
    board = (struct board){.tick_us = 1000};
    board_start(&board);
    cr_assert_eq(run_rig("calibrate --bench BENCH a --cuts 0"), 1);
    cr_assert(run_said("--cuts 0: accepted: 1 to 10000"));
    cr_assert_eq(run_rig("calibrate --bench BENCH a --image desk.yaml"), 1);
    cr_assert(run_said("a can't be flashed"));
    cr_assert_eq(run_rig("emulate --bench BENCH"), 1);
    cr_assert(run_said("has no `emulator:`"));
    kit_write("desk.yaml", "bench: desk\nboards: [{name: a, console: {serial: con}}]\n");
    cr_assert_eq(run_rig("calibrate --bench BENCH a"), 1);
    cr_assert(run_said("a has no `power:`"));
    cr_assert_eq(board.facts->ons, 0u);
}
