/*
 * The summary for a person who was woken at night: the verdict and its reason first, then where the
 * campaign stands, then what to look at, with the command that replays each failing device.
 */
#include "rep/render.h"
#include "rep/text.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { DEVICES_SHOWN = 10 };

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

void rep_terminal_heading(const struct rep_terminal *terminal, const char *text)
{
    fprintf(terminal->out, "\n%s%s%s\n", terminal->colour ? BOLD : "", text,
            terminal->colour ? PLAIN : "");
}

/* Columns that a text takes: its code points; the bytes behind a leading byte take none. */
static unsigned columns_of(const char *text, size_t bytes)
{
    unsigned columns = 0;
    for (size_t i = 0; i < bytes; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

/* Bytes of the code points at `text` that fit in so many columns, of at most `bytes`. */
static size_t bytes_in(const char *text, size_t bytes, unsigned columns)
{
    size_t fit = 0;
    for (; fit < bytes; fit++)
        if (((unsigned char)text[fit] & 0xC0) != 0x80 && columns-- == 0)
            break;
    return fit;
}

/* From a column on, broken at spaces; a word that fits no line at all is cut where the line ends.
 */
static void put_words(const struct rep_terminal *terminal, unsigned column, unsigned indent,
                      const char *clean)
{
    for (const char *at = clean; *at;) {
        size_t spaces = strspn(at, " "), word = strcspn(at + spaces, " ");
        if (column > indent && column + columns_of(at, spaces + word) > REP_TERMINAL_COLUMNS) {
            fprintf(terminal->out, "\n%*s", (int)indent, "");
            column = indent;
            at += spaces;
            spaces = 0;
        }
        size_t bytes = bytes_in(at, spaces + word, REP_TERMINAL_COLUMNS - column);
        fwrite(at, 1, bytes, terminal->out);
        column += columns_of(at, bytes);
        at += bytes;
    }
    fputc('\n', terminal->out);
}

void rep_terminal_text(const struct rep_terminal *terminal, unsigned indent, const char *format,
                       ...)
{
    char text[1024], clean[3 * sizeof text];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    rep_text_clean(clean, sizeof clean, text, sizeof text, REP_TEXT_LINE);
    put_words(terminal, 0, indent, clean);
}

void rep_terminal_behind(const struct rep_terminal *terminal, unsigned column, unsigned indent,
                         const char *text)
{
    char clean[3 * REP_TEXT_MAX + 1];
    rep_text_clean(clean, sizeof clean, text, REP_TEXT_MAX, REP_TEXT_LINE);
    put_words(terminal, column, indent, clean);
}

static void put_verdict(const struct rep_terminal *terminal)
{
    static const char *const words[] = {
        [REP_PASS] = "PASS",
        [REP_GATE_STOPPED] = "STOPPED BY A GATE",
        [REP_UNSAFE] = "UNSAFE",
        [REP_DIVERGED] = "DID NOT CONVERGE",
        [REP_UNFINISHED] = "UNFINISHED",
    };
    const struct rep_result *result = terminal->result;
    const char *colour = result->exit_code == 0 ? GREEN : RED;
    if (terminal->colour)
        fputs(colour, terminal->out);
    /* A campaign may pass and the run still fail (another digest, a fault without effect), and what
     * looks bad may be what the scenario is about. */
    if (result->exit_code == 0 && result->verdict != REP_PASS)
        fputs("AS EXPECTED: ", terminal->out);
    fputs(result->exit_code != 0 && result->verdict == REP_PASS ? "FAILED" : words[result->verdict],
          terminal->out);
    if (terminal->colour)
        fputs(PLAIN, terminal->out);
    fprintf(terminal->out, ", exit code %d\n", result->exit_code);
    if (result->explanation[0])
        rep_terminal_text(terminal, 2, "  %s", result->explanation);
}

static void put_run(const struct rep_terminal *terminal)
{
    const struct rep_result *r = terminal->result;
    char enrolled[48], span[48], memory[48];
    rep_terminal_text(terminal, 2, "%s%s%s", r->scenario, r->summary[0] ? ": " : "", r->summary);
    if (r->cut_short && !r->devices)
        return; /* killed before it could write down what it was about to do */
    if (r->cut_short && !r->belief_only)
        snprintf(enrolled, sizeof enrolled, "not known how many");
    else
        snprintf(enrolled, sizeof enrolled, "%u", r->enrolled);
    rep_terminal_text(terminal, 2, "  %u devices, %s enrolled for %s; %s world from %s", r->devices,
                      enrolled, r->candidate[0] ? r->candidate : "-", r->world[0] ? r->world : "-",
                      r->start[0] ? r->start : "-");
    rep_terminal_text(terminal, 2, "  seed %" PRIu64 ", digest %s, %u jobs", r->seed,
                      r->digest[0] ? r->digest : "-", r->jobs);
    rep_text_time(span, sizeof span, r->virtual_s);
    rep_text_bytes(memory, sizeof memory, r->memory_peak_bytes);
    if (r->cut_short && r->belief_only)
        rep_terminal_text(terminal, 2, "  at least %s of virtual time", span);
    else if (!r->cut_short)
        rep_terminal_text(terminal, 2, "  %s of virtual time in %.1f s of wall time, %s of memory",
                          span, r->wall_s, memory);
}

static void put_updates(const struct rep_terminal *terminal)
{
    const struct rep_result *r = terminal->result;
    if (r->cut_short && !r->belief_only) {
        rep_terminal_heading(terminal, "Updates");
        rep_terminal_text(terminal, 2, "not known: the run did not finish");
        return;
    }
    rep_terminal_heading(
        terminal, r->cut_short ? "Updates, as the service believed at its last tick" : "Updates");
    rep_terminal_outcomes(terminal);
}

static void put_bricks(const struct rep_terminal *terminal)
{
    const struct rep_result *r = terminal->result;
    if (r->cut_short) {
        rep_terminal_text(terminal, 2, "Bricks on the flash: not known: the run did not finish");
        if (r->belief_only)
            rep_terminal_text(terminal, 2, "Presumed bricked by the service: %u",
                              r->presumed_bricked);
        return;
    }
    rep_terminal_text(terminal, 2,
                      "Bricks on the flash: no_boot %u, boot_loop %u, unreachable %u, hardware %u; "
                      "presumed by the service: %u",
                      r->bricks[REP_BRICK_NO_BOOT], r->bricks[REP_BRICK_BOOT_LOOP],
                      r->bricks[REP_BRICK_UNREACHABLE], r->bricks[REP_BRICK_HARDWARE],
                      r->presumed_bricked);
    char longest[48];
    rep_text_time(longest, sizeof longest, r->belief_wrong_longest_s);
    rep_terminal_text(terminal, 2,
                      "Belief: the service is wrong about %u devices at the end; longest wrong: %s",
                      r->belief_wrong_at_end, longest);
}

static void put_work(const struct rep_terminal *terminal)
{
    const struct rep_result *r = terminal->result;
    char hashed[48];
    rep_text_bytes(hashed, sizeof hashed, r->sha256_bytes);
    rep_terminal_text(terminal, 2,
                      "Power cuts: %" PRIu64 " in %u kinds (agent state x region x form). "
                      "Flash: %" PRIu64 " programs, %" PRIu64 " erases, worst wear %u. "
                      "Crypto: %s hashed, %" PRIu64 " signatures verified.",
                      r->power_cuts, r->cuts, r->flash_programs, r->flash_erases, r->wear_max,
                      hashed, r->ecdsa_verifies);
}

/* The order in which failing devices are worth a look; brick or not decides before the outcome
 * does. */
static const enum rep_outcome worst_first[] = {
    REP_OUT_BRICKED,         REP_OUT_SILENT,  REP_OUT_ROLLED_BACK, REP_OUT_VERIFY_FAILED,
    REP_OUT_DOWNLOAD_FAILED, REP_OUT_REFUSED, REP_OUT_PENDING,     REP_OUT_ROLLED_BACK_BY_CAMPAIGN,
};
enum { RANKS = sizeof worst_first / sizeof worst_first[0] };

/* RANKS: nothing failed there. */
static unsigned rank_of(const struct rep_device *device)
{
    if (device->brick != REP_BRICK_NONE)
        return 0;
    unsigned rank = 0;
    while (rank < RANKS && worst_first[rank] != device->outcome)
        rank++;
    return rank;
}

static void put_device(const struct rep_terminal *terminal, const struct rep_device *device)
{
    rep_terminal_text(
        terminal, 6,
        "  %s (%u%s%s): %s%s%s%s%s; boots %s, the service believes %s; "
        "%u boots, %u cuts",
        device->id, device->number, device->site[0] ? ", " : "", device->site,
        rep_outcome_name((int)device->outcome), device->brick != REP_BRICK_NONE ? ", brick: " : "",
        device->brick != REP_BRICK_NONE ? rep_brick_name((int)device->brick) : "",
        device->reason[0] ? ", reason: " : "", device->reason,
        device->version[0] ? device->version : "nothing",
        device->believed[0] ? device->believed : "nothing", device->boots, device->cuts);
    if (device->token[0])
        fprintf(terminal->out, "    brickyard replay %s\n", device->token);
}

static void put_devices(const struct rep_terminal *terminal)
{
    const struct rep_result *result = terminal->result;
    uint32_t failing = 0, shown = 0;
    for (uint32_t i = 0; i < result->device_rows; i++)
        failing += rank_of(&result->device[i]) < RANKS;
    if (!failing)
        return;
    char title[64];
    snprintf(title, sizeof title, "Devices that failed: %u", failing);
    rep_terminal_heading(terminal, title);
    for (unsigned rank = 0; rank < RANKS; rank++) {
        for (uint32_t i = 0; i < result->device_rows && shown < DEVICES_SHOWN; i++) {
            if (rank_of(&result->device[i]) != rank)
                continue;
            put_device(terminal, &result->device[i]);
            shown++;
        }
    }
    if (failing > shown)
        fprintf(terminal->out, "  and %u more: see --db, table device\n", failing - shown);
}

static void put_section(const struct rep_terminal *terminal, const char *title, uint32_t rows,
                        void (*put)(const struct rep_terminal *))
{
    if (!rows)
        return;
    rep_terminal_heading(terminal, title);
    put(terminal);
}

static uint32_t gates_of(const struct rep_result *result)
{
    uint32_t gates = 0;
    for (uint32_t i = 0; i < result->phases; i++)
        gates += result->phase[i].gates;
    return gates;
}

void rep_render_terminal(FILE *out, const struct rep_result *result, bool colour)
{
    struct rep_terminal terminal = {.out = out, .colour = colour, .result = result};
    put_verdict(&terminal);
    put_run(&terminal);
    put_section(&terminal, "Phases", result->phases, rep_terminal_phases);
    put_section(&terminal, "Gates", gates_of(result), rep_terminal_gates);
    put_updates(&terminal);
    put_bricks(&terminal);
    put_section(&terminal, "Alerts", result->alerts, rep_terminal_alerts);
    put_section(&terminal, "Faults", result->faults, rep_terminal_faults);
    put_section(&terminal, "Promises", result->promises, rep_terminal_promises);
    put_section(&terminal, "Before and after the update, of the confirmed devices",
                result->observations, rep_terminal_observations);
    put_section(&terminal, "The world of this run", result->facts, rep_terminal_facts);
    put_devices(&terminal);
    if (result->cut_short)
        return;
    fputc('\n', out);
    put_work(&terminal);
}
