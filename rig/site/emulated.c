/* A bench without hardware: what its emulator tells while a run lasts. */
#include "site_internal.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static const double FACTS_EVERY_S = 1;

/* ---- Facts, while it runs ---- */

static void hang_up(struct rs_emulated *emulated, struct ev_loop *loop)
{
    if (emulated->control < 0)
        return;
    ev_io_stop(loop, &emulated->answer);
    close(emulated->control);
    emulated->control = -1;
    emulated->asked = false;
    emulated->have = 0;
}

static void take_facts(struct rs_emulated *emulated)
{
    size_t i;
    json_t *kib, *facts = json_loadb(emulated->said, emulated->have, 0, NULL);
    json_array_foreach(json_object_get(facts, "memory_kib"), i, kib)
    {
        uint64_t value = (uint64_t)json_integer_value(kib);
        emulated->kib_sum += value;
        emulated->kib_samples += value > 0; /* 0: it is off */
        emulated->kib_most = value > emulated->kib_most ? value : emulated->kib_most;
    }
    emulated->late_us_max = json_integer_value(json_object_get(facts, "late_us_max"));
    json_decref(facts);
}

static void on_answer(struct ev_loop *loop, ev_io *io, int events)
{
    struct rs_emulated *emulated = io->data;
    size_t room = sizeof emulated->said - emulated->have;
    (void)events;
    ssize_t got = room ? read(io->fd, emulated->said + emulated->have, room) : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        hang_up(emulated, loop);
        return;
    }
    emulated->have += (size_t)got;
    if (emulated->said[emulated->have - 1] != '\n')
        return;
    take_facts(emulated);
    emulated->have = 0;
    emulated->asked = false;
}

static void connect_to(struct rs_emulated *emulated, struct ev_loop *loop)
{
    char path[RIG_EMULATED_PATH_MAX + 16], why[128];
    snprintf(path, sizeof path, "%s/control", emulated->bench.folder);
    if (rig_port_unix(&emulated->control, path, why, sizeof why)) {
        emulated->control = -1;
        return;
    }
    ev_io_set(&emulated->answer, emulated->control, EV_READ);
    ev_io_start(loop, &emulated->answer);
}

static void ask_facts(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct rs_emulated *emulated = timer->data;
    (void)events;
    if (emulated->control < 0)
        connect_to(emulated, loop);
    if (emulated->control < 0 || emulated->asked)
        return;
    emulated->asked = !rig_port_write(emulated->control, "facts\n", 6, 0);
    if (!emulated->asked)
        hang_up(emulated, loop);
}

void rs_emulated_watch(struct rig_site *site)
{
    struct rs_emulated *emulated = &site->emulated;
    if (!emulated->bench.there)
        return;
    ev_init(&emulated->answer, on_answer);
    ev_timer_init(&emulated->again, ask_facts, FACTS_EVERY_S, FACTS_EVERY_S);
    emulated->answer.data = emulated->again.data = emulated;
    ev_timer_start(site->run->loop, &emulated->again);
}

void rs_emulated_end(struct rig_site *site)
{
    struct rs_emulated *emulated = &site->emulated;
    if (!emulated->bench.there)
        return;
    if (site->run) {
        ev_timer_stop(site->run->loop, &emulated->again);
        hang_up(emulated, site->run->loop);
    }
    rig_emulated_end(&emulated->bench);
}

int rs_emulated_report(struct rig_site *site, struct rep_result *result)
{
    const struct rs_emulated *emulated = &site->emulated;
    if (!emulated->bench.there)
        return 0;
    return rep_fact_add(result, "bench",
                        "emulated: QEMU boards behind relays on ptys; its contacts moved up to "
                        "%.1f ms late",
                        (double)emulated->late_us_max / 1e3) ||
           (emulated->kib_samples &&
            rep_fact_add(result, "memory of a board",
                         "%.1f MB on average, %.1f MB at the most (QEMU's share of it, PSS, asked "
                         "for every second)",
                         (double)emulated->kib_sum * 1.024e-3 / (double)emulated->kib_samples,
                         (double)emulated->kib_most * 1.024e-3));
}
