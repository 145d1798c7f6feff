#include "order.h"
#include <string.h>

enum { WORDS_MAX = 4, WORD_MAX = 24, DIGITS_MAX = 10 };

struct words {
    char word[WORDS_MAX][WORD_MAX];
    uint32_t count;
};

/* What the words behind the verb are: r relay, b board, c channel, n number, d dead, l low or high;
 * in capitals: may be left out. */
static const struct {
    const char *word, *form;
    enum em_verb verb;
    const char *use;
} known[EM_VERBS] = {
    {"unplug", "rD", EM_UNPLUG, "unplug relay-N [dead]"},
    {"plug", "r", EM_PLUG, "plug relay-N"},
    {"silent", "r", EM_SILENT, "silent relay-N"},
    {"stick", "rc", EM_STICK, "stick relay-N CHANNEL"},
    {"weld", "rc", EM_WELD, "weld relay-N CHANNEL"},
    {"bounce", "rcn", EM_BOUNCE, "bounce relay-N CHANNEL TIMES"},
    {"heal", "", EM_HEAL, "heal"},
    {"kill", "b", EM_KILL, "kill board-NN"},
    {"flood", "bn", EM_FLOOD, "flood board-NN BYTES"},
    {"reset", "b", EM_RESET, "reset board-NN"},
    {"strap", "bnl", EM_STRAP, "strap board-NN BIT low|high"},
    {"facts", "B", EM_FACTS, "facts [board-NN]"},
};

static bool split(struct words *words, const char *line, size_t len)
{
    *words = (struct words){.count = 0};
    for (size_t at = 0; at < len;) {
        const char *end = memchr(line + at, ' ', len - at);
        size_t word = (end ? (size_t)(end - line) : len) - at;
        if (word >= WORD_MAX || (word && words->count == WORDS_MAX) ||
            memchr(line + at, '\0', word))
            return false;
        if (word)
            memcpy(words->word[words->count++], line + at, word);
        at += word + 1;
    }
    return words->count > 0;
}

static bool read_digits(uint64_t *out, const char *text)
{
    size_t len = strlen(text);
    *out = 0;
    if (!len || len > DIGITS_MAX || strspn(text, "0123456789") != len)
        return false;
    for (; *text; text++)
        *out = *out * 10 + (uint64_t)(*text - '0');
    return true;
}

/* "relay-3": 3. */
static bool read_name(uint32_t *out, const char *text, const char *before)
{
    uint64_t number;
    size_t len = strlen(before);
    if (strncmp(text, before, len) || !read_digits(&number, text + len) || !number ||
        number > UINT16_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool read_small(uint32_t *out, const char *text)
{
    uint64_t number;
    if (!read_digits(&number, text) || !number || number > UINT16_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool read_word(struct em_order *order, char kind, const char *word)
{
    switch (kind) {
    case 'r':
        return read_name(&order->relay, word, "relay-");
    case 'b':
    case 'B':
        return read_name(&order->board, word, "board-");
    case 'c':
        return read_small(&order->channel, word);
    case 'n':
        return read_digits(&order->number, word);
    case 'D':
        order->flag = true;
        return !strcmp(word, "dead");
    default:
        order->flag = !strcmp(word, "high");
        return order->flag || !strcmp(word, "low");
    }
}

static bool read_words(struct em_order *order, const char *form, const struct words *words)
{
    uint32_t at = 1;
    for (; *form; form++, at++) {
        if (at >= words->count)
            return *form == 'B' || *form == 'D';
        if (!read_word(order, *form, words->word[at]))
            return false;
    }
    return at == words->count;
}

const char *em_order_parse(struct em_order *order, const char *line, size_t len)
{
    struct words words;
    *order = (struct em_order){.verb = EM_VERBS};
    if (!split(&words, line, len))
        return "no order";
    for (size_t i = 0; i < EM_VERBS; i++) {
        if (strcmp(words.word[0], known[i].word))
            continue;
        if (!read_words(order, known[i].form, &words))
            return known[i].use;
        order->verb = known[i].verb;
        return NULL;
    }
    return "unplug, plug, silent, stick, weld, bounce, heal, kill, flood, reset, strap or facts";
}
