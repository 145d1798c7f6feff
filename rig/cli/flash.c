/* `brickyard rig flash`: power off (or kept on), the bench file's command, power as it was. */
#include "cli_internal.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum was { WAS_UNKNOWN, WAS_ON, WAS_OFF };

/* Ctrl-C must not leave a flashing program without its rig: it is seen by the flashing itself. */
int rig_cli_watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int rig_cli_look_at_image(const struct rig_cli_seat *seat, const char *image)
{
    struct stat status;
    if (!seat->board->flash)
        return rig_cli_say(seat->name, RIG_CLI_USAGE,
                           "%s can't be flashed: %s has no `flash:` command for it (line %d)",
                           seat->board->name, seat->bench->file, seat->board->row);
    if (stat(image, &status) || access(image, R_OK))
        return rig_cli_say(seat->name, RIG_CLI_USAGE, "--image %s: %s", image, strerror(errno));
    if (!S_ISREG(status.st_mode) || !status.st_size)
        return rig_cli_say(seat->name, RIG_CLI_USAGE,
                           "--image %s: accepted: a file that holds bytes", image);
    return RIG_CLI_OK;
}

static int set_power(struct rig_cli_seat *seat, bool on)
{
    struct rig_answer answer;
    const struct rig_ask ask = {.want = on ? RIG_WANT_ON : RIG_WANT_OFF};
    int code =
        rig_cli_switch(seat, &answer, RIG_FUNCTION_POWER, 0, &ask, on ? "power on" : "power off");
    if (!code && !on)
        rig_cli_stay_off(seat, &answer);
    return code;
}

/* What the power was before, as far as the hardware tells. */
static int ask_power(struct rig_cli_seat *seat, enum was *was)
{
    const struct rig_ask ask = {.want = RIG_WANT_READ};
    struct rig_answer answer;
    *was = WAS_UNKNOWN;
    if (rig_wiring_do(seat->wiring, &answer, seat->board, RIG_FUNCTION_POWER, 0, &ask) ==
        RIG_EUNSUPPORTED)
        return RIG_CLI_OK;
    int code = rig_cli_tell_error(seat, &seat->board->power, &answer);
    if (!code)
        *was = answer.on ? WAS_ON : WAS_OFF;
    return code;
}

static int run(struct rig_cli_seat *seat, const char *image, int stop)
{
    char message[1024], log[PATH_MAX];
    int64_t from_us = rig_port_now_us();
    if (snprintf(log, sizeof log, "%s/%s.flash.log", seat->bench->state, seat->board->name) >=
        (int)sizeof log)
        return rig_cli_say(seat->name, RIG_CLI_USAGE, "%s: too long a path", seat->bench->state);
    unlink(log);
    fflush(stdout);
    int error = rig_flash_board(seat->board, seat->lock, image, log, stop, message, sizeof message);
    if (error)
        return rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "%s; all that it said is in %s",
                           message, log);
    if (!seat->quiet)
        printf("%s flashed with %s in %.1f s\n", seat->board->name, image,
               (double)(rig_port_now_us() - from_us) / 1e6);
    return RIG_CLI_OK;
}

static int say_left_off(struct rig_cli_seat *seat)
{
    rig_cli_say(seat->name, 0,
                "%s is left without power: its flash may be half written; flash it again before "
                "it is switched on",
                seat->board->name);
    return RIG_CLI_INFRASTRUCTURE;
}

int rig_cli_flash_board(struct rig_cli_seat *seat, const char *image, int stop)
{
    const struct rig_bench_board *board = seat->board;
    bool switched = board->power.controller >= 0;
    enum was was = WAS_UNKNOWN;
    int code = switched ? ask_power(seat, &was) : RIG_CLI_OK;
    if (!code && switched && !(board->flash_powered && was == WAS_ON))
        code = set_power(seat, board->flash_powered);
    if (code)
        return rig_cli_say(seat->name, code, "%s was not flashed", board->name);
    code = run(seat, image, stop);
    if (code) {
        if (switched && board->flash_powered && set_power(seat, false))
            return rig_cli_say(seat->name, code,
                               "%s has power, and its flash may be half written; take the power "
                               "away by hand",
                               board->name);
        return switched ? say_left_off(seat) : code;
    }
    bool want_on = was != WAS_OFF;
    if (!switched || want_on == board->flash_powered)
        return RIG_CLI_OK;
    code = set_power(seat, want_on);
    return code ? rig_cli_say(seat->name, code, "%s was flashed, but its power is not as before",
                              board->name)
                : RIG_CLI_OK;
}

static int flash(const struct rig_cli_args *args, void *ctx)
{
    const char *image = *(char **)ctx;
    struct rig_cli_seat seat = {0};
    if (!image)
        return rig_cli_say("flash", RIG_CLI_USAGE, "--image is missing; accepted: a file");
    int stop = rig_cli_watch_signals();
    int code = rig_cli_find(&seat, "flash", args);
    if (!code)
        code = rig_cli_look_at_image(&seat, image);
    if (!code)
        code = rig_cli_take(&seat);
    if (!code)
        code = rig_cli_wire(&seat);
    if (!code)
        code = rig_cli_flash_board(&seat, image, stop);
    rig_cli_leave(&seat);
    if (stop >= 0)
        close(stop);
    return code;
}

int rig_cli_flash(int argc, char **argv)
{
    char *image = NULL;
    const struct poptOption own[] = {
        {"image", 0, POPT_ARG_STRING, &image, 0, "what is written", "FILE"}, POPT_TABLEEND};
    const struct rig_cli_form form = {.name = "flash",
                                      .words = "BOARD --image FILE",
                                      .least = 1,
                                      .most = 1,
                                      .option = own,
                                      .run = flash,
                                      .ctx = &image};
    int code = rig_cli_run(&form, argc, argv);
    free(image);
    return code;
}
