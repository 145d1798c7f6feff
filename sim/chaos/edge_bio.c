/* OpenSSL's own socket BIO writes by write(2), which raises SIGPIPE when the client has left. */
#include "edge_internal.h"
#include <errno.h>
#include <sys/socket.h>

/* Nothing looks for it by type; BIO_get_new_index would give away one of 127 for each edge. */
enum { TYPE = 0x7F };

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int socket_write(BIO *bio, const char *bytes, int len)
{
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(fd_of(bio), bytes, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int socket_read(BIO *bio, char *out, int len)
{
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(fd_of(bio), out, (size_t)len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *edge_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(TYPE | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    if (!method)
        return NULL;
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_read(method, socket_read);
    BIO_meth_set_ctrl(method, socket_control);
    return method;
}

BIO *edge_bio_new(BIO_METHOD *method, int fd)
{
    BIO *bio = BIO_new(method);
    if (!bio)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    return bio;
}
