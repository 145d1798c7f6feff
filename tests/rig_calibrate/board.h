/* A board behind a relay, as a process of its own on two ptys: prints while it has power, and falls
 * silent a known time after the relay's bytes. Ends with the test. */
#ifndef TEST_RIG_CALIBRATE_BOARD_H
#define TEST_RIG_CALIBRATE_BOARD_H

#include "kit.h"
#include <sys/types.h>

enum { BOARD_CUTS_MAX = 256 };

struct board_facts {
    uint32_t ons, offs;                 /* frames that came */
    bool powered;                       /* now */
    int64_t latency_us[BOARD_CUTS_MAX]; /* of each cut: its last byte after the frame came */
};

struct board {
    /* Set before the start. */
    int64_t tick_us;    /* 0: it says nothing */
    int64_t hold_us[2]; /* from the relay's frame to silence, in turn */
    const char *text;   /* what it prints; NULL: "tick\n" */
    bool stuck;         /* the contact does not open */
    uint32_t mute_on;   /* powered on for the n-th time and the two after it, it prints no line for
                           400 ms, one, and nothing for 1.1 s, and so on; 0: it never is mute */
    struct kit_line relay, console;
    struct board_facts *facts; /* shared with the process */
    pid_t pid;
};

/* Opens FOLDER/relay and FOLDER/con, writes desk.yaml with board "a" on channel 1, and starts. */
void board_start(struct board *board);
void board_stop(struct board *board);

#endif
