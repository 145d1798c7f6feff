/*
 * The world of a virtual run: keys and images by seed, factory flash for each group, roster and
 * faults.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/device.h"

/* 0, or -1 with the reason in message (a text of at most len bytes). Free by sim_world_free in both
 * cases. scn is borrowed and must outlive the world. */
int sim_world_build(struct sim_world *out, const struct scn *scn, char *message, size_t len);
void sim_world_free(struct sim_world *world);

/* Where the images really are, in place of the addresses that only exist in virtual time; the
 * candidate's manifest is made anew. url writes that of a version, at most len bytes. 0 or -1. */
int sim_world_serve(struct sim_world *world,
                    void (*url)(void *ctx, const char *version, char *out, size_t len), void *ctx,
                    char *message, size_t len);

/* The candidate's manifest with this address of its image, a JSON text that the caller frees. 0, or
 * an error of sim_fw_manifest. */
int sim_world_manifest(const struct sim_world *world, const char *url, char **out);

/* Reads the real image of out->from (its `file`, relative to the scenario) into out->bytes, len and
 * header, and checks that it is an image of that version. 0, or -1 with a message that begins with
 * file:line:column. out->bytes is freed by the caller in both cases. */
int sim_world_read_image(struct sim_artifact *out, const struct scn *scn, char *message,
                         size_t len);

#endif
