/* A board of a bench, taken for one command. */
#include "cli_internal.h"
#include "rig/emulated.h"
#include <stdio.h>
#include <string.h>

int rig_cli_open(struct rig_cli_seat *seat, const char *name, const struct rig_cli_args *args)
{
    char message[1024];
    *seat = (struct rig_cli_seat){.name = name};
    if (!args->bench)
        return rig_cli_say(name, RIG_CLI_USAGE,
                           "--bench is missing; accepted: a bench file, see "
                           "rig/benchfile/README.md");
    if (!rig_bench_read(&seat->bench, args->bench, message, sizeof message))
        return RIG_CLI_OK;
    fprintf(stderr, "%s\n", message);
    return RIG_CLI_USAGE;
}

int rig_cli_find(struct rig_cli_seat *seat, const char *name, const struct rig_cli_args *args)
{
    int code = rig_cli_open(seat, name, args);
    if (code)
        return code;
    seat->board = rig_bench_board(seat->bench, args->word[0]);
    if (seat->board)
        return RIG_CLI_OK;
    fprintf(stderr, "brickyard rig %s: %s has no board '%s'; accepted:", name, args->bench,
            args->word[0]);
    for (uint32_t i = 0; i < seat->bench->boards; i++)
        fprintf(stderr, "%s %s", i ? "," : "", seat->bench->board[i].name);
    fputc('\n', stderr);
    return RIG_CLI_USAGE;
}

int rig_cli_take(struct rig_cli_seat *seat)
{
    char message[1024], what_for[64];
    snprintf(what_for, sizeof what_for, "brickyard rig %s", seat->name);
    int error =
        rig_lock_take(&seat->lock, seat->bench, seat->board, what_for, message, sizeof message);
    if (!error)
        return RIG_CLI_OK;
    return rig_cli_say(seat->name, RIG_CLI_USAGE, "%s%s", message,
                       error == RIG_EBUSY ? "; nothing was done: wait until it has ended" : "");
}

int rig_cli_wire_on(struct rig_cli_seat *seat, struct ev_loop *loop)
{
    char message[1024];
    if (!rig_wiring_open(&seat->wiring, seat->bench, loop, message, sizeof message))
        return RIG_CLI_OK;
    /* A full disk must not keep anybody from taking power away. */
    rig_cli_say(seat->name, 0, "warning: %s; the relays' cycles are not counted", message);
    return rig_wiring_open_uncounted(&seat->wiring, seat->bench, loop, message, sizeof message)
               ? rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "%s", message)
               : RIG_CLI_OK;
}

int rig_cli_wire(struct rig_cli_seat *seat)
{
    int code = rig_cli_emulated(seat);
    return code ? code : rig_cli_wire_on(seat, NULL);
}

int rig_cli_emulated(const struct rig_cli_seat *seat)
{
    if (!seat->bench->emulator.wanted || rig_emulated_runs(seat->bench))
        return RIG_CLI_OK;
    return rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE,
                       "%s is a bench without hardware, and nobody emulates it now: start "
                       "`brickyard rig emulate --bench %s` in another terminal",
                       seat->bench->name, seat->bench->file);
}

void rig_cli_leave(struct rig_cli_seat *seat)
{
    rig_wiring_close(seat->wiring);
    rig_lock_release(seat->lock);
    rig_bench_free(seat->bench);
    *seat = (struct rig_cli_seat){0};
}
