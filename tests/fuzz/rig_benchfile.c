/* Any bytes as a bench file: refused with a place, or a bench that keeps what its header says. */
#include "rig/benchfile.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_contact(const struct rig_bench *bench, const struct rig_bench_contact *contact)
{
    if (contact->controller == -1)
        return;
    require(contact->controller >= 0 && (uint32_t)contact->controller < bench->controllers);
    const struct rig_relay_driver *driver = bench->controller[contact->controller].driver;
    require(contact->channel >= driver->channel_first && contact->channel <= driver->channel_last);
}

static void check_port(const struct rig_console_at *at)
{
    require(!at->path || (*at->path == '/' && !at->host));
    require(!at->host || (*at->host && at->port && at->kind == RIG_CONSOLE_TCP));
}

static void check_board(const struct rig_bench *bench, const struct rig_bench_board *board)
{
    require(board->name && *board->name && !strchr(board->name, '/') && *board->name != '.');
    require(rig_bench_board(bench, board->name) == board);
    check_contact(bench, &board->power);
    check_contact(bench, &board->reset);
    require(board->straps <= RIG_BENCH_STRAPS_MAX);
    for (uint32_t i = 0; i < board->straps; i++) {
        require(board->strap[i].name && board->strap[i].contact.controller >= 0);
        check_contact(bench, &board->strap[i].contact);
    }
    check_port(&board->console);
    check_port(&board->line);
    require(!board->flash || board->flash[0]);
    require(board->flash_within_ms && (!board->flash_file || *board->flash_file == '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[512] = "";
    struct rig_bench *bench = NULL;
    int error = rig_bench_parse(&bench, "/tmp/desk.yaml", (const char *)data, size, message,
                                sizeof message);
    require(error ? !bench && strstr(message, "/tmp/desk.yaml:") == message : bench != NULL);
    if (error)
        return 0;
    require(bench->name && bench->state && *bench->state == '/' && bench->boards);
    for (uint32_t i = 0; i < bench->controllers; i++)
        require(bench->controller[i].driver && bench->controller[i].value &&
                bench->controller[i].timeout_ms);
    for (uint32_t i = 0; i < bench->boards; i++)
        check_board(bench, &bench->board[i]);
    rig_bench_free(bench);
    return 0;
}
