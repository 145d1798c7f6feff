#include "replaying.h"
#include "scn/scenario.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

int replaying(struct rig_lab *lab, const char *history, char **told)
{
    struct scn *scn;
    struct scn_messages messages;
    struct sim_sweep_token token = {.scenario = "-"};
    char path[512], message[512] = "";
    size_t bytes;
    snprintf(path, sizeof path, "%s/scenarios/sweep-board.yaml", getenv("BRICKYARD_SOURCE"));
    cr_assert_eq(scn_load(&scn, path, NULL, &messages), 0, "%s", path);
    snprintf(token.history, sizeof token.history, "%s", history);
    FILE *out = open_memstream(told, &bytes);
    const struct sim_sweep_options options = {.scn = scn, .cuts = 1, .jobs = 1};
    int code = rig_lab_replay(lab, &options, &token, out, message, sizeof message);
    if (code < 0)
        fprintf(out, "%s\n", message);
    fclose(out);
    scn_free(scn);
    return code;
}

void replaying_equal(struct rig_lab *lab, const char *history)
{
    char *told;
    int code = replaying(lab, history, &told);
    cr_expect_eq(code, 0, "%s: %d\n%s", history, code, told);
    cr_expect(strstr(told, "on the board, equal byte for byte") &&
                  strstr(told, "lines, the same in the simulator"),
              "%s\n%s", history, told);
    free(told);
}

/* Below `below`. */
static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % below;
}

static void draw_blow(char *out, size_t len, uint32_t *random)
{
    static const char *const form[] = {"before", "nothing", "random",    "unstable",
                                       "after",  "prefix",  "reset_pin", "watchdog"};
    uint32_t which = draw(random, 9), op = draw(random, draw(random, 3) ? 5 : 60);
    if (which == 8)
        snprintf(out, len, "/brown_out@%u+%u", op, draw(random, 6) + 2);
    else if (!strcmp(form[which], "prefix"))
        snprintf(out, len, "/%s@%u+%u", draw(random, 2) ? "prefix" : "suffix", op,
                 draw(random, 255) + 1);
    else
        snprintf(out, len, "/%s@%u", form[which], op);
}

static void draw_history(char *out, size_t len, uint32_t seed)
{
    static const char *const story[] = {"update",    "succession", "rollback-order", "downgrade",
                                        "wrong-key", "cut-short",  "damaged",        "disguised"};
    uint32_t random = seed;
    snprintf(out, len, "%u.%s", draw(&random, 4) == 0, story[draw(&random, 8)]);
    for (uint32_t i = draw(&random, 2) + 1; i > 0; i--) {
        size_t at = strlen(out);
        if (draw(&random, 4))
            snprintf(out + at, len - at, "/n%u", draw(&random, 5) + 1);
        at = strlen(out);
        draw_blow(out + at, len - at, &random);
        at = strlen(out);
        if (draw(&random, 3) == 0)
            snprintf(out + at, len - at, "/c%x", draw(&random, 256));
    }
}

static uint32_t number_of(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

void replaying_by_seed(struct rig_lab *lab, uint32_t otherwise)
{
    uint32_t seed = number_of("LAB_SEED", 1), draws = number_of("LAB_DRAWS", otherwise), fell = 0;
    for (uint32_t i = 0; i < draws; i++) {
        char history[160], *told;
        draw_history(history, sizeof history, seed * 1000003 + i);
        int code = replaying(lab, history, &told);
        cr_expect(code == 0 || code == 6, "%s: %d\n%s", history, code, told);
        cr_expect(strstr(told, "equal byte for byte") && strstr(told, "the same in the simulator"),
                  "%s\n%s", history, told);
        fell += code == 0;
        free(told);
    }
    cr_expect(draws < 20 || fell > draws / 4, "%u of %u", fell, draws);
}
