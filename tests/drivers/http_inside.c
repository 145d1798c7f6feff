/* Starting and cancelling inside every event, and what is left over. */
#include "../soak/soak.h"
#include "fetch.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(drivers_http_inside, .init = world_open, .fini = world_close, .timeout = 300);

static struct fetch fetch, other;

static void cancel(struct fetch *who, enum fetch_event event)
{
    if (event == who->strike_at && !who->strike++ && who->transfer)
        agent_http_cancel(who->transfer);
}

static void cancel_at(enum fetch_event event, const char *path)
{
    fetch_open(&fetch, world.web_port, path);
    fetch.hook = cancel;
    fetch.strike_at = event;
    fetch_start(&fetch);
    WORLD_UNTIL(fetch.strike);
    world_turns(20);
    cr_assert_eq(fetch.count[FETCH_END] + fetch.count[FETCH_ERROR], event >= FETCH_END);
    cr_assert_leq(fetch.count[FETCH_DATA], event == FETCH_HEAD ? 0 : 1000);
    fetch_close(&fetch);
}

Test(drivers_http_inside, cancel)
{
    world_web("server");
    cancel_at(FETCH_HEAD, "/image.bin");
    cancel_at(FETCH_HEAD, "/empty.bin");
    cancel_at(FETCH_DATA, "/image.bin");
    cancel_at(FETCH_END, "/image.bin"); /* its own pointer is not to be used: see below */
}

/* The other transfer is cancelled, while libcurl works on this one. */
static void cancel_the_other(struct fetch *who, enum fetch_event event)
{
    if (event != who->strike_at || who->strike++)
        return;
    if (other.transfer)
        agent_http_cancel(other.transfer);
    other.transfer = NULL;
}

Test(drivers_http_inside, cancel_another)
{
    world_web("server");
    for (int event = FETCH_HEAD; event <= FETCH_END; event++) {
        fetch_open(&fetch, world.web_port, "/image.bin");
        other = fetch; /* of the same struct agent_http */
        other.request.url = other.url;
        fetch.hook = cancel_the_other;
        fetch.strike_at = (enum fetch_event)event;
        fetch_start(&fetch);
        fetch_start(&other);
        WORLD_UNTIL(fetch.count[FETCH_END]);
        int heard = other.count[FETCH_DATA];
        world_turns(20);
        cr_assert_eq(other.count[FETCH_DATA], heard);
        fetch_close(&fetch);
    }
}

static void start_another(struct fetch *who, enum fetch_event event)
{
    if (event == who->strike_at && !who->strike++)
        fetch_start(&other);
}

Test(drivers_http_inside, get)
{
    world_web("server");
    for (int event = FETCH_HEAD; event <= FETCH_END; event++) {
        fetch_open(&fetch, world.web_port, "/image.bin");
        other = fetch;
        other.request.url = other.url;
        fetch.hook = start_another;
        fetch.strike_at = (enum fetch_event)event;
        fetch_start(&fetch);
        WORLD_UNTIL(fetch.count[FETCH_END] && other.count[FETCH_END]);
        cr_assert_eq(memcmp(other.body, world.image, sizeof world.image), 0);
        fetch_close(&fetch);
    }
}

Test(drivers_http_inside, get_after_an_error)
{
    world_web("server");
    fetch_open(&fetch, world_free_port(), "/");
    other = fetch;
    snprintf(other.url, sizeof other.url, "https://%s:%u/image.bin", world.address, world.web_port);
    other.request.url = other.url;
    fetch.hook = start_another;
    fetch.strike_at = FETCH_ERROR;
    fetch_run(&fetch);
    WORLD_UNTIL(other.count[FETCH_END]);
    fetch_close(&fetch);
}

Test(drivers_http_inside, many_at_once)
{
    enum { MANY = 40 };
    static struct fetch many[MANY];
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    for (int i = 0; i < MANY; i++) {
        many[i].http = fetch.http;
        many[i].request = fetch.request;
        many[i].request.offset = (uint32_t)i * 1000;
        fetch_start(&many[i]);
    }
    for (int i = 0; i < MANY; i++) {
        WORLD_UNTIL(many[i].count[FETCH_END]);
        cr_assert_eq(memcmp(many[i].body, world.image + i * 1000, many[i].len), 0);
    }
    fetch_close(&fetch);
}

Test(drivers_http_inside, hundreds_cancelled_leave_no_file_open)
{
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    fetch_run(&fetch);
    world_turns(5);
    int before = world_fds();
    for (uint32_t i = 0; i < soak(200, 1000); i++) {
        fetch_start(&fetch);
        world_turns((int)i % 12); /* cancelled in all phases */
        if (fetch.transfer)
            agent_http_cancel(fetch.transfer);
    }
    world_turns(5);
    cr_assert_eq(world_fds(), before);
    fetch_run(&fetch);
    cr_assert_eq(fetch.count[FETCH_END], 1);
    fetch_close(&fetch);
}

Test(drivers_http_inside, the_end_of_the_driver_ends_its_transfers)
{
    world_web("server");
    fetch_open(&fetch, world.web_port, "/image.bin");
    for (int turns = 0; turns < 30; turns++) {
        fetch_start(&fetch);
        world_turns(turns);
        fetch_close(&fetch);
        cr_assert_eq(agent_http_create(&fetch.http, world.loop, &fetch.config), 0);
    }
    fetch_close(&fetch);
}
