/* A bench that is never read from a file, relays that only write down what they were told, and a
 * client that sends bytes as they stand. */
#ifndef TEST_RIG_SERVER_BENCH_H
#define TEST_RIG_SERVER_BENCH_H

#include "rig/server.h"
#include <pthread.h>

/* desk: controllers bank-1 (channels 1 to 8) and bank-2 (0 to 3). Boards: pump-1 (power bank-1 1,
 * reset bank-1 2, strap recovery bank-1 3), pump-2 (power bank-1 4, inverted), mute (no power). */
struct rig_bench *test_bench(void);

struct fake {
    const struct rig_server_ops *ops; /* of fakes; ctx is the fake */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char log[4096];     /* "take pump-1;set pump-1 0 off 0:1;let go pump-1;" */
    int64_t set_us[64]; /* when each set was called */
    uint32_t sets, taken;
    int take_error, set_error; /* from set number `from` on, the first is 0 */
    uint32_t from;
    bool held_up; /* set waits until it is false */
};
void fake_init(struct fake *fake);
void fake_let(struct fake *fake);                       /* held_up ends */
void fake_wait_for_sets(struct fake *fake, uint32_t n); /* called, not done */

struct rig_server *start(struct fake *fake, const char *listen, const char *token_file);

int client_open(const struct rig_server *server);
/* Sends the text, reads until the server closes or 20 s; returns bytes in reply. */
size_t client_ask(const struct rig_server *server, const char *text, char *reply, size_t room);
size_t client_read(int fd, char *reply, size_t room); /* the same of an open one; closes it */
const char *body_of(const char *reply);

#endif
