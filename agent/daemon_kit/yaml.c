/* libfyaml's events as the calls of settings.h. No tree is built. */
#include "daemon_kit/settings.h"
#include "yaml_check.h"
#include <libfyaml.h>
#include <string.h>

/* libfyaml 0.7.12 exports these two, but its header names them only from 0.8 on. */
const struct fy_mark *fy_event_start_mark(struct fy_event *event);
struct fy_diag_error *fy_diag_errors_iterate(struct fy_diag *diag, void **prev);

enum { TEXT_BYTES = 1024 };

struct walk {
    const struct agent_kit_yaml *yaml;
    void *ctx;
    struct agent_kit_place *at;
    uint32_t documents;
};

static int refuse(struct walk *w, const char *what)
{
    return w->yaml->refuse(w->ctx, what);
}

static int refuse_as(struct walk *w, const char *own, const char *usual)
{
    return refuse(w, own ? own : usual);
}

static void find_place(struct walk *w, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark && (mark->line > 0 || mark->column > 0 || mark->input_pos > 0 || !w->at->line))
        *w->at = (struct agent_kit_place){mark->line + 1, mark->column + 1};
}

static int on_scalar(struct walk *w, const struct fy_event_scalar_data *data)
{
    char text[TEXT_BYTES];
    size_t len = 0;
    const char *bytes = fy_token_get_text(data->value, &len);
    enum fy_scalar_style style = fy_token_scalar_style(data->value);
    /* libfyaml's mark of a quoted text is behind the quote. */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && w->at->column > 1)
        w->at->column--;
    if (!bytes)
        len = 0;
    if (len >= sizeof text || (len && memchr(bytes, 0, len)))
        return refuse_as(w, w->yaml->too_long,
                         "a text that is too long, or holds a NUL; accepted: less than 1024 bytes");
    memcpy(text, len ? bytes : "", len);
    text[len] = '\0';
    return w->yaml->text(w->ctx, text, style == FYSS_PLAIN);
}

static int check_properties(struct walk *w, const struct fy_token *anchor,
                            const struct fy_token *tag)
{
    if (anchor)
        return refuse_as(w, w->yaml->anchor,
                         "anchors (&name) are not accepted; write the value out");
    return tag ? refuse_as(w, w->yaml->tag, "tags (!name) are not accepted; remove it") : 0;
}

static int on_event(struct walk *w, struct fy_event *event)
{
    int error = 0;
    find_place(w, event);
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return w->documents++ ? refuse(w, "a second document; accepted: one") : 0;
    case FYET_ALIAS:
        return refuse(w, "aliases (*name) are not accepted; write the value out");
    case FYET_SCALAR:
        error = check_properties(w, event->scalar.anchor, event->scalar.tag);
        return error ? error : on_scalar(w, &event->scalar);
    case FYET_SEQUENCE_START:
        error = check_properties(w, event->sequence_start.anchor, event->sequence_start.tag);
        return error ? error : w->yaml->open(w->ctx, true);
    case FYET_MAPPING_START:
        error = check_properties(w, event->mapping_start.anchor, event->mapping_start.tag);
        return error ? error : w->yaml->open(w->ctx, false);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        w->yaml->close(w->ctx);
        return 0;
    default:
        return 0;
    }
}

__attribute__((format(printf, 3, 4))) static int
fail(const struct agent_kit_source *source, struct agent_kit_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    agent_kit_fail(source, at, NULL, fmt, args);
    va_end(args);
    return -1;
}

static int refuse_syntax(struct walk *w, const struct agent_kit_source *source,
                         struct fy_diag *diag)
{
    void *prev = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &prev);
    if (!error || !error->msg)
        return fail(source, *w->at, "not YAML");
    return fail(source, (struct agent_kit_place){error->line, error->column}, "not YAML: %.200s",
                error->msg);
}

static int pump(struct walk *w, struct fy_parser *parser)
{
    struct fy_event *event;
    int error = 0;
    while (!error && (event = fy_parser_parse(parser))) {
        error = on_event(w, event);
        fy_parser_event_free(parser, event);
    }
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

int agent_kit_yaml_parse(const struct agent_kit_yaml *yaml, void *ctx, struct agent_kit_place *at,
                         const struct agent_kit_source *source, const char *bytes, size_t len)
{
    struct walk w = {yaml, ctx, at, 0};
    const char *wrong = agent_kit_yaml_check(at, bytes, len);
    if (wrong)
        return refuse(&w, wrong);
    struct fy_diag *diag = quiet_diag();
    const struct fy_parse_cfg config = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    int error = 0;
    *at = (struct agent_kit_place){0, 0};
    if (!parser || (len && fy_parser_set_string(parser, bytes, len)))
        error = fail(source, *at, "out of memory");
    else if (len)
        error = pump(&w, parser);
    if (!error && len && fy_parser_get_stream_error(parser))
        error = refuse_syntax(&w, source, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return error;
}
