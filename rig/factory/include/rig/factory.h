/*
 * What boards that run our bootloader and agent need of the rig, wherever they are: the factory
 * block in their bootloader region, and the gateway on their OTA line. One thread; no state of its
 * own. NULL is misuse unless a line allows it.
 */
#ifndef RIG_FACTORY_H
#define RIG_FACTORY_H

#include "gateway/gateway.h"
#include "sim/body.h"

/* Who the board is and whom it trusts (board/factory.h), into its bootloader region of len bytes.
 * 0, or -1 with the reason. */
int rig_factory_make(const struct sim_body_device *given, uint8_t *bootloader, uint32_t len,
                     char *message, size_t message_len);

/* The scenario's times that a board, or its gateway, can't keep as they are (0, a fraction of what
 * it counts): -1 with file, key and what is accepted. rig_factory_make asks it too. */
int rig_factory_refuse_times(const struct scn *scn, char *message, size_t len);

/* Of all gateways of a run. 0, or -1 with the reason. */
int rig_factory_http(struct agent_http **out, const struct sim_body_run *run, char *message,
                     size_t len);
enum { RIG_FACTORY_CONNECT_TO_MAX = 32 };
/* All but write, note and ctx. Borrowed from given and connect_to, which is written. */
void rig_factory_gateway(struct gateway_config *out, char connect_to[RIG_FACTORY_CONNECT_TO_MAX],
                         const struct sim_body_device *given, struct agent_http *http);
/* See struct sim_body_kind, watch. True: the gateway has failed its board for so long that it, and
 * not the board, is why nothing comes of it; why says how, for struct sim_body_events, lost. */
bool rig_factory_gateway_failed(const struct gateway *gateway, int64_t open_ms, bool at_end,
                                char *why, size_t len);
/* "10:04:31 UTC", ms before now by this host's clock; for messages about what failed then. */
enum { RIG_FACTORY_CLOCK_MAX = 16 };
void rig_factory_clock(char out[RIG_FACTORY_CLOCK_MAX], int64_t ms_ago);

#endif
