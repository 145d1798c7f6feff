/*
 * What a struct consists of, as data: a name, a kind and a place for each member, so that a form
 * which walks a list of them names a member in one place. Constant; thread-safe.
 */
#ifndef REP_FIELD_H
#define REP_FIELD_H

#include <stddef.h>

enum rep_kind {
    REP_KIND_TEXT, /* char[bytes], zero-terminated */
    REP_KIND_U32,
    REP_KIND_I32,
    REP_KIND_I64,
    REP_KIND_U64,  /* SQLite's integers are signed: values above INT64_MAX are refused */
    REP_KIND_SEED, /* a uint64_t that uses all its bits: decimal text in SQLite */
    REP_KIND_REAL,
    REP_KIND_BOOL,
    REP_KIND_NAME, /* an enum, stored by its name */
};

struct rep_field {
    const char *name; /* the column, or the JSON key */
    enum rep_kind kind;
    size_t offset, bytes; /* of the member in its struct */
    const char *(*label)(
        int); /* REP_KIND_NAME: the name of value 0, 1, ...; NULL behind the last */
};

#define REP_FIELD(type, member, column, kind_)                                                     \
    {                                                                                              \
        .name = column, .kind = REP_KIND_##kind_, .offset = offsetof(struct type, member),         \
        .bytes = sizeof(((struct type *)0)->member)                                                \
    }
#define REP_FIELD_NAME(type, member, column, label_)                                               \
    {                                                                                              \
        .name = column, .kind = REP_KIND_NAME, .offset = offsetof(struct type, member),            \
        .bytes = sizeof(((struct type *)0)->member), .label = label_                               \
    }

#endif
