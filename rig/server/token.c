#include "listen.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool usable(const char *line)
{
    size_t n = strlen(line);
    for (size_t i = 0; i < n; i++)
        if (line[i] <= ' ' || line[i] > '~')
            return false;
    return n >= RIG_TOKEN_MIN && n <= RIG_TOKEN_MAX;
}

int rig_token_read(struct rig_token *out, const char *file, char *message, size_t len)
{
    char line[RIG_TOKEN_MAX + 3] = "";
    struct stat about;
    FILE *in = fopen(file, "re");
    *out = (struct rig_token){0};
    if (!in || fstat(fileno(in), &about)) {
        snprintf(message, len, "--token-file %s: %s", file, strerror(errno));
    } else if (about.st_mode & S_IRWXO && S_ISREG(about.st_mode)) {
        snprintf(message, len, "--token-file %s: anybody may read it; chmod o= %s", file, file);
    } else {
        if (!fgets(line, sizeof line, in))
            *line = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        if (usable(line))
            memcpy(out->text, line, strlen(line));
        else
            snprintf(message, len,
                     "--token-file %s: its first line is no token; accepted: %d to %d printable "
                     "characters without spaces, as `openssl rand -hex 32` makes them",
                     file, RIG_TOKEN_MIN, RIG_TOKEN_MAX);
    }
    if (in)
        fclose(in);
    explicit_bzero(line, sizeof line);
    return *out->text ? 0 : -1;
}

bool rig_token_is(const struct rig_token *token, const char *given)
{
    char padded[RIG_TOKEN_MAX + 1] = {0};
    size_t n = given ? strnlen(given, RIG_TOKEN_MAX + 1) : 0;
    unsigned char differs = n > RIG_TOKEN_MAX || !n;
    if (!differs)
        memcpy(padded, given, n);
    /* All of it in any case: where the first wrong byte stands must not show in the time. */
    for (size_t i = 0; i < sizeof padded; i++)
        differs |= (unsigned char)(padded[i] ^ token->text[i]);
    return !differs;
}
