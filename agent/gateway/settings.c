/* Every key is a row. Paths are relative to the file's folder. */
#include "settings.h"
#include "line.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum form { SECTION, TEXT, WORD, FILE_PATH, NUMBER, DURATION, LEVEL };
enum { DEPTH_MAX = 3, PATH_BYTES = 64, FILE_BYTES_MAX = 65536 };

struct row {
    const char *path;
    enum form form;
    size_t at;
    int64_t min, max;
    const char *initial; /* NULL: must be given */
    const char *accepts;
};

#define AT(member) offsetof(struct gateway_settings, member)
#define ROOM(member) 0, sizeof(((struct gateway_settings *)0)->member)

static const struct row rows[] = {
    {"device_id", WORD, AT(device_id), ROOM(device_id), NULL,
     "1 to 47 letters, digits, '.', '_' and '-'"},
    {"line", FILE_PATH, AT(line), ROOM(line), NULL, "the path of a serial port or a Unix socket"},
    {"baud", NUMBER, AT(baud), 9600, 921600, "115200", "9600, 19200, ... 115200, ... 921600"},
    {"mqtt", SECTION, 0, 0, 0, "", "a mapping"},
    {"mqtt.host", TEXT, AT(mqtt.host), ROOM(mqtt.host), NULL, "a name or an address"},
    {"mqtt.port", NUMBER, AT(mqtt.port), 1, 65535, "8883", "1 to 65535"},
    {"mqtt.ca", FILE_PATH, AT(mqtt.ca), ROOM(mqtt.ca), NULL, "a path"},
    {"mqtt.server_name", TEXT, AT(mqtt.server_name), ROOM(mqtt.server_name), "", "a name"},
    {"mqtt.user", TEXT, AT(mqtt.user), ROOM(mqtt.user), "", "a name"},
    {"mqtt.secret", TEXT, AT(mqtt.secret), ROOM(mqtt.secret), "", "a text"},
    {"mqtt.secret_file", FILE_PATH, AT(mqtt.secret_file), ROOM(mqtt.secret_file), "", "a path"},
    {"mqtt.certificate", FILE_PATH, AT(mqtt.certificate), ROOM(mqtt.certificate), "", "a path"},
    {"mqtt.key", FILE_PATH, AT(mqtt.key), ROOM(mqtt.key), "", "a path"},
    {"mqtt.bind", TEXT, AT(mqtt.bind), ROOM(mqtt.bind), "", "an address of this host"},
    {"mqtt.keepalive", DURATION, AT(mqtt.keepalive_ms), 5000, 3600000, "60s", "5s to 1h"},
    {"mqtt.reconnect", SECTION, 0, 0, 0, "", "a mapping"},
    {"mqtt.reconnect.first", DURATION, AT(mqtt.first_ms), 100, 3600000, "1s", "100ms to 1h"},
    {"mqtt.reconnect.max", DURATION, AT(mqtt.max_ms), 1000, 86400000, "5m", "1s to 24h"},
    {"http", SECTION, 0, 0, 0, "", "a mapping"},
    {"http.ca", FILE_PATH, AT(http.ca), ROOM(http.ca), "", "a path"},
    {"http.certificate", FILE_PATH, AT(http.certificate), ROOM(http.certificate), "", "a path"},
    {"http.key", FILE_PATH, AT(http.key), ROOM(http.key), "", "a path"},
    {"http.connect_to", TEXT, AT(http.connect_to), ROOM(http.connect_to), "",
     "\"address:port\" (test aid)"},
    {"http.bind", TEXT, AT(http.bind), ROOM(http.bind), "", "an address of this host"},
    {"http.connect_within", DURATION, AT(http.connect_within_ms), 1000, 3600000, "30s", "1s to 1h"},
    {"http.stall", DURATION, AT(http.stall_ms), 1000, 3600000, "60s", "1s to 1h"},
    {"log", SECTION, 0, 0, 0, "", "a mapping"},
    {"log.level", LEVEL, AT(log_level), 0, 0, "info", "debug, info, warn or error"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

struct walk {
    struct gateway_settings *out;
    struct agent_kit_source source;
    struct agent_kit_place at, place[ROWS]; /* line 0: not given */
    char path[PATH_BYTES];
    size_t prefix[DEPTH_MAX + 1]; /* bytes of path that lead to a depth */
    int depth;
    bool has_key;
};

static int __attribute__((format(printf, 4, 5)))
fail(const struct walk *w, struct agent_kit_place at, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    agent_kit_fail(&w->source, at, key, format, args);
    va_end(args);
    return -1;
}

static const struct row *find(const char *path)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!strcmp(rows[i].path, path))
            return &rows[i];
    }
    return NULL;
}

static const char *put(struct walk *w, const struct row *row, const char *text)
{
    char *member = (char *)w->out + row->at;
    int64_t value = 0;
    const char *rest = text;
    bool read, may_be_empty = row->initial != NULL;
    switch (row->form) {
    case TEXT:
        return agent_kit_put_text(member, (size_t)row->max, may_be_empty, text);
    case WORD:
        return agent_kit_put_word(member, (size_t)row->max, false, text);
    case FILE_PATH:
        return agent_kit_put_path(member, (size_t)row->max, may_be_empty, &w->source, text);
    case NUMBER:
        read = agent_kit_read_number(&rest, &value) && !*rest;
        return agent_kit_put_number(member, read, value, row->min, row->max, "is not a number");
    case DURATION:
        read = agent_kit_read_duration(text, &value);
        return agent_kit_put_number(member, read, value, row->min, row->max, "is not a duration");
    case LEVEL:
        return agent_kit_put_level(member, text);
    default:
        return "is a single value";
    }
}

static int on_open(void *ctx, bool list)
{
    struct walk *w = ctx;
    const struct row *row = w->depth ? find(w->path) : NULL;
    if (list || w->depth == DEPTH_MAX || (w->depth && (!w->has_key || row->form != SECTION)))
        return fail(w, w->at, row ? row->path : NULL, "a %s where another form belongs",
                    list ? "list" : "mapping");
    w->prefix[++w->depth] = strlen(w->path);
    w->has_key = false;
    return 0;
}

static void on_close(void *ctx)
{
    struct walk *w = ctx;
    w->depth--;
    w->path[w->prefix[w->depth]] = '\0';
    w->has_key = false;
}

static int take_key(struct walk *w, const char *key)
{
    size_t len = w->prefix[w->depth];
    int all = snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "." : "", key);
    const struct row *row =
        all < (int)(sizeof w->path - len) && !strchr(key, '.') ? find(w->path) : NULL;
    if (!row)
        return fail(w, w->at, NULL, "%.60s: unknown key", key);
    if (w->place[row - rows].line)
        return fail(w, w->at, row->path, "given twice");
    w->place[row - rows] = w->at;
    w->has_key = true;
    return 0;
}

static int on_text(void *ctx, const char *text, bool plain)
{
    struct walk *w = ctx;
    (void)plain;
    if (!w->depth)
        return fail(w, w->at, NULL, "a single value where a mapping of keys belongs");
    if (!w->has_key)
        return take_key(w, text);
    const struct row *row = find(w->path);
    const char *wrong = put(w, row, text);
    w->has_key = false;
    w->path[w->prefix[w->depth]] = '\0';
    return wrong ? fail(w, w->at, row->path, "'%.60s' %s; accepted: %s", text, wrong, row->accepts)
                 : 0;
}

static int refuse(void *ctx, const char *what)
{
    const struct walk *w = ctx;
    return fail(w, w->at, NULL, "%s", what);
}

static int read_secret(struct walk *w)
{
    struct gateway_settings *s = w->out;
    size_t len;
    if (!s->mqtt.secret_file[0])
        return 0;
    const struct agent_kit_place at = w->place[find("mqtt.secret_file") - rows];
    if (s->mqtt.secret[0])
        return fail(w, at, "mqtt.secret_file", "mqtt.secret is given too");
    char *bytes = agent_kit_read_file(s->mqtt.secret_file, GATEWAY_NAME_MAX, &len);
    if (!bytes)
        return fail(w, at, "mqtt.secret_file", "%s: %s", s->mqtt.secret_file, strerror(errno));
    bytes[strcspn(bytes, "\r\n")] = '\0';
    const char *wrong = agent_kit_put_text(s->mqtt.secret, sizeof s->mqtt.secret, false, bytes);
    free(bytes);
    return wrong ? fail(w, at, "mqtt.secret_file", "its first line %s", wrong) : 0;
}

static int check(struct walk *w)
{
    struct gateway_settings *s = w->out;
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].initial && !w->place[i].line)
            return fail(w, (struct agent_kit_place){0, 0}, rows[i].path, "is missing; accepted: %s",
                        rows[i].accepts);
    }
    if (!line_baud_is_known(s->baud))
        return fail(w, w->place[find("baud") - rows], "baud", "is no speed of a serial port");
    if (!s->mqtt.certificate[0] != !s->mqtt.key[0] || !s->http.certificate[0] != !s->http.key[0])
        return fail(w, (struct agent_kit_place){0, 0}, NULL, "certificate and key go together");
    if (s->mqtt.max_ms < s->mqtt.first_ms)
        return fail(w, w->place[find("mqtt.reconnect.max") - rows], "mqtt.reconnect.max",
                    "is less than first");
    if (!s->mqtt.server_name[0])
        memcpy(s->mqtt.server_name, s->mqtt.host, sizeof s->mqtt.host);
    if (!s->http.ca[0])
        memcpy(s->http.ca, s->mqtt.ca, sizeof s->mqtt.ca);
    return read_secret(w);
}

int gateway_settings_read(struct gateway_settings *out, const char *path,
                          char message[GATEWAY_MESSAGE_MAX])
{
    static const struct agent_kit_yaml yaml = {
        .open = on_open,
        .close = on_close,
        .text = on_text,
        .refuse = refuse,
    };
    struct walk w = {.out = out, .source = {path, message, GATEWAY_MESSAGE_MAX}};
    size_t len;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].initial && rows[i].form != SECTION)
            put(&w, &rows[i], rows[i].initial);
    }
    char *bytes = agent_kit_read_file(path, FILE_BYTES_MAX, &len);
    if (!bytes)
        return fail(&w, (struct agent_kit_place){0, 0}, NULL, "%s", strerror(errno));
    int error = agent_kit_yaml_parse(&yaml, &w, &w.at, &w.source, bytes, len);
    free(bytes);
    return error ? error : check(&w);
}
