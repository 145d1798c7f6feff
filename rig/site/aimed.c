/*
 * Cuts of the rig's own: at a marker of the console plus a time, with the channel's latency; and
 * what can be told of where a cut came.
 *
 *   marker ── delay ────────────────────► moment
 *               HANDOVER ◄── latency ───┘
 *   until then the board is used as ever; then the controller's thread waits for the send time
 *
 * The last byte that a board sends is when its power went, but only of one that talks without a
 * pause: over SPAN_US or more no two bytes, of its console and its line together, were farther
 * apart than PAUSE_US. Of others nothing is measured; but an emulator records when it took a
 * board's power, and that is told apart.
 */
#include "site_internal.h"
#include <string.h>

static const int64_t HANDOVER_US = 20000, PAUSE_US = 10000, SPAN_US = 20000, BUNCH_US = 500;

/* ---- Ears ---- */

void rs_hear(struct sim_body *body)
{
    struct rs_ears *ears = &body->ears;
    int64_t now_us = rig_port_now_us();
    int64_t *latest = &ears->at_us[(ears->heard - 1) % RS_EARS];
    if (ears->heard && *latest / BUNCH_US == now_us / BUNCH_US)
        *latest = now_us;
    else
        ears->at_us[ears->heard++ % RS_EARS] = now_us;
}

/* -1: it did not talk without a pause up to its end. */
static int64_t last_word_us(const struct sim_body *body)
{
    const struct rs_ears *ears = &body->ears;
    uint64_t known = ears->heard < RS_EARS ? ears->heard : RS_EARS;
    if (!known)
        return -1;
    int64_t last_us = ears->at_us[(ears->heard - 1) % RS_EARS], from_us = last_us;
    for (uint64_t i = 2; i <= known && last_us - from_us < SPAN_US; i++) {
        int64_t at_us = ears->at_us[(ears->heard - i) % RS_EARS];
        if (from_us - at_us > PAUSE_US)
            return -1;
        from_us = at_us;
    }
    return last_us >= body->off_sent_us && last_us - from_us >= SPAN_US ? last_us : -1;
}

/* ---- Aims ---- */

static int64_t latency_us(struct sim_body *body)
{
    struct rig_histogram histogram;
    memset(&histogram, 0, sizeof histogram);
    rig_aim_store_read(body->site->latencies, body->board->name, &histogram);
    body->site->uncalibrated += !histogram.samples;
    return rig_histogram_quantile(&histogram, 500);
}

static void aim_from(struct sim_body *body, int64_t event_us)
{
    const struct rig_site_config *config = &body->site->config;
    struct ev_loop *loop = body->site->run->loop;
    if (body->power != RS_ON || body->aiming || body->aimed >= config->aimed_cuts)
        return;
    int64_t delay = rig_aim_delay_us(config->aim, body->given->number, body->aimed);
    int64_t latency = latency_us(body), now = rig_port_now_us();
    body->aiming = true;
    body->aimed++;
    body->site->aims++;
    body->aimed_at_us = event_us + delay;
    body->aimed_late = body->aimed_at_us - latency < now;
    body->aim_send_us = rig_aim_send_us(event_us, delay, latency, now);
    int64_t in_us = body->aim_send_us - now - HANDOVER_US;
    ev_now_update(loop);
    ev_timer_set(&body->aim, in_us > 0 ? (double)in_us / 1e6 : 0, 0);
    ev_timer_start(loop, &body->aim);
}

static void hand_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct sim_body *body = timer->data;
    (void)loop, (void)events;
    rs_off_at(body, body->aim_send_us);
}

/* One that was handed over goes on, but as the cut of who asks for it now: each is counted once. */
void rs_aim_cancel(struct sim_body *body)
{
    if (!body->aiming)
        return;
    if (ev_is_active(&body->aim)) {
        ev_timer_stop(body->site->run->loop, &body->aim);
        body->aim_send_us = 0;
    }
    body->aiming = false;
    body->aimed--;
}

static void on_marker(void *ctx, const struct rig_console_line *line)
{
    aim_from(ctx, line->at_us);
}

int rs_aim(struct sim_body *body, char *message, size_t len)
{
    const struct rig_aim *aim = body->site->config.aim;
    ev_timer_init(&body->aim, hand_over, 0, 0);
    body->aim.data = body;
    if (!aim || !aim->pattern)
        return 0;
    return rig_marker_add(&body->marker, body->console, aim->pattern, on_marker, body, message, len)
               ? -1
               : 0;
}

void rs_aim_made(struct sim_body *body)
{
    const struct rig_aim *aim = body->site->config.aim;
    if (aim && !aim->pattern)
        aim_from(body, body->on_at_us);
}

/* The first byte of "off" is on the wire: how long after it was asked for, or wanted. */
void rs_aim_sent(struct sim_body *body, const struct rig_answer *answer)
{
    struct rig_site_facts *facts = &body->site->facts;
    if (body->aim_send_us > answer->asked_us) /* whose cut it is by now does not matter */
        rig_histogram_add(&facts->aim_send, answer->sent_us - body->aim_send_us);
    else
        rig_histogram_add(&facts->send, answer->sent_us - answer->asked_us);
}

static void count_given_up(struct sim_body *body)
{
    struct rig_console_facts facts;
    rig_console_facts(body->console, &facts);
    body->site->given_up += facts.match_limit - body->given_up;
    body->given_up = facts.match_limit;
}

void rs_aim_hit(struct sim_body *body)
{
    struct rig_site *site = body->site;
    int64_t got_us = last_word_us(body), cut_us = -1;
    bool recorded =
        rig_emulated_cut(&cut_us, &site->emulated.bench, body->board, body->off_sent_us);
    if (got_us >= 0)
        rig_histogram_add(&site->facts.latency, got_us - body->off_sent_us);
    if (recorded || got_us >= 0)
        rs_latency_keep(site, body->board, (recorded ? cut_us : got_us) - body->off_sent_us);
    body->ears.heard = 0;
    count_given_up(body);
    if (!body->aiming)
        return;
    body->aiming = false;
    rig_precision_add(&site->facts.precision, body->aimed_at_us, got_us, body->aimed_late);
    if (recorded)
        rig_precision_add(&site->facts.recorded, body->aimed_at_us, cut_us, body->aimed_late);
}

/* ---- Kept for the next run, once this one is over: a database may keep its user waiting ---- */

void rs_latency_keep(struct rig_site *site, const struct rig_bench_board *board, int64_t us)
{
    if (site->kept < RS_KEPT_MAX)
        site->keep[site->kept++] = (struct rs_latency){board, us};
}

void rs_latency_store(struct rig_site *site)
{
    int error = 0, patience = 25; /* of 0.2 s each: another run stores its own */
    for (uint32_t i = 0; i < site->kept && site->latencies && !error;) {
        error = rig_aim_store_add(site->latencies, site->keep[i].board->name, site->keep[i].us);
        if (error == RIG_EBUSY && patience-- > 0)
            error = 0;
        else
            i++;
    }
    site->kept = 0;
}
