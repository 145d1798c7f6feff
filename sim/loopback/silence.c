/*
 * A worker that lives but does nothing any more (stopped, in an endless loop, stuck in a call) is
 * as good as dead: what is known of its devices grows old, and the service would take them for
 * bricks. A worker that runs says every 50 ms what it counted, so its silence tells.
 *
 * Only what the parent could have heard is held against it: whatever stops the whole host, or the
 * parent, counts for a second at the most, and what has arrived is read before the judgement.
 */
#include "spread_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

/* Hosts are loaded. Getting devices ready is one long piece of work without a word. */
enum { SILENT_S = 30, SILENT_S_MAX = 86400, READY_TIMES = 10 };
static const char VARIABLE[] = "BRICKYARD_WORKER_SILENT_S";
static const int64_t STEP_US = 1000000;

int lb_silence_limit(struct lb_spread *spread, char *message, size_t len)
{
    const char *text = getenv(VARIABLE);
    char *end = NULL;
    long s = text ? strtol(text, &end, 10) : SILENT_S;
    if (text && (end == text || *end || s < 1 || s > SILENT_S_MAX)) {
        snprintf(message, len, "%s=%s: accepted: seconds, 1 to %d", VARIABLE, text, SILENT_S_MAX);
        return -1;
    }
    spread->silent_us_max = s * STEP_US;
    spread->looked_us = sim_host_us();
    return 0;
}

/* One that was told to rest, and has answered all, waits for its parent without a word. */
static bool owes_a_word(const struct lb_worker *w)
{
    if (w->channel.over)
        return false;
    if (w->in->resting)
        return !w->rested || w->asked;
    return !w->ready || w->in->ready == w->in->workers;
}

static void give_up(struct lb_worker *w)
{
    char why[160];
    snprintf(why, sizeof why,
             "has not said a word for %" PRId64 " s (it hangs, or was stopped) and was ended, "
             "pid %u",
             w->silent_us / STEP_US, (unsigned)w->pid);
    lb_worker_lost(w, why);
    kill(w->pid, SIGKILL);
}

static void look(struct lb_worker *w, int64_t since_us)
{
    int64_t max_us = w->in->silent_us_max * (w->ready ? 1 : READY_TIMES);
    w->silent_us = owes_a_word(w) ? w->silent_us + since_us : 0;
    if (w->silent_us < max_us)
        return;
    lb_worker_move(w); /* sets silent_us to 0 when there is a word */
    if (w->silent_us >= max_us && !w->channel.over)
        give_up(w);
}

void lb_silence_look(struct lb_spread *spread)
{
    int64_t now_us = sim_host_us(), since_us = now_us - spread->looked_us;
    spread->looked_us = now_us;
    for (uint32_t i = 0; i < spread->workers; i++)
        look(&spread->worker[i], since_us < STEP_US ? since_us : STEP_US);
}
