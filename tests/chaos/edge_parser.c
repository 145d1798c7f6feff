/* A request's head from bytes. */
#include "edge_request.h"
#include <criterion/criterion.h>
#include <string.h>

struct row {
    const char *bytes;
    int expect; /* 0: incomplete, 1: accepted, else the status, negative */
};

#define END " HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct row rows[] = {
    {"", 0},
    {"GET / HTTP/1.1\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: a\r\n", 0},
    {"GET /" END, 1},
    {"\r\n\r\nGET /" END, 1},
    {"GET /\n", 0},
    {"GET / HTTP/1.1\nHost: a\n\n", 1},
    {"HEAD /a/b?c=d" END, 1},
    {"GET / HTTP/1.0\r\n\r\n", 1},
    {"GET / HTTP/1.1\r\n\r\n", -400}, /* no Host */
    {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nno colon\r\n\r\n", -400},
    {"GET a" END, -400},
    {"GET  /" END, -400},
    {"GET / HTTP/2.0\r\n\r\n", -505},
    {"GET / FTP/1.1\r\n\r\n", -400},
    {"POST /" END, -405},
    {"get /" END, -405},
    {"G(T /" END, -400},
    {"nonsense\r\n\r\n", -400},
    {"GET https://edge.test/x" END, 1},
    {"GET https://edge.test" END, -400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", -413},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", -413},
    {"GET /\x80" END, -400},
};

Test(chaos_edge_request, heads_are_told_apart)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct edge_request request;
        int expect = rows[i].expect == 1 ? (int)strlen(rows[i].bytes) : rows[i].expect;
        int got = edge_request_parse(&request, rows[i].bytes, strlen(rows[i].bytes));
        cr_assert_eq(got, expect, "row %zu: %d", i, got);
    }
}

static struct edge_request parse(const char *format, const char *value)
{
    char bytes[1024];
    struct edge_request request;
    snprintf(bytes, sizeof bytes, format, value);
    cr_assert_gt(edge_request_parse(&request, bytes, strlen(bytes)), 0, "%s", bytes);
    return request;
}

Test(chaos_edge_request, ranges_are_one_range_of_bytes_or_none)
{
    static const struct {
        const char *text;
        enum edge_range range;
        uint64_t first, last;
    } range[] = {
        {"bytes=0-", EDGE_FROM, 0, 0},
        {"bytes=100-", EDGE_FROM, 100, 0},
        {"BYTES=5-7", EDGE_FROM_TO, 5, 7},
        {"bytes=7-7", EDGE_FROM_TO, 7, 7},
        {"bytes=-5", EDGE_LAST, 5, 0},
        {"bytes=7-5", EDGE_WHOLE, 0, 0},
        {"bytes=1-2,4-5", EDGE_WHOLE, 0, 0},
        {"bytes=-", EDGE_WHOLE, 0, 0},
        {"bytes=a-", EDGE_WHOLE, 0, 0},
        {"lines=1-", EDGE_WHOLE, 0, 0},
        {"bytes=999999999999999999-", EDGE_FROM, 999999999999999999, 0},
        {"bytes=9999999999999999999-", EDGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < sizeof range / sizeof *range; i++) {
        struct edge_request got =
            parse("GET / HTTP/1.1\r\nHost: a\r\nRange:%s\r\n\r\n", range[i].text);
        cr_assert_eq(got.range, range[i].range, "%s", range[i].text);
        if (got.range != EDGE_WHOLE)
            cr_assert_eq(got.first, range[i].first, "%s", range[i].text);
        if (got.range == EDGE_FROM_TO)
            cr_assert_eq(got.last, range[i].last, "%s", range[i].text);
    }
}

Test(chaos_edge_request, fields_are_read)
{
    struct edge_request got = parse("GET /a/b?c=%s HTTP/1.1\r\nhOST: edge.test:443\r\n\r\n", "d");
    cr_assert_str_eq(got.path, "/a/b");
    cr_assert_str_eq(got.host, "edge.test:443");
    cr_assert(got.keep_alive && !got.head_only);
    got = parse("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n\r\n", "Upgrade, CLOSE ");
    cr_assert(!got.keep_alive && got.head_only);
}

Test(chaos_edge_request, what_is_too_long_is_refused)
{
    static char bytes[2 * EDGE_REQUEST_BYTES];
    struct edge_request request;
    memset(bytes, 'a', sizeof bytes);
    cr_assert_eq(edge_request_parse(&request, bytes, EDGE_REQUEST_BYTES - 1), 0);
    cr_assert_eq(edge_request_parse(&request, bytes, EDGE_REQUEST_BYTES), -431);
    for (size_t len = SIM_EDGE_PATH_MAX - 2; len <= SIM_EDGE_PATH_MAX; len++) {
        int used = snprintf(bytes, sizeof bytes, "GET /%.*s HTTP/1.1\r\nHost: a\r\n\r\n", (int)len,
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        cr_assert_eq(edge_request_parse(&request, bytes, (size_t)used),
                     len + 1 < SIM_EDGE_PATH_MAX ? used : -414, "%zu", len);
    }
}
