/* Tries, opening again, reading back, and FAILED. */
#include "bench.h"
#include <criterion/criterion.h>
#include <string.h>

static struct bench bench;

static void open_with(const struct rig_relay_driver *driver, uint32_t retries)
{
    bench_open(&bench, &(struct rig_controller_config){.driver = driver, .retries = retries});
}

static int want(enum rig_want what, uint32_t channel)
{
    return bench_do(&bench, (struct rig_ask){.want = what, .channel = channel, .ms = 1}).error;
}

/* From the next call on. */
static void break_it(int error, bool always)
{
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 1, .always = always, .error = error};
}

static void mend(void)
{
    bench.fake->fault.at = 0;
}

static const int errors[] = {RIG_EOPEN,        RIG_EBUSY,    RIG_ESILENT,
                             RIG_EANSWER,      RIG_EREFUSED, RIG_EREADBACK,
                             RIG_EUNSUPPORTED, RIG_EGONE,    RIG_EMEMORY};

static bool leaves_known(int error)
{
    return error == RIG_EOPEN || error == RIG_EBUSY || error == RIG_EUNSUPPORTED;
}

Test(rig_controller_failed, every_error_that_leaves_the_state_unknown_fails_the_channel)
{
    for (uint32_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_with(&fake_readable, 1);
        want(RIG_WANT_OFF, 1);
        break_it(errors[i], true);
        struct rig_answer answer =
            bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
        cr_assert_neq(answer.error, RIG_OK);
        cr_assert_not_null(strstr(answer.message, "bank-1 channel 1: injected"));
        cr_assert_eq(answer.tries, errors[i] == RIG_EUNSUPPORTED ? 1 : 2);
        mend();
        cr_assert_eq(bench_facts(&bench).failed_channels, !leaves_known(errors[i]));
        cr_assert_eq(want(RIG_WANT_ON, 1), leaves_known(errors[i]) ? RIG_OK : RIG_EFAILED, "%s",
                     rig_error_name(errors[i]));
        cr_assert_eq(want(RIG_WANT_ON, 2), RIG_OK, "another channel is not");
        bench_close(&bench);
    }
}

Test(rig_controller_failed, only_off_and_read_are_done_until_an_off_succeeded)
{
    open_with(&fake_full, 0);
    break_it(RIG_ESILENT, false);
    bench.fake->fault.at++; /* the set, not the open */
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_ESILENT);
    uint32_t logged = bench.fake->logged;
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED);
    cr_assert_eq(want(RIG_WANT_PULSE, 1), RIG_EFAILED);
    cr_assert_eq(want(RIG_WANT_LEVEL, 1), RIG_EFAILED);
    cr_assert_eq(bench.fake->logged, logged, "nothing was sent");
    struct rig_answer answer =
        bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    cr_assert_not_null(strstr(answer.message, "injected: silent"), "the cause: %s", answer.message);
    cr_assert_not_null(strstr(answer.message, "switch it off first"));
    cr_assert_eq(answer.sent_us, 0);
    cr_assert_eq(want(RIG_WANT_READ, 1), RIG_OK);
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED, "reading is not enough");
    break_it(RIG_ESILENT, false);
    cr_assert_eq(want(RIG_WANT_OFF, 1), RIG_ESILENT);
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED, "the OFF did not succeed");
    cr_assert_eq(want(RIG_WANT_OFF, 1), RIG_OK);
    cr_assert_eq(bench_facts(&bench).failed_channels, 0u);
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_OK);
    bench_close(&bench);
}

/* The last try says that nothing was sent; an earlier one had been. */
Test(rig_controller_failed, an_earlier_try_counts_when_the_last_could_not_open)
{
    open_with(&fake_plain, 2);
    want(RIG_WANT_OFF, 1);
    break_it(RIG_EGONE, true); /* the set is EGONE, the opens after it EOPEN */
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EOPEN);
    mend();
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED);
    cr_assert_eq(want(RIG_WANT_OFF, 1), RIG_OK);
    bench_close(&bench);
}

Test(rig_controller_failed, what_waits_behind_it_is_refused_too_but_for_an_off)
{
    open_with(&fake_plain, 0);
    want(RIG_WANT_OFF, 1);
    fake_hold(bench.fake, 1);
    break_it(RIG_ESILENT, false);
    int64_t hour_us = rig_port_now_us() + INT64_C(3600000000);
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    bench_ask(&bench,
              (struct rig_ask){.want = RIG_WANT_ON, .channel = 1, .not_before_us = hour_us});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    fake_wait_held(bench.fake);
    fake_let_go(bench.fake);
    bench_until(&bench, 4);
    static const int expect[] = {RIG_ESILENT, RIG_EFAILED, RIG_OK, RIG_OK};
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(bench.answer[i].error, expect[i], "answer %u: %s", i, bench.answer[i].message);
    bench_close(&bench);
}

Test(rig_controller_failed, of_an_inverted_channel_an_off_closes_the_contact)
{
    open_with(&fake_readable, 0);
    struct rig_ask ask = {.want = RIG_WANT_ON, .channel = 1, .inverted = true};
    bench.fake->fault = (struct fake_fault){.at = 2, .error = RIG_ESILENT};
    cr_assert_eq(bench_do(&bench, ask).error, RIG_ESILENT);
    cr_assert_eq(bench_do(&bench, ask).error, RIG_EFAILED);
    ask.want = RIG_WANT_OFF;
    cr_assert_eq(bench_do(&bench, ask).error, RIG_OK);
    cr_assert(fake_closed(bench.fake, 1));
    ask.want = RIG_WANT_ON;
    cr_assert_eq(bench_do(&bench, ask).error, RIG_OK);
    cr_assert_not(fake_closed(bench.fake, 1));
    bench_close(&bench);
}

Test(rig_controller_failed, gone_in_the_middle_is_opened_again)
{
    open_with(&fake_readable, 2);
    bench_must(&bench, RIG_WANT_OFF, 1);
    break_it(RIG_EGONE, false);
    struct rig_answer answer = bench_must(&bench, RIG_WANT_ON, 1);
    cr_assert_eq(answer.tries, 2);
    cr_assert(answer.on && answer.confirmed);
    struct rig_controller_facts facts = bench_facts(&bench);
    cr_assert(facts.opened == 2 && facts.retried == 1 && !facts.failed);
    bench_close(&bench);
}

Test(rig_controller_failed, refused_is_not_opened_again)
{
    open_with(&fake_plain, 2);
    bench_must(&bench, RIG_WANT_OFF, 1);
    break_it(RIG_EREFUSED, false);
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).tries, 2);
    cr_assert_eq(bench_facts(&bench).opened, 1u);
    bench_close(&bench);
}

/* A hub that acknowledges and leaves the power on. */
Test(rig_controller_failed, a_welded_contact_is_seen_and_tried_again)
{
    open_with(&fake_readable, 2);
    bench_must(&bench, RIG_WANT_ON, 1);
    bench.fake->welded[1] = true;
    uint32_t sets = fake_count(bench.fake, FAKE_SET);
    struct rig_answer off = bench_do(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    cr_assert_eq(off.error, RIG_EREADBACK);
    cr_assert_eq(off.tries, 3);
    cr_assert(off.on && off.confirmed, "it tells what the hardware says");
    cr_assert_eq(fake_count(bench.fake, FAKE_SET) - sets, 3u);
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED);
    bench.fake->welded[1] = false;
    cr_assert_eq(want(RIG_WANT_OFF, 1), RIG_OK);
    bench_close(&bench);
}

Test(rig_controller_failed, hardware_that_takes_its_time_is_read_again_not_commanded_again)
{
    bench_open(&bench,
               &(struct rig_controller_config){.driver = &fake_readable, .timeout_ms = 5000});
    bench.fake->settle_reads = 3;
    struct rig_answer on = bench_must(&bench, RIG_WANT_ON, 1);
    cr_assert_eq(on.tries, 1);
    cr_assert(on.confirmed);
    cr_assert_eq(fake_count(bench.fake, FAKE_SET), 1u);
    cr_assert_eq(fake_count(bench.fake, FAKE_GET), 3u);
    bench_close(&bench);
}

/* The command was taken; that the reading could not even be sent says nothing about the contact. */
Test(rig_controller_failed, an_error_of_reading_back_leaves_the_state_unknown)
{
    open_with(&fake_readable, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    bench.fake->fault = (struct fake_fault){.at = bench.fake->fallible + 2, .error = RIG_EOPEN};
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EOPEN);
    cr_assert(fake_closed(bench.fake, 1));
    cr_assert_eq(want(RIG_WANT_ON, 1), RIG_EFAILED);
    bench_close(&bench);
}

Test(rig_controller_failed, a_model_that_can_not_be_read_back_is_not_confirmed)
{
    open_with(&fake_readable, 2);
    bench_must(&bench, RIG_WANT_OFF, 1);
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 2, .error = RIG_EUNSUPPORTED};
    struct rig_answer on = bench_must(&bench, RIG_WANT_ON, 1);
    cr_assert(on.on && !on.confirmed && on.tries == 1);
    break_it(RIG_EUNSUPPORTED, false);
    cr_assert_eq(want(RIG_WANT_READ, 1), RIG_EUNSUPPORTED);
    cr_assert_eq(bench_facts(&bench).failed_channels, 0u);
    bench_close(&bench);
}

/* While one channel pauses before its next try, another is served. */
Test(rig_controller_failed, tries_of_one_channel_hold_up_no_other)
{
    open_with(&fake_plain, 6);
    bench_must(&bench, RIG_WANT_OFF, 1);
    fake_hold(bench.fake, 1);
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 1, .always = true, .error = RIG_EREFUSED};
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    bench_ask(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 2});
    fake_wait_held(bench.fake);
    fake_let_go(bench.fake);
    bench_until(&bench, 2);
    bool mixed = false, two = false;
    for (uint32_t i = 0; i < bench.fake->logged; i++) {
        two |= bench.fake->log[i].channel == 2;
        mixed |= two && bench.fake->log[i].channel == 1;
    }
    cr_assert(mixed, "channel 2 between two tries of channel 1");
    bench_close(&bench);
}

/* A status that timed out moved nothing: what could be switched before can be switched after it. */
Test(rig_controller_failed, looking_fails_no_channel_and_heals_none)
{
    for (uint32_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_with(&fake_readable, 0);
        bench_must(&bench, RIG_WANT_OFF, 1);
        break_it(errors[i], true);
        cr_assert_neq(want(RIG_WANT_READ, 1), RIG_OK);
        mend();
        cr_assert_eq(bench_facts(&bench).failed_channels, 0u, "%s", rig_error_name(errors[i]));
        cr_assert_eq(want(RIG_WANT_ON, 1), RIG_OK, "%s", rig_error_name(errors[i]));
        bench_close(&bench);
    }
}

/* Closing a chip lets go of each line of it, and the relays of all its boards drop. */
Test(rig_controller_failed, of_hardware_that_holds_a_busy_channel_drops_no_other)
{
    fakes[0].holds = true;
    for (uint32_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_with(&fake_held, 1);
        bench_must(&bench, RIG_WANT_ON, 1);
        uint32_t logged = bench.fake->logged;
        break_it(errors[i], true);
        cr_assert_neq(want(RIG_WANT_ON, 2), RIG_OK);
        mend();
        bool closed = false;
        for (uint32_t at = logged; at < bench.fake->logged; at++)
            closed |= bench.fake->log[at].call == FAKE_CLOSE;
        cr_assert_eq(closed, errors[i] == RIG_EGONE, "%s", rig_error_name(errors[i]));
        cr_assert_eq(fake_closed(bench.fake, 1), !closed, "%s", rig_error_name(errors[i]));
        cr_assert_eq(want(RIG_WANT_OFF, 2), RIG_OK, "%s", rig_error_name(errors[i]));
        bench_close(&bench);
    }
    fakes[0].holds = false;
}
