/* Boards, and that nothing of one belongs to another. */
#include "reader.h"
#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct rig_bench_board, member)

static int take_console(struct bench_reader *r, void *out, const struct bench_node *node)
{
    return bench_read_console(r, &((struct rig_bench_board *)out)->console, node);
}

static int take_line(struct bench_reader *r, void *out, const struct bench_node *node)
{
    return bench_read_console(r, &((struct rig_bench_board *)out)->line, node);
}

static int take_power(struct bench_reader *r, void *out, const struct bench_node *node)
{
    return bench_read_contact(r, &((struct rig_bench_board *)out)->power, BENCH_POWER, node);
}

static int take_reset(struct bench_reader *r, void *out, const struct bench_node *node)
{
    return bench_read_contact(r, &((struct rig_bench_board *)out)->reset, BENCH_RESET, node);
}

static int take_straps(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_bench_board *board = out;
    if (bench_must_be(r, node, BENCH_MAP))
        return -1;
    for (const struct bench_node *child = node->first; child; child = child->next) {
        struct bench_node name = {.kind = BENCH_SCALAR, .text = child->key, .at = child->key_at};
        if (board->straps == RIG_BENCH_STRAPS_MAX)
            return bench_fail(&r->tree, child, "accepted: at most %d straps", RIG_BENCH_STRAPS_MAX);
        struct rig_bench_strap *strap = &board->strap[board->straps];
        if (bench_word(r, &strap->name, &name) ||
            bench_read_contact(r, &strap->contact, BENCH_STRAP, child))
            return -1;
        board->straps++;
    }
    return 0;
}

static int take_flash(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_bench_board *board = out;
    if (bench_list(r, &board->flash, node))
        return -1;
    for (const char *const *argument = board->flash; *argument; argument++)
        if (strstr(*argument, "{image}"))
            return 0;
    return bench_fail(&r->tree, node,
                      "no argument holds {image}; accepted: a command's list of arguments, with "
                      "{image} where the image's path belongs");
}

static int take_flash_power(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_bench_board *board = out;
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    board->flash_powered = !strcmp(node->text, "on");
    return board->flash_powered || !strcmp(node->text, "off")
               ? 0
               : bench_fail(&r->tree, node, "'%.40s'; accepted: on, off", node->text);
}

static const struct bench_key board_keys[] = {
    {.name = "name", .form = BENCH_WORD, .at = AT(name), .required = true},
    {.name = "device_type", .form = BENCH_WORD, .at = AT(device_type)},
    {.name = "hw_revision", .form = BENCH_WORD, .at = AT(hw_revision)},
    {.name = "console", .form = BENCH_OWN, .own = take_console},
    {.name = "line", .form = BENCH_OWN, .own = take_line},
    {.name = "power", .form = BENCH_OWN, .own = take_power},
    {.name = "reset", .form = BENCH_OWN, .own = take_reset},
    {.name = "straps", .form = BENCH_OWN, .own = take_straps},
    {.name = "flash", .form = BENCH_OWN, .own = take_flash},
    {.name = "flash_within",
     .form = BENCH_DURATION,
     .at = AT(flash_within_ms),
     .min = 100,
     .max = 3600000},
    {.name = "flash_power", .form = BENCH_OWN, .own = take_flash_power},
    {.name = "flash_file", .form = BENCH_PATH, .at = AT(flash_file)},
    {.name = NULL},
};

int bench_read_boards(struct bench_reader *r, const struct bench_node *node)
{
    struct rig_bench *bench = r->bench;
    if (bench_must_be(r, node, BENCH_LIST))
        return -1;
    if (!node->children || node->children > RIG_BENCH_BOARDS_MAX)
        return bench_fail(&r->tree, node, "%u boards; accepted: 1 to %d", node->children,
                          RIG_BENCH_BOARDS_MAX);
    for (const struct bench_node *child = node->first; child; child = child->next) {
        struct rig_bench_board *board = &bench->board[bench->boards];
        *board = (struct rig_bench_board){.power.controller = -1,
                                          .reset.controller = -1,
                                          .flash_within_ms = 120000,
                                          .folder = bench->folder,
                                          .row = child->at.line};
        if (bench_mapping(r, board, child, board_keys))
            return -1;
        bench->boards++;
    }
    return bench_check_boards(r, node);
}
