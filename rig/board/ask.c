/* What QEMU says when it is asked while the board runs, or as its power goes. */
#include "board_internal.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t bb_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void bb_probe_ask(struct rig_board *board, rig_qmp_reply *reply, void *ctx)
{
    char command[32];
    snprintf(command, sizeof command, "xp /6wx 0x%x", BOARD_PROBE_ADDR);
    rig_qmp_send(board->qmp, "human-monitor-command", json_pack("{s:s}", "command-line", command),
                 reply, ctx);
}

/* HMP's xp: "ADDRESS: 0xWORD 0xWORD 0xWORD 0xWORD\r\nADDRESS: 0xWORD 0xWORD\r\n". */
bool bb_probe_parse(struct board_probe *probe, const json_t *result)
{
    const char *text = json_string_value(result);
    unsigned word[6];
    if (!text || sscanf(text, "%*x: %x %x %x %x %*x: %x %x", &word[0], &word[1], &word[2], &word[3],
                        &word[4], &word[5]) != 6)
        return false;
    *probe = (struct board_probe){word[0], word[1], word[2], word[3], word[4], word[5]};
    return true;
}

static uint64_t progress(const struct rig_board *board)
{
    return board->facts.stops + board->facts.resets;
}

static void told_status(void *ctx, const json_t *result, const char *error)
{
    struct rig_board *board = ctx;
    const char *status = json_string_value(json_object_get(result, "status"));
    (void)error;
    bool halted = status && strcmp(status, "running") != 0 && board->step != BB_STANDS;
    snprintf(board->halted, sizeof board->halted, "%s", halted ? status : "");
    board->halted_at = progress(board);
}

/* The answer may be older than what is known: it counts if the operation had begun in it. */
static void told_probe(void *ctx, const json_t *result, const char *error)
{
    struct rig_board *board = ctx;
    struct board_probe probe;
    (void)error;
    board->asked_ms = 0;
    board->facts.answers += result != NULL;
    bool knows = board->config.stepped && board->step == BB_RUNS && !board->begins &&
                 !board->reviving && bb_probe_parse(&probe, result);
    if (knows && (int32_t)(probe.begun - board->begun_then) > 0 && probe.begun == probe.ended)
        board->last_ended = true;
}

void rig_board_ask(struct rig_board *board)
{
    if (!board->started || board->going || board->asked_ms)
        return;
    board->asked_ms = bb_now_ms();
    rig_qmp_send(board->qmp, "query-status", NULL, told_status, board);
    bb_probe_ask(board, told_probe, board);
}

const char *rig_board_halted(const struct rig_board *board)
{
    bool same = board->halted_at == progress(board) && board->step != BB_STANDS;
    return same ? board->halted : "";
}
