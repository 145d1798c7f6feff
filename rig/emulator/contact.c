/* A contact: follows its coil after a time drawn from --contact; sticks, welds, bounces. */
#include "emulator.h"
#include "sim/rng.h"

static const uint32_t BOUNCE_US_MIN = 1000, BOUNCE_US_MAX = 3000;

static uint32_t draw(struct em_contact *contact, uint32_t min, uint32_t max)
{
    const struct em_relay *relay = contact->relay;
    uint32_t of = relay->number * EM_CHANNELS_MAX + contact->channel;
    uint32_t drawn =
        sim_rng_at(relay->em->options.seed, of, SIM_RNG_FAULT_DETAIL, contact->draws++);
    return min + drawn % (max - min + 1);
}

static void move_in(struct em_contact *contact, uint32_t us)
{
    struct em *em = contact->relay->em;
    contact->due_us = em_now_us() + us;
    ev_timer_stop(em->loop, &contact->moves);
    ev_now_update(em->loop); /* a board's power may just have taken its time */
    ev_timer_set(&contact->moves, us / 1e6, 0);
    ev_timer_start(em->loop, &contact->moves);
}

static void be(struct em_contact *contact, bool closed)
{
    struct em *em = contact->relay->em;
    int64_t late_us = em_now_us() - contact->due_us;
    if (late_us > em->late_us_max)
        em->late_us_max = late_us;
    contact->closed = closed;
    if (!contact->board)
        return;
    if (closed)
        em_board_on(contact->board);
    else
        em_board_off(contact->board, contact->due_us);
}

static void bounce(struct em_contact *contact)
{
    be(contact, !contact->closed);
    if (--contact->bounce_left)
        move_in(contact, draw(contact, BOUNCE_US_MIN, BOUNCE_US_MAX));
}

static bool follows(const struct em_contact *contact)
{
    bool holds = contact->stuck || (contact->welded && contact->closed);
    return !holds && contact->closed != contact->coil;
}

static void follow(struct em_contact *contact)
{
    if (!follows(contact))
        return;
    be(contact, contact->coil);
    if (!contact->closed || !contact->bounces)
        return;
    contact->bounce_left = 2 * contact->bounces;
    contact->bounces = 0;
    move_in(contact, draw(contact, BOUNCE_US_MIN, BOUNCE_US_MAX));
}

static void open_now(struct em_contact *contact)
{
    contact->opens = false;
    be(contact, false);
}

/* Not in this turn: but a board that loses its power stops meanwhile. */
static void move_next_turn(struct em_contact *contact, struct ev_loop *loop)
{
    ev_timer_set(&contact->moves, 0., 0.);
    ev_timer_start(loop, &contact->moves);
    if (contact->bounce_left || !contact->closed || !follows(contact) || !contact->board)
        return;
    contact->opens = true;
    em_board_fails(contact->board);
}

/* A movement takes milliseconds of the loop. Between two of them everybody else has a turn. */
static void on_moves(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct em_contact *contact = timer->data;
    struct em *em = contact->relay->em;
    (void)events;
    ev_timer_stop(loop, timer);
    if (em->turn == ev_iteration(loop)) {
        move_next_turn(contact, loop);
        return;
    }
    em->turn = ev_iteration(loop);
    if (contact->opens)
        open_now(contact);
    else if (contact->bounce_left)
        bounce(contact);
    else
        follow(contact);
}

void em_contact_command(struct em_contact *contact, bool on)
{
    const struct em_options *options = &contact->relay->em->options;
    if (contact->opens)
        open_now(contact); /* too late to change that */
    bool under_way = ev_is_active(&contact->moves) || contact->closed == on;
    if (contact->coil == on && under_way)
        return; /* said again: nothing begins anew */
    contact->coil = on;
    contact->bounce_left = 0;
    move_in(contact, draw(contact, options->contact_ms_min * 1000, options->contact_ms_max * 1000));
}

void em_contact_init(struct em_contact *contact, struct em_relay *relay, uint32_t channel,
                     struct em_board *board)
{
    *contact = (struct em_contact){.relay = relay, .channel = channel, .board = board};
    ev_init(&contact->moves, on_moves);
    contact->moves.data = contact;
}

void em_contact_stop(struct em_contact *contact)
{
    ev_timer_stop(contact->relay->em->loop, &contact->moves);
}
