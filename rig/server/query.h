/*
 * A request's target to what it asks for. Bytes of strangers: bounded, nothing is taken that is not
 * understood.
 *
 *   /power/control/{on|off|reboot} ? key=value & key=value ...
 *     hostname  of a controller, a board or the bench     1 to 127 bytes once unescaped
 *     port      decimal, at most 9 digits
 *     delay     seconds, 0 to RIG_SERVER_DELAY_MAX_S
 *     alias     a board; without hostname and port
 *   %XX and + are unescaped; an empty value counts as absent; other keys are passed over; one of
 *   these four twice is refused, as are control bytes, and a % without two hexadecimal digits.
 */
#ifndef RIG_SERVER_QUERY_H
#define RIG_SERVER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RIG_QUERY_NAME_MAX = 127 };

enum rig_query_request { RIG_QUERY_ON, RIG_QUERY_OFF, RIG_QUERY_REBOOT };

struct rig_query {
    enum rig_query_request request;
    char hostname[RIG_QUERY_NAME_MAX + 1], alias[RIG_QUERY_NAME_MAX + 1]; /* "": absent */
    bool port_given, delay_given;
    uint32_t port, delay_s;
};

enum rig_query_outcome { RIG_QUERY_TAKEN, RIG_QUERY_OTHER_PATH, RIG_QUERY_INVALID };

/* INVALID: message says what was wrong; out is then not to be used. */
enum rig_query_outcome rig_query_parse(struct rig_query *out, const char *target, size_t target_len,
                                       char *message, size_t len);

#endif
