/*
 * Which contact a client means. pdudaemon's hostname is a PDU and its port an outlet; a bench has
 * three things that look like one:
 *
 *   hostname        port                          outlet
 *   a controller    one of its channels           what the channel does for its board: power (on:
 *                                                 powered), reset (on: held in reset), a strap
 *                                                 (on: set); of no board: the bare contact
 *   a board         absent or 0                   its power
 *   the bench       1 for the first board of the  its power
 *                   file, 2 for the second, ...
 *   (alias) a board                               its power
 */
#ifndef RIG_SERVER_OUTLET_H
#define RIG_SERVER_OUTLET_H

#include "query.h"
#include "rig/server.h"

/* False with what was wrong and what would be accepted. */
bool rig_outlet_find(struct rig_outlet *out, const struct rig_bench *bench,
                     const struct rig_query *query, char *message, size_t len);
/* A name that means two things would switch the wrong one: false with message. */
bool rig_outlet_names(const struct rig_bench *bench, char *message, size_t len);
/* "pump-1 power", "pump-1 strap recovery", "bank-1 channel 7" */
void rig_outlet_text(const struct rig_outlet *outlet, const struct rig_bench *bench, char *out,
                     size_t len);

#endif
