/* The live display: rewritten lines on a terminal, few plain ones elsewhere, none when quiet. */
#include "rep/render.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct rep_progress_now half = {
    .virtual_us = (2 * 86400 + 3 * 3600 + 4 * 60) * 1000000ll,
    .virtual_end_us = (4 * 86400 + 6 * 3600 + 8 * 60) * 1000000ll,
    .phase = "canary",
    .cohort = 50,
    .confirmed = 31,
    .rolled_back = 2,
    .bricked = 1};

struct display {
    struct rep_progress progress;
    FILE *file;
    char text[4096];
};

static void start(struct display *display, bool terminal, bool quiet)
{
    display->file = tmpfile();
    cr_assert_not_null(display->file);
    rep_progress_start(&display->progress, display->file, quiet);
    cr_expect_not(display->progress.terminal, "a file is no terminal");
    display->progress.terminal = terminal;
}

static const char *written(struct display *display)
{
    rewind(display->file);
    size_t n = fread(display->text, 1, sizeof display->text - 1, display->file);
    display->text[n] = 0;
    fclose(display->file);
    return display->text;
}

Test(rep_progress, a_pipe_gets_a_plain_line_at_most_every_five_seconds)
{
    struct display display;
    start(&display, false, false);
    for (int i = 0; i < 1000; i++)
        rep_progress_show(&display.progress, &half);
    display.progress.last -= 4.0;
    rep_progress_show(&display.progress, &half);
    display.progress.last -= 1.0;
    rep_progress_show(&display.progress, &half);
    rep_progress_end(&display.progress);
    const char *text = written(&display);
    const char *line = "day 2 03:04 canary: 31/50 confirmed, 2 rolled back, 1 bricked, left 0 s\n";
    cr_assert_eq(strlen(text), 2 * strlen(line), "%s", text);
    cr_expect_eq(strncmp(text, line, strlen(line)), 0, "%s", text);
    cr_expect_str_eq(text + strlen(line), line);
}

Test(rep_progress, a_terminal_gets_one_line_rewritten_and_cleared)
{
    struct display display;
    start(&display, true, false);
    display.progress.started -= 30;
    for (int i = 0; i < 3; i++) {
        display.progress.last -= 1;
        rep_progress_show(&display.progress, &half);
    }
    rep_progress_end(&display.progress);
    const char *text = written(&display);
    cr_expect_null(strchr(text, '\n'));
    cr_expect_eq(strncmp(text, "\rday 2 03:04", 12), 0, "%s", text);
    cr_expect_not_null(
        strstr(text, "[#########----------] 31/50 ok, 2 back, 1 bricked, left 30 s\033[K\r"), "%s",
        text);
    cr_expect_str_eq(text + strlen(text) - 4, "\r\033[K");
    cr_expect_lt((size_t)(strstr(text, "\033[K") - text) - 1, 80u,
                 "80 columns, where it says nothing");
}

Test(rep_progress, quiet_is_quiet)
{
    for (int terminal = 0; terminal <= 1; terminal++) {
        struct display display;
        start(&display, terminal, true);
        display.progress.last -= 100;
        rep_progress_show(&display.progress, &half);
        rep_progress_end(&display.progress);
        cr_expect_str_eq(written(&display), "");
    }
}

Test(rep_progress, odd_times_are_shown_without_a_guess)
{
    static const struct {
        int64_t now, end;
        const char *expect;
    } rows[] = {
        {0, 0, "left -"},
        {-5, 10, "left -"},
        {1, INT64_MAX, "left -"},
        {20, 10, "left 0 s"},
        {INT64_MAX, INT64_MAX, "left 0 s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct display display;
        struct rep_progress_now now = {.virtual_us = rows[i].now, .virtual_end_us = rows[i].end};
        start(&display, false, false);
        rep_progress_show(&display.progress, &now);
        const char *text = written(&display);
        cr_expect_not_null(strstr(text, rows[i].expect), "row %zu: %s", i, text);
    }
}
