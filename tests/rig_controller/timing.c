/* How long from asking to the driver, and how exactly not_before_us is kept: median and 99 % of N
 * (argument 1) with a driver that takes no time, with an odometer file (argument 2) or none. */
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print(const char *what, int64_t *us, size_t n)
{
    qsort(us, n, sizeof *us, by_value);
    printf("%-28s median %5lld us, 99 %% %6lld us, most %6lld us\n", what, (long long)us[n / 2],
           (long long)us[n * 99 / 100], (long long)us[n - 1]);
}

/* The thread sleeps before each. */
static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    char message[256];
    struct rig_controller *controller;
    struct rig_controller_config config = {
        .name = "timing", .driver = &fake_readable, .value = fake_setting(0), .timeout_ms = 100};
    int64_t *sent = calloc(n + 1, sizeof *sent), *round = calloc(n + 1, sizeof *round);
    if (!n || !sent || !round)
        return 2;
    if (argc > 2 && rig_odometer_open(&config.odometer, argv[2], message, sizeof message)) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    if (rig_controller_open(&controller, &config))
        return 1;
    struct rig_answer answer;
    struct rig_ask ask = {.channel = 1};
    rig_controller_do(controller, &answer, &ask); /* opens the hardware */
    for (size_t i = 0; i < n; i++) {
        rest();
        ask.want = i % 2 ? RIG_WANT_OFF : RIG_WANT_ON;
        rig_controller_do(controller, &answer, &ask);
        sent[i] = answer.sent_us - answer.asked_us;
        round[i] = rig_port_now_us() - answer.asked_us;
        fakes[0].logged = 0;
    }
    print("asked to sent", sent, n);
    print("asked to answered", round, n);
    for (size_t i = 0; i < n; i++) {
        ask.want = i % 2 ? RIG_WANT_OFF : RIG_WANT_ON;
        ask.not_before_us = rig_port_now_us() + 1000 + (int64_t)(i * 7919 % 4000);
        rig_controller_do(controller, &answer, &ask);
        sent[i] = answer.sent_us - ask.not_before_us;
        fakes[0].logged = 0;
    }
    print("not_before_us to sent", sent, n);
    rig_controller_close(controller);
    rig_odometer_close(config.odometer);
    free(sent);
    free(round);
    return 0;
}
