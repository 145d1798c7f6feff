/* Each misbehaviour arrives as named, byte by byte, and tells its effect once. */
#include "bench.h"
#include "edge_bench.h"
#include <criterion/criterion.h>
#include <string.h>

#define GET(path, fields) "GET " path " HTTP/1.1\r\nHost: edge.test\r\n" fields "\r\n"
#define CLOSE "Connection: close\r\n"
#define FROM "Range: bytes=10000-\r\n"

enum { OFFSET = 10000, SPOIL_DRAW = 12345 };

static struct edge_bench bench;

static struct fetch get(const struct sim_edge_plan *plan, const char *request)
{
    struct fetch got = {.bench = &bench, .request = request};
    bench.plan = *plan;
    bench.plan.device = 7;
    bench.plan.mark = 70;
    bench.effects = 0;
    edge_bench_run(&bench, (void (*)(void *))fetch, &got);
    return got;
}

static void assert_spoiled(const struct sim_edge_plan *plan, uint32_t at)
{
    const struct sim_edge_effect *effect = edge_bench_spoiled(&bench);
    cr_assert_eq(effect->how, plan->how);
    cr_assert_eq(effect->trick, plan->trick);
    cr_assert_eq(effect->device, 7);
    cr_assert_eq(effect->mark, 70);
    cr_assert_eq(effect->at, at, "%u", effect->at);
    cr_assert_eq(effect->listener, CERT_GOOD);
}

static void assert_body(const struct fetch *got, const void *expect, size_t expect_len)
{
    size_t len;
    const uint8_t *body = fetch_body(got, &len);
    cr_assert_eq(len, expect_len, "%zu", len);
    cr_assert_eq(memcmp(body, expect, len), 0);
}

static const uint8_t *file(void)
{
    return bench_pattern(EDGE_NEW_BYTES);
}

Test(chaos_edge, honest_ranges_are_exact_to_the_byte, .timeout = 300)
{
    static const struct {
        const char *request, *header;
        int status;
        uint32_t first, end;
    } rows[] = {
        {GET("/new", CLOSE), "Content-Length: 50000", 200, 0, 50000},
        {GET("/new", CLOSE FROM), "Content-Range: bytes 10000-49999/50000", 206, 10000, 50000},
        {GET("/new", CLOSE "Range: bytes=0-\r\n"), "Content-Range: bytes 0-49999/50000", 206, 0,
         50000},
        {GET("/new", CLOSE "Range: bytes=5-5\r\n"), "Content-Range: bytes 5-5/50000", 206, 5, 6},
        {GET("/new", CLOSE "Range: bytes=49999-60000\r\n"),
         "Content-Range: bytes 49999-49999/50000", 206, 49999, 50000},
        {GET("/new", CLOSE "Range: bytes=-10\r\n"), "Content-Range: bytes 49990-49999/50000", 206,
         49990, 50000},
        {GET("/new", CLOSE "Range: bytes=-60000\r\n"), "Content-Range: bytes 0-49999/50000", 206, 0,
         50000},
        {GET("/new", CLOSE "Range: bytes=50000-\r\n"), "Content-Range: bytes */50000", 416, 0, 0},
        {GET("/new?x=y", CLOSE "Range: bytes=1-2,4-5\r\n"), "Content-Length: 50000", 200, 0, 50000},
        {GET("/none", CLOSE), "Content-Length: 0", 404, 0, 0},
        {GET("/empty", CLOSE), "Content-Length: 0", 200, 0, 0},
    };
    edge_bench_begin(&bench, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = get(&(struct sim_edge_plan){0}, rows[i].request);
        cr_assert_eq(got.status, rows[i].status, "row %zu: %d", i, got.status);
        cr_assert(fetch_has(&got, rows[i].header), "row %zu: %s", i, (char *)got.bytes);
        cr_assert_eq(got.end, FETCH_CLOSED);
        assert_body(&got, file() + rows[i].first, rows[i].end - rows[i].first);
        cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_SPOILED), 0);
        cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_SERVED), 1);
        fetch_free(&got);
    }
    edge_bench_end(&bench);
}

Test(chaos_edge, a_connection_serves_many_requests, .timeout = 300)
{
    edge_bench_begin(&bench, NULL);
    struct fetch got =
        get(&(struct sim_edge_plan){0},
            GET("/new", "Range: bytes=1-3\r\n") "HEAD /new HTTP/1.1\r\nHost: a\r\n\r\n" GET(
                "/old", CLOSE "Range: bytes=0-0\r\n"));
    cr_assert_eq(got.end, FETCH_CLOSED);
    cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_SERVED), 3);
    cr_assert_eq(memcmp(got.bytes + got.head_len, file() + 1, 3), 0);
    cr_assert_eq(got.bytes[got.len - 1], bench_pattern(1 << 20)[77777]);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, statuses_arrive, .timeout = 300)
{
    static const struct {
        struct sim_edge_plan plan;
        int status;
        const char *header;
    } rows[] = {
        {{.how = SCN_HOW_HTTP_403}, 403, "Content-Length: 0"},
        {{.how = SCN_HOW_HTTP_404}, 404, "Content-Length: 0"},
        {{.how = SCN_HOW_HTTP_500}, 500, "Content-Length: 0"},
        {{.trick = SIM_EDGE_HTTP_416}, 416, "Content-Range: bytes */50000"},
        {{.trick = SIM_EDGE_REDIRECT_LOOP}, 302, "Location: /new"},
        {{.trick = SIM_EDGE_REDIRECT_HTTP}, 302, "Location: http://edge.test/new"},
    };
    edge_bench_begin(&bench, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = get(&rows[i].plan, GET("/new", CLOSE FROM));
        cr_assert_eq(got.status, rows[i].status);
        cr_assert(fetch_has(&got, rows[i].header), "%s", (char *)got.bytes);
        cr_assert_eq(got.len, got.head_len);
        assert_spoiled(&rows[i].plan, 0);
        cr_assert_eq(bench.asked_offset, OFFSET);
        fetch_free(&got);
    }
    edge_bench_end(&bench);
}

/* The virtual world's spoiled byte (sim/device/http.c): offset + draw[0] % rest. */
static uint32_t spoil_at(uint32_t offset)
{
    return offset + SPOIL_DRAW % (EDGE_NEW_BYTES - offset);
}

Test(chaos_edge, a_flipped_bit_is_one_bit, .timeout = 300)
{
    static uint8_t expect[EDGE_NEW_BYTES];
    struct sim_edge_plan plan = {.how = SCN_HOW_BIT_FLIP, .draw = {SPOIL_DRAW, 13}};
    edge_bench_begin(&bench, NULL);
    memcpy(expect, file(), sizeof expect);
    expect[spoil_at(OFFSET)] ^= 1 << 5;
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    assert_body(&got, expect + OFFSET, EDGE_NEW_BYTES - OFFSET);
    assert_spoiled(&plan, spoil_at(OFFSET));
    cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_SERVED), 1);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, garbage_runs_from_a_byte_to_the_end, .timeout = 300)
{
    static uint8_t expect[EDGE_NEW_BYTES];
    struct sim_edge_plan plan = {.how = SCN_HOW_GARBAGE, .draw = {SPOIL_DRAW, 99991}};
    edge_bench_begin(&bench, NULL);
    memcpy(expect, file(), sizeof expect);
    uint32_t first = 0;
    for (uint32_t i = spoil_at(OFFSET); i < EDGE_NEW_BYTES; i++) {
        expect[i] = (uint8_t)(i * (99991u | 1) >> 11);
        if (!first && expect[i] != file()[i])
            first = i;
    }
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    assert_body(&got, expect + OFFSET, EDGE_NEW_BYTES - OFFSET);
    assert_spoiled(&plan, first);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, a_wrong_file_has_the_right_length, .timeout = 300)
{
    static uint8_t expect[EDGE_NEW_BYTES];
    struct sim_edge_plan plan = {.how = SCN_HOW_WRONG_FILE};
    edge_bench_begin(&bench, NULL);
    for (uint32_t i = 0; i < EDGE_NEW_BYTES; i++)
        expect[i] = ((const uint8_t *)bench.file[1].bytes)[i % EDGE_OLD_BYTES];
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    cr_assert(fetch_has(&got, "Content-Range: bytes 10000-49999/50000"));
    assert_body(&got, expect + OFFSET, EDGE_NEW_BYTES - OFFSET);
    cr_assert_geq(edge_bench_spoiled(&bench)->at, OFFSET);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, a_stale_file_shows_its_own_size, .timeout = 300)
{
    struct sim_edge_plan plan = {.how = SCN_HOW_STALE_FILE};
    edge_bench_begin(&bench, NULL);
    const uint8_t *old = bench.file[1].bytes;
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    cr_assert(fetch_has(&got, "Content-Range: bytes 10000-29999/30000"));
    assert_body(&got, old + OFFSET, EDGE_OLD_BYTES - OFFSET);
    assert_spoiled(&plan, 0);
    fetch_free(&got);
    got = get(&plan, GET("/new", CLOSE "Range: bytes=40000-\r\n"));
    cr_assert_eq(got.status, 200, "beyond the stale file's end: all of it");
    assert_body(&got, old, EDGE_OLD_BYTES);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, lengths_lie_in_the_head, .timeout = 300)
{
    static const struct {
        struct sim_edge_plan plan;
        const char *request, *header;
        uint32_t first, end;
    } rows[] = {
        {{.how = SCN_HOW_WRONG_LENGTH, .draw = {0, 4096 + 9}},
         GET("/new", CLOSE FROM),
         "Content-Range: bytes 10000-49999/50010",
         OFFSET,
         50000},
        {{.how = SCN_HOW_WRONG_LENGTH, .draw = {0, 9}},
         GET("/new", CLOSE),
         "Content-Length: 50010",
         0,
         50000},
        {{.trick = SIM_EDGE_SHORT_LENGTH, .draw = {1000}},
         GET("/new", CLOSE),
         "Content-Length: 1000",
         0,
         1000},
        {{.trick = SIM_EDGE_SHORT_LENGTH, .draw = {1000}},
         GET("/new", CLOSE FROM),
         "Content-Range: bytes 10000-10999/11000",
         OFFSET,
         11000},
        {{.trick = SIM_EDGE_RANGE_LIES, .draw = {0, 99}},
         GET("/new", CLOSE FROM),
         "Content-Range: bytes 10100-50099/50000",
         OFFSET,
         50000},
        {{.trick = SIM_EDGE_RANGE_LIES, .draw = {0, 99}},
         GET("/new", CLOSE),
         "Content-Range: bytes 100-50099/50000",
         0,
         50000},
    };
    edge_bench_begin(&bench, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = get(&rows[i].plan, rows[i].request);
        cr_assert(fetch_has(&got, rows[i].header), "row %zu: %s", i, (char *)got.bytes);
        assert_body(&got, file() + rows[i].first, rows[i].end - rows[i].first);
        assert_spoiled(&rows[i].plan, 0);
        fetch_free(&got);
    }
    edge_bench_end(&bench);
}

Test(chaos_edge, bodies_end_too_early, .timeout = 300)
{
    static const struct {
        struct sim_edge_plan plan;
        const char *header;
        enum fetch_end end;
        uint32_t at;
    } rows[] = {
        {{.how = SCN_HOW_TRUNCATED, .draw = {SPOIL_DRAW}},
         "Content-Length: 12345",
         FETCH_CLOSED,
         OFFSET + SPOIL_DRAW},
        {{.trick = SIM_EDGE_EARLY_CLOSE, .draw = {SPOIL_DRAW}},
         "Content-Length: 40000",
         FETCH_CLOSED,
         OFFSET + SPOIL_DRAW},
        {{.how = SCN_HOW_DISCONNECT, .draw = {SPOIL_DRAW}},
         "Content-Length: 40000",
         FETCH_RESET,
         (OFFSET + SPOIL_DRAW) / 4096 * 4096},
        {{.how = SCN_HOW_DISCONNECT, .draw = {0}}, "Content-Length: 40000", FETCH_RESET, OFFSET},
    };
    edge_bench_begin(&bench, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = get(&rows[i].plan, GET("/new", CLOSE FROM));
        cr_assert(fetch_has(&got, rows[i].header), "row %zu: %s", i, (char *)got.bytes);
        cr_assert_eq(got.end, rows[i].end, "row %zu: %d", i, got.end);
        assert_body(&got, file() + OFFSET, rows[i].at - OFFSET);
        if (rows[i].at > OFFSET)
            assert_spoiled(&rows[i].plan, rows[i].at);
        fetch_free(&got);
    }
    edge_bench_end(&bench);
}

Test(chaos_edge, a_truncated_whole_declares_no_length, .timeout = 300)
{
    struct sim_edge_plan plan = {.how = SCN_HOW_TRUNCATED, .draw = {5}};
    edge_bench_begin(&bench, NULL);
    struct fetch got = get(&plan, GET("/new", CLOSE));
    cr_assert(fetch_has(&got, "Transfer-Encoding: chunked"));
    size_t len;
    const uint8_t *body = fetch_body(&got, &len);
    cr_assert_eq(len, 15);
    cr_assert_eq(memcmp(body, "5\r\n", 3), 0);
    cr_assert_eq(memcmp(body + 3, file(), 5), 0);
    cr_assert_eq(memcmp(body + 8, "\r\n0\r\n\r\n", 7), 0);
    assert_spoiled(&plan, 5);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, an_endless_body_goes_on_until_the_client_leaves, .timeout = 300)
{
    struct sim_edge_plan plan = {.how = SCN_HOW_ENDLESS};
    edge_bench_begin(&bench, NULL);
    struct fetch got = {.bench = &bench, .request = GET("/new", FROM), .stop_after = 3000000};
    bench.plan = plan;
    edge_bench_run(&bench, (void (*)(void *))fetch, &got);
    cr_assert(fetch_has(&got, "Content-Range: bytes 10000-49999/*"));
    cr_assert(fetch_has(&got, "Transfer-Encoding: chunked"));
    cr_assert_eq(got.end, FETCH_COMPLETE);
    cr_assert_eq(memcmp(got.bytes + got.head_len + 6, file() + OFFSET, 16000), 0);
    cr_assert_eq(edge_bench_spoiled(&bench)->at, EDGE_NEW_BYTES);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, silence_follows_an_honest_head, .timeout = 300)
{
    struct sim_edge_plan plan = {.trick = SIM_EDGE_SILENCE};
    edge_bench_begin(&bench, &(struct sim_edge_config){.idle_ms = 20, .request_ms = 60000});
    struct fetch got = {.bench = &bench, .request = GET("/new", ""), .silence_ms = 100};
    bench.plan = plan;
    edge_bench_run(&bench, (void (*)(void *))fetch, &got);
    cr_assert(fetch_has(&got, "Content-Length: 50000"));
    cr_assert_eq(got.end, FETCH_TIMED_OUT);
    cr_assert_eq(got.len, got.head_len);
    cr_assert_eq(edge_bench_spoiled(&bench)->trick, SIM_EDGE_SILENCE);
    cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_TIMED_OUT), 0);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, a_head_can_be_a_megabyte, .timeout = 300)
{
    struct sim_edge_plan plan = {.trick = SIM_EDGE_HUGE_HEAD};
    edge_bench_begin(&bench, NULL);
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    cr_assert_gt(got.head_len, 1 << 20);
    assert_body(&got, file() + OFFSET, EDGE_NEW_BYTES - OFFSET);
    assert_spoiled(&plan, 0);
    fetch_free(&got);
    edge_bench_end(&bench);
}

Test(chaos_edge, a_drip_is_slow_and_complete, .timeout = 300)
{
    struct sim_edge_plan plan = {.trick = SIM_EDGE_DRIP, .drip_bytes = 5000, .drip_us = 5000};
    edge_bench_begin(&bench, &(struct sim_edge_config){.idle_ms = 3});
    int64_t begin_us = sim_chaos_now_us();
    struct fetch got = get(&plan, GET("/new", CLOSE FROM));
    cr_assert_geq(sim_chaos_now_us() - begin_us, 7 * 5000);
    assert_body(&got, file() + OFFSET, EDGE_NEW_BYTES - OFFSET);
    assert_spoiled(&plan, OFFSET);
    fetch_free(&got);
    edge_bench_end(&bench);
}
