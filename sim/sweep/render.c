/* The summary of a sweep for a person: the verdict, what was swept, what broke and how to see it.
 */
#include "render.h"
#include "rep/grid.h"
#include "rep/text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

bool sim_sweep_has_form(const struct sim_sweep_result *result, int form)
{
    return !result->forms || result->forms >> form & 1 || result->form[form];
}

uint32_t sim_sweep_kinds(const struct sim_sweep_result *result, const char *promise)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < result->brokens; i++)
        kinds += !strcmp(result->broken[i].promise, promise);
    return kinds;
}

bool sim_sweep_wrong(char *out, size_t len, const struct sim_sweep_result *result)
{
    char pairs[160] = "", cuts[96] = "";
    if (result->unrepeated)
        snprintf(cuts, sizeof cuts,
                 "%" PRIu32 " broken promises were not broken again by their token",
                 result->unrepeated);
    else if (!result->cuts && !result->brokens)
        snprintf(cuts, sizeof cuts, "no cut was made, so nothing was shown");
    if (result->unequal_pairs)
        snprintf(pairs, sizeof pairs,
                 "%" PRIu64 " of %" PRIu64 " pairs of equal states went on differently: its "
                 "canonical form is unsound, or it goes by more than its flash",
                 result->unequal_pairs, result->sampled_pairs);
    if (result->unfired)
        snprintf(cuts, sizeof cuts,
                 "%" PRIu64 " planned cuts did not fire: run again, a session went another way",
                 result->unfired);
    snprintf(out, len, "%s%s%s", pairs, *pairs && *cuts ? "; " : "", cuts);
    return *pairs || *cuts;
}

void sim_sweep_command(char *out, size_t len, const struct sim_sweep_broken *broken)
{
    if (*broken->token)
        snprintf(out, len, "brickyard replay %s", broken->token);
    else
        snprintf(out, len, "(no token: its paths are too long for one)");
}

__attribute__((format(printf, 2, 3))) static void line(FILE *out, const char *format, ...)
{
    char text[SIM_SWEEP_COMMAND_MAX + 256], clean[3 * sizeof text];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    rep_text_clean(clean, sizeof clean, text, sizeof text, REP_TEXT_LINE);
    fprintf(out, "%s\n", clean);
}

static const char *verdict(const struct sim_sweep_result *result)
{
    char wrong[320];
    if (result->brokens && result->exit_code == 3)
        return "UNSAFE";
    bool sound = !sim_sweep_wrong(wrong, sizeof wrong, result);
    switch (result->exit_code) {
    case 0:
        return sound ? "PASS" : "NOT VALID";
    case 4:
        return "DID NOT CONVERGE";
    case 8:
        return sound ? "UNFINISHED" : "NOT VALID";
    default:
        return "FAILED";
    }
}

/* The promise's first row, so that each is named once. */
static bool is_first(const struct sim_sweep_result *result, uint32_t row)
{
    for (uint32_t i = 0; i < row; i++)
        if (!strcmp(result->broken[i].promise, result->broken[row].promise))
            return false;
    return true;
}

static void put_verdict(FILE *out, const struct sim_sweep_result *result)
{
    char names[256] = "", wrong[320];
    for (uint32_t i = 0; i < result->brokens; i++)
        if (is_first(result, i)) {
            size_t at = strlen(names);
            snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : ": ",
                     result->broken[i].promise);
        }
    line(out, "%s, exit code %d%s", verdict(result), result->exit_code, names);
    if (sim_sweep_wrong(wrong, sizeof wrong, result))
        line(out, "  error of the sweep: %s", wrong);
}

static void put_swept(FILE *out, const struct sim_sweep_result *r)
{
    char image[48], hashed[48], memory[48], depth[48] = "any number of cuts";
    rep_text_bytes(image, sizeof image, r->image_bytes);
    rep_text_bytes(hashed, sizeof hashed, r->sha256_bytes);
    rep_text_bytes(memory, sizeof memory, r->memory_peak_bytes);
    if (r->depth)
        snprintf(depth, sizeof depth, "%s%" PRIu32 " cut%s", r->depth > 1 ? "up to " : "", r->depth,
                 r->depth > 1 ? "s" : "");
    line(out, "%s: device %s, image of %s, %s in each history", r->scenario, r->device, image,
         depth);
    line(out, "  %" PRIu64 " operations without a cut, %" PRIu64 " histories, %" PRIu64 " boots",
         r->operations, r->histories, r->boots);
    line(out, "  %" PRIu64 " cuts and their boots, %" PRIu64 " states", r->cuts, r->states);
    line(out,
         r->depth ? "  %" PRIu64 " of these boots led to states that were seen before"
                  : "  %" PRIu64 " more cuts left what was seen before, so their boots had run",
         r->merged);
    line(out, "  %.0f cuts/s, %.1f s of wall time, %s of memory", r->cuts_per_s, r->wall_s, memory);
    line(out, "  crypto: %s hashed, %" PRIu64 " signatures verified", hashed, r->ecdsa_verifies);
    if (r->sampled_pairs)
        line(out,
             "  %" PRIu64 " pairs of equal states were run on and compared, %" PRIu64 " differ",
             r->sampled_pairs, r->unequal_pairs);
}

/* Only what was really shown: a result that is not valid shows nothing. */
static void put_fixpoint(FILE *out, const struct sim_sweep_result *r)
{
    char wrong[320];
    if (!r->fixpoint || sim_sweep_wrong(wrong, sizeof wrong, r))
        return;
    bool bricks = sim_sweep_kinds(r, "no_brick") || r->more_broken;
    fprintf(out, "\nFixpoint\n");
    line(out, "  %s, %" PRIu64 " states, %" PRIu64 " cuts",
         bricks ? "every reachable state was visited, and not all are kept safe"
                : "no reachable state bricks",
         r->states, r->cuts);
    if (sim_sweep_has_form(r, SIM_SWEEP_RANDOM))
        line(out, "  Random bits are sampled; they are outside the fixpoint.");
}

static void put_forms(FILE *out, const struct sim_sweep_result *result)
{
    static const struct rep_grid_column columns[] = {
        {"FORM", 0}, {"CUTS", SCOLS_FL_RIGHT}, {NULL, 0}};
    struct libscols_table *table = rep_grid_new(out, false, columns);
    for (int i = 0; i < SIM_SWEEP_FORMS; i++) {
        if (!sim_sweep_has_form(result, i))
            continue;
        struct libscols_line *row = rep_grid_line(table);
        rep_grid_cell(row, 0, "%s", sim_sweep_form_name(i));
        rep_grid_cell(row, 1, "%" PRIu64, result->form[i]);
    }
    fprintf(out, "\nForms\n");
    rep_grid_print(out, table);
}

static void put_broken(FILE *out, const struct sim_sweep_broken *broken)
{
    char command[SIM_SWEEP_COMMAND_MAX];
    sim_sweep_command(command, sizeof command, broken);
    line(out, "  %s: %s", broken->promise, broken->what);
    line(out, "    in %" PRIu64 " state%s; %" PRIu32 " cut%s there", broken->states,
         broken->states == 1 ? "" : "s", broken->cuts, broken->cuts == 1 ? " leads" : "s lead");
    line(out, "    %s", command);
}

void sim_sweep_print(FILE *out, const struct sim_sweep_result *result)
{
    put_verdict(out, result);
    put_swept(out, result);
    put_fixpoint(out, result);
    if (result->brokens)
        fprintf(out, "\nBroken promises\n");
    for (uint32_t i = 0; i < result->brokens; i++)
        put_broken(out, &result->broken[i]);
    if (result->more_broken)
        fprintf(out, "  and more kinds than these %" PRIu32 "\n", result->brokens);
    put_forms(out, result);
}
