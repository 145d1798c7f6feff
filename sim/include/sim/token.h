/*
 * Replay tokens: one line of text that names the scenario with the hash of its content, the
 * overrides, and the device. Written by a run for each device that failed, read by `brickyard
 * replay`.
 */
#ifndef SIM_TOKEN_H
#define SIM_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_TOKEN_SETS_MAX = 32, SIM_TOKEN_TEXT_MAX = 4096 };

struct sim_token {
    char hash[40]; /* hex of the scenario's content hash */
    uint64_t seed;
    uint32_t devices;    /* --devices, 0: as written */
    char device[64];     /* id */
    char scenario[1024]; /* path */
    uint32_t sets;
    const char *set[SIM_TOKEN_SETS_MAX]; /* into text below after sim_token_read, else borrowed */
    char text[SIM_TOKEN_TEXT_MAX];       /* storage of sim_token_read */
};

void sim_token_write(char *out, size_t len, const struct sim_token *token);
/* False when the text is no token. */
bool sim_token_read(struct sim_token *out, const char *text);

#endif
