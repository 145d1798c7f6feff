/*
 * What the workers tell their parent, and what becomes of it. One that ends before it is told to,
 * or tells what makes no sense, ends the run; of one that says nothing, silence.c.
 */
#include "spread_internal.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS_MAX = 10000, PAUSE_US = 2000 };

/* ---- Why a run can't go on ---- */

int lb_worker_lost(struct lb_worker *w, const char *why)
{
    struct lb_spread *spread = w->in;
    if (!*spread->lost)
        snprintf(spread->lost, sizeof spread->lost, "worker process %u of %u (devices %u to %u) %s",
                 w->number + 1, spread->workers, w->from, w->to - 1, why);
    return -1;
}

void lb_worker_wait(struct lb_worker *w, int *status)
{
    *status = 0;
    for (int ms = 0; w->pid && waitpid(w->pid, status, WNOHANG) == 0; ms += PAUSE_US / 1000) {
        if (ms >= END_MS_MAX)
            kill(w->pid, SIGKILL);
        usleep(PAUSE_US);
    }
    w->pid = 0;
}

static void died(struct lb_worker *w)
{
    char why[128];
    int status;
    if (!w->pid)
        return;
    unsigned pid = (unsigned)w->pid;
    lb_worker_wait(w, &status);
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "was ended in the middle of the run by signal %d (%s), pid %u",
                 WTERMSIG(status), strsignal(WTERMSIG(status)), pid);
    else
        snprintf(why, sizeof why, "ended by itself in the middle of the run, exit code %d, pid %u",
                 WEXITSTATUS(status), pid);
    lb_worker_lost(w, why);
}

const char *lb_spread_lost(const struct sim_loopback *lb)
{
    return lb->spread && *lb->spread->lost ? lb->spread->lost : NULL;
}

/* ---- What a worker tells: each returns -1 when it makes no sense ---- */

static struct lb_known *known_of(struct lb_worker *w, const struct lb_frame *frame)
{
    bool its = frame->device >= w->from && frame->device < w->to;
    return its ? &w->in->known[frame->device] : NULL;
}

static int hear_ready(struct lb_worker *w, const struct lb_frame *frame)
{
    (void)frame;
    w->in->ready += !w->ready;
    w->ready = true;
    return 0;
}

static int hear_failed(struct lb_worker *w, const struct lb_frame *frame)
{
    char why[400];
    snprintf(why, sizeof why, "gave up: %.*s", (int)(frame->len < 380 ? frame->len : 380),
             (const char *)frame->bytes);
    lb_worker_lost(w, why);
    return 0;
}

static int hear_truth(struct lb_worker *w, const struct lb_frame *frame)
{
    struct lb_known *known = known_of(w, frame);
    if (!known || frame->len >= sizeof known->version || frame->state >= AGENT_STATES ||
        frame->flags > LB_FLAGS_ALL || frame->brick >= REP_BRICKS)
        return -1;
    struct sim_truth *truth = &known->truth;
    memcpy(known->version, frame->bytes, frame->len);
    known->version[frame->len] = '\0';
    truth->state = (enum agent_state)frame->state;
    truth->powered = frame->flags & LB_POWERED;
    truth->connected = frame->flags & LB_CONNECTED;
    truth->settled = frame->flags & LB_SETTLED;
    truth->away_until_us = frame->away_until_us;
    truth->lost_us = frame->lost_us;
    truth->brick = (enum rep_brick)frame->brick;
    truth->boots = frame->boots;
    truth->cuts = frame->cuts;
    truth->changes = frame->changes;
    truth->changed_us = frame->changed_us;
    truth->crashes_after_confirm = frame->crashes;
    truth->flash = (struct sim_flash_stats){
        .programs = frame->programs, .erases = frame->erases, .wear_max = frame->wear_max};
    return 0;
}

static int hear_broken(struct lb_worker *w, const struct lb_frame *frame)
{
    struct lb_known *known = known_of(w, frame);
    if (!known || frame->promise >= REP_PROMISES || !frame->count)
        return -1;
    char **what = &known->what[frame->promise];
    if (!*what)
        *what = strndup((const char *)frame->bytes, frame->len);
    known->truth.broken[frame->promise] = frame->count;
    known->truth.broken_what[frame->promise] = *what ? *what : "";
    return 0;
}

static int hear_how(struct lb_worker *w, const struct lb_frame *frame)
{
    bool sense =
        frame->how == SCN_HOW_ANY || frame->how == SCN_HOW_DUPLICATE || frame->how == SCN_HOW_LATE;
    if (!known_of(w, frame) || !sense || frame->delay_us < 0)
        return -1;
    int error =
        lb_post_answered(w->in->lb, frame->device, (enum scn_how)frame->how, frame->delay_us);
    if (error < 0)
        lb_worker_lost(w, "had an answer for which there is no memory");
    return error > 0 ? -1 : 0;
}

static int hear_counts(struct lb_worker *w, const struct lb_frame *frame)
{
    struct sim_loopback *lb = w->in->lb;
    if (frame->number < w->gathered || frame->number > w->to - w->from)
        return -1;
    lb->gathered += frame->number - w->gathered;
    w->gathered = frame->number;
    w->counts = (struct lb_counts){.connects = frame->connects,
                                   .refused = frame->refused,
                                   .held_max = frame->held_max,
                                   .rss_grown = frame->rss_grown,
                                   .rss_max = frame->rss_max};
    w->hashed = frame->hashed;
    w->verified = frame->verified;
    return 0;
}

static int hear_cuts(struct lb_worker *w, const struct lb_frame *frame)
{
    if (frame->state >= SIM_CUT_STATES || frame->region >= SIM_CUT_REGIONS ||
        frame->form >= SCN_TORNS || w->rested)
        return -1;
    w->in->lb->fleet.shard->cuts[frame->state][frame->region][frame->form] += frame->count;
    return 0;
}

static int hear_fault(struct lb_worker *w, const struct lb_frame *frame)
{
    const struct sim_faults *faults = &w->in->lb->yard.world->faults;
    if (frame->number < faults->first[w->from] || frame->number >= faults->first[w->to])
        return -1;
    faults->fault[frame->number].armed_count = frame->armed;
    faults->fault[frame->number].fired_count = frame->fired;
    w->faults_told++;
    return 0;
}

static int hear_rested(struct lb_worker *w, const struct lb_frame *frame)
{
    const struct sim_faults *faults = &w->in->lb->yard.world->faults;
    uint32_t its = faults->first[w->to] - faults->first[w->from];
    if (w->rested || frame->number != its || w->faults_told != its)
        return -1;
    w->rested = true;
    w->in->rested++;
    return 0;
}

static int hear_inspected(struct lb_worker *w, const struct lb_frame *frame)
{
    if (!known_of(w, frame) || !w->asked)
        return -1;
    w->asked--;
    return 0;
}

static int hear_story(struct lb_worker *w, const struct lb_frame *frame)
{
    if (w->in->lb->fleet.trace)
        fwrite(frame->bytes, 1, frame->len, w->in->lb->fleet.trace);
    return 0;
}

static int (*const hear[LB_FRAME_KINDS])(struct lb_worker *, const struct lb_frame *) = {
    [LB_READY] = hear_ready,         [LB_FAILED] = hear_failed, [LB_TRUTH] = hear_truth,
    [LB_BROKEN] = hear_broken,       [LB_HOW] = hear_how,       [LB_COUNTS] = hear_counts,
    [LB_CUTS] = hear_cuts,           [LB_FAULT] = hear_fault,   [LB_RESTED] = hear_rested,
    [LB_INSPECTED] = hear_inspected, [LB_STORY] = hear_story,
};

void lb_worker_move(struct lb_worker *w)
{
    struct lb_frame frame;
    lb_channel_move(&w->channel);
    while (!w->channel.broken && lb_channel_next(&w->channel, &frame)) {
        w->channel.broken = !hear[frame.kind] || hear[frame.kind](w, &frame);
        w->silent_us = 0;
    }
    if (w->channel.broken)
        lb_worker_lost(w, "told what makes no sense");
    if (w->channel.over) {
        ev_io_stop(w->in->lb->yard.loop, &w->io);
        died(w);
    }
}
