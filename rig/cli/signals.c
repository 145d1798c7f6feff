/* Ctrl-C while something is half done: a board held in reset, or off for a moment. */
#include "cli_internal.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const int held[] = {SIGINT, SIGTERM, SIGHUP};
enum { HELD = sizeof held / sizeof *held };

static volatile sig_atomic_t caught;
static bool holds;
static struct sigaction before[HELD];

/* The second one ends the process wherever it is: a relay may keep us waiting for long. */
static void on_signal(int number)
{
    static const char note[] = "\nfinishing what was begun; once more ends it at once\n";
    if (caught) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    caught = number;
    (void)!write(STDERR_FILENO, note, sizeof note - 1);
}

void rig_cli_hold_signals(void)
{
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&ours.sa_mask);
    caught = 0;
    holds = true;
    for (int i = 0; i < HELD; i++) {
        sigaction(held[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* nohup */
            sigaction(held[i], &ours, NULL);
    }
}

bool rig_cli_wait_until(int64_t until_us)
{
    sigset_t set, open;
    sigemptyset(&set);
    for (int i = 0; i < HELD; i++)
        sigaddset(&set, held[i]);
    sigprocmask(SIG_BLOCK, &set, &open);
    int64_t left_us;
    while (!caught && (left_us = until_us - rig_port_now_us()) > 0) {
        struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
        ppoll(NULL, 0, &left, &open);
    }
    sigprocmask(SIG_SETMASK, &open, NULL);
    return !caught;
}

void rig_cli_release_signals(void)
{
    for (int i = 0; i < HELD && holds; i++)
        sigaction(held[i], &before[i], NULL);
    if (!holds || !caught)
        return;
    holds = false;
    fflush(stdout);
    raise(caught);
}
