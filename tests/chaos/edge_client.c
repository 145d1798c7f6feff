/* The client that shows each byte. It blocks, and checks no certificate: curl does. */
#include "edge_bench.h"
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take(struct fetch *fetch, const uint8_t *bytes, size_t len)
{
    fetch->bytes = realloc(fetch->bytes, fetch->len + len + 1);
    memcpy(fetch->bytes + fetch->len, bytes, len);
    fetch->len += len;
    fetch->bytes[fetch->len] = 0;
}

static int receive(int fd, SSL *ssl, uint8_t *bytes, size_t len)
{
    return ssl ? SSL_read(ssl, bytes, (int)len) : (int)recv(fd, bytes, len, 0);
}

static enum fetch_end end_of(SSL *ssl, int result)
{
    if (ssl ? SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN : result == 0)
        return FETCH_CLOSED;
    return FETCH_RESET;
}

static void read_all(struct fetch *fetch, int fd, SSL *ssl)
{
    uint8_t bytes[16384];
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    for (;;) {
        bool pending = ssl && SSL_pending(ssl) > 0;
        int silence_ms = fetch->len ? fetch->silence_ms : -1;
        if (fetch->silence_ms && !pending && poll(&poller, 1, silence_ms) == 0) {
            fetch->end = FETCH_TIMED_OUT;
            return;
        }
        int got = receive(fd, ssl, bytes, sizeof bytes);
        if (got <= 0) {
            fetch->end = end_of(ssl, got);
            return;
        }
        take(fetch, bytes, (size_t)got);
        if (fetch->stop_after && fetch->len >= fetch->stop_after) {
            fetch->end = FETCH_COMPLETE;
            return;
        }
    }
}

static void parse(struct fetch *fetch)
{
    const char *end = fetch->bytes ? strstr((char *)fetch->bytes, "\r\n\r\n") : NULL;
    if (!end || sscanf((char *)fetch->bytes, "HTTP/1.1 %d", &fetch->status) != 1)
        return;
    fetch->head_len = (size_t)(end - (char *)fetch->bytes) + 4;
}

static void talk(struct fetch *fetch, int fd, SSL *ssl)
{
    size_t len = fetch->request_len ? fetch->request_len : strlen(fetch->request);
    if (ssl && SSL_connect(ssl) != 1) {
        fetch->end = FETCH_NO_TLS;
        return;
    }
    if (len && ssl)
        SSL_write(ssl, fetch->request, (int)len);
    else if (len)
        send(fd, fetch->request, len, MSG_NOSIGNAL);
    read_all(fetch, fd, ssl);
    parse(fetch);
}

void fetch(struct fetch *fetch)
{
    const struct sockaddr_in *to = &fetch->bench->address[fetch->cert];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    signal(SIGPIPE, SIG_IGN);
    bool up = connect(fd, (const struct sockaddr *)to, sizeof *to) == 0;
    if (fetch->connected)
        pthread_barrier_wait(fetch->connected);
    if (up && fetch->raw) {
        talk(fetch, fd, NULL);
    } else {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        talk(fetch, fd, ssl);
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    close(fd);
}

const uint8_t *fetch_body(const struct fetch *fetch, size_t *len)
{
    *len = fetch->len - fetch->head_len;
    return fetch->bytes + fetch->head_len;
}

bool fetch_has(const struct fetch *fetch, const char *header)
{
    size_t len = strlen(header);
    const char *at = (const char *)fetch->bytes;
    while (at && (at = strstr(at, header)) && at < (const char *)fetch->bytes + fetch->head_len) {
        if (at[-1] == '\n' && at[len] == '\r')
            return true;
        at += len;
    }
    return false;
}

void fetch_free(struct fetch *fetch)
{
    free(fetch->bytes);
    fetch->bytes = NULL;
}
