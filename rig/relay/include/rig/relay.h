/*
 * The border of relay drivers: one const struct for each kind of switch, one file each in
 * rig/relay/drivers. A driver speaks its protocol and nothing else: retries, queue, read-back
 * policy, off-times and the odometer are the controller's (rig/controller.h).
 *
 * "On" is the relay's own word: contact closed, outlet or port powered, output enabled. What it
 * means for a board (inverted or not) is the bench file's. Functions block, at the most timeout_ms
 * for each exchange; one thread at a time for each relay. They return RIG_OK or enum rig_error with
 * what was wrong in message ("no answer to FF 09 00 within 500 ms"). NULL is misuse unless a line
 * allows it.
 */
#ifndef RIG_RELAY_H
#define RIG_RELAY_H

#include "rig/port.h"

struct rig_relay; /* one opened switch; the driver's own struct */

/* ---- Settings: what a driver wants to know, checked by the bench file's parser ---- */

enum rig_setting_kind {
    RIG_SETTING_TEXT,
    RIG_SETTING_PATH,     /* relative: to the bench file's folder */
    RIG_SETTING_SECRET,   /* a path of a file whose first line is the secret; text is that line.
                             Refused   where group or others may use the file */
    RIG_SETTING_NUMBER,   /* min to max */
    RIG_SETTING_FLAG,     /* true, false */
    RIG_SETTING_CHOICE,   /* one of choice[] */
    RIG_SETTING_DURATION, /* milliseconds, min to max */
    RIG_SETTING_LIST,     /* of texts: an argument vector */
};

struct rig_setting {
    const char *key; /* NULL: the end of the table */
    enum rig_setting_kind kind;
    bool required;
    const char *fallback; /* as one would write it; NULL: absent */
    int64_t min, max;
    const char *const *choice; /* NULL at the end */
    const char *help;          /* one line */
};

/* By the index of the driver's table. Borrowed by open. */
struct rig_setting_value {
    bool given;              /* written in the file, or by fallback */
    const char *text;        /* TEXT, PATH (absolute), SECRET; NULL: absent */
    int64_t number;          /* NUMBER, FLAG (0, 1), CHOICE (index), DURATION */
    const char *const *list; /* LIST: NULL at the end; NULL: absent */
};

/* ---- Driver ---- */

struct rig_relay_driver {
    const char *name;                     /* "lcus" */
    const char *summary;                  /* one line: what hardware, by which transport */
    uint32_t channel_first, channel_last; /* of the widest model; `open` may find fewer */
    const struct rig_setting *setting;
    /* Closing puts the state of what was set into somebody else's hands, who may change it (the
     * kernel makes a line an input again): it is closed at the end, and after RIG_EGONE;
     * never to rest, and after no other error: it must stay usable then. */
    bool holds;
    int (*open)(struct rig_relay **out, const struct rig_setting_value *value, uint32_t timeout_ms,
                char *message, size_t len);
    void (*close)(struct rig_relay *relay); /* switches nothing; NULL allowed */
    int (*set)(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len);
    /* NULL: the hardware can't be read back. EUNSUPPORTED: this model can't, or its settings say
     * so: the state stays as commanded. */
    int (*get)(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len);
    /* The hardware times it by itself: set so, and the other way after ms, rounded up to its grain.
     * A safety net, not for aiming. NULL: it can't. */
    int (*pulse)(struct rig_relay *relay, uint32_t channel, bool on, uint32_t ms, char *message,
                 size_t len);
    /* Supplies: the voltage that it gives, at once. NULL: it can't. Ramps are the controller's. */
    int (*level)(struct rig_relay *relay, uint32_t channel, uint32_t millivolts, char *message,
                 size_t len);
};

/* All, by name; NULL at the end. */
extern const struct rig_relay_driver *const rig_relay_drivers[];
const struct rig_relay_driver *rig_relay_driver(const char *name); /* NULL: none */

/* One value from its text, as it stands in a bench file; `value` is empty, or of a LIST, which
 * grows by one text. folder: of relative paths; NULL: they are taken as they are. RIG_OK, or
 * RIG_EOPEN with what is wrong and what is accepted ("9 is not 1 to 8"; the key is not named),
 * RIG_EMEMORY. */
int rig_setting_read(struct rig_setting_value *value, const struct rig_setting *setting,
                     const char *text, const char *folder, char *message, size_t len);
/* As many as the table has, all empty. NULL: no memory. */
struct rig_setting_value *rig_setting_make(const struct rig_setting *setting);
/* Fallbacks for what was not given. RIG_EOPEN: something required is missing. */
int rig_setting_finish(struct rig_setting_value *value, const struct rig_setting *setting,
                       char *message, size_t len);

/* Values from texts, for tests and for callers without a bench file: pairs key, text; NULL at the
 * end; a LIST's key stands before each of its texts; paths are taken as they are. Freed by
 * rig_setting_free. RIG_OK, RIG_EMEMORY, or RIG_EOPEN with message ("channels: 9 is not 1 to 8").
 */
int rig_setting_values(struct rig_setting_value **out, const struct rig_setting *setting,
                       const char *const *pairs, char *message, size_t len);
/* NULL allowed. */
void rig_setting_free(struct rig_setting_value *value, const struct rig_setting *setting);

#endif
