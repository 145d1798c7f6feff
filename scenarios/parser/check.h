/*
 * The checks across a whole scenario, after every value was found to be right by itself. Each
 * function stops at its first error (SCN_EVALUE) and goes on after warnings.
 */
#ifndef SCN_CHECK_H
#define SCN_CHECK_H

#include "report.h"

/* Fills in the defaults that depend on other keys. */
void scn_derive(struct scn *scn);

int scn_check_fleet(struct scn_reader *r);
int scn_check_flash(struct scn_reader *r);
int scn_check_campaign(struct scn_reader *r);
int scn_check_faults(struct scn_reader *r);
int scn_check_expect(struct scn_reader *r);

/* A device that a selection names must be there: site, link, group and criticality at this spot. */
int scn_check_where(struct scn_reader *r, struct scn_spot spot, const struct scn_where *where,
                    bool labs);
/* About how many devices match; exact but for combinations of keys in one group. */
uint32_t scn_match_count(const struct scn *scn, const struct scn_where *where, bool labs);

uint32_t scn_fleet_count(const struct scn *scn, bool labs);
bool scn_has_lab(const struct scn *scn);
/* A burn-in: every group is a lab and every phase a lab phase. */
bool scn_labs_only(const struct scn *scn);
/* "2.3.1, 2.4.0" */
void scn_list_firmware(const struct scn *scn, char *out, size_t size);

#endif
