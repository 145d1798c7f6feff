/* What a board does by itself, and with a line that is silent, noisy or rude. */
#include "bench.h"
#include <criterion/criterion.h>
#include <string.h>

static struct bench bench;
static struct bench_image image;

TestSuite(board_fw_line, .timeout = 300);

Test(board_fw_line, boots_connects_and_sleeps)
{
    bench_open(&bench);
    double on_s = bench_seconds();
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=boot "));
    double boot_s = bench_seconds();
    cr_assert(bench_says(&bench, " event=firmware version=2.3.1"));
    cr_assert(bench_says(&bench, "4 sensors"));
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    double up_s = bench_seconds();
    cr_assert(bench_hears(&bench, "telemetry {\"device_id\":\"pump-0001\",\"seq\":1,"));
    cr_assert(bench_hears(&bench, "\"version\":\"2.3.1\""));
    cr_assert(bench_hears(&bench, ",\"resets\":0,\"flow_ml_s\":"));
    bench_pass(&bench, 1);
    double cpu_s = bench_cpu_s(&bench), from_s = bench_seconds();
    bench_pass(&bench, 4);
    double idle = (bench_cpu_s(&bench) - cpu_s) / (bench_seconds() - from_s);
    cr_log_info("power on to bootloader's line %.0f ms, to MQTT %.0f ms; idle CPU %.1f %%",
                (boot_s - on_s) * 1e3, (up_s - on_s) * 1e3, idle * 100);
    cr_assert(idle < 0.15, "%f", idle);
    cr_assert_eq(bench.resets, 0);
    bench_close(&bench);
}

/* Longer than twice its watchdog's time, which is more than the host holds QEMU up. */
Test(board_fw_line, nobody_at_the_line_is_no_reason_to_reset)
{
    bench_open(&bench);
    bench.factory.watchdog_s = 4;
    bench_factory_write(&bench);
    bench.rude.absent = true;
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=firmware version=2.3.1"));
    bench_pass(&bench, 9);
    cr_assert_eq(bench.resets, 0);
    bench.rude.absent = false;
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    bench_close(&bench);
}

Test(board_fw_line, ping_is_answered_within_half_a_second)
{
    bench_open(&bench);
    bench_on(&bench);
    cr_assert(bench_hears(&bench, "\"vibration_um_s\""));
    double took_s = 1;
    for (int i = 0; i < 10 && took_s >= 0.5; i++) { /* a busy host is not the board's fault */
        double from_s = bench_seconds();
        bench_command(&bench, "{\"command_id\":\"p1\",\"command\":\"ping\"}");
        cr_assert(bench_hears(&bench, "\"pong\":\"p1\""));
        took_s = bench_seconds() - from_s;
    }
    cr_log_info("round trip %.1f ms", took_s * 1e3);
    cr_assert(took_s < 0.5);
    bench_command(&bench, "{\"command_id\":\"p2\",\"command\":");
    cr_assert(bench_says(&bench, " event=refused topic=command"));
    bench_close(&bench);
}

static void hear_seq(int seq)
{
    char text[24];
    snprintf(text, sizeof text, "\"seq\":%d,", seq);
    cr_assert(bench_hears(&bench, text), "%s", text);
}

Test(board_fw_line, telemetry_comes_in_its_interval_with_its_seq)
{
    bench_open(&bench);
    bench.factory.telemetry_every_ms = 500;
    bench_factory_write(&bench);
    bench_on(&bench);
    double took_s = 0;
    int seq = 1;
    /* Three intervals; once more where the host held the board or this test up. */
    for (int i = 0; i < 10 && (took_s < 1.3 || took_s > 4); i++) {
        hear_seq(seq);
        double from_s = bench_seconds();
        for (int end = seq + 3; seq < end;)
            hear_seq(++seq);
        took_s = bench_seconds() - from_s;
        seq++;
    }
    cr_assert(took_s > 1.3 && took_s < 4, "%f", took_s);
    cr_assert(bench_hears(&bench, "\"flow_ml_s\":1"), "it runs: 1.6 to 2.2 l/s");
    bench_close(&bench);
}

/* ---- Updates over a bad line ---- */

static void update(void)
{
    bench_image(&bench, &image, "pump-2.4.0");
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    bench_notify(&bench, &image);
    cr_assert(bench_hears(&bench, "\"status\":\"confirmed\""));
    cr_assert_eq(bench.watchdogs, 0);
    bench_image_free(&image);
}

Test(board_fw_line, noise_both_ways_only_takes_time)
{
    bench_open(&bench);
    bench.rude.noise = 24; /* one byte of 2,731: every third frame */
    double from_s = bench_seconds();
    update();
    const struct link_counters *counters = link_counters(&bench.channel);
    cr_log_info("update over noise %.1f s, %u damaged frames here", bench_seconds() - from_s,
                counters->crc_errors + counters->format_errors);
    cr_assert(counters->frames_repeated > 0);
    bench_close(&bench);
}

Test(board_fw_line, other_transfers_bytes_are_ignored)
{
    bench_open(&bench);
    bench.rude.stale = true;
    update();
    cr_assert_eq(bench.gets, 1);
    bench_close(&bench);
}

Test(board_fw_line, gateway_that_begins_anew_is_asked_again_from_where_it_was)
{
    bench_open(&bench);
    bench.rude.begin_anew = 11;
    update();
    cr_assert_eq(bench.gets, 2);
    cr_assert(strstr(bench.said, "event=mqtt_down reason=\"the gateway began anew\""));
    cr_assert(strstr(bench.said, "event=http_error reason=\"the gateway began anew\""));
    bench_close(&bench);
}

/* Its flash takes longer than the line: the next frame always waits, for longer than its watchdog's
 * time. The pump is read meanwhile, and telemetry goes out. */
Test(board_fw_line, long_download_leaves_the_watchdog_and_the_pump_their_time)
{
    bench_open(&bench);
    bench.rude.piece = LINK_PAYLOAD_MAX - 4; /* a frame: one of the window's four is always whole */
    bench.factory.watchdog_s = 4; /* a host may pause for one; the download takes 4.9 s */
    bench.factory.telemetry_every_ms = 500;
    bench_factory_write(&bench);
    bench_image(&bench, &image, "pump-2.4.0");
    bench_image_grow(&bench, &image, 360 * 1024);
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    bench_notify(&bench, &image);
    cr_assert(bench_says(&bench, " event=http_head"));
    size_t from = bench.heard_len;
    cr_assert(bench_says(&bench, " event=http_end"));
    size_t until = bench.heard_len;
    cr_assert_eq(bench.resets, 0);
    cr_assert_eq(bench.gets, 1);
    int telemetry = 0;
    for (char *at = bench.heard + from; (at = strstr(at, "telemetry {")) != NULL; at++)
        telemetry += at < bench.heard + until;
    cr_assert_geq(telemetry, 3, "%d in 88 sectors of 56 ms", telemetry);
    bench_image_free(&image);
    bench_close(&bench);
}

/* Bytes that were never a frame, as fast as they go, for longer than the watchdog's time; then a
 * gateway. */
Test(board_fw_line, flood_of_noise_does_no_harm)
{
    static uint8_t flood[65536];
    uint32_t x = 1;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof flood; i++) {
        x = x * 1664525 + 1013904223;
        flood[i] = (uint8_t)(x >> 24);
    }
    bench.factory.watchdog_s = 6;
    bench_factory_write(&bench);
    bench.rude.absent = true;
    bench_on(&bench);
    cr_assert(bench_says(&bench, " event=start "));
    for (int i = 0; i < 32; i++) {
        if (rig_board_link_pending(bench.board) < 4 * sizeof flood)
            rig_board_link_write(bench.board, flood, sizeof flood);
        bench_pass(&bench, 0.25);
    }
    while (rig_board_link_pending(bench.board))
        bench_pass(&bench, 0.1);
    cr_assert_eq(bench.resets, 0);
    bench.rude.absent = false;
    cr_assert(bench_says(&bench, " event=mqtt_up"));
    bench_close(&bench);
}
