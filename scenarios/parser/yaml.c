#include "yaml.h"
#include <libfyaml.h>
#include <string.h>

/*
 * libfyaml 0.7.12 exports these two, but its header names them only from 0.8 on, with these
 * prototypes.
 */
const struct fy_mark *fy_event_start_mark(struct fy_event *event);
struct fy_diag_error *fy_diag_errors_iterate(struct fy_diag *diag, void **prev);

struct builder {
    struct scn_reader *r;
    const char *origin;
    struct scn_node *root;
    struct scn_node *open[SCN_DEPTH_MAX]; /* the lists and mappings that are not closed yet */
    uint32_t depth;
    /* In a mapping: the key whose value comes next, else NULL. One for each level. */
    const char *key[SCN_DEPTH_MAX];
    int key_line[SCN_DEPTH_MAX], key_column[SCN_DEPTH_MAX];
    uint32_t documents;
    int line,
        column; /* of the current event; an event without a place has that of the one before */
};

static int refuse(struct builder *b, const char *what)
{
    if (b->origin)
        return scn_fail_option(b->r, b->origin, "%s", what), SCN_ESYNTAX;
    return scn_fail_text(b->r, SCN_ESYNTAX, b->line, b->column, "%s", what);
}

static void place(struct builder *b, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark && (mark->line > 0 || mark->column > 0 || mark->input_pos > 0 || b->line == 0)) {
        b->line = mark->line + 1;
        b->column = mark->column + 1;
    }
}

/* Puts a value where it belongs: under the key that waits, behind the list's last, or as the root.
 */
static int attach(struct builder *b, struct scn_node *node)
{
    node->origin = b->origin;
    node->line = b->line;
    node->column = b->column;
    if (b->depth == 0) {
        b->root = node;
        return SCN_OK;
    }
    uint32_t level = b->depth - 1;
    struct scn_node *parent = b->open[level];
    if (parent->kind == SCN_NODE_MAP) {
        if (!b->key[level])
            return refuse(b, "a list or a mapping can't be a key; accepted: a word");
        /* An empty key has no place of its own, so that this is told at its value's. */
        if (!b->key[level][0])
            return refuse(b, "a key is missing in front of the colon; accepted: a word");
        node->key = b->key[level];
        node->key_line = b->key_line[level];
        node->key_column = b->key_column[level];
        b->key[level] = NULL;
    }
    scn_node_append(parent, node);
    return SCN_OK;
}

static int take_key(struct builder *b, const char *text, bool plain)
{
    uint32_t level = b->depth - 1;
    if (plain && !strcmp(text, "<<"))
        return refuse(b, "merge keys are not accepted; write the values out");
    if (b->open[level]->children >= SCN_KEYS_MAX)
        return refuse(b, "too many keys; accepted: at most 256 in one mapping");
    if (scn_node_get(b->open[level], text)) {
        char what[160];
        snprintf(what, sizeof what, "%.80s: this key is given twice in one mapping", text);
        return refuse(b, what);
    }
    b->key[level] = text;
    b->key_line[level] = b->line;
    b->key_column[level] = b->column;
    return SCN_OK;
}

static int on_scalar(struct builder *b, const struct fy_event_scalar_data *data)
{
    size_t len = 0;
    const char *text = fy_token_get_text(data->value, &len);
    if (!text)
        len = 0;
    enum fy_scalar_style style = fy_token_scalar_style(data->value);
    bool plain = style == FYSS_PLAIN;
    /* libfyaml's mark of a quoted text is behind the quote. */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && b->column > 1)
        b->column--;
    if (len && memchr(text, 0, len))
        return refuse(b, "a NUL character in a text; accepted: printable text");
    char *copy = scn_tree_text(b->r->tree, text, len);
    if (!copy)
        return scn_fail_memory(b->r);
    if (b->depth && b->open[b->depth - 1]->kind == SCN_NODE_MAP && !b->key[b->depth - 1])
        return take_key(b, copy, plain);
    struct scn_node *node = scn_tree_node(b->r->tree, SCN_NODE_SCALAR);
    if (!node)
        return scn_fail_memory(b->r);
    node->text = copy;
    node->plain = plain;
    return attach(b, node);
}

static int on_open(struct builder *b, enum scn_node_kind kind)
{
    if (b->depth == SCN_DEPTH_MAX)
        return refuse(b, "nested too deeply; accepted: at most 64 levels");
    struct scn_node *node = scn_tree_node(b->r->tree, kind);
    if (!node)
        return scn_fail_memory(b->r);
    int error = attach(b, node);
    if (error)
        return error;
    b->key[b->depth] = NULL;
    b->open[b->depth++] = node;
    return SCN_OK;
}

static int check_properties(struct builder *b, const struct fy_token *anchor,
                            const struct fy_token *tag)
{
    if (anchor)
        return refuse(b, "anchors (&name) are not accepted; write the value out");
    if (tag)
        return refuse(b, "tags (!name) are not accepted; remove it");
    if (b->r->tree->nodes >= SCN_NODES_MAX)
        return refuse(b, "too many values; accepted: at most 10000");
    return SCN_OK;
}

static int on_event(struct builder *b, struct fy_event *event)
{
    int error = SCN_OK;
    place(b, event);
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (b->documents++)
            return refuse(b, "a second document; accepted: one document in a file");
        return SCN_OK;
    case FYET_ALIAS:
        return refuse(b, "aliases (*name) are not accepted; write the value out");
    case FYET_SCALAR:
        error = check_properties(b, event->scalar.anchor, event->scalar.tag);
        return error ? error : on_scalar(b, &event->scalar);
    case FYET_SEQUENCE_START:
        error = check_properties(b, event->sequence_start.anchor, event->sequence_start.tag);
        return error ? error : on_open(b, SCN_NODE_LIST);
    case FYET_MAPPING_START:
        error = check_properties(b, event->mapping_start.anchor, event->mapping_start.tag);
        return error ? error : on_open(b, SCN_NODE_MAP);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        b->depth--;
        return SCN_OK;
    default:
        return SCN_OK;
    }
}

static const char *hint(const char *what)
{
    if (strstr(what, "block scalar"))
        return "; a text that begins with > or | needs quotes, as in \"> 5%\"";
    if (strstr(what, "multiline plain key"))
        return "; look at the indentation, and for a missing colon, quote or bracket";
    return "";
}

static int refuse_syntax(struct builder *b, struct fy_diag *diag)
{
    void *prev = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &prev);
    if (!error || !error->msg)
        return refuse(b, "not YAML");
    b->line = error->line;
    b->column = error->column;
    char what[300];
    snprintf(what, sizeof what, "not YAML: %.150s%s", error->msg, hint(error->msg));
    return refuse(b, what);
}

static int pump(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    int error = SCN_OK;
    while (!error && (event = fy_parser_parse(parser))) {
        error = on_event(b, event);
        fy_parser_event_free(parser, event);
    }
    if (!error && fy_parser_get_stream_error(parser))
        error = refuse_syntax(b, diag);
    return error;
}

/* Errors are collected, so nothing of the library's own reaches the terminal. */
static struct fy_diag *quiet_diag(void)
{
    struct fy_diag_cfg config;
    fy_diag_cfg_default(&config);
    config.fp = NULL;
    config.colorize = false;
    struct fy_diag *diag = fy_diag_create(&config);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    return diag;
}

int scn_yaml_parse(struct scn_reader *r, struct scn_node **root, const char *bytes, size_t len,
                   const char *origin)
{
    struct builder b = {.r = r, .origin = origin};
    *root = NULL;
    struct fy_diag *diag = quiet_diag();
    if (!diag)
        return scn_fail_memory(r);
    const struct fy_parse_cfg config = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = fy_parser_create(&config);
    int error = SCN_OK;
    if (!parser || fy_parser_set_string(parser, bytes, len))
        error = scn_fail_memory(r);
    else if (len)
        error = pump(&b, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (!error)
        *root = b.root;
    return error;
}
