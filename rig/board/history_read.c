/* The reader of a history's text. */
#include "history_internal.h"
#include <stdlib.h>
#include <string.h>

struct reader {
    struct rig_history *history;
    char line[2 * HISTORY_SECTOR + 256];
    uint8_t bytes[HISTORY_SECTOR];
};
_Static_assert(2 * HISTORY_SECTOR + 200 <= RIG_HISTORY_LINE_MAX, "a sector in one line");

/* The next word of the line, cut off; NULL: none. */
static char *word(char **at)
{
    char *from = *at + strspn(*at, " ");
    if (!*from)
        return NULL;
    *at = from + strcspn(from, " ");
    if (**at)
        *(*at)++ = '\0';
    return from;
}

static bool number(char **at, uint64_t most, uint64_t *out)
{
    const char *text = word(at);
    char *end;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    int base = !strncmp(text, "0x", 2) ? 16 : 10;
    unsigned long long value = strtoull(text, &end, base);
    *out = value;
    return !*end && value <= most;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex(struct reader *reader, char **at, uint32_t *len)
{
    const char *text = word(at);
    size_t digits = text ? strlen(text) : 0;
    if (!digits || digits % 2 || digits > 2 * HISTORY_SECTOR)
        return false;
    for (size_t i = 0; i < digits / 2; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        reader->bytes[i] = (uint8_t)(high * 16 + low);
    }
    *len = (uint32_t)(digits / 2);
    return true;
}

static const char *on_sector(struct reader *reader, char *at, bool blank)
{
    uint64_t addr;
    uint32_t len = HISTORY_SECTOR;
    if (!number(&at, RIG_HISTORY_BYTES - HISTORY_SECTOR, &addr) || addr % HISTORY_SECTOR)
        return "an address of a sector is wanted";
    if (blank)
        memset(reader->bytes, 0xFF, HISTORY_SECTOR);
    else if (!hex(reader, &at, &len) || len != HISTORY_SECTOR)
        return "4096 bytes in hex are wanted";
    rig_history_sector(reader->history, (uint32_t)addr, reader->bytes);
    return word(&at) ? "too many words" : NULL;
}

/* ADDRESS LENGTH, or ADDRESS BYTES. */
static const char *what(struct reader *reader, char **at, struct rig_op *op)
{
    uint64_t addr, len;
    if (!number(at, RIG_HISTORY_BYTES - 1, &addr))
        return "an address is wanted";
    op->addr = (uint32_t)addr;
    if (op->erase && number(at, RIG_HISTORY_BYTES, &len))
        op->len = (uint32_t)len;
    else if (op->erase || !hex(reader, at, &op->len))
        return op->erase ? "a length is wanted" : "bytes in hex are wanted";
    op->data = op->erase ? NULL : reader->bytes;
    if (word(at))
        return "too many words";
    return rig_history_fits(op) ? NULL : "it is no page's program and no sector's erase";
}

static const char *on_op(struct reader *reader, char *at, bool erase)
{
    struct rig_op op = {.erase = erase};
    if (!number(&at, UINT64_MAX, &op.number))
        return "an operation's number is wanted";
    const char *wrong = what(reader, &at, &op);
    if (!wrong)
        rig_history_op(reader->history, &op);
    return wrong;
}

static bool form(const char *name, enum scn_torn *out)
{
    for (int i = SCN_TORN_ANY + 1; name && i < SCN_TORNS; i++)
        if (!strcmp(name, scn_torn_name(i))) {
            *out = (enum scn_torn)i;
            return true;
        }
    return false;
}

static const char *on_cut(struct reader *reader, char *at)
{
    struct rig_op op = {0};
    struct rig_tear tear = {0};
    uint64_t torn_at, index;
    if (!number(&at, UINT64_MAX, &op.number) || !form(word(&at), &tear.form) ||
        !number(&at, HISTORY_SECTOR - 1, &torn_at) || !number(&at, UINT64_MAX, &tear.seed) ||
        !number(&at, UINT32_MAX, &index))
        return "number, form, byte, seed and index are wanted";
    tear.tear = (uint32_t)torn_at;
    tear.index = (uint32_t)index;
    const char *kind = word(&at);
    op.erase = kind && !strcmp(kind, "erase");
    if (!kind || (!op.erase && strcmp(kind, "program")))
        return "program or erase is wanted";
    const char *wrong = what(reader, &at, &op);
    if (wrong)
        return wrong;
    return rig_history_cut(reader->history, &op, &tear) ? "it can't be torn there" : NULL;
}

static const char *on_line(struct reader *reader)
{
    char *at = reader->line;
    const char *first = word(&at);
    if (!first)
        return "an empty line";
    if (!strcmp(first, "program") || !strcmp(first, "erase"))
        return on_op(reader, at, first[0] == 'e');
    if (!strcmp(first, "sector") || !strcmp(first, "blank"))
        return on_sector(reader, at, first[0] == 'b');
    return strcmp(first, "cut") ? "an unknown word" : on_cut(reader, at);
}

/* A whole line without its end. False: there is none. */
static bool next_line(struct reader *reader, FILE *from, const char **wrong)
{
    if (!fgets(reader->line, sizeof reader->line, from))
        return false;
    size_t len = strlen(reader->line);
    if (len && reader->line[len - 1] == '\n')
        reader->line[len - 1] = '\0';
    else
        *wrong = "a line that is too long, or has no end";
    return true;
}

int rig_history_replay(struct rig_history **out, FILE *from, char *message, size_t len)
{
    struct reader *reader = malloc(sizeof *reader);
    const char *wrong = NULL;
    unsigned long lines = 1;
    *out = NULL;
    if (!reader || rig_history_open(&reader->history, NULL, NULL)) {
        free(reader);
        snprintf(message, len, "no memory");
        return -1;
    }
    if (!next_line(reader, from, &wrong) || wrong || strcmp(reader->line, rig_history_title))
        wrong = "this is no flash history";
    while (!wrong && next_line(reader, from, &wrong)) {
        lines++;
        if (!wrong)
            wrong = on_line(reader);
    }
    if (wrong)
        snprintf(message, len, "line %lu: %s", lines, wrong);
    if (wrong)
        rig_history_free(reader->history);
    else
        *out = reader->history;
    free(reader);
    return wrong ? -1 : 0;
}
