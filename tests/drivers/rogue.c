#include "rogue.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool rogue_send(SSL *ssl, const void *bytes, size_t len)
{
    return SSL_write(ssl, bytes, (int)len) == (int)len;
}

bool rogue_say(SSL *ssl, const char *text)
{
    return rogue_send(ssl, text, strlen(text));
}

bool rogue_read(SSL *ssl, unsigned char *bytes, size_t len)
{
    for (size_t have = 0; have < len;) {
        int got = SSL_read(ssl, bytes + have, (int)(len - have));
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

bool rogue_request(struct rogue *rogue, SSL *ssl)
{
    size_t have = 0;
    rogue->request[0] = 0;
    while (!strstr(rogue->request, "\r\n\r\n")) {
        int got = SSL_read(ssl, rogue->request + have, (int)(sizeof rogue->request - 1 - have));
        if (got <= 0)
            return false;
        rogue->request[have += (size_t)got] = 0;
    }
    return true;
}

void rogue_wait(SSL *ssl)
{
    char byte;
    while (SSL_read(ssl, &byte, 1) > 0)
        ;
}

void rogue_reset(SSL *ssl)
{
    const struct linger none = {1, 0};
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    SSL_set_quiet_shutdown(ssl, 1);
}

static void *run(void *ctx)
{
    struct rogue *rogue = ctx;
    int fd, nth = 0;
    while ((fd = accept(rogue->listener, NULL, NULL)) >= 0) {
        SSL *ssl = SSL_new(rogue->context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1) {
            rogue->serve(rogue, ssl, nth++);
            SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        close(fd);
    }
    return NULL;
}

void rogue_start(struct rogue *rogue, void (*serve)(struct rogue *, SSL *, int))
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    *rogue = (struct rogue){.serve = serve, .context = SSL_CTX_new(TLS_server_method())};
    SSL_CTX_use_certificate_file(rogue->context, world_path("server.pem"), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(rogue->context, world_path("server.key"), SSL_FILETYPE_PEM);
    inet_pton(AF_INET, world.address, &in.sin_addr);
    rogue->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(rogue->listener, (struct sockaddr *)&in, len), 0);
    cr_assert_eq(listen(rogue->listener, 16), 0);
    getsockname(rogue->listener, (struct sockaddr *)&in, &len);
    rogue->port = ntohs(in.sin_port);
    cr_assert_eq(pthread_create(&rogue->thread, NULL, run, rogue), 0);
}

void rogue_stop(struct rogue *rogue)
{
    shutdown(rogue->listener, SHUT_RDWR);
    pthread_join(rogue->thread, NULL);
    close(rogue->listener);
    SSL_CTX_free(rogue->context);
}
