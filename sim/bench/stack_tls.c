/* What TLS costs without the stack: OpenSSL on a socket, and in memory. */
#include "stack.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 16384, TAG_BYTES = 16 };

static SSL_CTX *client_context(struct bench_stack *stack)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_load_verify_file(context, stack->ca) != 1) {
        SSL_CTX_free(context);
        bench_fail(stack, "%s: OpenSSL could not load it", stack->ca);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

static SSL *client(SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    if (ssl) {
        SSL_set1_host(ssl, SIM_BROKER_NAME);
        SSL_set_tlsext_host_name(ssl, SIM_BROKER_NAME);
        SSL_set_connect_state(ssl);
    }
    return ssl;
}

/* ---- On a socket ---- */

struct hands {
    struct bench_stack *stack;
    SSL_CTX *context;
    uint32_t to_begin, done;
};

struct hand {
    struct hands *all;
    struct ev_io io;
    SSL *ssl;
};

static void shake(struct hand *hand);

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    shake(io->data);
}

static void end_hand(struct hand *hand)
{
    if (!hand->ssl)
        return;
    ev_io_stop(hand->all->stack->loop, &hand->io);
    SSL_free(hand->ssl);
    close(hand->io.fd);
    hand->ssl = NULL;
}

static void begin_hand(struct hand *hand)
{
    struct hands *all = hand->all;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port =
                                       htons(all->stack->servers.broker.port[SIM_CERT_GOOD]),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!all->to_begin)
        return;
    all->to_begin--;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    hand->ssl = client(all->context);
    ev_io_init(&hand->io, on_io, fd, EV_WRITE);
    hand->io.data = hand;
    if (fd < 0 || !hand->ssl || !SSL_set_fd(hand->ssl, fd) ||
        (connect(fd, (const struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS))
        bench_fail(all->stack, "a bare TLS connection: %s", strerror(errno));
    else
        ev_io_start(all->stack->loop, &hand->io);
}

static void shake(struct hand *hand)
{
    struct hands *all = hand->all;
    int result = SSL_do_handshake(hand->ssl);
    int error = SSL_get_error(hand->ssl, result);
    if (result == 1) {
        all->done++;
        end_hand(hand);
        begin_hand(hand);
    } else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        ev_io_stop(all->stack->loop, &hand->io);
        ev_io_set(&hand->io, hand->io.fd, error == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
        ev_io_start(all->stack->loop, &hand->io);
    } else {
        bench_fail(all->stack, "a bare TLS handshake failed");
    }
}

int bench_plain_handshakes(struct bench_stack *stack, struct bench_cost *cost, uint32_t count)
{
    struct hand hand[BENCH_UNDER_WAY] = {{0}};
    struct hands all = {stack, client_context(stack), count, 0};
    if (!all.context)
        return -1;
    bench_begin(cost);
    for (int i = 0; i < BENCH_UNDER_WAY; i++) {
        hand[i].all = &all;
        begin_hand(&hand[i]);
    }
    int error = bench_until(stack, &all.done, count);
    bench_end(cost, count);
    for (int i = 0; i < BENCH_UNDER_WAY; i++)
        end_hand(&hand[i]);
    SSL_CTX_free(all.context);
    return error;
}

/* ---- In memory ---- */

static SSL_CTX *server_context(struct bench_stack *stack)
{
    char certificate[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    const struct sim_pki *pki = &stack->servers.pki;
    sim_pki_server_path(pki, certificate, SIM_BROKER_NAME, SIM_CERT_GOOD, SIM_PEM_CERTIFICATE);
    sim_pki_server_path(pki, key, SIM_BROKER_NAME, SIM_CERT_GOOD, SIM_PEM_KEY);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        SSL_CTX_free(context);
        bench_fail(stack, "%s: OpenSSL could not load it", certificate);
        return NULL;
    }
    return context;
}

/* One handshake; only the client's part of it is counted. */
static bool meet(SSL_CTX *ours, SSL_CTX *theirs, struct bench_cost *cost)
{
    BIO *near_end = NULL, *far_end = NULL;
    SSL *server = SSL_new(theirs), *own = NULL;
    if (!server || BIO_new_bio_pair(&near_end, 0, &far_end, 0) != 1) {
        SSL_free(server);
        return false;
    }
    SSL_set_accept_state(server);
    SSL_set_bio(server, far_end, far_end);
    bench_begin(cost);
    own = client(ours);
    if (own)
        SSL_set_bio(own, near_end, near_end);
    bench_end(cost, 0);
    bool done = false;
    for (int turn = 0; own && turn < 20 && !done; turn++) {
        bench_begin(cost);
        int result = SSL_do_handshake(own);
        bench_end(cost, 0);
        done = SSL_do_handshake(server) == 1 && result == 1;
    }
    bench_begin(cost);
    SSL_free(own);
    bench_end(cost, 1);
    SSL_free(server);
    return done;
}

int bench_memory_handshakes(struct bench_stack *stack, struct bench_cost *cost, uint32_t count)
{
    SSL_CTX *ours = client_context(stack), *theirs = ours ? server_context(stack) : NULL;
    for (uint32_t i = 0; theirs && i < count; i++)
        if (!meet(ours, theirs, cost))
            bench_fail(stack, "a TLS handshake in memory failed");
    SSL_CTX_free(ours);
    SSL_CTX_free(theirs);
    return stack->why[0] ? -1 : 0;
}

struct image {
    uint8_t record[RECORD_BYTES], tag[TAG_BYTES], plain[RECORD_BYTES], copy[BENCH_IMAGE_BYTES];
};

/* Each record as TLS has it: a new nonce, a tag that is checked. */
static bool open_record(EVP_CIPHER_CTX *context, struct image *image, uint32_t at)
{
    static const uint8_t nonce[12];
    int len;
    if (EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, image->tag) != 1 ||
        EVP_DecryptUpdate(context, image->plain, &len, image->record, RECORD_BYTES) != 1 ||
        EVP_DecryptFinal_ex(context, image->plain + len, &len) != 1)
        return false;
    memcpy(image->copy + at, image->plain, RECORD_BYTES);
    return true;
}

static bool seal(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, struct image *image)
{
    static const uint8_t key[32], nonce[12];
    int len;
    return EVP_EncryptInit_ex(context, cipher, NULL, key, nonce) == 1 &&
           EVP_EncryptUpdate(context, image->record, &len, image->copy, RECORD_BYTES) == 1 &&
           EVP_EncryptFinal_ex(context, image->record + len, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, image->tag) == 1 &&
           EVP_DecryptInit_ex(context, cipher, NULL, key, nonce) == 1;
}

int bench_memory_images(struct bench_stack *stack, struct bench_cost *cost, uint32_t count)
{
    struct image *image = calloc(1, sizeof *image);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = image && context && seal(context, EVP_aes_256_gcm(), image);
    bench_begin(cost);
    for (uint32_t i = 0; ok && i < count; i++)
        for (uint32_t at = 0; ok && at < BENCH_IMAGE_BYTES; at += RECORD_BYTES)
            ok = open_record(context, image, at);
    bench_end(cost, count);
    EVP_CIPHER_CTX_free(context);
    free(image);
    if (!ok)
        bench_fail(stack, "AES-256-GCM in memory failed");
    return ok ? 0 : -1;
}
