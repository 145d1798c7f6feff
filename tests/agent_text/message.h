/* A valid message in which one key at a time can be changed, left out or doubled. */
#ifndef TEST_MESSAGE_H
#define TEST_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

struct message {
    char text[16384];
    uint32_t len;
};

struct message_key {
    const char *key;
    const char *value; /* as JSON */
};

extern const struct message_key message_outer[], message_manifest[];
enum { MESSAGE_OUTER = 3, MESSAGE_MANIFEST = 12 };

/*
 * The notification, with the key replaced by the text `"key": value` (key may be of either level),
 * or left out if value is NULL. `more` is put before the other keys of the outer object; may be "".
 */
void message_make(struct message *out, const char *key, const char *value, const char *more);

#endif
