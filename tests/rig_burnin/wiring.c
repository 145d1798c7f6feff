/* What of a bench a burn-in may be resumed with. */
#include "wiring.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char message[600];

#define CONTROLLERS                                                                                \
    "bench: desk\nstate: desk.state\ncontrollers:\n"                                               \
    "  bank-1: {driver: lcus, device: /dev/relay-1, retries: 2, timeout: 500ms}\nboards:\n"
#define PUMP_1                                                                                     \
    "  - name: pump-1\n    hw_revision: Rev-B\n    console: {serial: /dev/c1, baud: 115200}\n"     \
    "    line: {tcp: \"127.0.0.1:4001\"}\n"                                                        \
    "    power: {controller: bank-1, channel: 1, off_at_least: 300ms}\n"                           \
    "    flash: [cp, \"{image}\", /tmp/p1]\n    flash_file: /tmp/p1\n"
#define PUMP_2                                                                                     \
    "  - name: pump-2\n    console: {serial: /dev/c2}\n"                                           \
    "    power: {controller: bank-1, channel: 2}\n"

static char *wiring_of(const char *yaml)
{
    struct rig_bench *bench;
    cr_assert_eq(rig_bench_parse(&bench, "desk.yaml", yaml, strlen(yaml), message, sizeof message),
                 0, "%s", message);
    char *wiring = bi_wiring_of(bench);
    cr_assert(wiring);
    rig_bench_free(bench);
    return wiring;
}

/* One replacement in the bench of two pumps. */
static char *changed(const char *from, const char *to)
{
    static const char whole[] = CONTROLLERS PUMP_1 PUMP_2;
    char yaml[4096];
    const char *at = strstr(whole, from);
    cr_assert(at, "%s", from);
    snprintf(yaml, sizeof yaml, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    return wiring_of(yaml);
}

/* Each row: what is written instead, and what is said; NULL: nothing that matters. */
Test(burnin_wiring, what_matters_of_a_bench_is_compared_and_named)
{
    static const struct {
        const char *from, *to, *says;
    } row[] = {
        {"bench", "bench", NULL},
        {"boards:", "# their places were tidied up\nboards:", NULL},
        {"desk.state", "elsewhere", NULL},
        {"retries: 2, timeout: 500ms", "retries: 5, timeout: 1s, rated_cycles: 7", NULL},
        {"/dev/relay-1", "/dev/relay-2",
         "controller bank-1: device was '/dev/relay-1', and is '/dev/relay-2'"},
        {"Rev-B", "Rev-C", "board pump-1: hw_revision was 'Rev-B', and is 'Rev-C'"},
        {"/dev/c1, baud: 115200", "/dev/c1, baud: 9600",
         "board pump-1: console was '/dev/c1 at 115200', and is '/dev/c1 at 9600'"},
        {"127.0.0.1:4001", "127.0.0.1:4002", "board pump-1: line was '127.0.0.1:4001', and is"},
        {"channel: 2", "channel: 3", "board pump-2: power was 'bank-1 channel 2, off at"},
        {"channel: 2", "channel: 2, inverted: true", "is 'bank-1 channel 2, inverted"},
        {"off_at_least: 300ms", "off_at_least: 400ms", "board pump-1: power was"},
        {"[cp, \"{image}\", /tmp/p1]", "[cp, \"{image}\", /tmp/p2]",
         "board pump-1: flash was ''cp' '{image}' '/tmp/p1'"},
        {"    flash_file: /tmp/p1\n", "", "board pump-1: flash_file is gone, and was '/tmp/p1'"},
        {"    power: {controller: bank-1, channel: 2}\n",
         "    power: {controller: bank-1, channel: 2}\n    flash_file: /tmp/p2\n",
         "board pump-2: flash_file was not there, and is '/tmp/p2'"},
        {"name: pump-2", "name: pump-3", "board pump-2: device_type is gone, and was 'any'"},
        {PUMP_2, "", "board pump-2: device_type is gone"},
        {PUMP_1 PUMP_2, PUMP_2 PUMP_1, "in another order"},
    };
    char *kept = wiring_of(CONTROLLERS PUMP_1 PUMP_2);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *now = changed(row[i].from, row[i].to);
        strcpy(message, "");
        cr_expect_eq(bi_wiring_differs(kept, now, message, sizeof message), row[i].says != NULL,
                     "row %zu: %s", i, message);
        cr_expect(!row[i].says || strstr(message, row[i].says), "row %zu: %s", i, message);
        cr_expect_eq(bi_wiring_differs(now, kept, message, sizeof message), row[i].says != NULL,
                     "the other way round, row %zu", i);
        free(now);
    }
    free(kept);
}

/* Nothing kept, or rubbish, is no bench that could be gone on with. */
Test(burnin_wiring, a_damaged_text_differs)
{
    static const char *const rubbish[] = {"", "\n", "board", "board pump-1\tpower", "\t\t\n"};
    char *now = wiring_of(CONTROLLERS PUMP_1 PUMP_2), longest[2000];
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++)
        cr_expect(bi_wiring_differs(rubbish[i], now, message, sizeof message), "%zu", i);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    cr_expect(bi_wiring_differs(longest, now, message, sizeof message));
    cr_expect_lt(strlen(message), sizeof message);
    free(now);
}
