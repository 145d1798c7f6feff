/*
 * scn_reference: prints the reference of every scenario key; with --update FILE it replaces what
 * stands between the two marks of that file. The new text is written beside it and renamed, so that
 * a cut run leaves the old file whole.
 */
#include "scn/scenario.h"
#include <stdlib.h>
#include <string.h>

static const char begin_mark[] = "<!-- keys: begin -->\n";
static const char end_mark[] = "<!-- keys: end -->";

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    size_t room = 1 << 20;
    char *text = calloc(1, room);
    if (text && fread(text, 1, room - 1, file) == room - 1) {
        free(text); /* a page of a megabyte is not the one that is meant */
        text = NULL;
    }
    fclose(file);
    return text;
}

static int write_parts(FILE *out, const char *text, const char *begin, const char *end)
{
    fwrite(text, 1, (size_t)(begin - text), out);
    fputs("\n", out);
    int error = scn_reference_write(out);
    fputs("\n", out);
    fputs(end, out);
    return error || ferror(out) ? -1 : 0;
}

static int update(const char *path)
{
    char beside[1024];
    char *text = read_text(path);
    char *begin = text ? strstr(text, begin_mark) : NULL;
    char *end = begin ? strstr(begin, end_mark) : NULL;
    int result = -1;
    if (!end) {
        fprintf(stderr, "%s: can't be read, or has not both marks %.20s\n", path, begin_mark);
        free(text);
        return 1;
    }
    snprintf(beside, sizeof beside, "%.1000s.new", path);
    FILE *out = fopen(beside, "w");
    if (out) {
        result = write_parts(out, text, begin + strlen(begin_mark), end);
        result |= fclose(out);
    }
    free(text);
    if (!result)
        result = rename(beside, path);
    if (result)
        perror(beside);
    return result ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--update"))
        return update(argv[2]);
    if (argc != 1) {
        fputs("usage: scn_reference [--update FILE]\n", stderr);
        return 1;
    }
    return scn_reference_write(stdout) ? 1 : 0;
}
