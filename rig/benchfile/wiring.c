/* Boards' functions to contacts of controllers. */
#include "rig/wiring.h"
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rig_wiring {
    const struct rig_bench *bench;
    struct rig_odometer *odometer;
    struct rig_controller *controller[RIG_BENCH_CONTROLLERS_MAX]; /* NULL: no board uses it */
    struct rig_controller_config config[RIG_BENCH_CONTROLLERS_MAX];
};

const struct rig_bench_contact *rig_wiring_contact(const struct rig_bench_board *board,
                                                   enum rig_function function, uint32_t strap)
{
    assert(board);
    const struct rig_bench_contact *contact = NULL;
    if (function == RIG_FUNCTION_POWER)
        contact = &board->power;
    else if (function == RIG_FUNCTION_RESET)
        contact = &board->reset;
    else if (strap < board->straps)
        contact = &board->strap[strap].contact;
    return contact && contact->controller >= 0 ? contact : NULL;
}

static bool is_used(const struct rig_bench *bench, int32_t controller)
{
    for (uint32_t i = 0; i < bench->boards; i++) {
        const struct rig_bench_board *board = &bench->board[i];
        if (board->power.controller == controller || board->reset.controller == controller)
            return true;
        for (uint32_t j = 0; j < board->straps; j++)
            if (board->strap[j].contact.controller == controller)
                return true;
    }
    return false;
}

static int open_controller(struct rig_wiring *wiring, uint32_t i, struct ev_loop *loop)
{
    const struct rig_bench_controller *from = &wiring->bench->controller[i];
    wiring->config[i] = (struct rig_controller_config){.name = from->name,
                                                       .driver = from->driver,
                                                       .value = from->value,
                                                       .timeout_ms = from->timeout_ms,
                                                       .retries = from->retries,
                                                       .rated_cycles = from->rated_cycles,
                                                       .odometer = wiring->odometer,
                                                       .loop = loop};
    return rig_controller_open(&wiring->controller[i], &wiring->config[i]);
}

static int open_odometer(struct rig_odometer **out, const struct rig_bench *bench, char *message,
                         size_t len)
{
    char path[PATH_MAX];
    if (rig_bench_make_state(bench, message, len))
        return RIG_EOPEN;
    if (snprintf(path, sizeof path, "%s/rig.db", bench->state) >= (int)sizeof path)
        return rig_port_say(RIG_EOPEN, message, len, "%s: too long a path", bench->state);
    return rig_odometer_open(out, path, message, len);
}

/* Takes the odometer, also where it fails. */
static int open_all(struct rig_wiring **out, const struct rig_bench *bench, struct ev_loop *loop,
                    struct rig_odometer *odometer, char *message, size_t len)
{
    struct rig_wiring *wiring = calloc(1, sizeof *wiring);
    int error = RIG_OK;
    if (!wiring) {
        rig_odometer_close(odometer);
        return rig_port_say(RIG_EMEMORY, message, len, "out of memory");
    }
    wiring->bench = bench;
    wiring->odometer = odometer;
    for (uint32_t i = 0; i < bench->controllers && !error; i++) {
        if (!is_used(bench, (int32_t)i))
            continue;
        error = open_controller(wiring, i, loop);
        if (error)
            rig_port_say(error, message, len, "%s: can't be started: %s", bench->controller[i].name,
                         rig_error_name(error));
    }
    if (error) {
        rig_wiring_close(wiring);
        return error;
    }
    *out = wiring;
    return RIG_OK;
}

int rig_wiring_open(struct rig_wiring **out, const struct rig_bench *bench, struct ev_loop *loop,
                    char *message, size_t len)
{
    assert(out && bench && message);
    struct rig_odometer *odometer;
    *out = NULL;
    int error = open_odometer(&odometer, bench, message, len);
    return error ? error : open_all(out, bench, loop, odometer, message, len);
}

int rig_wiring_open_uncounted(struct rig_wiring **out, const struct rig_bench *bench,
                              struct ev_loop *loop, char *message, size_t len)
{
    assert(out && bench && message);
    *out = NULL;
    return open_all(out, bench, loop, NULL, message, len);
}

void rig_wiring_close(struct rig_wiring *wiring)
{
    if (!wiring)
        return;
    for (uint32_t i = 0; i < wiring->bench->controllers; i++)
        rig_controller_close(wiring->controller[i]);
    rig_odometer_close(wiring->odometer);
    free(wiring);
}

/* The ask of a contact: the file's words put in. */
static struct rig_ask wire(const struct rig_bench_contact *contact, const struct rig_ask *ask)
{
    struct rig_ask wired = *ask;
    wired.channel = contact->channel;
    wired.inverted = contact->inverted;
    if (wired.off_at_least_ms < contact->off_at_least_ms)
        wired.off_at_least_ms = contact->off_at_least_ms;
    return wired;
}

int rig_wiring_ask(struct rig_wiring *wiring, const struct rig_bench_board *board,
                   enum rig_function function, uint32_t strap, const struct rig_ask *ask)
{
    assert(wiring && board && ask);
    const struct rig_bench_contact *contact = rig_wiring_contact(board, function, strap);
    if (!contact)
        return RIG_EUNSUPPORTED;
    struct rig_ask wired = wire(contact, ask);
    return rig_controller_ask(wiring->controller[contact->controller], &wired);
}

int rig_wiring_do(struct rig_wiring *wiring, struct rig_answer *answer,
                  const struct rig_bench_board *board, enum rig_function function, uint32_t strap,
                  const struct rig_ask *ask)
{
    static const char *const names[] = {"power", "reset", "strap"};
    assert(wiring && answer && board && ask);
    const struct rig_bench_contact *contact = rig_wiring_contact(board, function, strap);
    if (!contact) {
        *answer = (struct rig_answer){.error = RIG_EUNSUPPORTED, .want = ask->want};
        return rig_port_say(RIG_EUNSUPPORTED, answer->message, sizeof answer->message,
                            "%s has no %s line; line %d of the bench file is where it would stand",
                            board->name, names[function], board->row);
    }
    struct rig_ask wired = wire(contact, ask);
    int error = rig_controller_do(wiring->controller[contact->controller], answer, &wired);
    if (!error)
        return RIG_OK;
    char why[sizeof answer->message];
    memcpy(why, answer->message, sizeof why);
    return rig_port_say(error, answer->message, sizeof answer->message, "%.40s: %s", board->name,
                        *why ? why : rig_error_name(error));
}

int rig_wiring_reset(struct rig_wiring *wiring, struct rig_answer *answer,
                     const struct rig_bench_board *board)
{
    const struct rig_ask hold = {.want = RIG_WANT_PULSE, .on = true, .ms = board->reset.hold_ms};
    return rig_wiring_do(wiring, answer, board, RIG_FUNCTION_RESET, 0, &hold);
}

struct rig_controller *rig_wiring_controller(struct rig_wiring *wiring, uint32_t controller)
{
    assert(wiring && controller < wiring->bench->controllers);
    return wiring->controller[controller];
}

struct rig_odometer *rig_wiring_odometer(struct rig_wiring *wiring)
{
    assert(wiring);
    return wiring->odometer;
}
