/* Every key of the configuration, its value, and what several of them have to agree upon. */
#include "settings_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { FILE_BYTES_MAX = 65536 };

#define MEMBER(member)                                                                             \
    .at = offsetof(struct sim_service_settings, member),                                           \
    .max = sizeof(((struct sim_service_settings *)0)->member)
#define KEY(path_, form_, member, initial_, accepts_)                                              \
    {                                                                                              \
        .path = path_, .form = form_, MEMBER(member), .initial = initial_, .accepts = accepts_     \
    }
#define NUMBER(path_, form_, member, min_, max_, initial_, accepts_)                               \
    {                                                                                              \
        .path = path_, .form = form_, .at = offsetof(struct sim_service_settings, member),         \
        .min = (min_), .max = (max_), .initial = initial_, .accepts = accepts_                     \
    }
#define SECTION(path_)                                                                             \
    {                                                                                              \
        .path = path_, .form = SVC_SECTION, .initial = "", .accepts = "a mapping"                  \
    }

const struct svc_key svc_keys[] = {
    KEY("scenario", SVC_FILE, scenario, NULL, "the path of a scenario"),
    KEY("manifest", SVC_FILE, manifest, NULL,
        "the path of a manifest, as `brickyard firmware manifest` writes it"),
    KEY("database", SVC_FILE, database, NULL,
        "the path of the service's SQLite file; made at the first start"),
    SECTION("broker"),
    KEY("broker.host", SVC_TEXT, broker.host, NULL, "a name or an address"),
    NUMBER("broker.port", SVC_NUMBER, broker.port, 1, 65535, "8883", "1 to 65535"),
    KEY("broker.ca", SVC_FILE, broker.ca, NULL,
        "the path of a PEM file with the CA of the broker's certificate"),
    KEY("broker.server_name", SVC_TEXT, broker.server_name, "",
        "the name in the broker's certificate"),
    KEY("broker.user", SVC_TEXT, broker.user, "", "a name"),
    KEY("broker.secret", SVC_TEXT, broker.secret, "", "a text"),
    KEY("broker.secret_file", SVC_FILE, broker.secret_file, "",
        "the path of a file whose first line is the secret"),
    KEY("broker.certificate", SVC_FILE, broker.certificate, "", "the path of a PEM file"),
    KEY("broker.key", SVC_FILE, broker.key, "", "the path of a PEM file"),
    KEY("broker.client_id", SVC_TEXT, broker.client_id, "brickyard-service",
        "a name that no other client of the broker has"),
    SECTION("report"),
    KEY("report.json", SVC_OUTPUT, report.json, "", "a path, or - for standard output"),
    KEY("report.junit", SVC_OUTPUT, report.junit, "", "a path, or - for standard output"),
    KEY("report.db", SVC_FILE, report.db, "", "a path"),
    SECTION("control"),
    KEY("control.socket", SVC_FILE, control, "", "a path of at most 107 bytes"),
    NUMBER("tick", SVC_DURATION, tick_ms, 1, 60000, "1s", "a duration, 1ms to 60s"),
    NUMBER("settle", SVC_DURATION, settle_ms, 0, 3600000, "10s", "a duration, 0 to 1h"),
    KEY("when_stopped", SVC_WAIT, wait_when_stopped, "exit", "exit or wait"),
    NUMBER("die_at", SVC_NUMBER, die_at, 0, UINT32_MAX, "0", "the number of a step; 0 for never"),
};
const uint32_t svc_keys_count = sizeof svc_keys / sizeof svc_keys[0];
_Static_assert(sizeof svc_keys / sizeof svc_keys[0] <= SVC_KEYS_MAX, "every key has a place");

int svc_key_find(const char *path)
{
    for (uint32_t i = 0; i < svc_keys_count; i++)
        if (!strcmp(svc_keys[i].path, path))
            return (int)i;
    return -1;
}

int svc_settings_fail(struct svc_reader *reader, int line, int column, const char *path,
                      const char *format, ...)
{
    struct agent_kit_place at = {line, column};
    int key = path ? svc_key_find(path) : -1;
    if (!line && key >= 0)
        at = reader->place[key];
    va_list args;
    va_start(args, format);
    agent_kit_fail(&reader->source, at, path, format, args);
    va_end(args);
    return -1;
}

static const char *put_number(const struct svc_key *key, void *member, bool read, int64_t value,
                              const char *otherwise)
{
    return agent_kit_put_number(member, read, value, key->min, key->max, otherwise);
}

static const char *put_wait(void *member, const char *text)
{
    bool wait = !strcmp(text, "wait");
    if (!wait && strcmp(text, "exit"))
        return "is neither exit nor wait";
    memcpy(member, &wait, sizeof wait);
    return NULL;
}

const char *svc_settings_put(struct svc_reader *reader, const struct svc_key *key, const char *text)
{
    char *member = (char *)reader->out + key->at;
    size_t bytes = (size_t)key->max;
    const char *rest = text;
    int64_t value = 0;
    bool read;
    switch (key->form) {
    case SVC_TEXT:
        return agent_kit_put_text(member, bytes, key->initial, text);
    case SVC_OUTPUT:
        if (!strcmp(text, "-"))
            return agent_kit_put_text(member, bytes, key->initial, text);
        return agent_kit_put_path(member, bytes, key->initial, &reader->source, text);
    case SVC_FILE:
        return agent_kit_put_path(member, bytes, key->initial, &reader->source, text);
    case SVC_NUMBER:
        read = agent_kit_read_number(&rest, &value) && !*rest;
        return put_number(key, member, read, value, "is not a whole number");
    case SVC_DURATION:
        read = agent_kit_read_duration(text, &value);
        return put_number(key, member, read, value, "is not a duration");
    case SVC_WAIT:
        return put_wait(member, text);
    default:
        return "is not a single value";
    }
}

static int put_defaults(struct svc_reader *reader)
{
    for (uint32_t i = 0; i < svc_keys_count; i++) {
        const struct svc_key *key = &svc_keys[i];
        if (reader->place[i].line || key->form == SVC_SECTION)
            continue;
        if (!key->initial)
            return svc_settings_fail(reader, 0, 0, key->path, "is missing; accepted: %s",
                                     key->accepts);
        if (*key->initial)
            svc_settings_put(reader, key, key->initial);
    }
    return 0;
}

/* The first line of the file, without its end. */
static int read_secret(struct svc_reader *reader)
{
    struct sim_service_settings *out = reader->out;
    if (!*out->broker.secret_file)
        return 0;
    if (*out->broker.secret)
        return svc_settings_fail(reader, 0, 0, "broker.secret_file",
                                 "broker.secret is given too; accepted: one of them");
    FILE *file = fopen(out->broker.secret_file, "re");
    char *line = file ? fgets(out->broker.secret, sizeof out->broker.secret, file) : NULL;
    int error = errno;
    if (file)
        fclose(file);
    if (!line)
        return svc_settings_fail(reader, 0, 0, "broker.secret_file", "'%.200s': %s; accepted: %s",
                                 out->broker.secret_file, file ? "is empty" : strerror(error),
                                 svc_keys[svc_key_find("broker.secret_file")].accepts);
    line[strcspn(line, "\r\n")] = '\0';
    return 0;
}

static int check(struct svc_reader *reader)
{
    struct sim_service_settings *out = reader->out;
    if (!*out->broker.certificate != !*out->broker.key)
        return svc_settings_fail(reader, 0, 0,
                                 *out->broker.key ? "broker.key" : "broker.certificate",
                                 "stands alone; accepted: broker.certificate and broker.key");
    if (*out->broker.secret && !*out->broker.user)
        return svc_settings_fail(reader, 0, 0, "broker.secret",
                                 "without broker.user; accepted: both");
    if (!*out->control) {
        const char *suffix = ".control";
        size_t len = strlen(out->database);
        if (len + strlen(suffix) < sizeof out->control)
            snprintf(out->control, sizeof out->control, "%.*s%s", (int)len, out->database, suffix);
    }
    if (!*out->control || strlen(out->control) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return svc_settings_fail(reader, 0, 0, "control.socket",
                                 "'%.200s' is too long; accepted: %s", out->control,
                                 svc_keys[svc_key_find("control.socket")].accepts);
    return 0;
}

int sim_service_settings_read(struct sim_service_settings *out, const char *path,
                              char message[SIM_SERVICE_MESSAGE_MAX])
{
    size_t len = 0;
    struct svc_reader reader = {.source = {path, message, SIM_SERVICE_MESSAGE_MAX}, .out = out};
    *out = (struct sim_service_settings){.tick_ms = 0};
    if (strlen(path) >= sizeof out->file)
        return svc_settings_fail(&reader, 0, 0, NULL, "its path is too long");
    strcpy(out->file, path);
    char *bytes = agent_kit_read_file(path, FILE_BYTES_MAX, &len);
    if (!bytes && errno == EFBIG)
        return svc_settings_fail(&reader, 0, 0, NULL, "is too long; accepted: at most %d bytes",
                                 FILE_BYTES_MAX);
    if (!bytes)
        return svc_settings_fail(&reader, 0, 0, NULL, "%s; accepted: a YAML file", strerror(errno));
    int error = svc_settings_parse(&reader, bytes, len);
    free(bytes);
    if (error || put_defaults(&reader) || read_secret(&reader))
        return -1;
    return check(&reader);
}
