/* One function of a board switched or read, and told: confirmed, or only commanded. */
#include "cli_internal.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BUSY_MS = 5000, BUSY_EACH_MS = 100 };

static const char *advice(int error)
{
    switch (error) {
    case RIG_EOPEN:
        return "is it plugged in, and is its address in the bench file right?";
    case RIG_EBUSY:
        return "end what uses it";
    case RIG_ESILENT:
        return "has it power, and is the driver the right one for it?";
    case RIG_EANSWER:
        return "is the driver the right one for it, and does nobody else talk to it?";
    case RIG_EREFUSED:
        return "check channel, password and the device's own settings";
    case RIG_EGONE:
        return "plug it in again, and switch the board off first";
    case RIG_EREADBACK:
        return "look at the contact: it may be welded, or switched by hand";
    default:
        return "see rig/README.md";
    }
}

bool rig_cli_is_readable(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact)
{
    return seat->bench->controller[contact->controller].driver->get != NULL;
}

int rig_cli_tell_error(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact,
                       const struct rig_answer *answer)
{
    if (!answer->error)
        return RIG_CLI_OK;
    if (!contact || answer->error == RIG_EUNSUPPORTED)
        return rig_cli_say(seat->name, RIG_CLI_USAGE, "%s; nothing was done", answer->message);
    return rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "%s (%s): %s (%s:%d)", answer->message,
                       rig_error_name(answer->error), advice(answer->error), seat->bench->file,
                       seat->bench->controller[contact->controller].line);
}

static void tell(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact,
                 const struct rig_answer *answer, const char *what)
{
    const struct rig_bench_controller *controller = &seat->bench->controller[contact->controller];
    if (answer->confirmed)
        printf("%s %s, confirmed by reading back (%s channel %u)\n", seat->board->name, what,
               controller->name, contact->channel);
    else
        printf("%s %s, commanded; %s can't be read back (%s channel %u)\n", seat->board->name, what,
               controller->driver->name, controller->name, contact->channel);
}

static void warn(const struct rig_cli_seat *seat, const struct rig_bench_contact *contact,
                 const struct rig_answer *answer)
{
    const struct rig_bench_controller *controller = &seat->bench->controller[contact->controller];
    if (answer->worn)
        rig_cli_say(seat->name, 0,
                    "warning: %s channel %u has done %llu cycles, over half of the %llu that it is "
                    "rated for; change the relay",
                    controller->name, contact->channel, (unsigned long long)answer->cycles,
                    (unsigned long long)controller->rated_cycles);
}

/* No command lets a board go but a reset does: one that an error left in it, now or in an earlier
 * run, must not stay so for good. False: the answer says what is wrong. */
static bool let_go(struct rig_cli_seat *seat, struct rig_answer *answer)
{
    const struct rig_ask off = {.want = RIG_WANT_OFF};
    rig_cli_say(seat->name, 0, "%s; it is let go first", answer->message);
    return !rig_wiring_do(seat->wiring, answer, seat->board, RIG_FUNCTION_RESET, 0, &off);
}

/* Another command has the relay board's port for a moment, for another board. Nothing was sent. */
static int ask_patiently(struct rig_cli_seat *seat, struct rig_answer *answer,
                         enum rig_function function, uint32_t strap, const struct rig_ask *ask)
{
    int64_t until_us = rig_port_now_us() + BUSY_MS * 1000;
    bool told = false, freed = false;
    for (;;) {
        int error = rig_wiring_do(seat->wiring, answer, seat->board, function, strap, ask);
        int64_t now_us = rig_port_now_us();
        if (error == RIG_EFAILED && function == RIG_FUNCTION_RESET && !freed) {
            freed = let_go(seat, answer);
            if (!freed)
                return answer->error;
            continue;
        }
        if (error != RIG_EBUSY || answer->sent_us || now_us >= until_us)
            return error;
        if (!told)
            rig_cli_say(seat->name, 0, "%s; waiting, %d s at most", answer->message,
                        BUSY_MS / 1000);
        told = true;
        if (!rig_cli_wait_until(now_us + BUSY_EACH_MS * 1000))
            return error;
    }
}

int rig_cli_switch(struct rig_cli_seat *seat, struct rig_answer *answer, enum rig_function function,
                   uint32_t strap, const struct rig_ask *wanted, const char *what)
{
    struct rig_answer own, *to = answer ? answer : &own;
    const struct rig_bench_contact *contact = rig_wiring_contact(seat->board, function, strap);
    if (ask_patiently(seat, to, function, strap, wanted))
        return rig_cli_tell_error(seat, contact, to);
    if (what && !seat->quiet)
        tell(seat, contact, to, what);
    if (what)
        warn(seat, contact, to);
    return RIG_CLI_OK;
}

void rig_cli_stay_off(const struct rig_cli_seat *seat, const struct rig_answer *off)
{
    int64_t left_us =
        off->done_us + (int64_t)seat->board->power.off_at_least_ms * 1000 - rig_port_now_us();
    if (left_us <= 0)
        return;
    fflush(stdout);
    struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
    while (nanosleep(&left, &left))
        continue;
}
