/* Exact shares of a fleet. */
#ifndef SCN_SHARE_H
#define SCN_SHARE_H

#include "scn/scenario.h"

/* Whether the shares add up to exactly 1. */
bool scn_shares_are_whole(const struct scn_shares *shares);

/* share * n rounded half up: what the largest remainder gives to the first of two parts. */
uint32_t scn_ratio_round(struct scn_ratio share, uint32_t n);

#endif
