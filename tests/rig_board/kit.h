/* A board on a test's own loop, with the load generator in it; what it did is kept. */
#ifndef RIG_BOARD_KIT_H
#define RIG_BOARD_KIT_H

#include "board/map.h"
#include "rig/cut.h"
#include <criterion/criterion.h>
#include <ev.h>

/* Straps of the load generator: gpioA4..A6 (load/load.c, enum mode). */
enum kit_mode {
    KIT_PAGES,
    KIT_PAGES_FAST,
    KIT_IDLE,
    KIT_WATCHDOG,
    KIT_ECHO,
    KIT_FLOOD,
    KIT_RESETS,
    KIT_MIXED
};
enum { KIT_OPS_MAX = 2048, KIT_PATH_MAX = 128, KIT_WITHIN_S = 240 };

struct kit_op {
    struct rig_op op;
    uint8_t data[256];
};

struct kit {
    struct ev_loop *loop;
    struct rig_board *board;
    struct rig_cutter *cutter; /* NULL: a plain board */
    char folder[KIT_PATH_MAX], flash[KIT_PATH_MAX + 16];
    bool timed_out;
    /* What it said. */
    uint64_t lines;
    char boot[256]; /* the last line that begins with BOOT */
    uint32_t boots, straps, boots_warm, last, done;
    bool warm;
    char wanted[64]; /* the loop ends at a line that begins so */
    /* What it did. */
    struct kit_op stood[KIT_OPS_MAX], seen[KIT_OPS_MAX];
    uint32_t stands, spies, stop_at; /* stop_at: the loop ends at that many stands; 0: never */
    bool stays;                      /* it is not let go at stands */
    uint32_t resets[3], ends;
    int status;
    uint64_t echoed, echo_wrong;
    struct rig_cut cut;
    uint32_t cuts;
};

enum { KIT_STEPPED = 1, KIT_TRACED = 2, KIT_CUTTER = 4 };
void kit_open(struct kit *kit, int what, enum kit_mode mode);
void kit_close(struct kit *kit);
void kit_on(struct kit *kit);
void kit_off(struct kit *kit);
/* Runs the loop until a line begins with this. */
void kit_until(struct kit *kit, const char *wanted);
/* Runs it until someone breaks it (stands, cut, ended), or fails the test after KIT_WITHIN_S. */
void kit_run(struct kit *kit);
void kit_run_ms(struct kit *kit, uint32_t ms);
void kit_read_flash(const struct kit *kit, uint8_t *out);
uint64_t kit_hash(const struct kit *kit);
/* Page by page as load.c numbers them: the highest number up to which none is missing or wrong. */
uint32_t kit_pages(const struct kit *kit);
bool kit_page_is(const struct kit *kit, uint32_t number);
bool kit_page_is_blank(const struct kit *kit, uint32_t number);
unsigned kit_descriptors(void);
double kit_now_ms(void);

#endif
