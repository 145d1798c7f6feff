/* Tokens of the sweep: what is written is read, and nothing else is a token. */
#include "sim/sweep.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct sim_sweep_token plain = {.hash = "00112233445566778899aabbccddeeff",
                                             .scenario = "scenarios/sweep-16k.yaml",
                                             .history = "update;12:prefix"};

static void expect_same(const struct sim_sweep_token *a, const struct sim_sweep_token *b)
{
    cr_expect_str_eq(a->hash, b->hash);
    cr_expect_str_eq(a->scenario, b->scenario);
    cr_expect_str_eq(a->dut, b->dut);
    cr_expect_str_eq(a->history, b->history);
}

Test(sweep_token, is_written_as_the_header_says)
{
    char text[SIM_SWEEP_TOKEN_MAX];
    sim_sweep_token_write(text, sizeof text, &plain);
    cr_expect_str_eq(text, "sw1,hash=00112233445566778899aabbccddeeff,"
                           "scenario=scenarios/sweep-16k.yaml,dut=,history=update;12:prefix");
}

Test(sweep_token, is_one_word_and_reads_back_whatever_the_paths_hold)
{
    struct sim_sweep_token token = plain, again;
    char text[SIM_SWEEP_TOKEN_MAX];
    strcpy(token.scenario, "my scenarios/50%, or \xc3\xa4%2C=.yaml");
    strcpy(token.dut, "./a,b/dut %.so");
    strcpy(token.history, "a=b,c d%,,%20");
    sim_sweep_token_write(text, sizeof text, &token);
    cr_expect_null(strchr(text, ' '), "%s", text);
    cr_assert(sim_sweep_is_token(text));
    cr_assert(sim_sweep_token_read(&again, text), "%s", text);
    expect_same(&token, &again);
}

Test(sweep_token, the_longest_values_are_read_and_longer_ones_refused)
{
    static char text[5000];
    struct sim_sweep_token token = plain, again;
    memset(token.scenario, ',', sizeof token.scenario - 1);
    memset(token.dut, '%', sizeof token.dut - 1);
    memset(token.history, ' ', sizeof token.history - 1);
    sim_sweep_token_write(text, sizeof text, &token);
    cr_assert(sim_sweep_token_read(&again, text));
    expect_same(&token, &again);
    strcat(text, "x");
    cr_expect_not(sim_sweep_token_read(&again, text));
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "sw1,", 4);
    cr_expect_not(sim_sweep_token_read(&again, text));
}

Test(sweep_token, what_does_not_fit_is_nothing_rather_than_a_part)
{
    char whole[SIM_SWEEP_TOKEN_MAX];
    sim_sweep_token_write(whole, sizeof whole, &plain);
    for (size_t len = 1; len < strlen(whole) + 8; len++) {
        char text[SIM_SWEEP_TOKEN_MAX];
        memset(text, '#', sizeof text);
        sim_sweep_token_write(text, len, &plain);
        cr_expect(!*text || !strcmp(text, whole), "%zu bytes: %s", len, text);
        cr_expect_eq(text[len], '#', "%zu bytes", len);
    }
}

Test(sweep_token, only_sw1_is_one)
{
    cr_expect(sim_sweep_is_token("sw1,"));
    cr_expect_not(sim_sweep_is_token(""));
    cr_expect_not(sim_sweep_is_token("sw"));
    cr_expect_not(sim_sweep_is_token("sw1"));
    cr_expect_not(sim_sweep_is_token("sw10,hash=1"));
    cr_expect_not(sim_sweep_is_token("by1,hash=1"));
}

Test(sweep_token, anything_malformed_is_refused)
{
    static const char *const text[] = {
        "",
        "sw1",
        "sw1,",
        "by1,hash=1,scenario=a,dut=,history=h",
        "sw1,hash=1,scenario=a,dut=",
        "sw1,hash=1,dut=,history=h",
        "sw1,scenario=a,dut=,history=h",
        "sw1,hash=,scenario=a,dut=,history=h",
        "sw1,hash=1,scenario=,dut=,history=h",
        "sw1,hash=1,scenario=a,dut=,history=",
        "sw1,hash=1,scenario=a,dut=,history=h,",
        "sw1,hash=1,scenario=a,dut=,history=h,bogus=1",
        "sw1,hash=1,scenario=a,dut=,history=h,history=i",
        "sw1,hash=1,scenario=a,dut=,dut=b,history=h",
        "sw1,hash=1,scenario=a,dut=,history",
        "sw1,,hash=1,scenario=a,dut=,history=h",
        "sw1,hash=1,scenario=%zz,dut=,history=h",
        "sw1,hash=1,scenario=a%2,dut=,history=h",
        "sw1,hash=1,scenario=a%2c,dut=,history=h",
        "sw1,hash=1,scenario=a%00b,dut=,history=h",
        "sw1,hash=0123456789012345678901234567890123456789,scenario=a,dut=,history=h",
    };
    struct sim_sweep_token token;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        cr_expect_not(sim_sweep_token_read(&token, text[i]), "%s", text[i]);
    cr_expect(sim_sweep_token_read(&token, "sw1,hash=1,scenario=a,dut=,history=h"));
    cr_expect(sim_sweep_token_read(&token, "sw1,history=h,scenario=a,hash=1"), "in any order");
}
