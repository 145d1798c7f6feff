/* When a board prints without a pause: by times alone. */
#include "talk.h"
#include "rig/calibrate.h"
#include <criterion/criterion.h>

static int64_t say(struct talk *talk, int64_t from_us, int64_t every_us, int64_t for_us)
{
    int64_t at = from_us;
    for (; at < from_us + for_us; at += every_us)
        talk_hear(talk, at);
    return at - every_us;
}

Test(calibrate_talk, it_is_steady_after_a_while_without_a_gap)
{
    struct talk talk = {0};
    cr_assert(!talk_is_steady(&talk, 1000000));
    int64_t last = say(&talk, 1000000, 1000, 150000);
    cr_assert(!talk_is_steady(&talk, last), "too short");
    last = say(&talk, last + 1000, 1000, 60000);
    cr_assert(talk_is_steady(&talk, last));
    cr_assert(!talk_is_steady(&talk, last + 60000), "a gap that is not over");
    last = say(&talk, last + 60000, 1000, 100000);
    cr_assert(!talk_is_steady(&talk, last), "it begins anew behind a gap");
    talk_begin(&talk);
    cr_assert(!talk_is_steady(&talk, last));
}

Test(calibrate_talk, a_second_is_measured)
{
    struct talk talk = {0};
    cr_assert(!talk_is_measured(&talk, 1000000), "nothing was heard");
    talk_hear(&talk, 1000000);
    cr_assert(!talk_is_measured(&talk, 1000000), "the window begins");
    int64_t last = say(&talk, 1002000, 2000, 990000);
    cr_assert(!talk_is_measured(&talk, last));
    last = say(&talk, last + 2000, 2000, 20000);
    cr_assert(talk_is_measured(&talk, last));
    cr_assert_eq(rig_histogram_quantile(&talk.pauses, 500), 2250);
    cr_assert_eq(talk_quiet_us(&talk), 2250);
}

Test(calibrate_talk, rare_words_are_refused_and_the_best_second_is_kept)
{
    struct talk talk = {0};
    talk_hear(&talk, 1000000);
    talk_is_measured(&talk, 1000000);
    int64_t last = say(&talk, 1040000, 40000, 1000000);
    cr_assert(!talk_is_measured(&talk, last + 1));
    cr_assert_eq(talk.best_us, 40250);
    last = say(&talk, last + 10000, 10000, 1020000);
    cr_assert(!talk_is_measured(&talk, last + 2));
    cr_assert_eq(talk.best_us, 10250);
    cr_assert(!talk_is_measured(&talk, last + 1100000), "silence is a pause, too");
    cr_assert_eq(talk.best_us, 10250);
}

Test(calibrate_talk, a_few_short_pauses_in_a_quiet_second_are_not_enough)
{
    struct talk talk = {0};
    talk_hear(&talk, 1000000);
    talk_is_measured(&talk, 1000000);
    say(&talk, 1001000, 1000, 50000);
    cr_assert(!talk_is_measured(&talk, 2001000));
}

Test(calibrate_talk, quiet_is_from_1_ms_to_the_longest_that_is_accepted)
{
    struct talk talk = {0};
    cr_assert_eq(talk_quiet_us(&talk), 1000);
    for (int i = 0; i < 100; i++)
        rig_histogram_add(&talk.pauses, i < 96 ? 1000 : 90000);
    cr_assert_eq(talk_quiet_us(&talk), RIG_CALIBRATE_PAUSE_US_MAX);
}
