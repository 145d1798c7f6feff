#include "sweeping.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct scn *tiny;

static const struct scn *scenario(void)
{
    if (!tiny) {
        struct scn_messages messages;
        char path[512];
        snprintf(path, sizeof path, "%s/scenarios/sweep-tiny.yaml", getenv("BRICKYARD_SOURCE"));
        cr_assert_eq(scn_load(&tiny, path, NULL, &messages), 0, "%s", path);
    }
    return tiny;
}

static void forget_scenario(void)
{
    scn_free(tiny);
    tiny = NULL;
}

void sweeping_fault(const char *name)
{
    if (name)
        setenv("SWEEP_FAULT", name, 1);
    else
        unsetenv("SWEEP_FAULT");
}

int sweeping_run(struct sim_sweep_options *options, struct sim_sweep_result *out, char message[256])
{
    options->scn = scenario();
    options->cuts = options->cuts ? options->cuts : 1;
    options->jobs = options->jobs ? options->jobs : 1;
    *message = 0;
    int error = sim_sweep_run(options, out, message, 256);
    forget_scenario();
    return error;
}

void sweeping(struct sim_sweep_options options, struct sim_sweep_result *out)
{
    char message[256];
    cr_assert_eq(sweeping_run(&options, out, message), 0, "%s", message);
}

static void put_brokens(FILE *out, const struct sim_sweep_result *result)
{
    for (uint32_t i = 0; i < result->brokens; i++) {
        const struct sim_sweep_broken *broken = &result->broken[i];
        fprintf(out, "%s: %s, %u cuts, %llu states\n  %s\n", broken->promise, broken->what,
                broken->cuts, (unsigned long long)broken->states, broken->token);
    }
    fprintf(out, "more broken %d\n", result->more_broken);
}

char *sweeping_text(const struct sim_sweep_result *r)
{
    char *text = NULL;
    size_t size;
    const struct {
        const char *name;
        uint64_t value;
    } count[] = {{"image_bytes", r->image_bytes},
                 {"depth", r->depth},
                 {"operations", r->operations},
                 {"histories", r->histories},
                 {"cuts", r->cuts},
                 {"merged", r->merged},
                 {"states", r->states},
                 {"boots", r->boots},
                 {"fixpoint", r->fixpoint},
                 {"forms", r->forms},
                 {"sampled_pairs", r->sampled_pairs},
                 {"unequal_pairs", r->unequal_pairs},
                 {"unfired", r->unfired},
                 {"sha256_bytes", r->sha256_bytes},
                 {"ecdsa_verifies", r->ecdsa_verifies},
                 {"brokens", r->brokens},
                 {"exit_code", (uint64_t)r->exit_code}};
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    fprintf(out, "%s, %s\n", r->scenario, r->device);
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        fprintf(out, "%s %llu\n", count[i].name, (unsigned long long)count[i].value);
    for (int form = 0; form < SIM_SWEEP_FORMS; form++)
        fprintf(out, "%s %llu\n", sim_sweep_form_name(form), (unsigned long long)r->form[form]);
    put_brokens(out, r);
    fclose(out);
    return text;
}

static int replay(const char *dut_path, const struct sim_sweep_token *token, char **story)
{
    struct sim_sweep_options options = {
        .scn = scenario(), .dut_path = dut_path, .cuts = 1, .jobs = 1};
    char message[1024] = "", *told = NULL;
    size_t size;
    FILE *out = open_memstream(&told, &size);
    cr_assert_not_null(out);
    int code = sim_sweep_replay(&options, token, out, message, sizeof message);
    fprintf(out, "%s", message);
    fclose(out);
    forget_scenario();
    if (story)
        *story = told;
    else
        free(told);
    return code;
}

int sweeping_replay(const char *dut_path, const char *history, char **story)
{
    struct sim_sweep_token token;
    memset(&token, 0, sizeof token);
    snprintf(token.history, sizeof token.history, "%s", history);
    return replay(dut_path, &token, story);
}

int sweeping_replay_token(const char *text, char **story)
{
    struct sim_sweep_token token;
    cr_assert(sim_sweep_token_read(&token, text), "%s", text);
    return replay(*token.dut ? token.dut : NULL, &token, story);
}

const struct sim_sweep_broken *sweeping_broken(const struct sim_sweep_result *result,
                                               const char *promise, const char *what)
{
    for (uint32_t i = 0; i < result->brokens; i++)
        if (!strcmp(result->broken[i].promise, promise) && strstr(result->broken[i].what, what))
            return &result->broken[i];
    return NULL;
}

void sweeping_expect_tokens_replay(const struct sim_sweep_result *result)
{
    for (uint32_t i = 0; i < result->brokens; i++) {
        const struct sim_sweep_broken *broken = &result->broken[i];
        char *story, says[256];
        int code = sweeping_replay_token(broken->token, &story);
        snprintf(says, sizeof says, "BROKEN: %s: ", broken->promise);
        cr_expect(code == 3 || code == 4, "exit code %d of %s", code, broken->token);
        cr_expect_not_null(strstr(story, says), "%s is not in the story of %s", says,
                           broken->token);
        cr_expect(result->exit_code != 4 || code == 4, "%s", broken->token);
        free(story);
    }
}
