/* Inside of the configuration's reader: the table of keys and what puts text into a member. */
#ifndef SVC_SETTINGS_INTERNAL_H
#define SVC_SETTINGS_INTERNAL_H

#include "daemon_kit/settings.h"
#include "sim/service.h"

enum svc_form {
    SVC_SECTION, /* a mapping */
    SVC_TEXT,
    SVC_FILE,   /* a path; relative ones are relative to the configuration's folder */
    SVC_OUTPUT, /* the same, or "-" */
    SVC_NUMBER,
    SVC_DURATION, /* milliseconds */
    SVC_WAIT,     /* exit | wait */
};

/* One key, sections joined by a dot. initial NULL: must be given. */
struct svc_key {
    const char *path;
    enum svc_form form;
    size_t at;
    int64_t min, max; /* of numbers; max: bytes of a text with its NUL */
    const char *initial, *accepts;
};
extern const struct svc_key svc_keys[];
extern const uint32_t svc_keys_count;
enum { SVC_KEYS_MAX = 40 };

struct svc_reader {
    struct agent_kit_source source;
    struct sim_service_settings *out;
    struct agent_kit_place place[SVC_KEYS_MAX]; /* line 0: the key was not given */
};

/* Returns -1, having written the message; at the place of a key where its path is not NULL. */
__attribute__((format(printf, 5, 6))) int svc_settings_fail(struct svc_reader *reader, int line,
                                                            int column, const char *path,
                                                            const char *format, ...);
int svc_key_find(const char *path); /* -1: no such key */

/* Parses bytes and puts every value that is given into its member. 0 or -1. */
int svc_settings_parse(struct svc_reader *reader, const char *bytes, size_t len);
/* NULL, or what is wrong with the text ("is not a duration"). */
const char *svc_settings_put(struct svc_reader *reader, const struct svc_key *key,
                             const char *text);

#endif
