/* Where the tests find the repository's files, and a scenario in a few lines for them to change. */
#ifndef TESTS_SCENARIOS_FILES_H
#define TESTS_SCENARIOS_FILES_H

#include "scn/scenario.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A path below the source folder, which CTest puts into the environment. */
static inline const char *source_path(char *out, size_t size, const char *below)
{
    const char *root = getenv("BRICKYARD_SOURCE");
    cr_assert(root, "BRICKYARD_SOURCE is not set: run by ctest");
    snprintf(out, size, "%s/%s", root, below);
    return out;
}

#define SMALL_HEAD "scenario: small\n"
#define SMALL_FLEET "fleet:\n  - {group: pumps, count: 100, firmware: 1.0.0}\n"
#define SMALL_FIRMWARE "firmware:\n  1.0.0: {size: 64KiB}\n  1.1.0: {size: 64KiB}\n"
#define SMALL_CAMPAIGN "campaign: {to: 1.1.0}\n"
#define SMALL SMALL_HEAD SMALL_FLEET SMALL_FIRMWARE SMALL_CAMPAIGN

static inline int parse_text(struct scn **out, const char *text,
                             const struct scn_overrides *overrides, struct scn_messages *messages)
{
    memset(messages, 0, sizeof *messages);
    return scn_parse(out, "t.yaml", text, strlen(text), overrides, messages);
}

/* A text that must be right; the caller frees it. */
static inline struct scn *parse_good(const char *text, const struct scn_overrides *overrides)
{
    struct scn_messages messages;
    struct scn *scn;
    int error = parse_text(&scn, text, overrides, &messages);
    cr_assert(error == SCN_OK, "%s",
              messages.count ? messages.message[messages.count - 1].text : "no message");
    return scn;
}

#endif
