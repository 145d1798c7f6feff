/* Back-pressure. */
#include "fetch.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(drivers_http_pause, .init = world_open, .fini = world_close, .timeout = 300);

static struct fetch fetch;
static int pauses;

/* And as many turns as belong to it, if all of the time goes by at once. */
static void wait_ms(double ms)
{
    double until = ev_time() + ms / 1000;
    for (int rounds = 0; rounds < ms / 2 || ev_time() < until; rounds++) {
        world_turns(5);
        ev_sleep(0.002);
    }
}

static void pause_at_each(struct fetch *at, enum fetch_event event)
{
    if (event != FETCH_HEAD && event != FETCH_DATA)
        return;
    pauses++;
    agent_http_pause(at->transfer, true);
}

static void expect_image(void)
{
    cr_assert_eq(fetch.count[FETCH_END], 1, "%s", fetch.why);
    cr_assert_eq(fetch.len, WORLD_IMAGE_BYTES);
    cr_assert_eq(memcmp(fetch.body, world.image, fetch.len), 0);
}

/* Paused in every event, the last one too: nothing follows until it goes on, and nothing is lost.
 */
Test(drivers_http_pause, nothing_comes_while_it_is_paused)
{
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    fetch.hook = pause_at_each;
    fetch_start(&fetch);
    while (!fetch.count[FETCH_END] && !fetch.count[FETCH_ERROR]) {
        int seen = pauses;
        WORLD_UNTIL(pauses > seen || fetch.count[FETCH_END] || fetch.count[FETCH_ERROR]);
        if (!fetch.transfer)
            break;
        uint32_t len = fetch.len;
        wait_ms(15);
        cr_assert_eq(fetch.len, len);
        cr_assert_eq(fetch.count[FETCH_END], 0);
        agent_http_pause(fetch.transfer, false);
        cr_assert_eq(fetch.len, len); /* no event from the call */
    }
    expect_image();
    cr_assert_gt(pauses, WORLD_IMAGE_BYTES / 16384);
    fetch_close(&fetch);
}

Test(drivers_http_pause, before_it_has_begun_and_over_again)
{
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    fetch_start(&fetch);
    agent_http_pause(fetch.transfer, true);
    agent_http_pause(fetch.transfer, true);
    wait_ms(100);
    cr_assert_eq(fetch.len, 0);
    agent_http_pause(fetch.transfer, false);
    agent_http_pause(fetch.transfer, true);
    agent_http_pause(fetch.transfer, false);
    WORLD_UNTIL(fetch.count[FETCH_END] || fetch.count[FETCH_ERROR]);
    expect_image();
    fetch_close(&fetch);
}

Test(drivers_http_pause, may_be_cancelled_and_is_not_called_silent)
{
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    agent_http_free(fetch.http);
    fetch.config.stall_s = 1;
    cr_assert_eq(agent_http_create(&fetch.http, world.loop, &fetch.config), 0);
    fetch.hook = pause_at_each;
    do { /* a server that is held up for the second is silent */
        fetch_start(&fetch);
        WORLD_UNTIL(pauses || fetch.count[FETCH_ERROR]);
    } while (!pauses);
    wait_ms(1500);
    cr_assert_eq(fetch.count[FETCH_ERROR], 0, "%s", fetch.why);
    int files = world_fds();
    agent_http_cancel(fetch.transfer);
    world_turns(5);
    cr_assert_lt(world_fds(), files);
    fetch_close(&fetch);
}
