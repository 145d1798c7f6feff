/* Answers that no honest server gives. */
#include "fetch.h"
#include "rogue.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(drivers_http_rogue, .init = world_open, .fini = world_close, .timeout = 300);

static struct fetch fetch;
static struct rogue rogue;
static char answer[512]; /* for serve_answer: all of it */

static void serve_answer(struct rogue *server, SSL *ssl, int nth)
{
    (void)nth;
    if (rogue_request(server, ssl))
        rogue_say(ssl, answer);
}

static void run_against(void (*serve)(struct rogue *, SSL *, int))
{
    rogue_start(&rogue, serve);
    fetch_open(&fetch, rogue.port, "/image.bin");
    fetch_run(&fetch);
}

static void end(void)
{
    fetch_close(&fetch);
    rogue_stop(&rogue);
}

static void expect_error(void (*serve)(struct rogue *, SSL *, int), const char *phrase)
{
    run_against(serve);
    cr_assert_eq(fetch.count[FETCH_END], 0);
    cr_assert(strstr(fetch.why, phrase), "told: %s", fetch.why);
    end();
}

static void serve_long_headers(struct rogue *server, SSL *ssl, int nth)
{
    (void)nth;
    bool ok = rogue_request(server, ssl) && rogue_say(ssl, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; ok && i < 20000; i++)
        ok = rogue_say(ssl, "X-Padding: 0123456789012345678901234567890123456789\r\n");
}

Test(drivers_http_rogue, a_megabyte_of_headers)
{
    expect_error(serve_long_headers, "headers are too long");
}

static void serve_one_long_header(struct rogue *server, SSL *ssl, int nth)
{
    (void)nth;
    bool ok = rogue_request(server, ssl) && rogue_say(ssl, "HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; ok && i < 20000; i++)
        ok = rogue_say(ssl, "0123456789012345678901234567890123456789012345678901234567890123");
}

Test(drivers_http_rogue, a_header_of_a_megabyte)
{
    run_against(serve_one_long_header);
    cr_assert_eq(fetch.count[FETCH_ERROR], 1);
    end();
}

static void serve_for_ever(struct rogue *server, SSL *ssl, int nth)
{
    static const char block[16384];
    (void)nth;
    bool ok = rogue_request(server, ssl) && rogue_say(ssl, "HTTP/1.1 200 OK\r\n\r\n");
    while (ok)
        ok = rogue_send(ssl, block, sizeof block);
}

static void enough(struct fetch *who, enum fetch_event event)
{
    if (event == FETCH_DATA && who->len > 5000000 && !who->strike++)
        agent_http_cancel(who->transfer);
}

Test(drivers_http_rogue, an_endless_body_ends_when_it_is_cancelled)
{
    rogue_start(&rogue, serve_for_ever);
    fetch_open(&fetch, rogue.port, "/image.bin");
    fetch.hook = enough;
    fetch_start(&fetch);
    WORLD_UNTIL(fetch.strike);
    world_turns(5);
    cr_assert_eq(fetch.count[FETCH_END] + fetch.count[FETCH_ERROR], 0);
    end();
}

static void expect_error_of(const char *text, const char *phrase)
{
    snprintf(answer, sizeof answer, "%s", text);
    expect_error(serve_answer, phrase);
}

Test(drivers_http_rogue, a_body_cut_short)
{
    expect_error_of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "bytes remaining");
    cr_assert_eq(fetch.count[FETCH_HEAD], 1);
}

Test(drivers_http_rogue, a_chunked_body_cut_short)
{
    expect_error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
                    "outstanding");
}

Test(drivers_http_rogue, a_range_cut_short)
{
    expect_error_of(
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 5-9/10\r\nConnection: close\r\n\r\n123",
        "fewer bytes than the Content-Range says");
}

Test(drivers_http_rogue, a_range_with_too_many_bytes)
{
    expect_error_of(
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 5-6/10\r\nConnection: close\r\n\r\n123",
        "more bytes than the Content-Range says");
}

Test(drivers_http_rogue, a_range_without_content_range)
{
    expect_error_of("HTTP/1.1 206 OK\r\nContent-Length: 1\r\n\r\n1", "without Content-Range");
}

Test(drivers_http_rogue, a_transfer_encoding_to_unpack)
{
    expect_error_of(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n",
        "Transfer-Encoding");
}

Test(drivers_http_rogue, no_http_at_all)
{
    expect_error_of("SSH-2.0-OpenSSH_9.2\r\n", "HTTP/0.9");
}

Test(drivers_http_rogue, content_ranges_that_cannot_be_understood)
{
    static const char *const range[] = {
        "",
        "bytes",
        "bytes 5-9",
        "bytes 9-5/10",
        "bytes 5-/9",
        "bytes -5/9",
        "bytes 5-9/9",
        "bytes 5-9/10 ,bytes 0-1/10",
        "bytes */*",
        "bytes 5 - 9/10",
        "bytes +5-9/10",
        "bytes 0x5-9/10",
        "lines 5-9/10",
        "bytes 5-99999999999999999999999/*",
        "bytes 5-9/10\r\nContent-Range: bytes 5-9/10",
    };
    rogue_start(&rogue, serve_answer);
    fetch_open(&fetch, rogue.port, "/image.bin");
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        snprintf(answer, sizeof answer, "HTTP/1.1 206 OK\r\nContent-Range: %s\r\n\r\n12345",
                 range[i]);
        fetch_run(&fetch);
        cr_assert_eq(fetch.count[FETCH_HEAD], 0, "%s", range[i]);
        cr_assert(strstr(fetch.why, "understood"), "%s told: %s", range[i], fetch.why);
    }
    end();
}

Test(drivers_http_rogue, a_range_that_was_not_asked_for_is_told_as_it_is)
{
    static const struct {
        char range[40];
        uint32_t offset, total;
    } row[] = {{"bytes 0-2/10", 0, 10},
               {"bytes 7-9/*", 7, 0},
               {"BYTES 7-9/10", 7, 10},
               {"bytes 7-9/4294967295", 7, UINT32_MAX},
               {"bytes 7-9/4294967296", 7, 0}};
    rogue_start(&rogue, serve_answer);
    fetch_open(&fetch, rogue.port, "/image.bin");
    fetch.request.offset = 5;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 206 OK\r\nContent-Range:\t%s \r\nContent-Length: 3\r\n\r\n123",
                 row[i].range);
        fetch_run(&fetch);
        cr_assert_eq(fetch.count[FETCH_END], 1, "%s", fetch.why);
        cr_assert_eq(fetch.offset, row[i].offset, "%s", row[i].range);
        cr_assert_eq(fetch.total, row[i].total, "%s", row[i].range);
        cr_assert(strstr(rogue.request, "Range: bytes=5-\r\n"));
        cr_assert_not(strstr(rogue.request, "Accept-Encoding"));
    }
    end();
}

Test(drivers_http_rogue, a_total_of_more_than_32_bits_is_unknown)
{
    rogue_start(&rogue, serve_answer);
    fetch_open(&fetch, rogue.port, "/image.bin");
    snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n1");
    fetch_run(&fetch);
    cr_assert_eq(fetch.count[FETCH_HEAD], 1);
    cr_assert_eq(fetch.total, 0);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 206 OK\r\nContent-Range: bytes 5000000000-5000000000/*\r\n\r\n1");
    fetch_run(&fetch);
    cr_assert_eq(fetch.count[FETCH_HEAD], 0);
    cr_assert(strstr(fetch.why, "32 bits"), "told: %s", fetch.why);
    end();
}

Test(drivers_http_rogue, a_redirect_loop)
{
    expect_error_of("HTTP/1.1 302 Found\r\nLocation: /image.bin\r\nContent-Length: 0\r\n\r\n",
                    "Maximum (5) redirects");
    cr_assert_eq(fetch.count[FETCH_HEAD], 0);
}

Test(drivers_http_rogue, a_redirect_to_plain_http)
{
    expect_error_of(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "not supported");
}

static void serve_reset(struct rogue *server, SSL *ssl, int nth)
{
    (void)nth;
    if (rogue_request(server, ssl) &&
        rogue_say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))
        rogue_reset(ssl);
}

Test(drivers_http_rogue, a_connection_reset_in_the_middle)
{
    run_against(serve_reset);
    cr_assert_eq(fetch.count[FETCH_ERROR], 1);
    end();
}

static void serve_silence(struct rogue *server, SSL *ssl, int nth)
{
    (void)nth;
    if (rogue_request(server, ssl) &&
        rogue_say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))
        rogue_wait(ssl);
}

Test(drivers_http_rogue, silence)
{
    rogue_start(&rogue, serve_silence);
    fetch_open(&fetch, rogue.port, "/image.bin");
    agent_http_free(fetch.http);
    fetch.config.stall_s = 1;
    cr_assert_eq(agent_http_create(&fetch.http, world.loop, &fetch.config), 0);
    fetch_run(&fetch);
    cr_assert(strstr(fetch.why, "too long"), "told: %s", fetch.why);
    end();
}

/* A listener whose backlog takes the connection, and nobody who shakes hands. */
Test(drivers_http_rogue, silence_before_tls)
{
    rogue_start(&rogue, serve_silence);
    fetch_open(&fetch, rogue.port, "/image.bin");
    struct fetch *first = &fetch;
    static struct fetch second;
    second = fetch;
    second.request.url = second.url;
    second.config.connect_within_s = 1;
    cr_assert_eq(agent_http_create(&second.http, world.loop, &second.config), 0);
    fetch_start(first); /* occupies the server */
    WORLD_UNTIL(first->count[FETCH_DATA]);
    fetch_run(&second);
    cr_assert(strstr(second.why, "timed out") || strstr(second.why, "timeout"), "told: %s",
              second.why);
    fetch_close(&second);
    end();
}
