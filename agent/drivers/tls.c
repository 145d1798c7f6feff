/* The context which all MQTT connections share, and the store of CAs which all connections do. */
#include "drivers/tls.h"
#include "tls_peer.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_tls {
    SSL_CTX *context;
};

const char *agent_drivers_error_name(int error)
{
    static const char *const name[] = {"OK", "EMEMORY", "EFILE", "ECONNECT"};
    return error <= 0 && error >= AGENT_DRIVERS_ECONNECT ? name[-error] : "unknown";
}

static struct agent_tls_peer *peer_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* Every certificate of every chain comes by here, after OpenSSL's own verdict, which is only ever
 * made worse: a connection whose name and time could not be set is refused. */
static int judge(int ok, X509_STORE_CTX *chain)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct agent_tls_peer *peer = peer_of(ssl);
    if (peer && peer->prepared)
        return ok;
    X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static bool set_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name)) {
        /* An address is no name to ask for (RFC 6066, 3). */
        return SSL_set_tlsext_host_name(ssl, NULL);
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

static void set_time(X509_VERIFY_PARAM *param, const struct agent_clock *clock)
{
    if (clock->utc_ms)
        X509_VERIFY_PARAM_set_time(param, (time_t)(clock->utc_ms(clock->ctx) / 1000));
}

static void prepare(SSL *ssl, struct agent_tls_peer *peer)
{
    SSL_up_ref(ssl);
    peer->ssl = ssl;
    SSL_set_app_data(ssl, peer);
    BIO_set_callback_arg(SSL_get_rbio(ssl), peer->ctx);
    BIO_set_callback_ex(SSL_get_rbio(ssl), peer->on_bio);
    set_time(SSL_get0_param(ssl), &peer->clock);
    peer->prepared =
        set_name(ssl, peer->name) && (!peer->identity || agent_identity_use(peer->identity, ssl));
    ERR_clear_error();
}

static void on_info(const SSL *ssl, int where, int value)
{
    struct agent_tls_peer *peer = peer_of(ssl);
    if (where & SSL_CB_HANDSHAKE_START && !peer) {
        struct agent_tls_peer *expected = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        if (expected && !expected->ssl)
            prepare((SSL *)(uintptr_t)ssl, expected);
    }
    int alert = value & 0xff;
    if (peer && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && alert != SSL_AD_CLOSE_NOTIFY)
        peer->alert = alert;
}

void agent_tls_expect(const struct agent_tls *tls, struct agent_tls_peer *peer)
{
    SSL_CTX_set_app_data(tls->context, peer);
}

void agent_tls_forget(struct agent_tls_peer *peer)
{
    if (peer->ssl) {
        SSL_set_app_data(peer->ssl, NULL);
        SSL_free(peer->ssl);
    }
    peer->ssl = NULL;
}

const char *agent_tls_refusal(const struct agent_tls_peer *peer)
{
    long verdict = peer->ssl ? SSL_get_verify_result(peer->ssl) : X509_V_OK;
    if (verdict != X509_V_OK)
        return X509_verify_cert_error_string(verdict);
    if (!peer->alert)
        return NULL;
    /* SSL_alert_desc_string_long knows none of TLS 1.3's. */
    const char *phrase =
        ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + peer->alert));
    return phrase ? phrase : "refused by a TLS alert";
}

bool agent_tls_dress(const struct agent_tls *tls, SSL_CTX *context,
                     const struct agent_identity *identity, const struct agent_clock *clock)
{
    SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(tls->context));
    set_time(SSL_CTX_get0_param(context), clock);
    return !identity || agent_identity_use_context(identity, context);
}

/* Small and without a memory: no buffers while idle, no sessions (a resumed one would skip the
 * certificate, and with it the device's clock), no tickets, no renegotiation. MQTT has its own
 * framing, so that an end without close_notify cuts nothing short: it is a lost connection. */
static void configure(SSL_CTX *context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, judge);
    SSL_CTX_set_info_callback(context, on_info);
}

static int load(SSL_CTX *context, const char *ca_file, char *why, size_t len)
{
    FILE *file = fopen(ca_file, "r");
    if (!file) {
        snprintf(why, len, "%s: %s", ca_file, strerror(errno));
        return AGENT_DRIVERS_EFILE;
    }
    fclose(file);
    if (SSL_CTX_load_verify_file(context, ca_file) != 1) {
        snprintf(why, len, "%s: no PEM certificate of a CA in it", ca_file);
        ERR_clear_error();
        return AGENT_DRIVERS_EFILE;
    }
    return AGENT_DRIVERS_OK;
}

int agent_tls_create(struct agent_tls **out, const char *ca_file, char *why, size_t len)
{
    struct agent_tls *tls = calloc(1, sizeof *tls);
    *out = NULL;
    if (why && len)
        snprintf(why, len, "no memory");
    if (!tls || !(tls->context = SSL_CTX_new(TLS_client_method()))) {
        free(tls);
        return AGENT_DRIVERS_EMEMORY;
    }
    signal(SIGPIPE, SIG_IGN);
    configure(tls->context);
    int error = load(tls->context, ca_file, why, why ? len : 0);
    if (error) {
        agent_tls_free(tls);
        return error;
    }
    *out = tls;
    return AGENT_DRIVERS_OK;
}

void agent_tls_free(struct agent_tls *tls)
{
    if (tls)
        SSL_CTX_free(tls->context);
    free(tls);
}

SSL_CTX *agent_tls_context(const struct agent_tls *tls)
{
    return tls->context;
}
