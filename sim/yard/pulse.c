/*
 * The silence of a device is held against it, which is right only while the broker is there. One
 * that was given may die unseen, and one of our own may live and do nothing. So the service's
 * connection asks for a sign of life each second. What lasts ends the run; after what does not, the
 * service judges nobody before the devices have had time to come back: one that tries in vain waits
 * at most twice as long as it has been away (sim/device/wire.c).
 *
 * Only what this process could have heard counts: whatever stops it, or the whole host, is a second
 * at the most, and what has arrived is read before the judgement.
 */
#include "sim/yard.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SILENT_S = 30, SILENT_S_MIN = 5, SILENT_S_MAX = 86400, SETTLE_TIMES = 2 };
static const char VARIABLE[] = "BRICKYARD_BROKER_SILENT_S";
static const int64_t SECOND_US = 1000000;
/* Answers take milliseconds; a host that is busy is not a broker that is away. */
static const int64_t ASK_EVERY_US = 1000000, HEARD_WITHIN_US = 3000000;

int sim_yard_pulse_limit(struct sim_yard *yard, char *message, size_t len)
{
    const char *text = getenv(VARIABLE);
    char *end = NULL;
    long s = text ? strtol(text, &end, 10) : SILENT_S;
    if (text && (end == text || *end || s < SILENT_S_MIN || s > SILENT_S_MAX)) {
        snprintf(message, len, "%s=%s: accepted: seconds, %d to %d", VARIABLE, text, SILENT_S_MIN,
                 SILENT_S_MAX);
        return -1;
    }
    yard->pulse.silent_us_max = s * SECOND_US;
    return 0;
}

void sim_yard_pulse_begin(struct sim_yard *yard)
{
    yard->pulse.looked_us = sim_host_us();
    yard->pulse.answered_from_us = INT64_MIN;
}

static uint64_t signs(const struct sim_yard *yard)
{
    struct sim_desk_counts counts;
    sim_desk_counts(yard->desk, &counts);
    return counts.signs;
}

static void count(struct sim_yard *yard, int64_t since_us)
{
    struct sim_yard_pulse *pulse = &yard->pulse;
    uint64_t now = signs(yard);
    if (now == pulse->signs) {
        pulse->silent_us += since_us;
        return;
    }
    pulse->signs = now;
    if (pulse->silent_us >= HEARD_WITHIN_US) {
        pulse->settle_us = SETTLE_TIMES * pulse->silent_us;
        pulse->answered_from_us = sim_yard_now_us(yard);
    }
    pulse->silent_us = 0;
}

static void tell_silent(const struct sim_yard *yard, char *message, size_t len)
{
    const char *broker = sim_yard_is_given(yard, SIM_GIVEN_BROKER)
                             ? yard->given->server[SIM_GIVEN_BROKER].url
                             : "mosquitto, which runs";
    const char *why = sim_desk_why(yard->desk);
    snprintf(message, len,
             "the broker (%s) has not answered the campaign service for %" PRId64
             " s (%s): nothing is known of the devices since",
             broker, yard->pulse.silent_us / SECOND_US,
             sim_desk_is_up(yard->desk) || !*why ? "the connection is open" : why);
}

int sim_yard_pulse(struct sim_yard *yard, char *message, size_t len)
{
    struct sim_yard_pulse *pulse = &yard->pulse;
    if (!yard->desk)
        return 0;
    int64_t now_us = sim_host_us(), since_us = now_us - pulse->looked_us;
    pulse->looked_us = now_us;
    since_us = since_us < SECOND_US ? since_us : SECOND_US;
    pulse->settle_us = pulse->settle_us > since_us ? pulse->settle_us - since_us : 0;
    count(yard, since_us);
    if (now_us - pulse->asked_us >= ASK_EVERY_US) {
        pulse->asked_us = now_us;
        sim_desk_ask(yard->desk);
    }
    if (pulse->silent_us < pulse->silent_us_max)
        return 0;
    tell_silent(yard, message, len);
    return -1;
}

bool sim_yard_answers(const struct sim_yard *yard)
{
    return yard->pulse.silent_us < HEARD_WITHIN_US && !yard->pulse.settle_us;
}

int64_t sim_yard_answered_from_us(const struct sim_yard *yard)
{
    return yard->pulse.answered_from_us;
}

int sim_yard_answers_still(struct sim_yard *yard, char *message, size_t len)
{
    if (!yard->desk) /* never opened */
        return 0;
    uint64_t before = signs(yard);
    do {
        if (sim_yard_stands(yard, message, len))
            return -1;
        if (signs(yard) != before)
            return 0;
        sim_desk_ask(yard->desk);
        sim_yard_wait(yard,
                      sim_yard_now_us(yard) + SECOND_US / 20 * yard->scn->campaign.time_scale);
    } while (true);
}
