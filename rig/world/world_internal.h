/* The inside of the board as a body, shared by the files of this folder. */
#ifndef RIG_WORLD_INTERNAL_H
#define RIG_WORLD_INTERNAL_H

#include "board/map.h"
#include "rig/board.h"
#include "rig/factory.h"
#include "rig/world.h"

enum { RW_PATH_MAX = 700, RW_WHY_MAX = 500, RW_VERSION_MAX = 96, RW_LINE_MAX = 1100 };

struct rw_counts {
    uint64_t resets[3]; /* by enum rig_reset */
    uint64_t boots;     /* the application's first line was seen */
    uint64_t lock_ups;  /* of a processor, which ends its QEMU */
    uint64_t unclean; /* QEMU did not stop in time: pages that the board saw as done may be lost */
    uint32_t samples, room;
    uint32_t *boot_ms; /* from power on or reset to that line */
};

struct rig_world {
    const char *rom_given, *qemu;
    char rom[RW_PATH_MAX], version[RW_VERSION_MAX];
    uint64_t rom_bytes;
    struct sim_stepped *stepped;
    const struct sim_body_run *run;
    struct agent_http *http; /* of all gateways */
    struct rw_counts counts;
};

/* Something that was seen at so many looks in a row, each with a turn of the loop before it: a rig
 * that was held up itself takes nobody else for hung. */
struct rw_streak {
    unsigned looks;
    double since; /* ev_time of the first */
};

struct sim_body {
    struct rig_world *rw;
    const struct sim_body_device *given;
    struct rig_board *board;
    struct gateway *gateway;
    struct rig_board_config board_config; /* borrowed by both */
    struct gateway_config gateway_config;
    char connect_to[RIG_FACTORY_CONNECT_TO_MAX];
    /* The last operation that it stood before, or did. */
    struct rig_op op;
    uint8_t data[BOARD_NOR_PAGE];
    bool has_op, op_ended, stands;
    double went_on_at; /* ev_now */
    double began_at;   /* ev_now of power on or reset; 0: the boot was seen */
    pid_t pid;         /* QEMU's, since power on */
    double stopped_at; /* ev_time at which it was seen to be stopped from outside; 0: it is not */
    bool owes;         /* QEMU may not have written the operation to its file */
    bool jumped;       /* the bootloader did: its watchdog runs */
    bool end_said;     /* why it resets was told, and it has not booted since */
    uint64_t answers;  /* of its QEMU, at the last look */
    struct rw_streak silent, halted;
};

/* find.c: what has to be there before anything is started. */
int rw_find(struct rig_world *rw, char *message, size_t len);

/* body.c: the functions of struct sim_body_kind. */
int rw_open(void *ctx, struct sim_body **out, const struct sim_body_device *device, char *message,
            size_t len);
void rw_close(struct sim_body *body);
int rw_on(struct sim_body *body, char *message, size_t len);
void rw_off(struct sim_body *body);
void rw_go_on(struct sim_body *body);
void rw_watch(struct sim_body *body, int64_t open_ms, bool at_end);
bool rw_last_op(struct sim_body *body, struct sim_body_op *out);
void rw_began(struct sim_body *body); /* a QEMU for it was started */
int rw_make(struct sim_body *body, uint8_t *bootloader, uint32_t len, char *message,
            size_t message_len);

/* events.c: what the board does. */
extern const struct rig_board_events rw_events; /* ctx: struct sim_body */

/* report.c */
int rw_report(void *ctx, struct rep_result *result);
void rw_booted(struct rig_world *rw, uint32_t ms); /* a sample */

#endif
