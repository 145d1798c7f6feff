/* jansson is the oracle of what JSON is: random fragments are put where a value is ignored. */
#include "agent/agent.h"
#include "message.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 1: JSON, 0: not, -1: jansson can't tell (a number that does not fit its types). */
static int oracle(const struct message *message)
{
    json_error_t error;
    json_t *root = json_loadb(message->text, message->len, JSON_ALLOW_NUL, &error);
    if (!root)
        return json_error_code(&error) == json_error_numeric_overflow ? -1 : 0;
    json_decref(root);
    return 1;
}

static void expect_same(const char *fragment, unsigned counts[2])
{
    static struct message message;
    static struct agent_notification parsed;
    char more[128];
    snprintf(more, sizeof more, "\"x\":%s", fragment);
    message_make(&message, "", NULL, more);
    int expect = oracle(&message);
    if (expect < 0)
        return;
    int error = agent_notification_parse(&parsed, message.text, message.len);
    cr_assert_eq(error, expect ? AGENT_OK : AGENT_EFORMAT, "%s", fragment);
    counts[expect]++;
}

/* Without d and D, no fragment is a lone surrogate, on which jansson is stricter than the RFC. */
static const char *const pieces[] = {"{",
                                     "}",
                                     "[",
                                     "]",
                                     "\"",
                                     ",",
                                     ":",
                                     "0",
                                     "1",
                                     "-",
                                     "+",
                                     ".",
                                     "e",
                                     "E",
                                     "true",
                                     "false",
                                     "null",
                                     "tru",
                                     " ",
                                     "\t",
                                     "\\",
                                     "\\n",
                                     "\\u00e9",
                                     "\\u12",
                                     "\\/",
                                     "a",
                                     "\"k\":",
                                     "\"s\"",
                                     "[]",
                                     "{}",
                                     "1.5",
                                     "-0",
                                     "1e+2",
                                     "\xc3\xa9",
                                     "\xc3",
                                     "\xed\xa0\x80",
                                     "\xf0\x9f\x98\x80",
                                     "\xf8",
                                     "\x1f",
                                     "\x7f",
                                     "'"};
enum { PIECES = sizeof pieces / sizeof *pieces };

Test(json, grammar_is_janssons_for_random_fragments)
{
    uint64_t state = 8259;
    unsigned counts[2] = {0, 0};
    for (int i = 0; i < 60000; i++) {
        char fragment[96] = "";
        for (uint64_t left = 1 + draw(&state) % 7; left; left--)
            strcat(fragment, pieces[draw(&state) % PIECES]);
        expect_same(fragment, counts);
    }
    cr_assert(counts[0] > 10000 && counts[1] > 1000, "%u refused, %u accepted", counts[0],
              counts[1]);
}

Test(json, grammar_is_janssons_for_every_pair_of_pieces)
{
    unsigned counts[2] = {0, 0};
    static const char *const frames[] = {"%s%s",     "[%s%s]",  "{%s%s}",
                                         "\"%s%s\"", "[1,%s%s", "1%s%s"};
    for (unsigned f = 0; f < sizeof frames / sizeof *frames; f++) {
        for (int a = 0; a < PIECES * PIECES; a++) {
            char fragment[96];
            const char *one = pieces[a / PIECES], *two = pieces[a % PIECES];
            char *hole = strchr(strcpy(fragment, frames[f]), '%');
            snprintf(hole, sizeof fragment - 16, "%s%s%s", one, two, strrchr(frames[f], 's') + 1);
            expect_same(fragment, counts);
        }
    }
    cr_assert(counts[0] > 1000 && counts[1] > 1000, "%u refused, %u accepted", counts[0],
              counts[1]);
}

/* One byte changed anywhere: whatever is accepted is JSON to jansson too, and never reads beyond.
 */
Test(json, mutated_message_is_accepted_only_if_it_is_json)
{
    static struct message message;
    struct agent_notification parsed;
    uint64_t state = 4627;
    unsigned accepted = 0;
    for (int i = 0; i < 40000; i++) {
        message_make(&message, "", NULL, "");
        message.text[draw(&state) % message.len] = (char)draw(&state);
        if (agent_notification_parse(&parsed, message.text, message.len) == AGENT_OK) {
            accepted++;
            cr_assert_eq(oracle(&message), 1, "%s", message.text);
        }
    }
    cr_assert(accepted > 100, "%u", accepted);
}
