/* Certificates and lies as curl judges them; hostile and slow clients; limits. */
#include "bench.h"
#include "edge_bench.h"
#include "sim/rng.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define HEAD "GET /new HTTP/1.1\r\nHost: edge.test\r\n"

static struct edge_bench bench;

/* Exit codes: curl(1). */
Test(chaos_edge, curl_sees_each_certificate_as_what_it_is, .timeout = 300)
{
    static const struct {
        int code;
        enum sim_edge_effect_kind told;
        uint8_t alert;
    } rows[CERTS] = {
        [CERT_GOOD] = {0, SIM_EDGE_SERVED, 0},
        [CERT_EXPIRED] = {60, SIM_EDGE_CERT_REFUSED, 45},
        [CERT_WRONG_NAME] = {60, SIM_EDGE_LEFT, 0},
        [CERT_UNKNOWN_CA] = {60, SIM_EDGE_CERT_REFUSED, 48},
    };
    edge_bench_begin(&bench, NULL);
    for (int cert = 0; cert < CERTS; cert++) {
        bench.effects = 0;
        cr_assert_eq(curl(&bench, (enum bench_cert)cert, "", "/new", NULL, NULL), rows[cert].code,
                     "%d", cert);
        edge_bench_until(&bench, rows[cert].told, 1);
        const struct sim_edge_effect *last = &bench.effect[bench.effects - 1];
        cr_assert_eq(last->kind, rows[cert].told);
        cr_assert_eq(last->listener, (uint32_t)cert);
        cr_assert_eq(last->alert, rows[cert].alert, "%d: %u", cert, last->alert);
    }
    edge_bench_end(&bench);
}

Test(chaos_edge, curl_resumes_exactly, .timeout = 300)
{
    static uint8_t out[2 * EDGE_NEW_BYTES];
    size_t len = sizeof out;
    edge_bench_begin(&bench, NULL);
    cr_assert_eq(curl(&bench, CERT_GOOD, "-r 12345-", "/new", out, &len), 0);
    cr_assert_eq(len, EDGE_NEW_BYTES - 12345);
    cr_assert_eq(memcmp(out, bench_pattern(EDGE_NEW_BYTES) + 12345, len), 0);
    edge_bench_end(&bench);
}

static int curl_until_spoiled(const char *arguments, double max_s)
{
    char all[64];
    int code;
    do {
        bench.effects = 0;
        snprintf(all, sizeof all, "%s --max-time %.1f", arguments, max_s);
        code = curl(&bench, CERT_GOOD, all, "/new", NULL, NULL);
    } while (code == 28 && edge_bench_count(&bench, SIM_EDGE_SPOILED) == 0 &&
             !patience_ends(&max_s));
    return code;
}

Test(chaos_edge, curl_sees_each_lie_as_what_it_is, .timeout = 300)
{
    static const struct {
        struct sim_edge_plan plan;
        int code;
        const char *arguments;
        double max_s; /* the first try */
    } rows[] = {
        {{.how = SCN_HOW_HTTP_403}, 22, "-f", 200},
        {{.how = SCN_HOW_HTTP_500}, 22, "-f", 200},
        {{.trick = SIM_EDGE_HTTP_416}, 22, "-f", 200},
        {{.trick = SIM_EDGE_REDIRECT_LOOP}, 47, "-L --max-redirs 5", 200},
        {{.trick = SIM_EDGE_REDIRECT_HTTP}, 1, "-L --proto-redir =https", 200},
        {{.how = SCN_HOW_TRUNCATED, .draw = {5000}}, 0, "-r 1000-", 200},
        {{.how = SCN_HOW_TRUNCATED, .draw = {5000}}, 0, "", 200},
        {{.trick = SIM_EDGE_EARLY_CLOSE, .draw = {5000}}, 18, "", 200},
        {{.how = SCN_HOW_WRONG_LENGTH, .draw = {0, 9}}, 18, "", 200},
        {{.how = SCN_HOW_DISCONNECT, .draw = {9000}}, 56, "", 200},
        /* More than 300 KB: CURLE_RECV_ERROR in 7.88. */
        {{.trick = SIM_EDGE_HUGE_HEAD}, 56, "", 200},
        {{.trick = SIM_EDGE_SILENCE}, 28, "-o /dev/null", 0.2},
        {{.trick = SIM_EDGE_DRIP}, 28, "", 0.3},
        {{.how = SCN_HOW_ENDLESS}, 28, "-o /dev/null", 0.2},
    };
    edge_bench_begin(&bench, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench.plan = rows[i].plan;
        int code = curl_until_spoiled(rows[i].arguments, rows[i].max_s);
        cr_assert_eq(code, rows[i].code, "row %zu: %d", i, code);
        cr_assert_geq(edge_bench_count(&bench, SIM_EDGE_SPOILED), 1, "row %zu", i);
    }
    struct sim_edge_stats stats;
    sim_edge_stats(bench.edge, &stats);
    cr_assert_eq(stats.trick[SIM_EDGE_REDIRECT_LOOP], 6);
    cr_assert_eq(stats.how[SCN_HOW_TRUNCATED], 2);
    edge_bench_end(&bench);
}

static struct fetch send_to(const char *bytes, size_t len, bool raw)
{
    struct fetch got = {.bench = &bench, .request = bytes, .request_len = len, .raw = raw};
    edge_bench_run(&bench, (void (*)(void *))fetch, &got);
    return got;
}

static void assert_alive(void)
{
    static uint8_t out[2 * EDGE_NEW_BYTES];
    size_t len = sizeof out;
    cr_assert_eq(curl(&bench, CERT_GOOD, "", "/new", out, &len), 0);
    cr_assert_eq(len, EDGE_NEW_BYTES);
}

Test(chaos_edge, random_bytes_in_place_of_tls_do_no_harm, .timeout = 300)
{
    struct sim_rng rng;
    char bytes[2000];
    edge_bench_begin(&bench, NULL);
    sim_rng_init(&rng, 1, 0, SIM_RNG_PROXY, 0);
    for (uint32_t i = 0; i < 30; i++) {
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (char)sim_rng_u32(&rng);
        if (i % 2) /* the beginning of a TLS record */
            memcpy(bytes, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
        struct fetch got = send_to(bytes, sizeof bytes, true);
        cr_assert_neq(got.end, FETCH_TIMED_OUT);
        fetch_free(&got);
    }
    assert_alive();
    edge_bench_end(&bench);
}

Test(chaos_edge, hostile_requests_are_answered_and_closed, .timeout = 300)
{
    static const struct {
        const char *bytes;
        int status;
    } rows[] = {
        {"\r\nnonsense\r\n\r\n", 400},
        {"POST /new HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        {"GET /new HTTP/3.0\r\n\r\n", 505},
        {"GET /new HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 413},
        {"GET /%s%n%s%n HTTP/1.1\r\nHost: %n%n\r\n\r\n", 400},
    };
    edge_bench_begin(&bench, NULL);
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = send_to(rows[i].bytes, 0, false);
        cr_assert_eq(got.status, rows[i].status, "row %u: %d", i, got.status);
        cr_assert_eq(got.end, FETCH_CLOSED);
        cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_BAD_REQUEST), i + 1);
        cr_assert_eq(bench.effect[bench.effects - 1].status, rows[i].status);
        fetch_free(&got);
    }
    assert_alive();
    edge_bench_end(&bench);
}

Test(chaos_edge, endless_headers_end, .timeout = 300)
{
    static char bytes[100000];
    edge_bench_begin(&bench, NULL);
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, HEAD, strlen(HEAD));
    struct fetch got = send_to(bytes, sizeof bytes, false);
    cr_assert_eq(got.status, 431);
    fetch_free(&got);
    assert_alive();
    edge_bench_end(&bench);
}

Test(chaos_edge, who_does_not_finish_is_cut_off, .timeout = 300)
{
    static const struct {
        const char *bytes;
        bool raw;
    } rows[] = {{"", true}, {"\x16\x03\x01", true}, {"", false}, {HEAD, false}};
    edge_bench_begin(&bench, &(struct sim_edge_config){.request_ms = 50, .idle_ms = 50});
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch got = send_to(rows[i].bytes, 0, rows[i].raw);
        cr_assert_neq(got.end, FETCH_COMPLETE);
        cr_assert_eq(got.len, 0);
        edge_bench_until(&bench, SIM_EDGE_TIMED_OUT, i + 1);
        fetch_free(&got);
    }
    edge_bench_end(&bench);
}

Test(chaos_edge, who_keeps_a_connection_idle_is_cut_off, .timeout = 300)
{
    edge_bench_begin(&bench, &(struct sim_edge_config){.idle_ms = 2000});
    struct fetch got = send_to(HEAD "\r\n", 0, false);
    cr_assert_eq(got.status, 200);
    cr_assert_eq(got.len - got.head_len, EDGE_NEW_BYTES);
    cr_assert_eq(edge_bench_count(&bench, SIM_EDGE_TIMED_OUT), 1);
    fetch_free(&got);
    edge_bench_end(&bench);
}

static struct fetch crowd[8];

static void *fetch_in_thread(void *one)
{
    fetch(one);
    return NULL;
}

static void fetch_all(void *ctx)
{
    pthread_t thread[8];
    (void)ctx;
    for (int i = 0; i < 8; i++)
        pthread_create(&thread[i], NULL, fetch_in_thread, &crowd[i]);
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
}

Test(chaos_edge, more_clients_than_allowed_wait_their_turn, .timeout = 300)
{
    pthread_barrier_t connected;
    pthread_barrier_init(&connected, NULL, 8);
    edge_bench_begin(&bench, &(struct sim_edge_config){.connections_max = 2});
    bench.plan =
        (struct sim_edge_plan){.trick = SIM_EDGE_DRIP, .drip_bytes = 10000, .drip_us = 2000};
    for (int i = 0; i < 8; i++)
        crowd[i] = (struct fetch){.bench = &bench,
                                  .cert = CERT_GOOD,
                                  .request = HEAD "Connection: close\r\n\r\n",
                                  .connected = &connected};
    edge_bench_run(&bench, fetch_all, NULL);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(crowd[i].len - crowd[i].head_len, EDGE_NEW_BYTES);
        fetch_free(&crowd[i]);
    }
    struct sim_edge_stats stats;
    sim_edge_stats(bench.edge, &stats);
    cr_assert_eq(stats.live_max, 2);
    cr_assert_geq(edge_bench_count(&bench, SIM_EDGE_PAUSED), 1);
    edge_bench_end(&bench);
    pthread_barrier_destroy(&connected);
}

Test(chaos_edge, bad_files_are_told_and_names_are_complete)
{
    struct sockaddr_in address;
    char good[128], other[128];
    edge_bench_begin(&bench, NULL);
    snprintf(good, sizeof good, "%s/good.pem", bench.folder);
    snprintf(other, sizeof other, "%s/expired.key", bench.folder);
    cr_assert_eq(sim_edge_listen(bench.edge, &address, "/none.pem", other), SIM_CHAOS_ECERT);
    cr_assert_eq(sim_edge_listen(bench.edge, &address, good, other), SIM_CHAOS_ECERT);
    edge_bench_end(&bench);
    for (int i = 0; i < SIM_EDGE_TRICKS; i++)
        cr_assert_str_neq(sim_edge_trick_name(i), "unknown");
    for (int i = 0; i < SIM_EDGE_EFFECTS; i++)
        cr_assert_str_neq(sim_edge_effect_name(i), "unknown");
    cr_assert_str_eq(sim_edge_trick_name(-1), "unknown");
    cr_assert_str_eq(sim_edge_effect_name(SIM_EDGE_EFFECTS), "unknown");
}
