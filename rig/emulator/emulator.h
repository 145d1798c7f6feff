/* The inside of the emulator: relays, the boards behind their contacts, orders. One thread. */
#ifndef EM_EMULATOR_H
#define EM_EMULATOR_H

#include "lcus.h"
#include "port.h"
#include "rig/cut.h"
#include <stdio.h>

enum {
    EM_BOARDS_MAX = 64,
    EM_CHANNELS_MAX = 8, /* of a relay */
    EM_RELAYS_MAX = EM_BOARDS_MAX,
    EM_BOUNCES_MAX = 20,
    EM_FLOOD_MAX = 1 << 28,
    EM_MESSAGE_MAX = 512,
    EM_ANSWER_MAX = 4096 /* daemon_kit/control.h */
};

struct em_options {
    const char *folder, *rom;
    uint32_t boards, channels;
    uint64_t seed;
    bool talking; /* the relays answer FF */
    uint32_t contact_ms_min, contact_ms_max;
    enum scn_torn torn;
    bool start_on;
};

struct em;
struct em_relay;

struct em_board {
    struct em *em;
    uint32_t number; /* from 1 */
    char name[16], flash[PATH_MAX];
    struct rig_cutter *cutter;
    struct em_port console, line;
    FILE *cuts;
    int held;           /* its flash file, locked while it has power; -1 */
    ev_timer line_rest; /* its line is not read meanwhile */
    uint64_t flood_left;
    uint32_t noise; /* its generator */
    uint32_t cut_count, hits, ends, strays;
    int64_t on_us_max, off_us_max;
    pid_t memory_of; /* the process whose memory was read last, and when */
    int64_t memory_at_us, memory_kib;
    char error[EM_MESSAGE_MAX]; /* the last thing that went wrong with it */
};

/* A contact follows its coil, after a while. */
struct em_contact {
    struct em_relay *relay;
    struct em_board *board; /* NULL: nothing is connected */
    uint32_t channel;       /* from 1 */
    bool coil, closed, stuck, welded;
    bool opens;           /* its board was told, nothing changes it any more */
    uint32_t bounces;     /* at the next closing */
    uint32_t bounce_left; /* movements, while it bounces */
    uint32_t draws;
    ev_timer moves;
    int64_t due_us; /* when it should move */
};

struct em_relay {
    struct em *em;
    uint32_t number;
    char name[16];
    bool silent;
    struct em_lcus lcus;
    struct em_port port;
    struct em_contact contact[EM_CHANNELS_MAX];
};

struct em {
    struct em_options options;
    struct ev_loop *loop;
    struct em_hub hub;
    struct em_board board[EM_BOARDS_MAX];
    struct em_relay relay[EM_RELAYS_MAX];
    uint32_t relays;
    unsigned turn;       /* of the loop, in which a contact moved */
    int64_t late_us_max; /* the most that a contact moved too late */
    struct agent_kit_control *control;
    int lock, folder;
};

int64_t em_now_us(void); /* CLOCK_MONOTONIC */

/* bench.c: all of it. -1 with a message; em_close is needed in any case. */
int em_open(struct em *em, const struct em_options *options, struct ev_loop *loop, char *message,
            size_t len);
void em_close(struct em *em); /* every board loses its power as by its contact */

/* board.c */
int em_board_open(struct em_board *board, struct em *em, uint32_t number, char *message,
                  size_t len);
void em_board_close(struct em_board *board);
bool em_board_is_on(const struct em_board *board);
void em_board_on(struct em_board *board); /* on already: left as it is */
/* due_us: when its contact should have opened. Off already: left as it is. */
void em_board_off(struct em_board *board, int64_t due_us);
void em_board_fails(struct em_board *board); /* em_board_off follows in the loop's next turn */
int em_board_kill(struct em_board *board);   /* SIGKILL to its QEMU; -1: it has none */
void em_board_flood(struct em_board *board, uint64_t bytes);

/* cuts.c: {"n":..} as drawn in README.md. 0, or -1. */
int em_cut_write(FILE *to, uint32_t n, const struct rig_cut *cut, int64_t at_us, int64_t due_us);

/* relay.c */
int em_relay_open(struct em_relay *relay, struct em *em, uint32_t number, char *message,
                  size_t len);
void em_relay_close(struct em_relay *relay);
/* dead: its coils lose their supply too. */
void em_relay_unplug(struct em_relay *relay, bool dead);
void em_relay_heal(struct em_relay *relay); /* no fault is left; contacts follow their coils */

/* contact.c */
void em_contact_init(struct em_contact *contact, struct em_relay *relay, uint32_t channel,
                     struct em_board *board);
void em_contact_stop(struct em_contact *contact);
void em_contact_command(struct em_contact *contact, bool on); /* the coil */

/* control.c, facts.c */
bool em_obey(void *em, char answer[EM_ANSWER_MAX], const char *line, size_t len);
void em_facts(struct em *em, char answer[EM_ANSWER_MAX]);
void em_board_facts(struct em_board *board, bool closed, char answer[EM_ANSWER_MAX]);

#endif
