/* Kinds of PDUs that are switched by SNMP: which objects, which integers. */
#ifndef RIG_RELAY_SNMP_KIND_H
#define RIG_RELAY_SNMP_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The OIDs are texts in which {channel} stands for the outlet. */
struct rig_snmp_kind {
    const char *name;
    bool v1; /* the version it speaks if none is said: 1, else 2c */
    const char *on_oid, *off_oid;
    int32_t on, off; /* what is written there */
    const char *state_oid;
    int32_t state_on, state_off; /* what is read there */
    /* Commanded and not done yet, thus still on, still off; 0: it has no such states. */
    int32_t still_on, still_off;
};

enum { RIG_SNMP_KINDS = 5, RIG_SNMP_CUSTOM = RIG_SNMP_KINDS };
extern const struct rig_snmp_kind rig_snmp_kinds[RIG_SNMP_KINDS];

/* How many numbers, 0: no OID, or more than `room` numbers. The first dot may be missing. */
size_t rig_snmp_oid(unsigned long *out, size_t room, const char *text, uint32_t channel);

#endif
