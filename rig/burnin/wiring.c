#include "wiring.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- As a text ---- */

/* Tabs and line ends part the fields. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' ? '?' : *text, out);
}

static void begin(FILE *out, const char *kind, const char *name, const char *what)
{
    fprintf(out, "%s ", kind);
    put_text(out, name);
    fprintf(out, "\t%s\t", what);
}

static void put(FILE *out, const char *name, const char *what, const char *value)
{
    if (!value)
        return;
    begin(out, "board", name, what);
    put_text(out, value);
    fputc('\n', out);
}

static void put_console(FILE *out, const char *name, const char *what,
                        const struct rig_console_at *at)
{
    if (!at->path && !at->host)
        return;
    begin(out, "board", name, what);
    put_text(out, at->path ? at->path : at->host);
    if (!at->path)
        fprintf(out, ":%u", (unsigned)at->port);
    else if (at->baud)
        fprintf(out, " at %u", at->baud);
    fputc('\n', out);
}

static void put_contact(FILE *out, const struct rig_bench *bench, const char *name,
                        const char *what, const struct rig_bench_contact *contact)
{
    if (contact->controller < 0)
        return;
    begin(out, "board", name, what);
    put_text(out, bench->controller[contact->controller].name);
    fprintf(out, " channel %u%s", contact->channel, contact->inverted ? ", inverted" : "");
    if (contact->off_at_least_ms)
        fprintf(out, ", off at least %u ms", contact->off_at_least_ms);
    if (contact->hold_ms)
        fprintf(out, ", held %u ms", contact->hold_ms);
    fputc('\n', out);
}

static void put_list(FILE *out, const char *const *word)
{
    for (size_t i = 0; word && word[i]; i++) {
        fputs(i ? " '" : "'", out);
        put_text(out, word[i]);
        fputc('\'', out);
    }
}

static void put_flashing(FILE *out, const struct rig_bench_board *board)
{
    if (!board->flash)
        return;
    begin(out, "board", board->name, "flash");
    put_list(out, board->flash);
    fprintf(out, " in ");
    put_text(out, board->folder);
    fprintf(out, ", power %s\n", board->flash_powered ? "on" : "off");
}

static void put_board(FILE *out, const struct rig_bench *bench, const struct rig_bench_board *board)
{
    put(out, board->name, "device_type", board->device_type ? board->device_type : "any");
    put(out, board->name, "hw_revision", board->hw_revision ? board->hw_revision : "any");
    put_console(out, board->name, "console", &board->console);
    put_console(out, board->name, "line", &board->line);
    put_contact(out, bench, board->name, "power", &board->power);
    put_contact(out, bench, board->name, "reset", &board->reset);
    for (uint32_t i = 0; i < board->straps; i++) {
        char what[80];
        snprintf(what, sizeof what, "strap %.60s", board->strap[i].name);
        put_contact(out, bench, board->name, what, &board->strap[i].contact);
    }
    put_flashing(out, board);
    put(out, board->name, "flash_file", board->flash_file);
}

static void put_setting(FILE *out, const struct rig_bench_controller *controller, size_t at)
{
    const struct rig_setting *setting = &controller->driver->setting[at];
    const struct rig_setting_value *value = &controller->value[at];
    if (!value->given || setting->kind == RIG_SETTING_SECRET)
        return;
    begin(out, "controller", controller->name, setting->key);
    if (setting->kind == RIG_SETTING_LIST)
        put_list(out, value->list);
    else if (setting->kind == RIG_SETTING_CHOICE)
        put_text(out, setting->choice[value->number]);
    else if (value->text)
        put_text(out, value->text);
    else
        fprintf(out, "%lld", (long long)value->number);
    fputc('\n', out);
}

static void put_controller(FILE *out, const struct rig_bench_controller *controller)
{
    begin(out, "controller", controller->name, "driver");
    fprintf(out, "%s\n", controller->driver->name);
    for (size_t i = 0; controller->driver->setting && controller->driver->setting[i].key; i++)
        put_setting(out, controller, i);
}

char *bi_wiring_of(const struct rig_bench *bench)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    if (bench->emulator.wanted)
        fprintf(out, "emulator\tboards\t%u\n", bench->emulator.boards);
    for (uint32_t i = 0; i < bench->controllers; i++)
        put_controller(out, &bench->controller[i]);
    for (uint32_t i = 0; i < bench->boards; i++)
        put_board(out, bench, &bench->board[i]);
    bool failed = ferror(out);
    failed |= fclose(out) != 0;
    if (!failed)
        return text;
    free(text);
    return NULL;
}

/* ---- What differs ---- */

struct line {
    const char *text;
    int key, all; /* characters: up to the second tab, that too; up to the line's end */
};

static struct line line_at(const char *text)
{
    struct line line = {.text = text, .all = (int)strcspn(text, "\n")};
    int first = (int)strcspn(text, "\t\n");
    line.key = first < line.all ? first + 1 + (int)strcspn(text + first + 1, "\t\n") + 1 : line.all;
    line.key = line.key < line.all ? line.key : line.all;
    return line;
}

static bool same_key(const struct line *a, const struct line *b)
{
    return a->key == b->key && !memcmp(a->text, b->text, (size_t)a->key);
}

static bool has(const char *text, const struct line *wanted)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        struct line line = line_at(text);
        if (same_key(&line, wanted))
            return true;
    }
    return false;
}

/* "board pump-1: power"; the longest is cut. */
static int tell_key(char *message, size_t len, const struct line *line)
{
    int thing = (int)strcspn(line->text, "\t"), what = line->key - thing - 2;
    if (what < 0) /* a damaged text */
        return snprintf(message, len, "the bench's %.*s ", thing < 80 ? thing : 80, line->text);
    return snprintf(message, len, "the bench's %.*s: %.*s ", thing < 80 ? thing : 80, line->text,
                    what < 80 ? what : 80, line->text + thing + 1);
}

static void tell(char *message, size_t len, const struct line *was, const struct line *is,
                 bool was_there, bool is_there)
{
    enum { SHOWN = 150 };
    const struct line *line = is_there ? is : was;
    int room = tell_key(message, len, line), old = was->all - was->key, new = is->all - is->key;
    if (room < 0 || (size_t)room >= len)
        return; /* a damaged text; it is no bench's in any case */
    char *rest = message + room;
    size_t left = len - (size_t)room;
    if (was_there && is_there)
        snprintf(rest, left, "was '%.*s', and is '%.*s'", old < SHOWN ? old : SHOWN,
                 was->text + was->key, new < SHOWN ? new : SHOWN, is->text + is->key);
    else
        snprintf(rest, left, "%s '%.*s'", is_there ? "was not there, and is" : "is gone, and was",
                 is_there ? (new < SHOWN ? new : SHOWN) : (old < SHOWN ? old : SHOWN),
                 line->text + line->key);
}

bool bi_wiring_differs(const char *kept, const char *now, char *message, size_t len)
{
    struct line was = line_at(kept), is = line_at(now);
    while (was.all == is.all && !memcmp(was.text, is.text, (size_t)was.all)) {
        if (!was.text[was.all] || !is.text[is.all])
            break;
        was = line_at(was.text + was.all + 1);
        is = line_at(is.text + is.all + 1);
    }
    if (was.all == is.all && !memcmp(was.text, is.text, (size_t)was.all))
        return false; /* both at their end */
    if (was.all && is.all && same_key(&was, &is))
        tell(message, len, &was, &is, true, true);
    else if (was.all && !has(now, &was))
        tell(message, len, &was, &is, true, false);
    else if (is.all && !has(kept, &is))
        tell(message, len, &was, &is, false, true);
    else
        snprintf(message, len, "the bench's boards or controllers are in another order");
    return true;
}
