#include "rig/log_line.h"
#include <stdio.h>
#include <string.h>

bool rig_log_is(const char *line, const char *event)
{
    const char *at = strstr(line, " event=");
    size_t len = strlen(event);
    return at && !strncmp(at + 7, event, len) && (at[7 + len] == ' ' || !at[7 + len]);
}

bool rig_log_of_firmware(const char *line)
{
    return !strncmp(line, "time=", 5);
}

bool rig_log_member(const char *line, const char *key, char *out, size_t len)
{
    char wanted[48];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *at = strstr(line, wanted);
    out[0] = '\0';
    if (!at)
        return false;
    at += strlen(wanted);
    bool quoted = *at == '"';
    at += quoted;
    snprintf(out, len, "%.*s", (int)strcspn(at, quoted ? "\"" : " "), at);
    return true;
}

void rig_log_disown_boot(const char *line, char *out, size_t len)
{
    const char *at = strstr(line, " event=boot");
    if (at)
        snprintf(out, len, "%.*s event=not_boot%s", (int)(at - line), line, at + 11);
    else
        snprintf(out, len, "%s", line);
}
