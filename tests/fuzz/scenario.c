/*
 * Any bytes as a scenario: it parses or there is an error with a message, never both, and nothing
 * else happens. A first line "#!--set a.b=c" is taken as an override, so that those paths are
 * reached too.
 */
#include "scn/scenario.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *first_line_override(const char *bytes, size_t size)
{
    static const char mark[] = "#!--set ";
    size_t skip = sizeof mark - 1;
    if (size < skip || memcmp(bytes, mark, skip))
        return NULL;
    const char *end = memchr(bytes, '\n', size);
    size_t len = (end ? (size_t)(end - bytes) : size) - skip;
    char *text = calloc(1, len + 1);
    if (text)
        memcpy(text, bytes + skip, len);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    char *set = first_line_override(bytes, size);
    const char *const sets[] = {set};
    struct scn_overrides overrides = {
        .sets = set != NULL, .set = sets, .devices = (uint32_t)(size % 7) * 100};
    struct scn_messages messages = {0};
    struct scn *scn = NULL;
    int error = scn_parse(&scn, "fuzz", bytes, size, &overrides, &messages);
    if ((error == SCN_OK) != (scn != NULL))
        abort();
    if (error && (!messages.count || messages.message[messages.count - 1].warning))
        abort();
    if (scn && (!scn->groups || !scn->campaign.phases || !scn_firmware_find(scn, scn->campaign.to)))
        abort();
    scn_free(scn);
    free(set);
    return 0;
}
