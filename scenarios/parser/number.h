/*
 * Exact numbers out of text: integer arithmetic only, no strtod, no locale. Each function takes the
 * whole text or nothing, and returns false (out untouched) when it is not of that form or does not
 * fit; ranges are the caller's business.
 */
#ifndef SCN_NUMBER_H
#define SCN_NUMBER_H

#include "scn/scenario.h"

enum {
    SCN_RATIO_LIMIT = 1000000000
}; /* numerator and denominator: products with a count fit 64 bits */

/* "5000" */
bool scn_u64_parse(const char *text, uint64_t *out);
/* "2%", "-0.5%", "+1%", "1/5000", "0". At most 7 decimals. */
bool scn_ratio_parse(const char *text, struct scn_ratio *out);
/* "90s", "1.5h", "7d"; us ms s m h d; "0" needs no unit. Microseconds. */
bool scn_duration_parse(const char *text, int64_t *out_us);
/* "256", "512KiB", "4MiB", "1GiB". Bytes. */
bool scn_size_parse(const char *text, int64_t *out_bytes);
/* ISO 8601: "2026-03-19T10:00:00Z", also "+01:00", also with decimals; years 1970 to 2199.
 * Microseconds. */
bool scn_time_parse(const char *text, int64_t *out_us);

/* -1, 0 or 1 as a is less than, equal to or more than b; both within SCN_RATIO_LIMIT. */
int scn_ratio_compare(struct scn_ratio a, struct scn_ratio b);
/* The shortest usual form: "90s", "48h", "512KiB". */
void scn_duration_text(char *out, size_t size, int64_t us);
void scn_size_text(char *out, size_t size, int64_t bytes);

#endif
