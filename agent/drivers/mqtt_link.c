/* A connection's life: begun, watched, lost or ended. */
#include "mqtt_link.h"
#include <assert.h>
#include <errno.h>
#include <openssl/bio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static bool shaking_hands(const struct mqtt_link *link)
{
    return !SSL_is_init_finished(link->peer.ssl);
}

void mqtt_link_lose(struct mqtt_link *link, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!link->why[0])
        vsnprintf(link->why, sizeof link->why, format, args);
    va_end(args);
    if (!link->busy)
        ev_feed_event(link->loop, &link->io, EV_CUSTOM);
}

/* error: of a library call, 0: look whether it closed the socket all the same. */
static void check(struct mqtt_link *link, int error)
{
    int cause = errno;
    if (!error && mosquitto_socket(link->mosq) >= 0)
        return;
    const char *refusal = agent_tls_refusal(&link->peer);
    if (refusal)
        mqtt_link_lose(link, "%s", refusal);
    else if (error == MOSQ_ERR_TLS)
        mqtt_link_lose(link, "the TLS handshake failed");
    else if (error == MOSQ_ERR_KEEPALIVE)
        mqtt_link_lose(link, "no answer to a ping"); /* the library has no phrase for it */
    else if (error == MOSQ_ERR_ERRNO && cause)
        mqtt_link_lose(link, "%s", strerror(cause));
    else
        mqtt_link_lose(link, "%s", mosquitto_strerror(error ? error : MOSQ_ERR_CONN_LOST));
}

static void free_link(struct mqtt_link *link)
{
    uint32_t token;
    ev_io_stop(link->loop, &link->io);
    ev_timer_stop(link->loop, &link->timer);
    if (link->goodbye) {
        mosquitto_threaded_set(link->mosq, false); /* nobody comes back to write it */
        mosquitto_disconnect(link->mosq);
    }
    mosquitto_destroy(link->mosq);
    agent_tls_forget(&link->peer);
    while (link->token)
        mqtt_token_take(link, link->token->mid, &token);
    free(link);
}

void mqtt_link_end(struct mqtt_link *link, bool goodbye)
{
    link->owner = NULL;
    link->goodbye = goodbye && link->up;
    if (!link->busy)
        free_link(link);
    else if (!goodbye)
        /* What the library still does before it returns must not reach the broker: an
         * acknowledgement of a message that nobody is told of. */
        shutdown(mosquitto_socket(link->mosq), SHUT_RDWR);
}

/* The library's own answer is wrong while it connects: it forgets to take back that it wants to
 * write, and the loop would spin until the server's answer. */
static int wanted(const struct mqtt_link *link)
{
    if (link->held)
        return 0;
    if (shaking_hands(link))
        return SSL_want_write(link->peer.ssl) ? EV_WRITE : EV_READ;
    return mosquitto_want_write(link->mosq) ? EV_READ | EV_WRITE : EV_READ;
}

void mqtt_link_watch(struct mqtt_link *link)
{
    int events = wanted(link);
    if ((link->io.events & (EV_READ | EV_WRITE)) == events && ev_is_active(&link->io))
        return;
    ev_io_stop(link->loop, &link->io);
    if (!events)
        return;
    ev_io_set(&link->io, mosquitto_socket(link->mosq), events);
    ev_io_start(link->loop, &link->io);
}

/* After each call of the library that may call back: does what had to wait for its return. */
static void settle(struct mqtt_link *link)
{
    char why[sizeof link->why];
    struct agent_mqtt *owner = link->owner;
    if (owner && !link->why[0]) {
        mqtt_link_watch(link);
        return;
    }
    memcpy(why, link->why, sizeof why);
    free_link(link);
    if (owner) {
        owner->link = NULL;
        owner->events->down(owner->ctx, why); /* may destroy the owner */
    }
}

/* The library reports success when a socket fails in the handshake, again and again: whether there
 * is something to wait for is seen at the BIO. */
static void shake_hands(struct mqtt_link *link)
{
    errno = 0;
    check(link, mosquitto_loop_read(link->mosq, 1));
    int cause = errno;
    if (!link->why[0] && shaking_hands(link) && !BIO_should_retry(SSL_get_rbio(link->peer.ssl)))
        mqtt_link_lose(link, "%s", cause ? strerror(cause) : "closed in the TLS handshake");
}

/* Still before anything is written, the acknowledgements above all. */
static void keep(struct mqtt_link *link)
{
    struct agent_mqtt *owner = link->owner;
    bool asked = link->unkept && owner && owner->events->keep && !link->why[0];
    link->unkept = false;
    if (!asked)
        return;
    link->reading = true;
    if (!owner->events->keep(owner->ctx))
        mqtt_link_lose(link, "what came could not be kept");
    link->reading = false;
}

/* The library stops early when an event's receiver left EAGAIN in errno, and the loop doesn't hear
 * of bytes that TLS has read already. They are at most one record: the socket is read no further
 * than read_left. */
static void read_packets(struct mqtt_link *link)
{
    int before, left = 0;
    do {
        before = left;
        link->reading = true;
        check(link, mosquitto_loop_read(link->mosq, 1));
        link->reading = false;
        left = link->why[0] ? 0 : SSL_pending(link->peer.ssl);
    } while (left && left != before);
    keep(link);
    uint32_t came = MQTT_READ_MAX - link->read_left;
    if (came > MQTT_PING_BYTES)
        link->packet_bytes += came;
    if (link->packet_bytes > MQTT_PACKET_MAX)
        mqtt_link_lose(link, "a packet of more than %d bytes", MQTT_PACKET_MAX);
}

static void write_packets(struct mqtt_link *link)
{
    if (!link->why[0] && !link->held && !shaking_hands(link) && mosquitto_want_write(link->mosq))
        check(link, mosquitto_loop_write(link->mosq, 1));
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct mqtt_link *link = io->data;
    (void)loop;
    link->busy++;
    link->read_left = MQTT_READ_MAX;
    if (!link->why[0]) {
        if (shaking_hands(link))
            shake_hands(link);
        else if (events & EV_READ)
            read_packets(link);
        write_packets(link);
    }
    link->busy--;
    settle(link);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct mqtt_link *link = timer->data;
    (void)loop, (void)events;
    link->busy++;
    if (link->up)
        check(link, mosquitto_loop_misc(link->mosq));
    else
        mqtt_link_lose(link, "not up within %g s", timer->repeat);
    link->busy--;
    settle(link);
}

void mqtt_link_is_up(struct mqtt_link *link)
{
    struct agent_mqtt *owner = link->owner;
    link->up = true;
    /* A ping is up to a quarter of the interval late, a broker waits for one and a half. */
    link->timer.repeat = owner->config->keepalive_s / 4.0;
    ev_timer_again(link->loop, &link->timer);
    owner->events->up(owner->ctx);
}

/* Before each read of the socket, and after: counts, and ends this event's share as if there were
 * nothing more to read. The loop comes back, for the bytes are still there.
 * While the library reads, nothing is written: it acknowledges a message before it hands it over,
 * and a device whose power goes while it takes the message in must get it again. What it has to say
 * waits in its queue, or is never said.
 * A write that fails looks like one that has to wait: the library would close the socket, and with
 * it the server's last word, an alert which says why. The next read brings it, or the end. */
static long on_bio(BIO *bio, int operation, const char *bytes, size_t len, int i, long l,
                   int result, size_t *done)
{
    struct mqtt_link *link = (struct mqtt_link *)BIO_get_callback_arg(bio);
    (void)bytes, (void)len, (void)i, (void)l;
    if (operation == BIO_CB_READ && !link->read_left) {
        BIO_set_retry_read(bio);
        errno = EAGAIN;
        return -1;
    }
    if (operation == BIO_CB_WRITE && (link->reading || link->held)) {
        BIO_set_retry_write(bio);
        errno = EAGAIN;
        return -1;
    }
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0)
        link->read_left -= *done < link->read_left ? (uint32_t)*done : link->read_left;
    if (operation == (BIO_CB_WRITE | BIO_CB_RETURN) && result <= 0 && !shaking_hands(link)) {
        BIO_set_retry_write(bio);
        errno = EAGAIN;
    }
    return result;
}

/* libmosquitto makes a socket pair, to wake a thread of its own with a byte for each packet that it
 * sends. Nobody reads them here: two files and 200 KB of the kernel's memory for each client. It
 * does without when it gets none, and cannot be told to; so for this moment there is no file to be
 * had. */
static struct mosquitto *new_without_pair(const struct agent_mqtt_config *config,
                                          struct mqtt_link *link)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return NULL;
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = files.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &none))
        return NULL;
    struct mosquitto *mosq = mosquitto_new(config->client_id, config->clean_session, link);
    setrlimit(RLIMIT_NOFILE, &files);
    return mosq;
}

static struct mosquitto *new_mosquitto(const struct agent_mqtt_config *config,
                                       struct mqtt_link *link)
{
    return config->one_of_many ? new_without_pair(config, link)
                               : mosquitto_new(config->client_id, config->clean_session, link);
}

static int set_options(struct mqtt_link *link, const struct agent_mqtt_config *config)
{
    struct mosquitto *mosq = link->mosq;
    int error = mosquitto_username_pw_set(mosq, config->user, config->secret);
    if (!error && config->will_topic)
        error = mosquitto_will_set(mosq, config->will_topic, (int)strlen(config->will_payload),
                                   config->will_payload, 1, true);
    if (!error)
        error = mosquitto_void_option(mosq, MOSQ_OPT_SSL_CTX, agent_tls_context(config->tls));
    if (!error) /* or it would ask for CA files of its own */
        error = mosquitto_int_option(mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    if (!error)
        error = mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
    /* It acknowledges a message before it hands it over, and would write that at once: a power cut
     * while the device takes it in would lose the message. With this it leaves all writing to us,
     * which is after the call has returned. */
    if (!error)
        error = mosquitto_threaded_set(mosq, true);
    mqtt_calls_set(mosq);
    return error;
}

static void start_watchers(struct mqtt_link *link, const struct agent_mqtt_config *config)
{
    link->timer.repeat = config->connect_within_s;
    ev_timer_again(link->loop, &link->timer);
    mqtt_link_watch(link);
}

static void begin(struct mqtt_link *link, const struct agent_mqtt_config *config)
{
    int error = set_options(link, config);
    if (!error) {
        errno = 0;
        agent_tls_expect(config->tls, &link->peer);
        error = mosquitto_connect_bind_async(link->mosq, config->host, config->port,
                                             config->keepalive_s, config->bind_address);
        agent_tls_expect(config->tls, NULL);
    }
    int cause = errno;
    if (error == MOSQ_ERR_EAI)
        mqtt_link_lose(link, "%s: no such host", config->host);
    else
        check(link, error);
    if (link->why[0])
        return;
    assert(link->peer.ssl); /* TLS, or nothing */
    if (shaking_hands(link) && !BIO_should_retry(SSL_get_rbio(link->peer.ssl)))
        mqtt_link_lose(link, "%s", strerror(cause));
    else
        start_watchers(link, config);
}

struct mqtt_link *mqtt_link_begin(struct agent_mqtt *owner, char *why, size_t len)
{
    const struct agent_mqtt_config *config = owner->config;
    struct mqtt_link *link = calloc(1, sizeof *link);
    snprintf(why, len, "no memory");
    if (!link || !(link->mosq = new_mosquitto(config, link))) {
        free(link);
        return NULL;
    }
    link->owner = owner;
    link->loop = owner->loop;
    link->read_left = MQTT_READ_MAX;
    link->token_end = &link->token;
    link->peer.name = config->server_name ? config->server_name : config->host;
    link->peer.identity = config->identity;
    link->peer.clock = config->clock;
    link->peer.on_bio = on_bio;
    link->peer.ctx = link;
    ev_init(&link->io, on_io);
    ev_init(&link->timer, on_timer);
    link->io.data = link->timer.data = link;
    link->busy++; /* what is lost here is told by our result */
    begin(link, config);
    link->busy--;
    if (!link->why[0])
        return link;
    snprintf(why, len, "%s", link->why);
    free_link(link);
    return NULL;
}
