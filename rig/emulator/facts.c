/* What the emulator knows, as JSON of one line. */
#include "emulator.h"
#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_EVERY_US = 1000000 };

/* The process's share of memory in KiB (PSS); its RSS where the kernel does not tell. */
static int64_t read_memory(long pid)
{
    char path[64], line[256];
    long long kib = 0, pages;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    while (file && !kib && fgets(line, sizeof line, file))
        sscanf(line, "Pss: %lld kB", &kib);
    if (file)
        fclose(file);
    if (kib)
        return kib;
    snprintf(path, sizeof path, "/proc/%ld/statm", pid);
    file = fopen(path, "re");
    if (file && fscanf(file, "%*d %lld", &pages) == 1)
        kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    if (file)
        fclose(file);
    return kib;
}

/* 0: off. The kernel counts all pages for it, about a millisecond: not at every question. */
static int64_t memory_kib(struct em_board *board)
{
    pid_t pid = rig_board_pid(rig_cutter_board(board->cutter));
    int64_t now_us = em_now_us();
    if (pid && (pid != board->memory_of || now_us - board->memory_at_us > MEMORY_EVERY_US)) {
        board->memory_of = pid;
        board->memory_at_us = now_us;
        board->memory_kib = read_memory((long)pid);
    }
    return pid ? board->memory_kib : 0;
}

static void put_json(json_t *json, char answer[EM_ANSWER_MAX])
{
    size_t len = json_dumpb(json, answer, EM_ANSWER_MAX, JSON_COMPACT);
    if (len && len < EM_ANSWER_MAX)
        answer[len] = '\0';
    else
        snprintf(answer, EM_ANSWER_MAX, "error: it does not fit; ask for one board");
    json_decref(json);
}

static json_t *relays_json(const struct em *em)
{
    json_t *relays = json_array();
    for (uint32_t i = 0; i < em->relays; i++) {
        const struct em_relay *relay = &em->relay[i];
        char closed[EM_CHANNELS_MAX + 1] = "", coils[EM_CHANNELS_MAX + 1] = "";
        for (uint32_t c = 0; c < em->options.channels; c++) {
            closed[c] = relay->contact[c].closed ? '1' : '0';
            coils[c] = relay->contact[c].coil ? '1' : '0';
        }
        json_array_append_new(relays,
                              json_pack("{s:s,s:s,s:b,s:b}", "closed", closed, "coils", coils,
                                        "plugged", relay->port.fd >= 0, "silent", relay->silent));
    }
    return relays;
}

static int64_t qemu_us(const struct em *em, bool on)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < em->options.boards; i++) {
        int64_t one = on ? em->board[i].on_us_max : em->board[i].off_us_max;
        most = one > most ? one : most;
    }
    return most;
}

void em_facts(struct em *em, char answer[EM_ANSWER_MAX])
{
    json_t *power_ons = json_array(), *cuts = json_array(), *hits = json_array();
    json_t *ends = json_array(), *kib = json_array();
    char on[EM_BOARDS_MAX + 1] = "";
    for (uint32_t i = 0; i < em->options.boards; i++) {
        struct em_board *board = &em->board[i];
        struct rig_board_facts facts;
        rig_board_facts(rig_cutter_board(board->cutter), &facts);
        on[i] = em_board_is_on(board) ? '1' : '0';
        json_array_append_new(power_ons, json_integer((json_int_t)facts.power_ons));
        json_array_append_new(cuts, json_integer(board->cut_count));
        json_array_append_new(hits, json_integer(board->hits));
        json_array_append_new(ends, json_integer(board->ends));
        json_array_append_new(kib, json_integer(memory_kib(board)));
    }
    put_json(json_pack("{s:i,s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "boards",
                       (int)em->options.boards, "seed", (json_int_t)em->options.seed, "relays",
                       relays_json(em), "on", on, "power_ons", power_ons, "cuts", cuts, "hits",
                       hits, "ends", ends, "memory_kib", kib, "power_on_us_max",
                       (json_int_t)qemu_us(em, true), "power_off_us_max",
                       (json_int_t)qemu_us(em, false), "late_us_max", (json_int_t)em->late_us_max),
             answer);
}

void em_board_facts(struct em_board *board, bool closed, char answer[EM_ANSWER_MAX])
{
    const struct rig_board *qemu = rig_cutter_board(board->cutter);
    struct rig_board_facts facts;
    rig_board_facts(qemu, &facts);
    json_t *json =
        json_pack("{s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:i,s:i,s:i,s:i,s:I}", "board", board->name, "on",
                  em_board_is_on(board), "closed", closed, "pid", (json_int_t)rig_board_pid(qemu),
                  "memory_kib", (json_int_t)memory_kib(board), "power_ons",
                  (json_int_t)facts.power_ons, "resets", (json_int_t)facts.resets, "cuts",
                  (int)board->cut_count, "hits", (int)board->hits, "ends", (int)board->ends,
                  "strays", (int)board->strays, "unclean", (json_int_t)facts.unclean);
    json_t *wires = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "console_bytes", (json_int_t)board->console.bytes_out,
        "console_dropped", (json_int_t)board->console.dropped, "line_in",
        (json_int_t)board->line.bytes_in, "line_out", (json_int_t)board->line.bytes_out,
        "line_dropped", (json_int_t)(board->line.dropped + facts.link_dropped), "power_off_us",
        (json_int_t)facts.power_off_us, "error", board->error);
    json_object_update(json, wires);
    json_decref(wires);
    put_json(json, answer);
}
