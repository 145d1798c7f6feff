/* The device of a session: in this process behind dut.h, or on a stand (sim/stand.h). */
#include "guard.h"
#include "internal.h"

#include <string.h>

static void fail(struct sweep_worker *worker, bool infrastructure, const char *what)
{
    worker->failure =
        (struct sweep_failure){.promise = REP_PROMISE_SAME_RUN, .infrastructure = infrastructure};
    snprintf(worker->failure.what, sizeof worker->failure.what, "%s", what);
    sweep_tell(worker, "%s: %s", infrastructure ? "THE STAND FAILED" : "THE STAND DIFFERS", what);
}

static void differs(void *sweep, const char *what)
{
    fail(sweep, false, what);
    sweep_end_session(sweep, END_BROKEN);
}

static void fails(void *sweep, const char *what)
{
    fail(sweep, true, what);
    sweep_end_session(sweep, END_BROKEN);
}

void sweep_stand_begin(struct sweep_worker *worker, const struct sweep_state *state)
{
    if (!worker->stand)
        return;
    worker->stand_session = (struct sim_stand_session){.number = worker->session,
                                                       .flash = &state->flash,
                                                       .sweep = worker,
                                                       .differs = differs,
                                                       .fails = fails};
    worker->stand_returned = false;
    worker->stand->begin(worker->stand->ctx, &worker->stand_session);
}

/* A stand that was already found to differ or to fail has nothing left to say. */
void sweep_stand_end(struct sweep_worker *worker)
{
    char what[sizeof worker->failure.what] = "";
    const struct sim_stand *stand = worker->stand;
    if (!stand || (worker->ended == END_BROKEN && worker->failure.promise == REP_PROMISE_SAME_RUN))
        return;
    enum sim_stand_finding found =
        stand->end(stand->ctx, !worker->stand_returned, what, sizeof what);
    if (found == SIM_STAND_EQUAL)
        return;
    fail(worker, found == SIM_STAND_FAILS, what);
    worker->ended = END_BROKEN;
}

int sweep_device_factory(struct sweep_worker *worker, const struct dut_image *image)
{
    const struct sim_stand *stand = worker->stand;
    struct sweep_call host = sweep_guard_enter(worker, "factory()");
    int error = stand ? stand->factory(stand->ctx, &worker->port, image)
                      : worker->dut->factory(worker->ram, &worker->port, image);
    sweep_guard_leave(host);
    worker->stand_returned = true;
    return error;
}

void sweep_device_boot(struct sweep_worker *worker)
{
    const struct sim_stand *stand = worker->stand;
    enum dut_reset reset = (enum dut_reset)worker->state->env.reset;
    struct dut_boot *out = &worker->state->boot;
    struct sweep_call host = sweep_guard_enter(worker, "boot()");
    if (stand)
        stand->boot(stand->ctx, &worker->port, reset, out);
    else
        worker->dut->boot(worker->ram, &worker->port, reset, out);
    sweep_guard_leave(host);
    worker->stand_returned = true;
}

enum dut_run sweep_device_run(struct sweep_worker *worker)
{
    const struct sim_stand *stand = worker->stand;
    enum dut_reset reset = (enum dut_reset)worker->state->env.reset;
    const struct dut_boot *boot = &worker->state->boot;
    struct sweep_call host = sweep_guard_enter(worker, "run()");
    enum dut_run how = stand ? stand->run(stand->ctx, &worker->port, reset, boot)
                             : worker->dut->run(worker->ram, &worker->port, reset, boot);
    sweep_guard_leave(host);
    worker->stand_returned = true;
    return how;
}
