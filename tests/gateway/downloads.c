/* HTTPS through the gateway, at the board's pace. */
#include "bench.h"
#include "daemon_kit/log.h"
#include "inside.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>

TestSuite(gateway_http, .init = bench_open, .fini = bench_close, .timeout = 300);

enum { IMAGE = 512 * 1024 };
static struct board *const board = &bench.board;

static void expect_rest(uint32_t id, uint32_t offset)
{
    BENCH_UNTIL(board->count[LINK_END] + board->count[LINK_ERROR]);
    cr_assert_eq(board->count[LINK_ERROR], 0, "%s", board->text[LINK_ERROR]);
    cr_assert_eq(board->last[LINK_HEAD].id, id);
    cr_assert_eq(board->last[LINK_HEAD].status, offset ? 206 : 200);
    cr_assert_eq(board->last[LINK_HEAD].offset, offset);
    cr_assert_eq(board->last[LINK_HEAD].total, IMAGE);
    cr_assert_eq(board->body_len, IMAGE - offset);
    cr_assert_eq(memcmp(board->body, bench_noise(IMAGE) + offset, board->body_len), 0);
    board->count[LINK_END] = 0;
}

Test(gateway_http, a_whole_image_and_the_rest_of_one)
{
    static const uint32_t offset[] = {0, 1, 4096, IMAGE - 1};
    bench_put("image.bin", bench_noise(IMAGE), IMAGE);
    for (uint32_t i = 0; i < 4; i++) {
        int64_t began_ms = agent_time_since_ms();
        board_get(i + 1, offset[i], bench_url("image.bin"));
        expect_rest(i + 1, offset[i]);
        if (!i)
            printf("512 KiB over the line in %lld ms\n",
                   (long long)(agent_time_since_ms() - began_ms));
    }
}

Test(gateway_http, a_slow_board_is_waited_for_without_a_heap)
{
    bench_put("image.bin", bench_noise(IMAGE), IMAGE);
    board_get(1, 0, bench_url("image.bin"));
    BENCH_UNTIL(board->count[LINK_HEAD]);
    size_t most = 0, before = mallinfo2().uordblks;
    board->deaf = true; /* for a while nothing at all */
    BENCH_UNTIL(bench.gateway->download.paused);
    bench_run_ms(1000);
    const struct gateway_download *download = &bench.gateway->download;
    uint32_t kept = download->len - download->at;
    cr_assert(download->paused && kept >= GATEWAY_GO_ON_AT && kept <= GATEWAY_BUFFER, "%u", kept);
    for (int i = 0; i < 100 && board->body_len < IMAGE / 2; i++) {
        board->deaf = false;
        board->take_max = 3;
        bench_run_ms(10);
        size_t used = mallinfo2().uordblks;
        if (used > before && used - before > most)
            most = used - before;
    }
    printf("the heap grew by %zu bytes while the board was slow\n", most);
    cr_assert_lt(most, 160 * 1024); /* libcurl's own; the image has more */
    board->take_max = 0;
    expect_rest(1, 0);
}

Test(gateway_http, refusals_of_the_server_are_heads)
{
    board_get(3, 0, bench_url("nothing.bin"));
    BENCH_UNTIL(board->count[LINK_END]);
    cr_assert_eq(board->last[LINK_HEAD].status, 404);
    char url[SIM_URL_MAX];
    snprintf(url, sizeof url, "%s0", bench_url("nothing.bin"));
    board_get(4, 0, url);
    BENCH_UNTIL(board->count[LINK_END] == 2);
    cr_assert_eq(board->last[LINK_HEAD].status, 403);
    cr_assert_eq(board->last[LINK_END].id, 4);
}

Test(gateway_http, a_server_that_goes_is_an_error_and_the_rest_comes_later)
{
    char why[300];
    bench_put("image.bin", bench_noise(IMAGE), IMAGE);
    board->take_max = 1;
    board_get(1, 0, bench_url("image.bin"));
    BENCH_UNTIL(board->body_len > 20000);
    sim_store_stop(&bench.servers.store);
    board->take_max = 0;
    BENCH_UNTIL(board->count[LINK_ERROR] || board->count[LINK_END]);
    /* The kernel's buffers may have held all that was left; then there is nothing to resume. */
    cr_assert(board->count[LINK_ERROR] || board->body_len == IMAGE);
    cr_assert_eq(memcmp(board->body, bench_noise(IMAGE), board->body_len), 0);
    cr_assert_eq(sim_store_start_again(&bench.servers.store, why, sizeof why), 0);
    board->count[LINK_ERROR] = board->count[LINK_END] = 0;
    board_get(2, 20000, bench_url("image.bin"));
    expect_rest(2, 20000);
}

Test(gateway_http, a_board_that_is_reset_has_no_old_download)
{
    bench_put("image.bin", bench_noise(IMAGE), IMAGE);
    board->take_max = 1;
    board_get(1, 0, bench_url("image.bin"));
    BENCH_UNTIL(board->body_len > 20000);
    board->take_max = 0;
    board_reset();
    BENCH_UNTIL(board->count[LINK_MQTT_UP]);
    cr_assert_eq(board->count[LINK_DATA], 0);
    board_get(9, 20000, bench_url("image.bin"));
    expect_rest(9, 20000);
}

Test(gateway_http, another_get_and_a_cancel_end_the_first)
{
    bench_put("image.bin", bench_noise(IMAGE), IMAGE);
    board_get(1, 0, bench_url("image.bin"));
    BENCH_UNTIL(board->body_len > 5000);
    board_send(&(struct link_message){.kind = LINK_CANCEL, .id = 1});
    bench_run_ms(300);
    cr_assert_lt(board->body_len, IMAGE);
    cr_assert_eq(board->count[LINK_END] + board->count[LINK_ERROR], 0);
    board_get(2, 0, bench_url("image.bin"));
    board_get(3, 4096, bench_url("image.bin"));
    BENCH_UNTIL(board->count[LINK_END]);
    cr_assert_eq(board->last[LINK_END].id, 3);
    cr_assert_eq(board->count[LINK_ERROR], 0);
}
