/*
 * What a person is told: "file:line:column: key: what; what is accepted". A path is the chain of
 * keys that a reader went down; a spot is the same as text, for the checks that run over the
 * finished scenario. Each fail function writes one error and returns the code to give up with.
 */
#ifndef SCN_REPORT_H
#define SCN_REPORT_H

#include "scn/scenario.h"
#include "tree.h"

struct scn_reader {
    const char *file;
    struct scn_messages *messages;
    struct scn_tree *tree;
    struct scn *scn;
};

struct scn_path {
    const struct scn_path *up;
    const char *key; /* NULL: index */
    uint32_t index;
};

struct scn_spot {
    char text[192];
};

#define SCN_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

/* "campaign.phases.0.hold"; cut off when it does not fit. */
void scn_path_text(char *out, size_t size, const struct scn_path *path);
struct scn_spot scn_spot(const char *fmt, ...) SCN_PRINTF(1, 2);

/* About the text as such. line 0: about the whole file. */
int scn_fail_text(struct scn_reader *r, int code, int line, int column, const char *fmt, ...)
    SCN_PRINTF(5, 6);
/* About the value of a node; the path may be NULL. SCN_EVALUE. */
int scn_fail(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
             const char *fmt, ...) SCN_PRINTF(4, 5);
/* About the key under which a node stands. SCN_EVALUE. */
int scn_fail_key(struct scn_reader *r, const struct scn_path *path, const struct scn_node *node,
                 const char *fmt, ...) SCN_PRINTF(4, 5);
/* About the value at a spot, or the nearest mapping that was written. SCN_EVALUE. */
int scn_fail_at(struct scn_reader *r, struct scn_spot spot, const char *fmt, ...) SCN_PRINTF(3, 4);
void scn_warn_at(struct scn_reader *r, struct scn_spot spot, const char *fmt, ...) SCN_PRINTF(3, 4);
/* About an option of the command line. SCN_EVALUE. */
int scn_fail_option(struct scn_reader *r, const char *option, const char *fmt, ...)
    SCN_PRINTF(3, 4);

int scn_fail_memory(struct scn_reader *r);

#endif
