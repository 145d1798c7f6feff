/* Cuts of the rig's own, and what can be measured of cuts. */
#include "desk.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig_aim aim;

static void aim_at(const char *text, uint32_t cuts)
{
    char message[256];
    cr_assert_eq(rig_aim_read(&aim, text, message, sizeof message), 0, "%s", message);
    desk_open_with(&aim, cuts);
}

static void done(void)
{
    desk_close();
    rig_aim_free(&aim);
}

TestSuite(rig_site_aimed, .fini = done, .timeout = 300);

Test(rig_site_aimed, a_cut_comes_at_its_marker_and_time)
{
    aim_at("/event=state .*to=Applying/+5s", 1);
    desk_boot();
    desk_says("time=t event=state from=Verifying to=Applying");
    int64_t from_us = rig_port_now_us();
    desk_gateway_writes("a");
    desk_play(40);
    char got[2] = "";
    cr_assert(kit_line_take(&desk.line, got, 1, 60000), "it is used as ever until then");
    kit_line_say(&desk.line, "b");
    cr_assert(desk_until_in("b"));
    cr_assert_eq(desk.offs, 0);
    cr_assert(desk_until(&desk.offs, 1, 3000));
    cr_assert_geq(desk.off_at_us - from_us, 4998000);
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_eq(desk.site.facts.precision.cuts, 1);
    cr_assert_eq(desk.site.facts.precision.measured, 0, "it was silent: nothing can be told");
    /* A host that stands still for longer than the hand-over sends it at once, and says so. */
    cr_assert_eq(desk.site.facts.aim_send.samples + desk.site.facts.send.samples, 1);
    cr_assert_eq(desk.site.uncalibrated, 1);
    desk_boot();
    desk_says("time=t event=state from=Verifying to=Applying");
    cr_assert_not(desk.body->aiming, "one was wanted");
    cr_assert_eq(desk.offs, 1);
}

Test(rig_site_aimed, the_latency_that_is_known_is_taken_off)
{
    aim_at("/go/+5s", 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(rig_aim_store_add(desk.site.latencies, "pump-1", 80000), 0);
    desk_boot();
    desk_says("go");
    int64_t before_us = desk.body->aimed_at_us - desk.body->aim_send_us;
    cr_assert(before_us >= 79500 && before_us <= 80500, "%d us", (int)before_us);
    cr_assert(desk_until(&desk.offs, 1, 5000));
    cr_assert_geq(desk.off_at_us, desk.body->aim_send_us);
    cr_assert_eq(desk.site.uncalibrated, 0);
    cr_assert_not(desk.body->aimed_late);
}

Test(rig_site_aimed, what_is_nearer_than_the_latency_is_counted_as_late)
{
    aim_at("/go/+10ms", 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(rig_aim_store_add(desk.site.latencies, "pump-1", 80000), 0);
    desk_boot();
    desk_says("go");
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_eq(desk.site.facts.precision.late, 1);
}

Test(rig_site_aimed, an_aim_that_waits_holds_up_no_other_cut_and_is_used_again)
{
    aim_at("/go/+10s", 1);
    desk_boot();
    desk_says("go");
    desk_play(30);
    cr_assert(desk.body->aiming);
    rs_off(desk.body);
    cr_assert(desk_until(&desk.darks, 1, 2000));
    cr_assert_eq(desk.site.facts.precision.cuts, 0, "it was none of the aims");
    cr_assert_eq(desk.body->aimed, 0);
    desk_boot();
    desk_says("go");
    desk_play(30);
    cr_assert(desk.body->aiming);
    int64_t from = kit_now_ms();
    rs_close(desk.body);
    desk.body = NULL;
    cr_assert_lt(kit_now_ms() - from, 8000, "it waits for no aim");
}

/* It is handed over now, however late this machine is. */
static void hand_over_now(void)
{
    struct sim_body *body = desk.body;
    ev_timer_stop(desk.run.loop, &body->aim);
    body->aim_send_us = rig_port_now_us() + 20000;
    ev_invoke(desk.run.loop, &body->aim, EV_TIMER);
    cr_assert_eq(body->power, RS_GOING);
}

/* From the hand-over until it is dark: the scenario's cut counts, and the aim is used again. */
static void one_cut_is_asked_for_twice(enum rs_power at)
{
    aim_at("/go/+10s", 1);
    desk_boot();
    desk_says("go");
    hand_over_now();
    for (int i = 0; i < 20000 && desk.body->power != at; i++)
        desk_play(1);
    cr_assert_eq(desk.body->power, at);
    rs_off(desk.body);
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_eq(desk.offs, 1);
    cr_assert_eq(desk.site.facts.precision.cuts, 0);
    cr_assert_eq(desk.site.facts.aim_send.samples, 1);
    cr_assert_eq(desk.site.facts.send.samples, 0);
    cr_assert_eq(desk.body->aimed, 0);
    desk_boot();
    desk_says("go");
    hand_over_now();
    cr_assert(desk_until(&desk.darks, 2, 3000));
    cr_assert_eq(desk.site.facts.precision.cuts, 1);
    cr_assert_eq(desk.body->aimed, 1);
}

Test(rig_site_aimed, one_that_is_on_its_way_as_another_cut_is_asked_for_is_counted_once)
{
    one_cut_is_asked_for_twice(RS_GOING);
}

Test(rig_site_aimed, one_whose_power_is_gone_as_another_cut_is_asked_for_is_counted_once)
{
    one_cut_is_asked_for_twice(RS_GONE);
}

/* It talks every 2 ms until 30 ms after "off" was heard. */
static void talk_to_the_end(void)
{
    while (!desk.offs || rig_port_now_us() - desk.off_at_us < 30000) {
        kit_line_say(&desk.line, ".");
        desk_play(2);
    }
}

Test(rig_site_aimed, the_last_word_of_one_that_talks_is_measured_and_kept)
{
    aim_at("/go/+60ms", 1);
    desk_boot();
    desk_says("go");
    talk_to_the_end();
    cr_assert(desk_until(&desk.darks, 1, 3000));
    const struct rig_precision *precision = &desk.site.facts.precision;
    /* A machine with other work makes pauses, and then nothing is told. */
    if (precision->measured) {
        cr_assert_geq(precision->sum_us, 20000);
        cr_assert_lt(precision->sum_us, 60000);
        cr_assert_eq(desk.site.kept, 1);
        rs_latency_store(&desk.site);
        struct rig_histogram read;
        cr_assert_eq(rig_aim_store_read(desk.site.latencies, "pump-1", &read), 0);
        cr_assert_eq(read.samples, 1);
        cr_assert_geq(read.least_us, 20000);
    }
}

Test(rig_site_aimed, one_word_is_no_measurement)
{
    aim_at("/go/+60ms", 1);
    desk_boot();
    desk_says("go");
    cr_assert(desk_until(&desk.offs, 1, 3000));
    kit_line_say(&desk.line, "one late word");
    cr_assert(desk_until(&desk.darks, 1, 3000));
    cr_assert_eq(desk.site.facts.precision.measured, 0);
    cr_assert_eq(desk.site.kept, 0);
}

Test(rig_site_aimed, random_times_count_from_power_on)
{
    aim_at("random 2000ms..2050ms", 2);
    for (unsigned n = 1; n <= 2; n++) {
        desk_boot();
        int64_t from_us = desk.body->on_at_us;
        cr_assert(desk_until(&desk.offs, n, 3000));
        cr_assert_geq(desk.off_at_us - from_us, 1998000);
        cr_assert(desk_until(&desk.darks, n, 3000));
    }
    desk_boot();
    desk_play(2150);
    cr_assert_eq(desk.offs, 2);
}
