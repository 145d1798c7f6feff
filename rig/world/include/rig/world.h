/*
 * The board world: the stepped ground (sim/stepped.h) on which every device is a QEMU board
 * (rig/board.h) that runs the real bootloader as its ROM and the real firmware from its own flash
 * file, with a gateway (gateway/gateway.h) on its OTA line. A power cut takes the board's power; a
 * reset of the board by itself (watchdog, firmware) is part of its life and no end.
 *
 * One thread. NULL is misuse unless a line allows it. After SIGKILL of the caller no QEMU and no
 * server is left (PR_SET_PDEATHSIG); the folder is.
 */
#ifndef RIG_WORLD_H
#define RIG_WORLD_H

#include "sim/stepped.h"

struct rig_world;

/* rom: the bootloader's ELF; NULL: board/rom.elf beside the running program. qemu: NULL:
 * qemu-system-arm, by PATH. Borrowed, with scn, until rig_world_free. 0 or -1 (no memory). */
int rig_world_create(struct rig_world **out, const struct scn *scn, const char *rom,
                     const char *qemu);
void rig_world_free(struct rig_world *world); /* NULL allowed */
const struct sim_ground *rig_world_ground(struct rig_world *world);

/* The board as a body; ctx is a struct rig_world. */
extern const struct sim_body_kind rig_world_body;

/* What of a scenario can't be done to a board. 0, or -1 with where it stands, what it is, and what
 * is accepted. */
int rig_world_refuse(const struct scn *scn, char *message, size_t len);
/* The same for what is only known once the roster is drawn. */
int rig_world_refuse_built(const struct sim_world *world, char *message, size_t len);

#endif
