/* A bench file: read, parsed, freed. */
#include "rig/benchfile.h"
#include "reader.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct rig_bench, member)

/* What the caller gets is its first member. */
struct whole {
    struct rig_bench bench;
    struct bench_memory memory;
};

static int take_boards(struct bench_reader *r, void *out, const struct bench_node *node)
{
    (void)out;
    return bench_read_boards(r, node);
}

/* Read before all else. */
static int skip(struct bench_reader *r, void *out, const struct bench_node *node)
{
    (void)r;
    (void)out;
    (void)node;
    return 0;
}

static int take_emulator(struct bench_reader *r, void *out, const struct bench_node *node)
{
    static const struct bench_key keys[] = {
        {.name = "boards",
         .form = BENCH_NUMBER,
         .at = offsetof(struct rig_bench_emulator, boards),
         .min = 1,
         .max = RIG_BENCH_BOARDS_MAX,
         .required = true},
        {.name = "folder", .form = BENCH_PATH, .at = offsetof(struct rig_bench_emulator, folder)},
        {.name = NULL}};
    struct rig_bench *bench = out;
    bench->emulator.wanted = true;
    return bench_mapping(r, &bench->emulator, node, keys);
}

static const struct bench_key keys[] = {
    {.name = "bench", .form = BENCH_WORD, .at = AT(name), .required = true},
    {.name = "state", .form = BENCH_PATH, .at = AT(state)},
    {.name = "controllers", .form = BENCH_OWN, .own = skip},
    {.name = "boards", .form = BENCH_OWN, .required = true, .own = take_boards},
    {.name = "emulator", .form = BENCH_OWN, .own = take_emulator},
    {.name = NULL},
};

/* Absolute, so that what is read later does not depend on where one stands then. */
static int find_folder(struct bench_reader *r, const char *file)
{
    char folder[PATH_MAX], absolute[PATH_MAX];
    const char *slash = strrchr(file, '/');
    int len = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - file) : 1,
                       slash ? file : ".");
    if (len >= (int)sizeof folder || !realpath(folder, absolute))
        return bench_fail(&r->tree, NULL, "its folder: %s", strerror(errno));
    r->bench->file = bench_take_text(r->tree.memory, file, strlen(file));
    r->bench->folder = bench_take_text(r->tree.memory, absolute, strlen(absolute));
    return r->bench->file && r->bench->folder ? 0 : bench_fail(&r->tree, NULL, "out of memory");
}

/* FOLDER/corner-desk.state, of corner-desk.yaml. */
static int default_state(struct bench_reader *r)
{
    char path[PATH_MAX];
    const char *slash = strrchr(r->bench->file, '/');
    const char *base = slash ? slash + 1 : r->bench->file;
    const char *dot = strrchr(base, '.');
    bool yaml = dot && dot != base && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
    int len = snprintf(path, sizeof path, "%s/%.*s.state", r->bench->folder,
                       yaml ? (int)(dot - base) : (int)strlen(base), base);
    if (len >= (int)sizeof path)
        return bench_fail(&r->tree, NULL, "state: is missing, and the default is too long a path");
    r->bench->state = bench_take_text(r->tree.memory, path, (size_t)len);
    return r->bench->state ? 0 : bench_fail(&r->tree, NULL, "out of memory");
}

static int read_all(struct bench_reader *r, const char *file, const char *bytes, size_t len)
{
    struct rig_bench *bench = r->bench;
    if (find_folder(r, file) || bench_tree_parse(&r->tree, bytes, len))
        return -1;
    if (!r->tree.root)
        return bench_fail(&r->tree, NULL, "is empty; accepted: bench, controllers, boards, ...");
    if (bench_must_be(r, r->tree.root, BENCH_MAP))
        return -1;
    const struct bench_node *controllers = bench_node_get(r->tree.root, "controllers");
    if ((controllers && bench_read_controllers(r, controllers)) ||
        bench_mapping(r, bench, r->tree.root, keys) || (!bench->state && default_state(r)))
        return -1;
    if (bench->emulator.wanted && !bench->emulator.folder)
        bench->emulator.folder = bench->state;
    return 0;
}

int rig_bench_parse(struct rig_bench **out, const char *file, const char *bytes, size_t bytes_len,
                    char *message, size_t len)
{
    assert(out && file && (bytes || !bytes_len) && message && len >= 512);
    struct whole *whole = calloc(1, sizeof *whole);
    *out = NULL;
    *message = '\0';
    if (!whole) {
        snprintf(message, len, "%.300s: out of memory", file);
        return -1;
    }
    struct bench_reader r = {.tree = {.memory = &whole->memory, .source = {file, message, len}},
                             .bench = &whole->bench};
    if (read_all(&r, file, bytes, bytes_len)) {
        rig_bench_free(&whole->bench);
        return -1;
    }
    *out = &whole->bench;
    return 0;
}

int rig_bench_read(struct rig_bench **out, const char *file, char *message, size_t len)
{
    assert(out && file && message && len >= 512);
    size_t bytes_len;
    *out = NULL;
    char *bytes = agent_kit_read_file(file, BENCH_FILE_BYTES_MAX, &bytes_len);
    if (!bytes) {
        snprintf(message, len, "%.300s: %s", file, strerror(errno));
        return -1;
    }
    int error = rig_bench_parse(out, file, bytes, bytes_len, message, len);
    free(bytes);
    return error;
}

void rig_bench_free(struct rig_bench *bench)
{
    if (!bench)
        return;
    struct whole *whole = (struct whole *)bench;
    for (uint32_t i = 0; i < bench->controllers; i++)
        if (bench->controller[i].driver)
            rig_setting_free(bench->controller[i].value, bench->controller[i].driver->setting);
    bench_give_back(&whole->memory);
    free(whole);
}

const struct rig_bench_board *rig_bench_board(const struct rig_bench *bench, const char *name)
{
    assert(bench && name);
    for (uint32_t i = 0; i < bench->boards; i++)
        if (!strcmp(bench->board[i].name, name))
            return &bench->board[i];
    return NULL;
}
