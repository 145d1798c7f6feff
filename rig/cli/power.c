/* `brickyard rig power`, `reset` and `strap`. */
#include "cli_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum action { OFF, ON, CYCLE, STATUS, ACTIONS };
static const char *const action_name[] = {"off", "on", "cycle", "status"};
enum { OFF_FOR_MS_MAX = 600000 };

static bool read_action(const char *name, const char *text, const char *accepted, enum action *out)
{
    for (*out = 0; *out < ACTIONS; ++*out)
        if (!strcmp(text, action_name[*out]) && strstr(accepted, text))
            return true;
    rig_cli_say(name, RIG_CLI_USAGE, "'%s'; accepted: %s", text, accepted);
    return false;
}

static int read_status(struct rig_cli_seat *seat, enum rig_function function, uint32_t strap,
                       const char *what)
{
    const struct rig_bench_contact *contact = rig_wiring_contact(seat->board, function, strap);
    const struct rig_ask ask = {.want = RIG_WANT_READ};
    struct rig_answer answer;
    if (contact && !rig_cli_is_readable(seat, contact))
        return rig_cli_say(seat->name, RIG_CLI_USAGE,
                           "%s: %s is of driver %s, which can't be read back; its state is known "
                           "only after it was switched",
                           seat->board->name, seat->bench->controller[contact->controller].name,
                           seat->bench->controller[contact->controller].driver->name);
    int code = rig_cli_switch(seat, &answer, function, strap, &ask, NULL);
    if (!code)
        printf("%s %s %s\n", seat->board->name, what, answer.on ? "on" : "off");
    return code;
}

static int cut(struct rig_cli_seat *seat, struct rig_answer *answer)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    return rig_cli_switch(seat, answer, RIG_FUNCTION_POWER, 0, &off, "power off");
}

static int power_on(struct rig_cli_seat *seat, uint32_t off_for_ms)
{
    const struct rig_ask on = {.want = RIG_WANT_ON, .off_at_least_ms = off_for_ms};
    return rig_cli_switch(seat, NULL, RIG_FUNCTION_POWER, 0, &on, "power on");
}

static int do_power(struct rig_cli_seat *seat, enum action action, uint32_t off_for_ms)
{
    struct rig_answer answer;
    if (action == STATUS)
        return read_status(seat, RIG_FUNCTION_POWER, 0, "power");
    if (action == ON)
        return power_on(seat, 0);
    int code = cut(seat, &answer);
    if (code || action == OFF) {
        if (!code)
            rig_cli_stay_off(seat, &answer);
        return code;
    }
    fflush(stdout);
    uint32_t least_ms = seat->board->power.off_at_least_ms;
    int64_t off_ms = off_for_ms > least_ms ? off_for_ms : least_ms;
    if (!rig_cli_wait_until(answer.done_us + off_ms * 1000))
        return rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE,
                           "interrupted; %s was left without power", seat->board->name);
    code = power_on(seat, off_for_ms);
    return code ? rig_cli_say(seat->name, code, "%s was left without power", seat->board->name)
                : RIG_CLI_OK;
}

/* Everything but looking needs the lock. */
static int sit(struct rig_cli_seat *seat, bool looks_only)
{
    int code = looks_only ? RIG_CLI_OK : rig_cli_take(seat);
    return code ? code : rig_cli_wire(seat);
}

static int power(const struct rig_cli_args *args, void *ctx)
{
    const char *off_for = *(char **)ctx;
    struct rig_cli_seat seat = {0};
    enum action action;
    int64_t off_for_ms = 0;
    if (!read_action("power", args->word[1], "on, off, cycle, status", &action) ||
        !rig_cli_duration("power", "--off-for", off_for, 0, OFF_FOR_MS_MAX, &off_for_ms))
        return RIG_CLI_USAGE;
    if (off_for && action != CYCLE)
        return rig_cli_say("power", RIG_CLI_USAGE, "--off-for belongs to `cycle`");
    int code = rig_cli_find(&seat, "power", args);
    if (!code)
        code = sit(&seat, action == STATUS);
    if (action == CYCLE)
        rig_cli_hold_signals();
    if (!code)
        code = do_power(&seat, action, (uint32_t)off_for_ms);
    rig_cli_leave(&seat);
    rig_cli_release_signals();
    return code;
}

int rig_cli_power(int argc, char **argv)
{
    char *off_for = NULL;
    const struct poptOption own[] = {
        {"off-for", 0, POPT_ARG_STRING, &off_for, 0,
         "cycle: how long; the bench file's off_at_least if that is longer", "2s"},
        POPT_TABLEEND};
    const struct rig_cli_form form = {.name = "power",
                                      .words = "BOARD on|off|cycle|status",
                                      .least = 2,
                                      .most = 2,
                                      .option = own,
                                      .run = power,
                                      .ctx = &off_for};
    int code = rig_cli_run(&form, argc, argv);
    free(off_for);
    return code;
}

static int reset(const struct rig_cli_args *args, void *ctx)
{
    struct rig_cli_seat seat = {0};
    char what[48];
    (void)ctx;
    int code = rig_cli_find(&seat, "reset", args);
    if (!code)
        code = sit(&seat, false);
    if (!code) {
        const struct rig_ask pulse = {
            .want = RIG_WANT_PULSE, .on = true, .ms = seat.board->reset.hold_ms};
        snprintf(what, sizeof what, "reset for %u ms", seat.board->reset.hold_ms);
        rig_cli_hold_signals();
        code = rig_cli_switch(&seat, NULL, RIG_FUNCTION_RESET, 0, &pulse, what);
    }
    rig_cli_leave(&seat); /* waits for the pulse's end in any case */
    rig_cli_release_signals();
    return code;
}

int rig_cli_reset(int argc, char **argv)
{
    const struct rig_cli_form form = {
        .name = "reset", .words = "BOARD", .least = 1, .most = 1, .run = reset};
    return rig_cli_run(&form, argc, argv);
}

static int find_strap(const struct rig_bench_board *board, const char *name, uint32_t *out)
{
    char names[300] = "";
    for (*out = 0; *out < board->straps; ++*out) {
        if (!strcmp(board->strap[*out].name, name))
            return RIG_CLI_OK;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                 board->strap[*out].name);
    }
    return rig_cli_say("strap", RIG_CLI_USAGE, "%s has no strap '%s'; accepted: %s", board->name,
                       name, *names ? names : "none, the bench file names no `straps:`");
}

static int set_strap(struct rig_cli_seat *seat, uint32_t index, enum action action)
{
    const struct rig_ask ask = {.want = action == ON ? RIG_WANT_ON : RIG_WANT_OFF};
    char what[128];
    snprintf(what, sizeof what, "strap %s%s%s", seat->board->strap[index].name,
             action == STATUS ? "" : " ", action == STATUS ? "" : action_name[action]);
    return action == STATUS ? read_status(seat, RIG_FUNCTION_STRAP, index, what)
                            : rig_cli_switch(seat, NULL, RIG_FUNCTION_STRAP, index, &ask, what);
}

static int strap(const struct rig_cli_args *args, void *ctx)
{
    struct rig_cli_seat seat = {0};
    enum action action;
    uint32_t index = 0;
    (void)ctx;
    if (!read_action("strap", args->word[2], "on, off, status", &action))
        return RIG_CLI_USAGE;
    int code = rig_cli_find(&seat, "strap", args);
    if (!code)
        code = find_strap(seat.board, args->word[1], &index);
    if (!code)
        code = sit(&seat, action == STATUS);
    if (!code)
        code = set_strap(&seat, index, action);
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_strap(int argc, char **argv)
{
    const struct rig_cli_form form = {
        .name = "strap", .words = "BOARD STRAP on|off|status", .least = 3, .most = 3, .run = strap};
    return rig_cli_run(&form, argc, argv);
}
