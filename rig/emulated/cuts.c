/* An emulator's records of cuts. */
#include "rig/emulated.h"
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 760, RECORD_MAX = 1024 };

/* The emulator's board-07.console belongs to board-07.cuts. */
static bool record_path(char out[FILE_MAX], const struct rig_bench_board *board)
{
    static const char ending[] = ".console";
    const char *console = board->console.path;
    size_t len = console ? strlen(console) : 0, end = sizeof ending - 1;
    if (len <= end || strcmp(console + len - end, ending) != 0)
        return false;
    return snprintf(out, FILE_MAX, "%.*s.cuts", (int)(len - end), console) < FILE_MAX;
}

/* The last whole line of a file of lines that only grows. */
static bool last_line(char out[RECORD_MAX], const char *path)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    long at = fseek(in, 0, SEEK_END) ? 0 : ftell(in);
    bool placed = !fseek(in, at > RECORD_MAX - 1 ? at - (RECORD_MAX - 1) : 0, SEEK_SET);
    size_t got = placed ? fread(out, 1, RECORD_MAX - 1, in) : 0;
    fclose(in);
    while (got && out[got - 1] != '\n') /* being written */
        got--;
    if (!got)
        return false;
    out[got - 1] = '\0';
    const char *begin = strrchr(out, '\n');
    if (begin)
        memmove(out, begin + 1, strlen(begin + 1) + 1);
    return true;
}

bool rig_emulated_cut(int64_t *at_us, const struct rig_emulated *emulated,
                      const struct rig_bench_board *board, int64_t after_us)
{
    char path[FILE_MAX], line[RECORD_MAX];
    assert(at_us && emulated && board);
    if (!emulated->there || !record_path(path, board) || !last_line(line, path))
        return false;
    json_t *record = json_loads(line, 0, NULL);
    const json_t *at = json_object_get(record, "at_us");
    *at_us = json_integer_value(at);
    bool is_it = json_is_integer(at) && *at_us > after_us;
    json_decref(record);
    return is_it;
}
