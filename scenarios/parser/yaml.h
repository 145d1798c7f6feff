/*
 * YAML text to tree, by libfyaml's events. Refused, each with its place: anchors, aliases, merge
 * keys, tags and directives (a scenario needs none of them, and an alias can blow up
 * exponentially), more than one document, more than SCN_DEPTH_MAX levels or SCN_NODES_MAX values,
 * keys that are not plain words, keys that are there twice, and NUL characters.
 */
#ifndef SCN_YAML_H
#define SCN_YAML_H

#include "report.h"

/*
 * Parses bytes, which must be UTF-8 and stay valid during the call, into nodes of r->tree; *root is
 * NULL for an empty text. origin: the nodes' origin; NULL for a file. SCN_OK, SCN_ESYNTAX,
 * SCN_EMEMORY.
 */
int scn_yaml_parse(struct scn_reader *r, struct scn_node **root, const char *bytes, size_t len,
                   const char *origin);

#endif
