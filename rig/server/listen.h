/* Where the server listens, and who may ask there. */
#ifndef RIG_SERVER_LISTEN_H
#define RIG_SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/* A listening socket; url: "http://127.0.0.1:16421"; loopback: only this machine reaches it. 0, or
 * -1 with message and nothing open. */
int rig_listen(int *fd, bool *loopback, char url[static 80], const char *where, char *message,
               size_t len);

enum { RIG_TOKEN_MIN = 16, RIG_TOKEN_MAX = 128 };

struct rig_token {
    char text[RIG_TOKEN_MAX + 1]; /* zero to its end; "": none is asked for */
};

/* First line of a file that only its owner and group may read. 0, or -1 with message. */
int rig_token_read(struct rig_token *out, const char *file, char *message, size_t len);
/* Takes the same time for all texts of one length. given NULL: false. */
bool rig_token_is(const struct rig_token *token, const char *given);

#endif
