/*
 * Inside of the configuration's reader: YAML events to entries (settings_yaml.c), the table of keys
 * (settings_keys.c), text to members (settings_value.c), and what several keys have to agree upon
 * (settings_check.c).
 */
#ifndef DAEMON_SETTINGS_INTERNAL_H
#define DAEMON_SETTINGS_INTERNAL_H

#include "daemon_kit/settings.h"
#include "settings.h"

enum { SETTINGS_ROWS_MAX = 96, SETTINGS_ROW_PATH_MAX = 64 };

enum setting_form {
    SETTING_SECTION, /* a mapping */
    SETTING_LIST,    /* a list, of mappings or of values */
    SETTING_TEXT,
    SETTING_WORD, /* letters, digits, '.', '_', '-': fit for a topic */
    SETTING_FILE, /* a path, made absolute by the configuration's folder */
    SETTING_NUMBER,
    SETTING_SIZE,
    SETTING_DURATION, /* milliseconds, 32 bits */
    SETTING_OFFSET,   /* milliseconds, signed, 64 bits */
    SETTING_SWITCH,   /* yes | no */
    SETTING_LEVEL,
    SETTING_WINDOW,
    SETTING_ZONE,
    SETTING_CONFIG_SECTORS, /* "2x4KiB" */
};

/*
 * One key. path: sections joined by dots, "[]" for an entry of a list ("keys[].cert_id"). A member
 * of a list's entry lies index * stride further. initial NULL: must be given.
 */
struct setting {
    const char *path;
    enum setting_form form;
    size_t at, stride;
    int64_t min, max; /* of numbers; max: bytes of a text with its NUL, or entries of a list */
    const char *initial;
    const char *accepts;
};
extern const struct setting settings_table[];
extern const uint32_t settings_rows;

struct settings_reader {
    struct agent_kit_source source;
    struct agent_settings *out;
    struct agent_kit_place place[SETTINGS_ROWS_MAX]; /* where each was given last; line 0: not */
    uint32_t entries[SETTINGS_ROWS_MAX];             /* of a list's row */
};

/* Each returns -1, having written the message. */
__attribute__((format(printf, 4, 5))) int settings_fail(struct settings_reader *r, int line,
                                                        int column, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) int settings_fail_key(struct settings_reader *r,
                                                            const char *path, const char *fmt, ...);

/* NULL: no such row. */
const struct setting *settings_find(const char *path);

/* Parses len bytes and puts every value that is given into its member. */
int settings_parse(struct settings_reader *r, const char *bytes, size_t len);

/* Puts one value. index: of the list's entry. NULL, or what is wrong with it ("is not a size"). */
const char *settings_put(struct settings_reader *r, const struct setting *row, uint32_t index,
                         const char *text);

int settings_check(struct settings_reader *r);

/* pem.c: the public key of a PEM file. NULL, or what is wrong with it. */
const char *agent_pem_public(uint8_t out[BOOT_PUBLIC_KEY_BYTES], const char *path);

#endif
