/*
 * The lab: a history of `brickyard sweep` run on a board instead of in the simulator, and compared
 * with it. The board's program is the sweep's own device (bootloader core and agent core) compiled
 * for it; its NOR driver and its crypto do the work, the sweep gives it time, service and power.
 * After each session the board's flash has to be the simulator's, byte for byte, and at the end the
 * stories of both worlds have to be the same text.
 *
 * One thread, one lab at a time. NULL is misuse unless a line allows it. What is found is said in
 * words; nothing of it survives rig_lab_free.
 */
#ifndef RIG_LAB_H
#define RIG_LAB_H

#include "sim/stand.h"
#include "sim/sweep.h"
#include <stdio.h>

/* The machine that the lab's program runs on. Its flash file is mapped; nothing else lives on. */
struct rig_lab_machine {
    void *ctx;
    uint8_t *flash; /* flash_bytes; written by the lab while the power is off, else read alone */
    uint32_t flash_bytes, sector_bytes, page_bytes;
    uint32_t settles_ms; /* that flash may be behind what the board was told is done, at most */
    /* From off: 0, or -1 with the reason. */
    int (*power_on)(void *ctx, char *message, size_t len);
    void (*power_off)(void *ctx); /* abrupt; also when it is off */
    /* The line. 0, or -1 when the machine has ended. */
    int (*write)(void *ctx, const void *bytes, size_t len);
    /* Up to max bytes, as soon as there are any; 0: nothing within timeout_ms; -1: it has ended. */
    int (*read)(void *ctx, void *out, size_t max, int timeout_ms);
    /* The last that its console said, for a message; may be "". */
    const char *(*last_words)(void *ctx);
};

/* Since the lab was made. */
struct rig_lab_counts {
    uint32_t sessions;   /* boots and runs that were compared */
    uint64_t operations; /* pages and sectors, each on the board's NOR */
    uint64_t reads, verifies;
    uint32_t power_ons, resets;
};

struct rig_lab;
/* 0, or -1 without memory. The machine stays the caller's and is borrowed. */
int rig_lab_create(struct rig_lab **out, const struct rig_lab_machine *machine);
void rig_lab_free(struct rig_lab *lab); /* powers off; NULL allowed */
const struct rig_lab_counts *rig_lab_counts(const struct rig_lab *lab);
/* For sim_sweep_options.stand; valid until rig_lab_free. */
const struct sim_stand *rig_lab_stand(const struct rig_lab *lab);

/*
 * Replays the token in the simulator, then on the board; out gets the board's story, what was
 * compared, and the first line in which the stories differ. Returns the exit code (of the history,
 * which is the same in both worlds; 3 when the worlds differ, 8 when the machine failed), or -1
 * with a message: nothing was run.
 */
int rig_lab_replay(struct rig_lab *lab, const struct sim_sweep_options *options,
                   const struct sim_sweep_token *token, FILE *out, char *message, size_t len);

/* The board's crypto alone: 0 with its answer (0: the signature fits; negative: not), or the
 * digest; -1 with a message when the machine failed. */
int rig_lab_verify(struct rig_lab *lab, const uint8_t public_key[65], const uint8_t hash[32],
                   const uint8_t *sig, uint32_t sig_len, int *answer, char *message, size_t len);
/* In pieces of step bytes, 1 to 256. */
int rig_lab_hash(struct rig_lab *lab, const void *bytes, uint32_t bytes_len, uint32_t step,
                 uint8_t out[32], char *message, size_t len);

/* A QEMU ast1030-evb as such a machine: rom is the lab's ELF. folder: an own one, in which its
 * flash file is made. -1 with the reason. qemu NULL: qemu-system-arm, by PATH. */
struct rig_lab_qemu;
int rig_lab_qemu_create(struct rig_lab_qemu **out, const char *qemu, const char *rom,
                        const char *folder, char *message, size_t len);
const struct rig_lab_machine *rig_lab_qemu_machine(const struct rig_lab_qemu *board);
void rig_lab_qemu_free(struct rig_lab_qemu *board); /* NULL allowed */

#endif
