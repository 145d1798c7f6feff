/* `brickyard rig emulate`: a bench without hardware, for other commands, until Ctrl-C. */
#include "cli_internal.h"
#include "rig/emulated.h"
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Until a signal, or the emulator's end, which nobody wanted. */
static int stay(const struct rig_cli_seat *seat, const struct rig_emulated *emulated, int stop)
{
    printf("%s: %u board%s emulated in %s; Ctrl-C ends it\n", seat->bench->name,
           seat->bench->emulator.boards, seat->bench->emulator.boards == 1 ? "" : "s",
           emulated->folder);
    fflush(stdout);
    struct pollfd on[] = {{.fd = stop, .events = POLLIN},
                          {.fd = emulated->child.pidfd, .events = POLLIN}};
    while (poll(on, 2, -1) < 0)
        continue;
    return on[1].revents ? rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE,
                                       "brickyard-emulator has ended; its last words are in "
                                       "%s/emulator.log",
                                       emulated->folder)
                         : RIG_CLI_OK;
}

static int emulate(const struct rig_cli_args *args, void *ctx)
{
    struct rig_cli_seat seat = {0};
    struct rig_emulated emulated = {.child = {.pidfd = -1}};
    char message[512];
    (void)ctx;
    int code = rig_cli_open(&seat, "emulate", args);
    if (!code && !seat.bench->emulator.wanted)
        code = rig_cli_say("emulate", RIG_CLI_USAGE,
                           "%s has no `emulator:`; accepted: a bench without hardware, as "
                           "rig/benches/qemu-3.yaml",
                           seat.bench->file);
    if (!code && rig_emulated_runs(seat.bench))
        code = rig_cli_say("emulate", RIG_CLI_USAGE, "%s is emulated already, in %s",
                           seat.bench->name, seat.bench->emulator.folder);
    if (!code) {
        int stop = rig_cli_watch_signals();
        code = rig_emulated_start(&emulated, seat.bench, 1, message, sizeof message)
                   ? rig_cli_say("emulate", RIG_CLI_INFRASTRUCTURE, "%s", message)
                   : stay(&seat, &emulated, stop);
        rig_emulated_end(&emulated);
        if (stop >= 0)
            close(stop);
    }
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_emulate(int argc, char **argv)
{
    const struct rig_cli_form form = {.name = "emulate", .words = "", .run = emulate};
    return rig_cli_run(&form, argc, argv);
}
