/* Two channels and the line between them, in virtual milliseconds, from one seed. Each end sends
 * numbered messages as fast as it may, and checks what it gets: within a connection every message
 * once, in order, whole; nothing of an older one, ever. */
#ifndef TESTS_LINK_LINE_H
#define TESTS_LINK_LINE_H

#include "link/channel_state.h"

enum { LINE_ROOM = 65536, LINE_STEP_MAX = 512 };

struct line_faults {             /* of a million, each byte or each chunk */
    uint32_t lose, flip, insert; /* bytes */
    uint32_t twice, late;        /* chunks: again after a while; delayed past others */
    uint32_t cut;                /* the line is dead for up to 9 s; per millisecond */
    uint32_t reset;              /* of one end; per millisecond */
    uint32_t again, again_ends;  /* the same, of the first so many ends, with the session it had */
    uint32_t slow;               /* an end takes nothing for up to 3 s; per millisecond */
};

struct line_way { /* one direction: bytes with the time of their arrival */
    uint8_t byte[LINE_ROOM];
    uint32_t due_ms[LINE_ROOM];
    uint32_t len;
};

struct line_end {
    struct link_channel channel;
    uint32_t life;              /* grows with each reset, so that old and new can be told apart */
    uint32_t session;           /* of the channel: the life, or that of a life before */
    uint32_t connection, index; /* of the next message that it sends */
    uint32_t heard_life, heard_connection, heard_index; /* of the next one that must come */
    bool heard_any, fresh; /* fresh: the next one begins a connection */
    uint32_t slow_until_ms;
    uint32_t ups, restarts, downs, taken, bytes_taken, bytes_out;
};

struct line {
    struct line_end end[2];
    struct line_way way[2]; /* from end i */
    uint64_t random;
    uint32_t now_ms, cut_until_ms;
    uint32_t bytes_per_ms, delay_ms, message_max;
    struct line_faults faults;
    bool stale_allowed; /* a line that keeps frames, and names that come again: who could tell? */
    const char *wrong;  /* the first thing that was */
};

void line_init(struct line *line, uint64_t seed);
uint32_t line_random(struct line *line, uint32_t below);
void line_reset(struct line *line, int end);       /* power cut and start */
void line_reset_again(struct line *line, int end); /* the same, with the session that it had */
void line_step(struct line *line);                 /* a millisecond */
void line_run(struct line *line, uint32_t ms);
/* Both are connected to each other, and all that was sent in this connection was taken. */
bool line_settled(const struct line *line);

#endif
