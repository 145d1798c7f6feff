/*
 * The tables that say what a scenario may hold: one row for each key, one table for each mapping.
 * Reading, defaults, error messages and the reference in scenarios/README.md all come from these
 * rows, so that none of them can drift from another.
 */
#ifndef SCN_KEY_H
#define SCN_KEY_H

#include "names.h"
#include "report.h"

enum scn_type {
    SCN_T_BOOL,     /* bool */
    SCN_T_U32,      /* uint32_t */
    SCN_T_U64,      /* uint64_t */
    SCN_T_SIZE,     /* uint32_t, bytes */
    SCN_T_DURATION, /* int64_t, microseconds */
    SCN_T_TIME,     /* int64_t, microseconds since 1970 */
    SCN_T_RATIO,    /* struct scn_ratio; min and max in percent */
    SCN_T_TEXT,     /* char[max + 1], may be empty */
    SCN_T_NAME,     /* char[max + 1], not empty */
    SCN_T_ENUM,     /* an enum; names */
    SCN_T_FLAG,     /* bool; two names, false first */
    SCN_T_WORD,     /* char[], one of names */
    SCN_T_MAP,      /* a struct; map */
    SCN_T_LIST,     /* an array of structs; map, stride, max, count_offset */
    SCN_T_NAMED,    /* the same as a mapping from names, which go to the struct's first member */
    SCN_T_SHARES,   /* struct scn_shares; names, or max letters of any name */
    SCN_T_CUSTOM    /* read; accepts */
};

struct scn_map;
struct scn_key {
    const char *name;
    enum scn_type type;
    size_t offset; /* of the member in the mapping's struct */
    int64_t min, max;
    bool required;
    const char *fallback; /* the default as YAML, read like a written value; NULL: zero */
    const char *computed; /* a default that depends on other keys, in words; finish sets it */
    const struct scn_names *names;
    const struct scn_map *map;
    size_t stride, count_offset;
    int (*read)(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                void *member);
    const char *accepts; /* overrides what the type says */
    const char *means;   /* one sentence for the reference */
};

struct scn_map {
    const char *title; /* of its section in the reference */
    const struct scn_key *key;
    size_t keys;
    /* After all keys were read and defaults filled in; may be NULL. */
    int (*finish)(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                  void *object);
};

#define SCN_KEYS(table) table, sizeof(table) / sizeof((table)[0])

/* The tables, from the top down. */
extern const struct scn_map scn_map_scenario, scn_map_group, scn_map_device, scn_map_flash,
    scn_map_firmware, scn_map_campaign, scn_map_phase, scn_map_gate, scn_map_order, scn_map_fault,
    scn_map_expect;

/* Fills object, which is zeroed, from a mapping. SCN_OK, SCN_EVALUE or SCN_EMEMORY. */
int scn_read_map(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const struct scn_map *map, void *object);
/* One value; object is the struct that holds it. */
int scn_read_key(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const struct scn_key *key, void *object);
/* A list or named mapping of structs. */
int scn_read_list(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                  const struct scn_key *key, void *object);
int scn_read_shares(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    const struct scn_key *key, void *object);

/* "a duration 1s..10m, as 90s, 15m, 48h or 7d": for messages and for the reference. */
enum { SCN_ACCEPTS_MAX = 640 };
void scn_key_accepts(const struct scn_key *key, char *out, size_t size);

/* A fault kind's row of the reference: the keys that it takes and its ways. */
void scn_fault_takes(int kind, char *out, size_t size);

/* The error for a value that is not of the key's form, or out of its range. SCN_EVALUE. */
int scn_refuse_value(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                     const char *why, const char *accepts);
/* SCN_OK if node is a scalar, else the error that says what it is. */
int scn_need_scalar(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                    const char *accepts);

#endif
